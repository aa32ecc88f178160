"""What processes have used, from /proc: CPU time and memory of one process and all that it has started."""

import dataclasses
import os
import pathlib

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


@dataclasses.dataclass(frozen=True)
class Stat:
    """The fields of /proc/PID/stat that matter here; ticks are those of all threads, ended ones included."""

    parent: int
    ticks: int
    started: int
    zombie: bool  # it has ended, and nobody has asked how


def parse_stat(text):
    """The name of the program stands in parentheses and may itself contain spaces and parentheses."""
    fields = text.rpartition(")")[2].split()
    return Stat(parent=int(fields[1]), ticks=int(fields[11]) + int(fields[12]), started=int(fields[19]),
                zombie=fields[0] == "Z")


def parse_schedstat(text):
    """Nanoseconds on a processor: the first of three numbers."""
    return int(text.split()[0])


def parse_pss_kib(text):
    """The proportional set size of /proc/PID/smaps_rollup; Pss_Anon and its kin are parts of it."""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "Pss":
            number, unit = rest.split()
            if unit != "kB":
                raise ValueError(f"smaps_rollup: not in kB: {line}")
            return int(number)
    raise ValueError("smaps_rollup has no line 'Pss:'")


def stats(proc=PROC):
    """{pid: Stat} of all processes there are."""
    found = {}
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            try:
                found[int(entry.name)] = parse_stat((entry / "stat").read_text("utf-8", "replace"))
            except OSError:
                pass  # it has ended meanwhile
    return found


def family(root, found):
    """The process `root` and its descendants, of those found."""
    members = [root] if root in found else []
    for member in members:
        members.extend(sorted(pid for pid, stat in found.items() if stat.parent == member))
    return members


@dataclasses.dataclass(frozen=True)
class Reading:
    """CPU time so far. Ticks are whole hundredths of a second; nanoseconds are there for living threads only."""

    ticks: dict  # {pid: ticks}
    nanoseconds: dict  # {(pid, thread): nanoseconds}


def read_cpu(root, proc=PROC):
    """Of the process `root` and its descendants."""
    found = stats(proc)
    members = family(root, found)
    nanoseconds = {}
    for pid in members:
        try:
            for task in (proc / str(pid) / "task").iterdir():
                nanoseconds[pid, int(task.name)] = parse_schedstat((task / "schedstat").read_text("ascii"))
        except OSError:
            pass  # a kernel without schedstat, or a thread that has just ended: ticks tell then
    return Reading({pid: found[pid].ticks for pid in members}, nanoseconds)


class ProcessGone(Exception):
    """A process ended between two readings, and what it used is not known."""


def seconds_between(before, after):
    """CPU time spent. utime and stime count; the nanoseconds of the same threads only make them finer."""
    if not after.ticks or before.ticks.keys() - after.ticks.keys():
        raise ProcessGone("a process of the proxy has ended")
    by_ticks = sum(after.ticks.values()) - sum(before.ticks.values())
    coarse = by_ticks / TICKS_PER_SECOND
    if not before.nanoseconds or before.nanoseconds.keys() - after.nanoseconds.keys():
        return coarse
    fine = (sum(after.nanoseconds.values()) - sum(before.nanoseconds.values())) / 1e9
    # Each reading of each process is rounded down, or scaled, by less than a tick.
    tolerance = 2 * len(after.ticks) / TICKS_PER_SECOND
    return fine if abs(fine - coarse) <= tolerance else coarse


def read_pss_kib(root, proc=PROC):
    """Memory of the process `root` and its descendants; what they share counts once."""
    members = family(root, stats(proc))
    if not members:
        raise ProcessGone("the proxy has ended")
    return sum(parse_pss_kib((proc / str(pid) / "smaps_rollup").read_text("ascii")) for pid in members)
