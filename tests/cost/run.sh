#!/bin/bash
# Runs one of the tests here: MODULE [ARGUMENT...].
set -euo pipefail
module="$1"
shift
exec /usr/bin/python3 -B "$(dirname "${BASH_SOURCE[0]}")/$module.py" "$@"
