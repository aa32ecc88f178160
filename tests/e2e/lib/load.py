"""The project's load generator, beside a test."""

import json
import subprocess

from lib import files


class Load:
    """Begins at once: new, resumed and kept connections of several clients, in an open loop."""

    def __init__(self, case, port, seconds, *more, rate=150):
        self.identities = case.folder / "load_identities"
        self.out = case.folder / "load.json"
        self.identities.mkdir()
        for number in range(8):
            subprocess.run([files.authority(), "client", f"--ca={case.pki.folder / 'root'}",
                            f"--out={self.identities / f'c{number}'}", f"--cn=c{number}"], check=True,
                           stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [files.load_generator(), "--quiet", f"--ca={case.pki.certificate('root')}", f"--connect=127.0.0.1:{port}",
             f"--identities={self.identities}", f"--json={self.out}", f"--rate={rate}/{seconds}s", "--connections=40",
             "--mix=full:1,resumed:4,kept:5", "--timeout=10s", *more, "https://localhost/x"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)

    def result(self):
        """What it has seen: the JSON."""
        code = self.process.wait(files.PATIENCE_S)
        assert code == 0, code
        return json.loads(self.out.read_text("ascii"))


def counts(seen):
    """In one line, for a test's output."""
    kinds = {name: seen["latency"][name]["count"] for name in ("full", "resumed", "kept")}
    failures = {kind: count for kind, count in seen["failures"].items() if count}
    return f"{seen['operations']} {kinds} failures {failures}"
