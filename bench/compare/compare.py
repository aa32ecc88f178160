#!/usr/bin/env python3
"""Measures Postern side by side with other proxies that do the same job: mutual TLS in front of one HTTP/1.1 server.

One worker each, pinned to one core; the load and the server on another; the same certificates for all (ECDSA P-256, a
leaf below an intermediate on both sides, 64 clients in turn); the same headers; no access log. Every proxy is measured
once a round, in an order that rotates.

What is measured is the CPU time of the proxy per operation, all of its processes and threads, from /proc/PID/stat before
and after a counted number of operations; and the memory that an idle connection costs (Pss of all its processes).

  compare.py                                                 all proxies that are installed, all scenarios, 5 rounds
  compare.py --rounds=3 --scale=0.3 --peers=postern,nginx    quicker and coarser
  compare.py --out=/tmp/figures --append=bench/RESULTS.md    keeps results.json, table.md and plot.svg, and a section
"""

import argparse
import contextlib
import getpass
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import certificates
import check
import instance
import machine
import origin
import peers
import processes
import report
import rounds
import scenarios

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = {"postern": ("//src:postern", "src/postern"), "ca": ("//tools/ca:ca", "tools/ca/ca"),
         "load": ("//tools/load:load", "tools/load/load")}
PEERS = ("postern", "epoll", "nginx", "haproxy", "h2o")


def parse(arguments):
    def some_of(known):
        def convert(text):
            words = text.split(",")
            if set(words) - set(known) or len(set(words)) != len(words):
                raise argparse.ArgumentTypeError(f"some of {','.join(known)}, each once")
            return [word for word in known if word in words]

        return convert

    def more_than_zero(kind):
        def convert(text):
            value = kind(text)
            if not 0 < value < 1e6:
                raise argparse.ArgumentTypeError("has to be more than 0")
            return value

        return convert

    keys = list(scenarios.BY_KEY)
    titles = "".join(f"\n  {scenario.key:9} {scenario.title}" for scenario in scenarios.SCENARIOS)
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f"Scenarios:{titles}\n\nExit code: 0 measured, 1 something failed (the table says what), "
        "2 wrong command line.", formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--peers", type=some_of(PEERS), default=list(PEERS), metavar="NAME,...",
                        help=f"of {','.join(PEERS)} (all); epoll is postern on epoll instead of io_uring")
    parser.add_argument("--scenarios", type=some_of(keys), default=keys, metavar="NAME,...", help="of those below (all)")
    parser.add_argument("--rounds", type=more_than_zero(int), default=5, metavar="N", help="default: 5")
    parser.add_argument("--scale", type=more_than_zero(float), default=1.0, metavar="X",
                        help="so many times the usual operations")
    parser.add_argument("--out", metavar="FOLDER",
                        help="where results.json, table.md and plot.svg go, after every round")
    parser.add_argument("--append", metavar="FILE", help="a Markdown file that gets the table under a dated heading")
    for name in ("nginx", "haproxy", "h2o"):
        parser.add_argument(f"--{name}", metavar="PATH", help=f"another {name} than the one installed")
    parser.add_argument("--origin", metavar="PATH",
                        help="the nginx that is the server behind the proxies (the one installed)")
    for name, (target, _) in BUILT.items():
        parser.add_argument(f"--{name}", metavar="PATH", help=f"instead of building {target}")
    parser.add_argument("--proxy_cpu", type=int, metavar="N", help="core of the proxies (the first)")
    parser.add_argument("--load_cpu", type=int, metavar="N", help="core of load and server (the second)")
    return parser.parse_args(arguments)


def say(words):
    print(f"compare: {words}", file=sys.stderr, flush=True)


class Unable(Exception):
    """It cannot be measured at all."""


def choose_cores(options):
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Unable("two cores are needed: one for the proxy, one for all others")
    proxy_cpu = allowed[0] if options.proxy_cpu is None else options.proxy_cpu
    load_cpu = next(cpu for cpu in allowed if cpu != proxy_cpu) if options.load_cpu is None else options.load_cpu
    if proxy_cpu == load_cpu or not {proxy_cpu, load_cpu} <= set(allowed):
        raise Unable(f"--proxy_cpu and --load_cpu have to be two of the cores {allowed}")
    return proxy_cpu, load_cpu


def programs(options):
    """{name: path} of what is our own; builds what the command line does not name, so that nothing old is measured."""
    named = {name: getattr(options, name) for name in BUILT if getattr(options, name)}
    for name, path in named.items():
        if not os.access(path, os.X_OK):
            raise Unable(f"--{name}: no program {path}")
    targets = [target for name, (target, _) in BUILT.items() if name not in named]
    if targets:
        say(f"building {' '.join(targets)}")
        bazel = shlex.split(os.environ.get("BAZEL", "bazel"))
        if subprocess.run([*bazel, "build", "--ui_event_filters=-info", *targets], cwd=ROOT).returncode != 0:
            raise Unable("the build failed")
    return {name: str(pathlib.Path(named[name]).resolve()) if name in named else str(ROOT / "bazel-bin" / built)
            for name, (_, built) in BUILT.items()}


def known_peers(options, own, remarks):
    """Those that were asked for and are there."""
    version = "(the program of --postern)" if options.postern else machine.revision(ROOT)
    makers = {"postern": lambda: peers.postern(own["postern"], "uring", version),
              "epoll": lambda: peers.postern(own["postern"], "epoll", version),
              "nginx": lambda: peers.nginx(options.nginx), "haproxy": lambda: peers.haproxy(options.haproxy),
              "h2o": lambda: peers.h2o(options.h2o)}
    made = []
    for name in options.peers:
        try:
            made.append(makers[name]())
        except peers.Missing as error:
            remark(remarks, f"{name} is left out: {error}")
    return made


def remark(remarks, words):
    say(words)
    remarks.append(words)


def start_all(bench, candidates, remarks):
    """Instances of those that start and do the job."""
    good = []
    for peer in candidates:
        try:
            proxy = bench.start(peer)
        except processes.StartFailed as error:
            remark(remarks, f"{peer.name} is left out, it did not start: {' '.join(str(error).split())}")
            continue
        wrong = check.of_peer(peer, proxy.place)
        if wrong:
            proxy.stop()
            remark(remarks, f"{peer.name} is left out, it does not do the job: {'; '.join(wrong)}")
            continue
        good.append(proxy)
        if peer.note:
            remark(remarks, f"{peer.name} {peer.note}.")
    return good


def measure(options, own, cores, arguments):
    """The report; whatever was started has ended when this returns."""
    remarks = []
    candidates = known_peers(options, own, remarks)
    behind = peers.found(options.origin, "nginx")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="compare-")))
        running = stack.enter_context(processes.Processes())
        user = getpass.getuser()
        origin_port = processes.free_ports(1)[0]
        origin.start(running, behind, folder / "origin", origin_port, cores[1], f"user {user};" if user == "root" else "")
        bench = instance.Bench(running, folder, *cores, own["load"], origin_port,
                               certificates.Certificates(own["ca"], folder / "certificates"), user)
        proxies = start_all(bench, candidates, remarks)
        if not proxies:
            raise Unable("there is no proxy to measure")
        chosen = [scenarios.BY_KEY[key] for key in options.scenarios]
        measuring = rounds.Rounds(bench, proxies, chosen, options.scale)
        made = report.Report(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), machine.command(arguments),
                             machine.describe(), {proxy.peer.name: proxy.peer.version for proxy in proxies}, remarks, 0,
                             chosen, measuring.samples, proxies[0].peer.name)
        say("warming up")
        measuring.warm_up()
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            measuring.run(number)
            made.rounds = number + 1
            if options.out:
                made.write(options.out)
        return made


def stop_on(number, _):
    """SIGTERM and SIGHUP unwind as a Ctrl-C does, so that everything that was started is stopped."""
    raise SystemExit(128 + number)


def main(arguments):
    options = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, stop_on)
    try:
        cores = choose_cores(options)
        made = measure(options, programs(options), cores, arguments)
    except (Unable, peers.Missing, processes.StartFailed) as error:
        say(error)
        return 1
    except KeyboardInterrupt:
        say("interrupted; what was started has been stopped")
        return 130
    print(made.table(), end="")
    if options.append:
        made.append(options.append)
    return 1 if any(row.marks for row in made.rows()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
