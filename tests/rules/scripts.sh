#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No script gives shellcheck a reason to speak.  scripts.sh ROOT
set -euo pipefail
cd "$1"
{
  find datasets tests bench -name cache -prune -o -name '*.sh' -print0
  find .ci -type f -print0
} | xargs -0 shellcheck
# Each bats test is a shell of its own; what shellcheck only remarks on does not hold there.
find tests/cli -name '*.bats' -print0 | xargs -0 shellcheck --severity=warning
