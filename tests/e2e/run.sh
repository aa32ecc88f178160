#!/bin/bash
# Runs one test program: run.sh MODULE [TEST...], as in: run.sh tls_client_test RequireTest.test_no_certificate
# With POSTERN_IO=epoll, or --io=epoll after the module's name, on that driver.
#
# Outside Bazel, name the binaries: POSTERN=bazel-bin/src/postern POSTERN_CA=bazel-bin/tools/ca/ca tests/e2e/run.sh tls_client_test
set -euo pipefail

# Resolved before the folder is changed.
for variable in POSTERN POSTERN_CA POSTERN_HEALTHTOP POSTERN_LOAD; do
  if [[ -n "${!variable:-}" ]]; then
    path="$(realpath -e "${!variable}")"
    export "$variable=$path"
  fi
done
if [[ -n "${TEST_SRCDIR:-}" ]]; then
  cd "$TEST_SRCDIR/$TEST_WORKSPACE/tests/e2e"
else
  cd "$(dirname "${BASH_SOURCE[0]}")"
fi
# Another folder's modules find lib/ here, too.
if [[ -n "${E2E_FOLDER:-}" ]]; then
  export PYTHONPATH="$PWD"
  cd "$E2E_FOLDER"
fi
module="$1"
shift
if [[ "${1:-}" == --io=* ]]; then
  export POSTERN_IO="${1#--io=}"
  shift
fi
tests=()
for test in "$@"; do tests+=("$module.$test"); done
if [[ "${#tests[@]}" -eq 0 ]]; then tests=("$module"); fi
exec /usr/bin/python3 -B -m unittest --verbose "${tests[@]}"
