#!/usr/bin/env python3
"""How is measured: what is read from /proc, how load and proxies are run, and what is made of what they say."""

import contextlib
import io
import json
import os
import pathlib
import socket
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
if "TEST_SRCDIR" in os.environ:
    HERE = pathlib.Path(os.environ["TEST_SRCDIR"]) / os.environ["TEST_WORKSPACE"] / "bench" / "compare"
else:
    HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import accounting  # pylint: disable=wrong-import-position
import compare  # pylint: disable=wrong-import-position
import instance  # pylint: disable=wrong-import-position
import load  # pylint: disable=wrong-import-position
import machine  # pylint: disable=wrong-import-position
import peers  # pylint: disable=wrong-import-position
import processes  # pylint: disable=wrong-import-position
import rounds  # pylint: disable=wrong-import-position
import scenarios  # pylint: disable=wrong-import-position

TICK = 1 / accounting.TICKS_PER_SECOND
SMAPS = """55a1b2c3d000-7ffd3e1f2000 ---p 00000000 00:00 0                          [rollup]
Rss:               14416 kB
Pss:               10832 kB
Pss_Dirty:          3456 kB
Pss_Anon:           3400 kB
Swap:                  0 kB
"""


def stat(pid, parent, user, system, started=7, name="a) (b 1 2"):
    return (f"{pid} ({name}) S {parent} 11 11 0 -1 4194560 15 16 17 18 {user} {system} 901 902 20 0 3 0 {started} 1000 200 "
            "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0\n")


class ParsingTest(unittest.TestCase):
    def test_stat(self):
        self.assertEqual(accounting.parse_stat(stat(42, 1, 120, 34, 777)), accounting.Stat(1, 154, 777, zombie=False))
        self.assertTrue(accounting.parse_stat(stat(42, 1, 0, 0).replace(") S ", ") Z ")).zombie)

    def test_schedstat(self):
        self.assertEqual(accounting.parse_schedstat("123456789 42 7\n"), 123456789)

    def test_smaps_rollup(self):
        self.assertEqual(accounting.parse_pss_kib(SMAPS), 10832)
        with self.assertRaises(ValueError):
            accounting.parse_pss_kib(SMAPS.replace("Pss:", "Foo:"))
        with self.assertRaises(ValueError):
            accounting.parse_pss_kib(SMAPS.replace("10832 kB", "10832 MB"))

    def test_processor(self):
        self.assertEqual(machine.processor("processor\t: 0\nmodel name\t: A: Processor\nmodel name\t: B\n"), "A: Processor")


class FakeProc:
    """A folder like /proc: 10 with the child 11, its child 12, and the stranger 20."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for pid, parent, ticks in ((1, 0, 1000), (10, 1, 10), (11, 10, 20), (12, 11, 30), (20, 1, 4000)):
            self.write(pid, parent, ticks, {pid: ticks * 10_000_000, pid + 100: 0})
        (self.folder / "self").mkdir()

    def write(self, pid, parent, ticks, threads):
        for thread, nanoseconds in threads.items():
            task = self.folder / str(pid) / "task" / str(thread)
            task.mkdir(parents=True, exist_ok=True)
            (task / "schedstat").write_text(f"{nanoseconds} 1 1\n", "ascii")
        (self.folder / str(pid) / "stat").write_text(stat(pid, parent, ticks, 0), "ascii")
        (self.folder / str(pid) / "smaps_rollup").write_text(SMAPS.replace("10832", str(pid)), "ascii")


class AccountingTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.fake = FakeProc(scratch.name)

    def test_descendants_count_and_strangers_do_not(self):
        reading = accounting.read_cpu(10, self.fake.folder)
        self.assertEqual(reading.ticks, {10: 10, 11: 20, 12: 30})
        self.assertEqual(set(reading.nanoseconds), {(pid, thread) for pid in (10, 11, 12) for thread in (pid, pid + 100)})
        self.assertEqual(accounting.read_pss_kib(10, self.fake.folder), 33)

    def test_nanoseconds_make_ticks_finer(self):
        before = accounting.read_cpu(10, self.fake.folder)
        self.fake.write(11, 10, 21, {11: 213_000_000, 111: 4_000_000})
        after = accounting.read_cpu(10, self.fake.folder)
        self.assertAlmostEqual(accounting.seconds_between(before, after), 0.017)

    def test_ticks_count_where_the_two_differ(self):
        # A thread that has come and gone in between is in the ticks alone.
        before = accounting.read_cpu(10, self.fake.folder)
        self.fake.write(11, 10, 120, {11: 200_000_000})
        after = accounting.read_cpu(10, self.fake.folder)
        self.assertAlmostEqual(accounting.seconds_between(before, after), 100 * TICK)

    def test_ticks_count_where_a_thread_has_ended(self):
        before = accounting.Reading({1: 100}, {(1, 1): 10**9, (1, 2): 10**6})
        after = accounting.Reading({1: 101}, {(1, 1): 10**9 + 10**7})
        self.assertAlmostEqual(accounting.seconds_between(before, after), TICK)

    def test_new_processes_count_in_full(self):
        before = accounting.Reading({1: 100}, {})
        after = accounting.Reading({1: 110, 2: 5}, {})
        self.assertAlmostEqual(accounting.seconds_between(before, after), 15 * TICK)

    def test_a_process_that_ended_spoils_the_reading(self):
        for after in ({1: 110}, {}):
            with self.assertRaises(accounting.ProcessGone):
                accounting.seconds_between(accounting.Reading({1: 100, 2: 5}, {}), accounting.Reading(after, {}))

    def test_of_this_very_process(self):
        before = accounting.read_cpu(os.getpid())
        total = 0
        while accounting.seconds_between(before, accounting.read_cpu(os.getpid())) < 3 * TICK:
            total += sum(range(10000))
        self.assertGreater(accounting.read_pss_kib(os.getpid()), 1000)


class LoadTest(unittest.TestCase):
    RESULTS = {"operations": {"responses": 95, "errors": 3}, "handshakes": {"full": 4, "resumed": 91},
               "status": {"none": 0, "2xx": 94, "5xx": 1}}

    def test_whatever_is_no_good_answer_is_an_error(self):
        self.assertEqual(load.read(json.dumps(self.RESULTS), 98), load.Outcome(94, 4, 4, 91))
        self.assertEqual(load.read(json.dumps(self.RESULTS), 100), load.Outcome(94, 6, 4, 91))
        self.assertEqual(load.read(json.dumps(self.RESULTS), 90), load.Outcome(94, 4, 4, 91))

    def test_command(self):
        words = load.command("load", 443, "a.test", "root.crt", "clients", "r.json", scenarios.BY_KEY["resumed"], 5)
        self.assertEqual(words[-1], "https://a.test:443/1k")
        self.assertLessEqual({"--operations=5", "--mix=resumed:1", "--http=1.1", "--connect=127.0.0.1:443"}, set(words))
        words = load.command("load", 443, "a.test", "root.crt", "clients", "r.json", scenarios.BY_KEY["h2_1k"], 5)
        self.assertLessEqual({"--http=2", "--streams=32", "--mix=kept:1"}, set(words))

    def outcome_of(self, script):
        with tempfile.TemporaryDirectory() as folder, processes.Processes() as running:
            cpu = min(os.sched_getaffinity(0))
            return load.run(running, cpu, folder, 98, lambda results: ["/bin/sh", "-c", script, "sh", str(results)])

    def test_run(self):
        outcome = self.outcome_of(f"printf '%s' '{json.dumps(self.RESULTS)}' > \"$1\"")
        self.assertEqual(outcome, load.Outcome(94, 4, 4, 91))

    def test_run_without_results(self):
        for script in ("echo no such file >&2; exit 2", "echo no such file; echo '{}' > \"$1\"",
                       "echo no such file; echo > \"$1\""):
            outcome = self.outcome_of(script)
            self.assertEqual((outcome.responses, outcome.errors), (0, 98))
            self.assertIn("no such file", outcome.why)

    def test_openings_are_taken_out(self):
        # 10 of 110 operations came with a full handshake at 1000 us; the others cost 20 us each.
        outcome = load.Outcome(110, 0, 10, 0)
        self.assertAlmostEqual(instance.per_operation(0.012, outcome, 1000), 20)
        self.assertAlmostEqual(instance.per_operation(0.011, outcome, None), 100)
        with self.assertRaises(ValueError):
            instance.per_operation(1, load.Outcome(10, 0, 10, 0), 1000)


class FakeInstance:
    def __init__(self, name, calls, mutual=True):
        self.peer = peers.Peer(name, "", None, mutual)
        self._calls = calls

    def sample(self, scenario, count, opening_us):
        self._calls.append((scenario.key, self.peer.name, count, opening_us))
        return instance.Sample(500.0, count, 0)


class RoundsTest(unittest.TestCase):
    def run_rounds(self, keys, count, mutual=True):
        calls = []
        instances = [FakeInstance("a", calls), FakeInstance("b", calls), FakeInstance("c", calls, mutual)]
        made = rounds.Rounds(None, instances, [scenarios.BY_KEY[key] for key in keys], 1)
        with contextlib.redirect_stderr(io.StringIO()):
            for number in range(count):
                made.run(number)
        return made, calls

    def test_the_order_rotates(self):
        made, calls = self.run_rounds(["full", "get_1k"], 4)
        self.assertEqual("".join(name for key, name, _, _ in calls if key == "full"), "abc" "bca" "cab" "abc")
        self.assertEqual("".join(name for key, name, _, _ in calls if key == "get_1k"), "abc" "bca" "cab" "abc")
        self.assertEqual({name: len(taken) for name, taken in made.samples["full"].items()}, {"a": 4, "b": 4, "c": 4})

    def test_openings_come_from_the_same_round(self):
        _, calls = self.run_rounds(["full", "get_1k"], 1)
        self.assertEqual({opening for key, _, _, opening in calls if key == "get_1k"}, {500.0})
        self.assertEqual({count for key, _, count, _ in calls if key == "full"}, {scenarios.BY_KEY["full"].operations})

    def test_openings_that_are_no_scenario_are_measured_all_the_same(self):
        made, calls = self.run_rounds(["get_1k", "h2_1k"], 1)
        openings = [(name, count) for key, name, count, _ in calls if key == "full"]
        self.assertEqual(openings, [(name, rounds.OPENINGS) for name in "abc"])
        self.assertEqual({opening for key, _, _, opening in calls if key != "full"}, {500.0})
        self.assertEqual(set(made.samples), {"get_1k", "h2_1k"})

    def test_handshakes_without_client_certificates_are_not_compared(self):
        made, _ = self.run_rounds(["full", "resumed", "get_1k"], 2, mutual=False)
        self.assertEqual([sorted(made.samples[key]) for key in ("full", "resumed", "get_1k")],
                         [["a", "b"], ["a", "b"], ["a", "b", "c"]])


class ProcessesTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.cpu = max(os.sched_getaffinity(0))

    def living(self, pids):
        return [pid for pid, found in accounting.stats().items() if pid in pids and not found.zombie]

    def test_everything_is_stopped_also_after_an_error(self):
        members = []
        with self.assertRaises(KeyboardInterrupt), processes.Processes(patience_s=0.1) as running:
            process = running.start(["/bin/sh", "-c", "trap '' TERM; sleep 1000 & echo up; wait"], self.cpu,
                                    self.folder / "log", stdout=-1)
            self.assertEqual(process.stdout.readline(), b"up\n")
            self.assertEqual(os.sched_getaffinity(process.pid), {self.cpu})
            members = accounting.family(process.pid, accounting.stats())
            raise KeyboardInterrupt
        self.assertEqual(len(members), 2)
        self.assertEqual(self.living(members), [])

    def test_a_server_that_does_not_start_says_why(self):
        with processes.Processes() as running, self.assertRaises(processes.StartFailed) as caught:
            running.start_server(["/bin/sh", "-c", "echo wrong flag; exit 3"], self.cpu, self.folder / "log",
                                 processes.free_ports(1)[0])
        self.assertIn("wrong flag", str(caught.exception))

    def test_free_ports(self):
        ports = processes.free_ports(5)
        self.assertEqual(len(set(ports)), 5)
        with socket.create_server(("127.0.0.1", ports[0])):
            self.assertTrue(processes.listens(ports[0]))
        self.assertFalse(processes.listens(ports[1]))


class PeersTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def program(self, says):
        """One that says this about itself."""
        path = self.folder / "program"
        path.write_text(f"#!/bin/sh\ncat <<'EOT'\n{says}\nEOT\n", "utf-8")
        path.chmod(0o755)
        return str(path)

    def configured(self, peer):
        class Certificates:
            root = server_chain = server_key = server_bundle = "/pem"
            server_name = "a.test"

        files, argv = peer.setup(peers.Place(self.folder, 4443, 8080, Certificates, "nobody"))
        (text,) = files.values()
        self.assertIn("4443", text)
        self.assertIn("8080", text)
        self.assertTrue(any(str(word).endswith(next(iter(files))) for word in argv), argv)
        return text

    def test_postern(self):
        self.assertIn('io: "epoll"', self.configured(peers.postern("/postern", "epoll", "abc")))

    def test_nginx(self):
        said = "nginx version: nginx/{}\nbuilt with OpenSSL 3.0.11 19 Sep 2023 (running with OpenSSL 3.0.19 27 Jan 2026)"
        old = peers.nginx(self.program(said.format("1.22.1")))
        self.assertEqual(old.version, "1.22.1 (OpenSSL 3.0.19)")
        self.assertIn("listen 127.0.0.1:4443 ssl http2 ", self.configured(old))
        new = self.configured(peers.nginx(self.program(said.format("1.25.1"))))
        self.assertIn("http2 on;", new)
        self.assertNotIn("ssl http2 ", new)
        boring = peers.nginx(self.program("nginx version: nginx/1.27.0\nbuilt with OpenSSL 1.1.1 (compatible; BoringSSL) "
                                          "(running with BoringSSL)"))
        self.assertNotIn("ssl_conf_command", self.configured(boring))
        self.assertEqual(boring.version, "1.27.0 (BoringSSL)")

    def test_haproxy(self):
        peer = peers.haproxy(self.program("HAProxy version 2.6.12 2026/10/17\n"
                                          "Running on OpenSSL version : OpenSSL 3.0.19 27 Jan 2026"))
        self.assertEqual(peer.version, "2.6.12 (OpenSSL 3.0.19)")
        self.assertIn("verify required", self.configured(peer))

    def test_h2o_asks_for_client_certificates_since_2_3(self):
        old = peers.h2o(self.program("h2o version 2.2.5\nOpenSSL: OpenSSL 3.0.19 27 Jan 2026"))
        self.assertFalse(old.mutual)
        self.assertNotIn("client-ca-file", self.configured(old))
        new = peers.h2o(self.program("h2o version 2.3.0-DEV@abc"))
        self.assertTrue(new.mutual)
        self.assertIn("client-ca-file: /pem", self.configured(new))

    def test_missing(self):
        for maker in (peers.nginx, peers.haproxy, peers.h2o):
            with self.assertRaises(peers.Missing):
                maker(str(self.folder / "nothing"))


class CommandLineTest(unittest.TestCase):
    def test_names_keep_their_order(self):
        options = compare.parse(["--peers=nginx,postern", "--scenarios=idle,full"])
        self.assertEqual((options.peers, options.scenarios), (["postern", "nginx"], ["full", "idle"]))
        self.assertEqual((options.rounds, options.scale), (5, 1.0))

    def test_wrong_ones_end_with_2(self):
        for word in ("--peers=apache", "--peers=", "--scenarios=full,full", "--rounds=0", "--scale=-1", "--scale=nan",
                     "--round=3", "more"):
            with self.subTest(word=word), contextlib.redirect_stderr(io.StringIO()):
                with self.assertRaises(SystemExit) as caught:
                    compare.parse([word])
                self.assertEqual(caught.exception.code, 2)

    def test_help_says_everything(self):
        said = io.StringIO()
        with self.assertRaises(SystemExit), contextlib.redirect_stdout(said):
            compare.parse(["--help"])
        for scenario in scenarios.SCENARIOS:
            self.assertIn(scenario.title, said.getvalue())

    def test_cores(self):
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            self.skipTest("one core")
        self.assertEqual(compare.choose_cores(compare.parse([])), tuple(allowed[:2]))
        self.assertEqual(compare.choose_cores(compare.parse([f"--proxy_cpu={allowed[1]}"])), (allowed[1], allowed[0]))
        with self.assertRaises(compare.Unable):
            compare.choose_cores(compare.parse([f"--load_cpu={allowed[0]}"]))


if __name__ == "__main__":
    unittest.main()
