#!/usr/bin/env python3
"""What ceiling.py makes of callgrind's output and of two measurements."""

import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
if "TEST_SRCDIR" in os.environ:
    HERE = pathlib.Path(os.environ["TEST_SRCDIR"]) / os.environ["TEST_WORKSPACE"] / "bench" / "ceiling"
else:
    HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import callgrind  # pylint: disable=wrong-import-position
import ceiling  # pylint: disable=wrong-import-position

# A turn of 10 own instructions calls the driver (not counted as ours), the library of TLS, the one of HTTP/2 and memcpy;
# the library of TLS calls memcpy too, and sorts with a comparison of its own. What surrounds the turn costs nothing.
OUTPUT = """# callgrind format
version: 1
positions: line
events: Ir
summary: 1000

ob=(1) /usr/lib/libc.so.6
fl=(1) string/memcpy.S
fn=(1) memcpy
7 60
+1 30

fl=(2) stdlib/qsort.c
fn=(2) qsort
70 20
cob=(2) /somewhere/bench/ceiling/shard
cfi=(3) /proc/self/cwd/external/boringssl/src/ssl/extensions.cc
cfn=(3) compare_uint16_t
calls=4 10
* 40

ob=(2)
fl=(3)
fn=(3)
10 40

fl=(4) /proc/self/cwd/src/shard/shard.cc
fn=(4) postern::shard::Shard::Turn()
118 5
fi=(5) /usr/include/c++/12/array
20 3
fe=(4)
-2 2
cfi=(6) /proc/self/cwd/bench/ceiling/measured_driver.h
cfn=(5) postern::ceiling::MeasuredDriver::Wait(long)
calls=1 30
* 100
cfi=(7) /proc/self/cwd/external/boringssl/src/ssl/ssl_lib.cc
cfn=(6) SSL_do_handshake
calls=1 40
+3 810
cfi=(8) ???
cfn=(7) nghttp2_session_mem_recv
calls=1 50
* 50
cob=(1)
cfi=(1)
cfn=(1)
calls=1 7
* 30

fl=(6)
fn=(5)
30 100

fl=(7)
fn=(6)
40 690
cob=(1)
cfi=(1)
cfn=(1)
calls=2 7
* 60
cob=(1)
cfi=(2)
cfn=(2)
calls=1 70
* 60

fl=(8)
fn=(7)
0 50

fl=(9) /proc/self/cwd/tests/sim/world.cc
fn=(8) main
5 0
cfi=(4)
cfn=(4)
calls=1 110
* 1000
cob=(1)
cfi=(1)
cfn=(1)
calls=9 7
* 0
"""


def split(text):
    return callgrind.split(callgrind.parse(text.splitlines()), ceiling.PROGRAM)


class Callgrind(unittest.TestCase):
    def test_functions(self):
        functions = callgrind.parse(OUTPUT.splitlines())
        turn = functions["4"]
        self.assertEqual(turn.name, "postern::shard::Shard::Turn()")
        self.assertEqual(turn.files, {"/proc/self/cwd/src/shard/shard.cc", "/usr/include/c++/12/array"})
        self.assertEqual(turn.own, 10)  # with what was inlined
        self.assertEqual(turn.calls, {"5": 100, "6": 810, "7": 50, "1": 30})
        self.assertEqual(functions["2"].calls, {"3": 40})

    def test_libraries_count_for_whoever_calls_them(self):
        figures = split(OUTPUT)
        self.assertAlmostEqual(figures["ours"], 10 + 30)
        self.assertAlmostEqual(figures["nghttp2"], 50)
        # Its comparison is called back by qsort, and counts once.
        self.assertAlmostEqual(figures["boringssl"], 690 + 60 + 20 + 40)

    def test_names_go_before_files(self):
        def category(name, *files):
            function = callgrind.Function(name, files[0], "/somewhere/bench/ceiling/shard")
            function.files.update(files)
            return callgrind.category_of(function, ceiling.PROGRAM)
        header = "/proc/self/cwd/external/boringssl/src/include/openssl/base.h"
        self.assertEqual(category("EVP_AEAD_CTX_zero", "/usr/include/string_fortified.h", header), "boringssl")
        self.assertEqual(category("postern::tls::Channel::~Channel()", header), "ours")
        self.assertEqual(category("std::vector<int>::reserve(unsigned long)", "/usr/include/c++/12/vector"), "ours")
        self.assertEqual(category("absl::StrCat()", "???"), "ours")
        self.assertEqual(category("OPENSSL_memory_free", "/proc/self/cwd/src/tls/library_memory.cc"), "boringssl")
        self.assertEqual(category("session_after_frame_sent1", "???"), "nghttp2")
        self.assertEqual(category("postern::sim::World::Run()", "/proc/self/cwd/tests/sim/world.cc"), "harness")

    def test_what_does_not_add_up_is_refused(self):
        with self.assertRaisesRegex(ValueError, "cost 1000, but the summary says 1001"):
            callgrind.parse(OUTPUT.replace("summary: 1000", "summary: 1001").splitlines())
        with self.assertRaisesRegex(ValueError, "no summary"):
            callgrind.parse(["valgrind: no such tool"])
        # A call that is lost would give the library's work to nobody.
        lost = OUTPUT.replace("calls=2 7\n* 60\n", "calls=2 7\n* 0\n")
        with self.assertRaisesRegex(ValueError, "the parts cost 940, the whole 1000"):
            split(lost)


class Comparison(unittest.TestCase):
    BEFORE = {"known": {"total": 1100, "ours": 100, "boringssl": 1000, "nghttp2": 0}}

    def grown(self, **changes):
        return ceiling.growth({"known": {**self.BEFORE["known"], **changes}}, self.BEFORE)

    def test_growth_by_more_than_two_percent_is_told(self):
        self.assertEqual(self.grown(), [])
        self.assertEqual(self.grown(boringssl=1020, ours=102), [])
        self.assertEqual(self.grown(boringssl=1021), ["known, BoringSSL: 1,000 -> 1,021 (2.1 %)"])
        self.assertEqual(self.grown(ours=150, total=1150),
                         ["known, in all: 1,100 -> 1,150 (4.5 %)", "known, ours: 100 -> 150 (50.0 %)"])

    def test_less_is_no_growth(self):
        self.assertEqual(self.grown(ours=50, boringssl=1), [])

    def test_from_nothing(self):
        self.assertEqual(self.grown(nghttp2=1), ["known, nghttp2: 0 -> 1 (from nothing)"])

    def test_what_was_not_measured_before_has_not_grown(self):
        self.assertEqual(ceiling.growth({"other": {"total": 5}}, self.BEFORE), [])

    def test_newest_entry_that_is_still_there(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(ceiling, "ROOT", pathlib.Path(folder)):
            for name in ("b.json", "a.json", "notes.txt"):
                (pathlib.Path(folder) / name).touch()
            self.assertEqual(ceiling.newest("notes.txt\ngone.json\n\nb.json\na.json\n").name, "b.json")
            self.assertIsNone(ceiling.newest("gone.json\n"))

    def test_slope(self):
        figures = ceiling.slope({"ours": 700.0, "boringssl": 90.0, "nghttp2": 0},
                                {"ours": 1700.0, "boringssl": 290.0, "nghttp2": 0}, 100)
        self.assertEqual(figures, {"total": 12, "ours": 10, "boringssl": 2, "nghttp2": 0})

    def test_difference(self):
        other = {"known": {**self.BEFORE["known"], "ours": 101}}
        self.assertEqual(ceiling.difference(self.BEFORE, self.BEFORE)[0], 0)
        apart, where = ceiling.difference(self.BEFORE, other)
        self.assertAlmostEqual(apart, 1 / 101)
        self.assertEqual(where, "known, ours")

    def test_table(self):
        self.assertIn("| full mutual handshake, known client | 1,100 | 100 | 1,000 | 0 |",
                      ceiling.table(self.BEFORE))


if __name__ == "__main__":
    unittest.main()
