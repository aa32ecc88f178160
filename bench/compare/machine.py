"""What a run was made on, and with which command."""

import os
import pathlib
import platform
import shlex
import subprocess


def processor(cpuinfo):
    """The model, from the text of /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def describe():
    """{what: text} of this machine."""
    return {"processor": processor(pathlib.Path("/proc/cpuinfo").read_text("utf-8", "replace")),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "load": " ".join(f"{load:.2f}" for load in os.getloadavg())}


def revision(root):
    """The commit of the tree, and whether it is changed."""
    def git(*words):
        return subprocess.run(["git", "-C", str(root), *words], check=True, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short", "HEAD") + (" and changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown revision"


def command(arguments):
    return shlex.join(["bench/compare/compare.py", *arguments])
