#!/usr/bin/python3
"""A reconnect storm of twice the capacity, for 10 s, and what came of each second of it.

  bench/storm.py [--quota=0.25] [--rates=600/4s,3000/10s,100/6s] [--postern=FILE]

One shard is held to a quarter of a core by a cgroup, so that the generator on the other core can offer it more than it can
do: new connections in an open loop, half of them with a session, each with one request and 4 s of patience. Prints
answers, refusals and failures by second, and the sums. Needs root (a cgroup of version 1 or 2), two cores, nginx."""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import shard_cost

PERIOD_US = 20000


@contextlib.contextmanager
def quota(pid, share):
    """Holds `pid` and its threads to `share` of a core."""
    name = f"postern_storm_{os.getpid()}"
    first, second = pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup")
    group = (first if first.is_dir() else second) / name
    group.mkdir()
    try:
        if first.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US), "ascii")
            (group / "cpu.cfs_quota_us").write_text(str(int(share * PERIOD_US)), "ascii")
        else:
            (group / "cpu.max").write_text(f"{int(share * PERIOD_US)} {PERIOD_US}", "ascii")
        (group / "cgroup.procs").write_text(str(pid), "ascii")
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(pid), "ascii")
        group.rmdir()


def storm(scene, arguments):
    proxy = shard_cost.Proxy(scene)
    proxy.load(scene.folder / "known", "--operations=400", "--mix=full:1")
    with quota(proxy.process.pid, arguments.quota):
        seen = proxy.load(scene.folder / "known", f"--rate={arguments.rates}", "--mix=full:1,resumed:1",
                          "--connections=18000", "--timeout=4s")
    refused = {}
    for shard in proxy.status()["shards"]:
        for reason, count in shard["refusals"].items():
            refused[reason] = refused.get(reason, 0) + count
    for second in seen["seconds"]:
        print(" ".join(f"{name}={value}" for name, value in second.items()))
    print(json.dumps(seen["operations"]), json.dumps(seen["latency"].get("all", {})))
    print("refused", {reason: count for reason, count in refused.items() if count})
    proxy.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quota", type=float, default=0.25)
    parser.add_argument("--rates", default="600/4s,3000/10s,100/6s")
    parser.add_argument("--postern", help="another binary than that of this tree")
    arguments = parser.parse_args()
    shard_cost.build()
    if arguments.postern:
        shard_cost.POSTERN = pathlib.Path(arguments.postern).resolve()
    with tempfile.TemporaryDirectory(prefix="storm_") as folder:
        scene = shard_cost.Scene(pathlib.Path(folder))
        try:
            storm(scene, arguments)
        finally:
            scene.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
