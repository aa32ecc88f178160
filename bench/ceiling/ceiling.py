#!/usr/bin/env python3
"""Counts the instructions that one shard spends on a handshake or a request, without a kernel.

  bench/ceiling/ceiling.py             measure, print the table, compare with the newest entry of bench/history
  bench/ceiling/ceiling.py --strict    the same; ends with 1 if a figure has grown by more than 2 %
  bench/ceiling/ceiling.py --record    the same, and write bench/history/<commit>.json, to be committed
  bench/ceiling/ceiling.py --twice     measure twice; ends with 1 if the two differ by more than 0.5 %

What is counted, and what the figures mean: bench/README.md. Needs bazel and valgrind, and takes about half a minute.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import callgrind  # pylint: disable=wrong-import-position

HISTORY = "bench/history"
TARGET = "//bench/ceiling:shard"
PROGRAM = "bench/ceiling/shard"
GROWTH_MAX = 0.02
REPEAT_MAX = 0.005

# (scenario of the program, what it is, operations of the short and of the long run)
SCENARIOS = [
    ("known", "full mutual handshake, known client", 10, 110),
    ("new", "full mutual handshake, new client of a known issuer", 10, 110),
    ("new_issuer", "full mutual handshake, new client of a new issuer", 10, 110),
    ("resumed", "resumed handshake", 10, 110),
    ("http1", "HTTP/1.1 keep-alive GET of 1 KiB", 50, 550),
    ("http2", "HTTP/2 GET of 1 KiB", 50, 550),
]
TITLES = {"total": "in all", "ours": "ours", "boringssl": "BoringSSL", "nghttp2": "nghttp2"}


def run(*command):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"ceiling: {' '.join(command)} failed:\n{result.stdout}{result.stderr}")
    return result.stdout


def count(binary, scenario, operations):
    """The instructions of one run by category."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        run("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no",
            "--toggle-collect=postern::shard::Shard::Turn*", str(binary), scenario, str(operations))
        with out.open(encoding="utf-8", errors="replace") as lines:
            return callgrind.split(callgrind.parse(lines), PROGRAM)


def slope(short, long, operations):
    """What one operation costs: whatever both runs pay once is in neither side of the difference."""
    figures = {name: round((long[name] - short[name]) / operations) for name in callgrind.CATEGORIES}
    return {"total": sum(figures.values()), **figures}


def measure(binary, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = [(name, few, many, pool.submit(count, binary, name, few), pool.submit(count, binary, name, many))
                for name, _, few, many in SCENARIOS]
        return {name: slope(short.result(), long.result(), many - few) for name, few, many, short, long in runs}


def table(figures):
    lines = ["| instructions of the proxy for one | " + " | ".join(TITLES.values()) + " |",
             "|---|" + "---|" * len(TITLES)]
    for name, title, _, _ in SCENARIOS:
        if name in figures:
            lines.append(f"| {title} | " + " | ".join(f"{figures[name][part]:,}" for part in TITLES) + " |")
    return "\n".join(lines)


def growth(figures, before):
    """One line for each figure that is more than 2 % above what it was. A figure that is new has not grown."""
    lines = []
    for name, parts in figures.items():
        for part, now in parts.items():
            then = before.get(name, {}).get(part)
            if then is not None and now > then * (1 + GROWTH_MAX):
                percent = f"{100 * (now / then - 1):.1f} %" if then > 0 else "from nothing"
                lines.append(f"{name}, {TITLES[part]}: {then:,} -> {now:,} ({percent})")
    return lines


def difference(one, other):
    """The largest relative difference between two measurements, and where."""
    return max((abs(one[name][part] - other[name][part]) / max(one[name][part], other[name][part], 1),
                f"{name}, {TITLES[part]}") for name in one for part in TITLES)


def newest(listed):
    """Of the paths as git lists them, newest commit first: the first one that is an entry and still there."""
    for line in listed.splitlines():
        path = ROOT / line
        if line.endswith(".json") and path.exists():
            return path
    return None


def newest_entry():
    # By when an entry was committed, not by its name: a commit changes its name when it is rebased.
    return newest(run("git", "log", "--format=", "--name-only", "--diff-filter=AM", "--", HISTORY))


def record(figures):
    changed = run("git", "status", "--porcelain", "--", ".", f":!{HISTORY}").strip()
    if changed:
        raise SystemExit(f"ceiling: not recorded, because this is no commit's tree:\n{changed}")
    entry = {
        "commit": run("git", "rev-parse", "HEAD").strip(),
        "date": run("git", "log", "-1", "--format=%cs").strip(),
        "valgrind": run("valgrind", "--version").strip(),
        "instructions": figures,
    }
    path = ROOT / HISTORY / (run("git", "rev-parse", "--short", "HEAD").strip() + ".json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(entry, indent=2) + "\n", "utf-8")
    print(f"recorded: {path.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write an entry of bench/history")
    parser.add_argument("--strict", action="store_true", help="growth is an error")
    parser.add_argument("--twice", action="store_true", help="show that the count repeats")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="of bazel, and runs at once (%(default)s)")
    arguments = parser.parse_args()
    run("bazel", "build", f"--jobs={arguments.jobs}", TARGET)
    binary = ROOT / run("bazel", "info", "bazel-bin").strip() / PROGRAM
    figures = measure(binary, arguments.jobs)
    print(table(figures))
    failed = False
    if arguments.twice:
        apart, where = difference(figures, measure(binary, arguments.jobs))
        print("twice: the same" if apart == 0 else f"twice: {100 * apart:.3f} % apart ({where})")
        failed = apart > REPEAT_MAX
    entry = newest_entry()
    if entry is not None:
        lines = growth(figures, json.loads(entry.read_text("utf-8"))["instructions"])
        for line in lines:
            print(f"warning: grown since {entry.stem}: {line}")
        if not lines:
            print(f"nothing has grown by more than {100 * GROWTH_MAX:.0f} % since {entry.stem}")
        failed = failed or (arguments.strict and bool(lines))
    if arguments.record:
        record(figures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
