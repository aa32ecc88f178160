"""Where the binaries under test are, and how long a slow machine may take."""

import os
import pathlib
import ssl
import subprocess
import time

# The longest wait for anything that should happen. Nothing is measured with it: it only ends a test that hangs.
PATIENCE_S = 60.0

# Sanitizers keep freed memory and map terabytes: sizes of processes mean nothing there.
SANITIZED = any(name in os.environ for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"))


def binary(variable, path):
    """The program named by an environment variable, or the one that Bazel built."""
    if variable in os.environ:
        return pathlib.Path(os.environ[variable]).resolve()
    root = os.environ.get("TEST_SRCDIR")
    if root is None:
        raise RuntimeError(f"run this with Bazel, or set {variable} to the program")
    return pathlib.Path(root) / os.environ["TEST_WORKSPACE"] / path


def postern():
    return binary("POSTERN", "src/postern")


def authority():
    return binary("POSTERN_CA", "tools/ca/ca")


def load_generator():
    return binary("POSTERN_LOAD", "tools/load/load")


def healthtop():
    return binary("POSTERN_HEALTHTOP", "tools/healthtop/healthtop")


def end_s(path, what="x509", field="-enddate"):
    """When a certificate ends, as openssl reads it; a list: end_s(path, "crl", "-nextupdate")."""
    result = subprocess.run(["openssl", what, "-in", path, "-noout", field], check=True, capture_output=True, text=True,
                            timeout=PATIENCE_S)
    return ssl.cert_time_to_seconds(result.stdout.strip().partition("=")[2])


def scratch():
    """Where temporary files go."""
    return os.environ.get("TEST_TMPDIR")


def wait_until(condition, what="the condition", patience_s=PATIENCE_S):
    """Polls until the condition is true and returns what it returned."""
    deadline = time.monotonic() + patience_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not seen in {patience_s:.0f} s")
        time.sleep(0.01)
