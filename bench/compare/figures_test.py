#!/usr/bin/env python3
"""What is made of samples: statistics, the table, the plot, the files."""

import json
import os
import pathlib
import sys
import tempfile
import unittest
from xml.etree import ElementTree

sys.dont_write_bytecode = True
if "TEST_SRCDIR" in os.environ:
    HERE = pathlib.Path(os.environ["TEST_SRCDIR"]) / os.environ["TEST_WORKSPACE"] / "bench" / "compare"
else:
    HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import figures  # pylint: disable=wrong-import-position
import instance  # pylint: disable=wrong-import-position
import plot  # pylint: disable=wrong-import-position
import report  # pylint: disable=wrong-import-position
import scenarios  # pylint: disable=wrong-import-position
import table  # pylint: disable=wrong-import-position

FULL, RESUMED, IDLE = (scenarios.BY_KEY[key] for key in ("full", "resumed", "idle"))
SVG = "{http://www.w3.org/2000/svg}"


def taken(*values, errors=0, full=0, resumed=0):
    return [instance.Sample(value, 100, errors, full, resumed) for value in values]


def rows(samples, scenario=FULL, base="postern"):
    return figures.rows([scenario], list(samples), {scenario.key: samples}, base)


class StatisticsTest(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(figures.spread([9, 1, 2]), figures.Spread(2, 1, 9))
        self.assertEqual(figures.spread([4, 1]), figures.Spread(2.5, 1, 4))
        self.assertIsNone(figures.spread([]))

    def test_ratios_are_made_round_by_round(self):
        # The ratio of the medians would be 20 / 10; of the rounds' ratios 1, 10 and 2 it is 2, from 1 to 10.
        made = rows({"postern": taken(10, 2, 100), "nginx": taken(10, 20, 200)})
        self.assertEqual(made[1].ratio, figures.Spread(2, 1, 10))
        # Here the two kinds differ: medians 10 and 30, ratios 30, 1 and 1.
        made = rows({"postern": taken(1, 30, 10), "nginx": taken(30, 30, 10)})
        self.assertEqual(made[1].ratio.median, 1)

    def test_rounds_without_both_have_no_ratio(self):
        self.assertEqual(figures.ratios([None, 8, 9], [1, 2, None]), [4])
        self.assertEqual(figures.ratios([5], [0]), [])
        made = rows({"nginx": taken(5, 6)})
        self.assertIsNone(made[0].ratio)
        self.assertEqual(made[0].value.median, 5.5)

    def test_failed_rounds_are_left_out_and_marked(self):
        row = rows({"postern": taken(10, None, 30)})[0]
        self.assertEqual(row.value, figures.Spread(20, 10, 30))
        self.assertEqual(row.marks, ("nothing measured in 1 of 3 rounds",))

    def test_errors_are_marked(self):
        row = rows({"postern": taken(10, 20, errors=1)})[0]
        self.assertEqual((row.operations, row.errors), (200, 2))
        self.assertEqual(row.marks, ("2 of 202 operations failed",))

    def test_good_rows_have_no_marks(self):
        self.assertEqual(rows({"postern": taken(10, full=100)})[0].marks, ())
        self.assertEqual(rows({"postern": taken(10, full=10, resumed=90)}, RESUMED)[0].marks, ())

    def test_what_was_to_resume_and_did_not(self):
        row = rows({"postern": taken(10, full=11, resumed=89)}, RESUMED)[0]
        self.assertEqual(row.marks, ("only 89 of 100 handshakes resumed",))
        row = rows({"postern": taken(10, full=99, resumed=1)}, FULL)[0]
        self.assertEqual(row.marks, ("1 handshakes resumed",))

    def test_reasons_are_told_once(self):
        failed = [instance.Sample(None, 0, 5, why="it\nended")] * 2
        self.assertIn("it ended", rows({"postern": failed})[0].marks)
        self.assertEqual(len(rows({"postern": failed})[0].marks), 3)

    def test_order_is_that_of_the_proxies(self):
        samples = {"full": {"b": taken(1), "a": taken(1)}, "idle": {"a": taken(1)}}
        made = figures.rows([FULL, IDLE], ["a", "b"], samples, "a")
        self.assertEqual([(row.scenario.key, row.peer) for row in made], [("full", "a"), ("full", "b"), ("idle", "a")])


class TableTest(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual([table.number(value) for value in (1234.5, 123.45, 12.345, 1.2345)],
                         ["1234", "123", "12.3", "1.23"])

    def test_rows(self):
        text = table.markdown(rows({"postern": taken(10, 20, 30), "nginx": taken(20, 40, 90)}), "postern")
        lines = text.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual({line.count("|") for line in lines}, {7})
        self.assertEqual(lines[2], "| full handshake and one GET of 1 KiB, us | postern | 20.0 (10.0-30.0) | 1 | 300 | 0 |")
        self.assertEqual(lines[3], "| full handshake and one GET of 1 KiB, us | nginx | 40.0 (20.0-90.0) | 2.00 (2.00-3.00) | "
                         "300 | 0 |")

    def test_failures_are_marked_and_explained(self):
        text = table.markdown(rows({"postern": taken(10), "nginx": taken(20, errors=7)}), "postern")
        good, bad = text.splitlines()[2:4]
        self.assertNotIn(table.MARK, good)
        self.assertTrue(bad.startswith(f"| {table.MARK} "), bad)
        self.assertTrue(bad.endswith("| 7 |"), bad)
        self.assertIn(f"- {table.MARK} full handshake and one GET of 1 KiB, nginx: 7 of 107 operations failed.", text)

    def test_nothing_measured(self):
        text = table.markdown(rows({"postern": taken(None)}), "postern")
        self.assertIn("| nothing measured |", text)

    def test_text_cannot_break_the_table(self):
        self.assertEqual(table.cell("a|b\nc"), "a\\|b c")


class PlotTest(unittest.TestCase):
    def drawn(self, samples, scenario=FULL):
        return ElementTree.fromstring(plot.svg(rows(samples, scenario), "postern", 3, "a < b & c"))

    def bars(self, root):
        return {rect.get("class"): float(rect.get("width")) for rect in root.iter(f"{SVG}rect")
                if rect.get("class") != "ground"}

    def test_is_well_formed_whatever_the_names(self):
        root = self.drawn({"<postern> & \"friends\"": taken(1, 2)})
        self.assertEqual(root.tag, f"{SVG}svg")
        words = "".join(root.itertext())
        self.assertIn("<postern> & \"friends\"", words)
        self.assertIn("a < b & c", words)

    def test_bars_are_as_long_as_their_medians(self):
        bars = self.bars(self.drawn({"postern": taken(10, 10, 10), "postern, epoll": taken(15, 20, 25),
                                     "nginx": taken(40, 40, 40)}))
        self.assertEqual(set(bars), {"base", "kin", "other"})
        self.assertAlmostEqual(bars["other"] / bars["base"], 4, places=2)
        self.assertAlmostEqual(bars["kin"] / bars["base"], 2, places=2)

    def test_whiskers_reach_from_the_smallest_to_the_largest(self):
        root = self.drawn({"postern": taken(10, 20, 40)})
        path = next(path for path in root.iter(f"{SVG}path")).get("d")
        start, end = float(path[1:].split(" ")[0]), float(path.split("H")[1].split("M")[0])
        width = plot.WIDTH - plot.LEFT - plot.RIGHT
        self.assertAlmostEqual(start, plot.LEFT + width / 4, places=0)
        self.assertAlmostEqual(end, plot.LEFT + width, places=0)

    def test_everything_lies_inside(self):
        samples = {"full": {"postern": taken(1), "nginx": taken(9)}, "idle": {"postern": taken(3), "nginx": taken(None)}}
        made = figures.rows([FULL, IDLE], ["postern", "nginx"], samples, "postern")
        root = ElementTree.fromstring(plot.svg(made, "postern", 1, ""))
        height = float(root.get("height"))
        bottoms = [float(rect.get("y", 0)) + float(rect.get("height")) for rect in root.iter(f"{SVG}rect")]
        self.assertEqual(len(bottoms), 4)  # the ground and three bars
        self.assertLessEqual(max(bottoms), height)
        self.assertLess(max(float(text.get("y")) for text in root.iter(f"{SVG}text")), height)
        self.assertIn(f"{table.MARK} nothing measured", "".join(root.itertext()))

    def test_marks_show(self):
        self.assertIn(table.MARK, "".join(self.drawn({"postern": taken(1, errors=1)}).itertext()))
        self.assertNotIn(table.MARK, "".join(self.drawn({"postern": taken(1)}).itertext()))

    def test_light_and_dark(self):
        text = plot.svg(rows({"postern": taken(1)}), "postern", 1, "")
        self.assertEqual(text.count("prefers-color-scheme: dark"), 1)
        # Each colour of the one is there in the other.
        light, dark = text.split("prefers-color-scheme: dark")
        for name in ("--ground", "--ink", "--faint", "--base", "--kin", "--other"):
            self.assertIn(f"{name}: #", light)
            self.assertIn(f"{name}: #", dark)


class ReportTest(unittest.TestCase):
    def made(self, remarks=()):
        return report.Report("2026-01-31T12:00:00Z", "bench/compare/compare.py --rounds=2",
                             {"processor": "A Processor", "cores": 2, "kernel": "6.1", "load": "0.00 0.00 0.00"},
                             {"postern": "abc", "nginx": "1.2"}, list(remarks), 2, [FULL],
                             {"full": {"postern": taken(10, 20), "nginx": taken(20, 60)}}, "postern")

    def test_section(self):
        text = self.made(["h2o is left out: no program h2o"]).section()
        for words in ("## 2026-01-31", "A Processor", "Linux 6.1", "postern abc; nginx 1.2", "2 rounds",
                      "\n- h2o is left out"):
            self.assertIn(words, text)
        self.assertTrue(text.endswith("\n\n    bench/compare/compare.py --rounds=2\n"))
        # A table is one only after an empty line.
        for section in (text, self.made().section()):
            self.assertIn("\n\n| operation |", section)

    def test_append_keeps_what_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "RESULTS.md"
            path.write_text("# Results\n\nOld.\n", "utf-8")
            self.made().append(path)
            self.made().append(path)
            text = path.read_text("utf-8")
            self.assertTrue(text.startswith("# Results\n\nOld.\n\n## 2026-01-31"))
            self.assertEqual(text.count("\n\n## 2026-01-31"), 2)
            self.assertEqual(os.listdir(folder), ["RESULTS.md"])

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder) / "new" / "folder"
            self.made().write(target)
            self.assertEqual(sorted(os.listdir(target)), ["plot.svg", "results.json", "table.md"])
            content = json.loads((target / "results.json").read_text("utf-8"))
            self.assertEqual([sample["value"] for sample in content["samples"]["full"]["nginx"]], [20, 60])
            self.assertEqual(content["rows"][1]["ratio"], {"median": 2.5, "low": 2, "high": 3})
            ElementTree.parse(target / "plot.svg")
            self.assertEqual((target / "table.md").read_text("utf-8"), self.made().section())


if __name__ == "__main__":
    unittest.main()
