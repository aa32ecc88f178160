"""One proxy that runs, and what is measured of it."""

import dataclasses
import pathlib
import time

import accounting
import load
import peers
import processes


@dataclasses.dataclass(frozen=True)
class Sample:
    """One proxy, one scenario, one round. `value` is CPU time per operation in microseconds, or memory in KiB per
    connection; None if nothing could be measured."""

    value: float | None
    operations: int
    errors: int
    full: int = 0  # handshakes
    resumed: int = 0
    why: str = ""


@dataclasses.dataclass(frozen=True)
class Bench:
    """What the instances of all proxies have in common."""

    running: processes.Processes
    folder: pathlib.Path
    proxy_cpu: int
    load_cpu: int
    generator: str
    origin_port: int
    certificates: object  # certificates.Certificates
    user: str

    def start(self, peer):
        """A new instance of `peer`, on a port of its own."""
        port = processes.free_ports(1)[0]
        folder = self.folder / f"{''.join(filter(str.isalnum, peer.name))}-{port}"
        folder.mkdir()
        place = peers.Place(folder, port, self.origin_port, self.certificates, self.user)
        files, argv = peer.setup(place)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
        process = self.running.start_server(argv, self.proxy_cpu, folder / "output.log", port)
        return Instance(peer, place, process, self)


class Instance:
    """A proxy that listens at `place`."""

    def __init__(self, peer, place, process, bench):
        self.peer, self.place, self.process, self._bench = peer, place, process, bench

    def stop(self):
        self._bench.running.stop(self.process)

    def sample(self, scenario, count, opening_us):
        """CPU time of `count` operations; `opening_us` is what a full handshake with one of them costs, if known."""
        bench, certificates = self._bench, self._bench.certificates

        def command(results):
            return load.command(bench.generator, self.place.port, certificates.server_name, certificates.root,
                                certificates.identities, results, scenario, count)

        try:
            before = accounting.read_cpu(self.process.pid)
            outcome = load.run(bench.running, bench.load_cpu, bench.folder, count, command)
            time.sleep(0.05)  # what the proxy does about the end of the connections belongs to them
            seconds = accounting.seconds_between(before, accounting.read_cpu(self.process.pid))
            value = per_operation(seconds, outcome, opening_us) if outcome.responses > 0 else None
        except (accounting.ProcessGone, ValueError) as error:
            return Sample(None, 0, count, why=str(error))
        return Sample(value, outcome.responses, outcome.errors, outcome.full, outcome.resumed, outcome.why)


def per_operation(seconds, outcome, opening_us):
    """Microseconds of CPU time per operation. The full handshakes that a scenario needs in passing, one for each
    connection or for its first ticket, came with one operation each: they are taken out at what a full handshake with
    its operation cost in the same round."""
    if opening_us is None:
        return seconds * 1e6 / outcome.responses
    others = outcome.responses - outcome.full
    if others <= 0:
        raise ValueError("there were full handshakes only")
    return (seconds * 1e6 - outcome.full * opening_us) / others
