"""The project's load generator, beside a test."""

import json
import signal
import subprocess

from lib import files


class Load:
    """Begins at once: new, resumed and kept connections of several clients, in an open loop.

    For so many seconds, or until stop(): what is done meanwhile may take as long as it does. Without `rate`: kept
    connections only, each as fast as it is answered.
    """

    def __init__(self, case, port, seconds=600, *more, rate=150, connections=40):
        self.identities = case.folder / "load_identities"
        self.out = case.folder / "load.json"
        self.identities.mkdir()
        for number in range(8):
            subprocess.run([files.authority(), "client", f"--ca={case.pki.folder / 'root'}",
                            f"--out={self.identities / f'c{number}'}", f"--cn=c{number}"], check=True,
                           stdout=subprocess.DEVNULL)
        pace = [f"--duration={seconds}s", "--connections=16"]
        if rate is not None:
            pace = [f"--rate={rate}/{seconds}s", f"--connections={connections}", "--mix=full:1,resumed:4,kept:5"]
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [files.load_generator(), "--quiet", f"--ca={case.pki.certificate('root')}", f"--connect=127.0.0.1:{port}",
             f"--identities={self.identities}", f"--json={self.out}", *pace, "--timeout=10s", *more, "https://localhost/x"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)

    def result(self):
        """What it has seen: the JSON."""
        code = self.process.wait(files.PATIENCE_S)
        assert code == 0, code
        return json.loads(self.out.read_text("ascii"))

    def stop(self):
        """Ends it, and what it has seen. It must have gone on until now."""
        assert self.process.poll() is None, self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        return self.result()


def counts(seen):
    """In one line, for a test's output."""
    kinds = {name: seen["latency"][name]["count"] for name in ("full", "resumed", "kept")}
    failures = {kind: count for kind, count in seen["failures"].items() if count}
    return f"{seen['operations']} {kinds} declined {seen['handshakes']['declined']} failures {failures}"


def check_nobody_noticed(case, seen):
    """No request is lost, and no session: whoever offered one has resumed it."""
    case.assertEqual(seen["operations"]["errors"], 0, seen)
    case.assertEqual(seen["operations"]["responses"], seen["operations"]["due"])
    case.assertGreater(seen["handshakes"]["resumed"], 0)
    case.assertEqual(seen["handshakes"]["declined"], 0, seen)
