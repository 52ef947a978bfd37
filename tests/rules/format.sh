#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every C file is as clang-format leaves it.  format.sh ROOT
set -euo pipefail
cd "$1"
find stages pipeline datasets tests bench -name cache -prune -o -name '*.[ch]' -print0 |
  xargs -0 clang-format --dry-run -Werror
