#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building, testing or measuring forkmill takes. Does nothing when they are there.
#
#   datasets/setup.sh build|data|tests|bench ...
set -euo pipefail

usage() {
  echo "Usage: datasets/setup.sh build|data|tests|bench ..." >&2
  exit 2
}

build=(gcc libc6-dev cmake ninja-build pkg-config libpng-dev zlib1g-dev libfyaml-dev libjansson-dev)
data=(python3 libvips-tools)
tests=(clang clang-format libcmocka-dev bats valgrind shellcheck python3 python3-pil python3-numpy imagemagick
  libvips-tools pngcheck chromium)
bench=(python3)

[ $# -gt 0 ] || usage
wanted=("${build[@]}")
for purpose in "$@"; do
  case $purpose in
    build) ;;
    data) wanted+=("${data[@]}") ;;
    tests) wanted+=("${tests[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *) usage ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  # dpkg-query's own words; the shell must not expand them.
  # shellcheck disable=SC2016
  if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" != installed ]; then
    missing+=("$package")
  fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: these packages are missing, and there is neither root nor sudo to install them:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup: installing ${missing[*]}" >&2
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends "$@" >&2
}
if ! apt install "${missing[@]}"; then
  echo "setup: trying once more with fresh package lists" >&2
  apt update || { sleep 5 && apt update; }
  apt install "${missing[@]}"
fi
