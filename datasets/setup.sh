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

build=(gcc libc6-dev cmake ninja-build pkg-config libpng-dev zlib1g-dev libdeflate-dev libjpeg-dev libwebp-dev
  libfyaml-dev libjansson-dev libsqlite3-dev libseccomp-dev)
data=(python3 libvips-tools)
tests=(clang libclang-rt-dev libomp-dev clang-format libcmocka-dev bats valgrind shellcheck python3 python3-pil python3-numpy python3-yaml imagemagick
  libvips-tools pngcheck procps)
# Not every distribution or architecture has these as packages; what is built without says so, and so do tests that
# are skipped.
build_optional=(libisal-dev liburing-dev)
tests_optional=(chromium lld python3-scipy python3-skimage)
bench=(python3 python3-numpy python3-opencv python3-pil imagemagick graphicsmagick libvips-dev libvips-tools)

[ $# -gt 0 ] || usage
wanted=("${build[@]}") optional=("${build_optional[@]}")
for purpose in "$@"; do
  case $purpose in
    build) ;;
    data) wanted+=("${data[@]}") ;;
    tests) wanted+=("${tests[@]}") optional+=("${tests_optional[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *) usage ;;
  esac
done

lacks() { # PACKAGE
  # dpkg-query's own words; the shell must not expand them.
  # shellcheck disable=SC2016
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" != installed ]
}

missing=() missing_optional=()
for package in "${wanted[@]}"; do
  if lacks "$package"; then missing+=("$package"); fi
done
for package in "${optional[@]}"; do
  if lacks "$package"; then missing_optional+=("$package"); fi
done
[ $((${#missing[@]} + ${#missing_optional[@]})) -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: these packages are missing, and there is neither root nor sudo to install them:" >&2
    echo "  apt-get install ${missing[*]} ${missing_optional[*]}" >&2
    [ ${#missing[@]} -gt 0 ] && exit 1
    exit 0
  fi
  as_root=(sudo)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends "$@" >&2
}

# Does apt know of a package by that name that can be installed? Ubuntu's chromium is none.
offered() { # PACKAGE
  [[ "$(apt-cache policy "$1" 2>/dev/null)" =~ Candidate:\ [0-9] ]]
}

if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing ${missing[*]}" >&2
  if ! apt install "${missing[@]}"; then
    echo "setup: trying once more with fresh package lists" >&2
    apt update || { sleep 5 && apt update; }
    apt install "${missing[@]}"
  fi
fi
for package in "${missing_optional[@]}"; do
  echo "setup: installing $package" >&2
  # Without any package lists nothing is offered.
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || apt update || true
  if ! offered "$package" || ! apt install "$package"; then
    echo "setup: $package is not to be had here; forkmill is built without it, or tests that want it will say skipped" >&2
  fi
done
