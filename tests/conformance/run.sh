#!/bin/bash
# Runs one module: run.sh MODULE [TEST...], as in: run.sh frames_test FormatTest.test_4_1_unknown_type
#
# Outside Bazel, name the binaries, as for the end-to-end tests, or a server that is running:
#   POSTERN=bazel-bin/src/postern POSTERN_CA=bazel-bin/tools/ca/ca tests/conformance/run.sh frames_test
#   CONFORMANCE_TARGET=localhost:8443 tests/conformance/run.sh frames_test
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
if [[ -n "${TEST_SRCDIR:-}" ]]; then here="$TEST_SRCDIR/$TEST_WORKSPACE/tests/conformance"; fi
export E2E_FOLDER="$here"
exec "$here/../e2e/run.sh" "$@"
