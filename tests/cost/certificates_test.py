"""Certificates, lists and PEM of twice the size cost at most 2.2 times as much, and name constraints about a handshake.

Counted in instructions by callgrind, without signatures: the same number each time, on any machine.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

CERTIFICATES = sys.argv.pop(1)
TIMES_MAX = 2.2
# Three signatures of P-256, with which a client of a chain of two costs the server most of a full handshake.
HANDSHAKE = 3_000_000


def measure(kind, size):
    """(instructions, bytes) of one of this kind."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        said = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no", "-q", CERTIFICATES, kind,
             str(size)], check=True, capture_output=True, text=True, timeout=240).stdout
        count = int(re.search(r"^(?:summary|totals): (\d+)", out.read_text("utf-8"), re.MULTILINE).group(1))
    return count, int(said)


class CertificatesTest(unittest.TestCase):
    def kinds(self):
        lines = subprocess.run([CERTIFICATES, "--list"], check=True, capture_output=True, text=True).stdout.splitlines()
        self.assertGreater(len(lines), 10)
        return [(name, int(first), int(second)) for name, first, second in map(str.split, lines)]

    def test_twice_the_size_costs_twice(self):
        for kind, first, second in self.kinds():
            if second == 0:
                continue
            (count, size), (twice, twice_size) = measure(kind, first), measure(kind, second)
            print(f"{kind:22} {size:7} bytes {count:9} instructions, {twice / count:.2f} times for {twice_size / size:.2f}")
            with self.subTest(kind):
                self.assertGreater(count, size // 8, "it was not measured")
                self.assertLessEqual(twice, TIMES_MAX * count)

    def test_name_constraints_cost_a_handshake(self):
        """Beside what it costs to read as many bytes of names."""
        names, names_size = measure("chain_names", 400)
        for kind, first, second in self.kinds():
            if second != 0:
                continue
            count, size = measure(kind, first)
            read = names * size // names_size
            print(f"{kind:26} {size:7} bytes {count:9} instructions; to read them {read}")
            with self.subTest(kind):
                self.assertLessEqual(count, read + HANDSHAKE)


if __name__ == "__main__":
    unittest.main()
