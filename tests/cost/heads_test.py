"""No head, trailer section or PROXY header costs more than four times what a plain one of its size does.

Counted in instructions by callgrind: the same number each time, on any machine.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HEADS = sys.argv.pop(1)
TIMES_MAX = 4


def measure(kind):
    """(instructions, bytes, whether it was taken or refused) of one of this kind."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        size = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no", "-q", HEADS, kind],
            check=True, capture_output=True, text=True, timeout=120).stdout
        count = int(re.search(r"^(?:summary|totals): (\d+)", out.read_text("utf-8"), re.MULTILINE).group(1))
    size, verdict = size.split()
    return count, int(size), verdict


class HeadsTest(unittest.TestCase):
    def test_cost_goes_with_the_bytes(self):
        kinds = [line.split() for line in
                 subprocess.run([HEADS, "--list"], check=True, capture_output=True, text=True).stdout.splitlines()]
        self.assertGreater(len(kinds), 20)
        measured = {kind: measure(kind) for kind, _ in kinds}
        for kind, plain in kinds:
            count, size, verdict = measured[kind]
            plain_count, plain_size, plain_verdict = measured[plain]
            self.assertEqual(plain_verdict, "taken", plain)
            self.assertGreater(plain_count, plain_size // 8, "the plain one was not measured")
            times = (count / size) / (plain_count / plain_size)
            print(f"{kind:28} {size:6} bytes {count:8} instructions, {times:.2f} times {plain}, {verdict}")
            with self.subTest(kind):
                self.assertLessEqual(count, TIMES_MAX * plain_count * max(1, size / plain_size))
        # What is refused half-way has not shown the rest.
        taken = {kind for kind, (_, _, verdict) in measured.items() if verdict == "taken"}
        for kind in ("request_connection_names", "response_connection_names", "request_via", "request_forwarded_for",
                     "request_claims", "request_near_claims", "request_underscores"):
            self.assertIn(kind, taken)


if __name__ == "__main__":
    unittest.main()
