#!/usr/bin/env python3
"""Runs tidy.py over the real tree, which the link to WORKSPACE among this test's files leads to."""

import os
import pathlib
import sys

sys.dont_write_bytecode = True
runfiles = pathlib.Path(os.environ["TEST_SRCDIR"]) / os.environ["TEST_WORKSPACE"]
root = (runfiles / "WORKSPACE").resolve().parent
if not (root / "tools" / "tidy" / "tidy.py").is_file():
    sys.exit(f"tidy_test: {root} is not the tree; this test has to run outside of a sandbox")
sys.path.insert(0, str(root / "tools" / "tidy"))

import tidy  # pylint: disable=wrong-import-position

sys.exit(tidy.main([str(root)]))
