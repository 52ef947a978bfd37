#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same bytes on another processor: builds forkmill for AArch64 with Debian's cross compiler, runs stages under
# qemu-user and compares what comes out with this machine's. Not part of the suite, as it takes packages of a foreign
# architecture, which are unpacked below build/ and not installed; only the compiler and qemu are.
#
#   tests/aarch64.sh
#
# `compression: balanced`: that of `fast` may go to ISA-L, whose bytes differ from one architecture to another.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
work=$root/build/aarch64
libraries=$work/root/usr/lib/aarch64-linux-gnu
packages=(libcmocka-dev libcmocka0 libjpeg62-turbo-dev libjpeg62-turbo libwebp-dev libwebp7 libpng-dev libpng16-16
  zlib1g-dev zlib1g libdeflate-dev libdeflate0 libisal-dev libisal2 libfyaml-dev libfyaml0 libjansson-dev libjansson4
  libsqlite3-dev libsqlite3-0 libseccomp-dev libseccomp2 libgomp1)
stages=(resize:scale=0.5 'resize:width=300,height=300,fit=inside,kernel=cubic' 'resize:scale=0.3,linear=true'
  gaussblur:sigma=2 gaussblur:sigma=9 sharpen:sigma=0.6 gamma levels equalize clahe invert flatten threshold
  quantize:colours=16 sobel median:size=3 median:size=9 erode rotate:angle=90 grayscale linear:a=1.3 hash)
numeric=(normalize cumsum diff 'clip:min=0,max=100' rfft block_reduce astype:type=f32 stats histogram)
export FORKMILL_JOURNAL=false

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

fetch() {
  [ ! -e "$libraries/libseccomp.so" ] || return 0
  as_root dpkg --add-architecture arm64
  as_root apt-get update -qq
  as_root apt-get install -y -qq gcc-aarch64-linux-gnu qemu-user >/dev/null
  mkdir -p "$work/packages" "$work/root"
  (cd "$work/packages" && apt-get download -qq "${packages[@]/%/:arm64}")
  for package in "$work/packages"/*.deb; do dpkg -x "$package" "$work/root"; done
  cp -a "$work/root/lib/aarch64-linux-gnu/." "$libraries/"
}

build() {
  export PKG_CONFIG_LIBDIR=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/root
  cmake -G Ninja -B "$work/build" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc \
    -DCMAKE_FIND_ROOT_PATH="$work/root;/usr/aarch64-linux-gnu" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
    -DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu -DFORKMILL_WERROR=ON \
    -DCMAKE_C_FLAGS="-isystem $work/root/usr/include -isystem $work/root/usr/include/aarch64-linux-gnu" \
    -DCMAKE_EXE_LINKER_FLAGS="-L$libraries -Wl,-rpath-link,$libraries" >/dev/null
  cmake --build "$work/build" --target forkmill >/dev/null
  env -u PKG_CONFIG_LIBDIR -u PKG_CONFIG_SYSROOT_DIR cmake --preset release >/dev/null
  cmake --build --preset release --target forkmill forkmill-generate >/dev/null
}

# Relative names only: qemu looks for others in the foreign tree first.
foreign() {
  qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$libraries:/usr/aarch64-linux-gnu/lib" \
    "$work/build/forkmill" "$@"
}

# What it says must be the same, too; of some items it may be that they failed.
compare() { # DIRECTORY STAGE
  local flags=(run -q --engine serial --memory 64MiB -i "$1" -s "$2" --save-compression balanced) code=0 other=0
  rm -rf out here
  "$root/build/release/forkmill" "${flags[@]}" -o out >here.log 2>&1 || code=$?
  mv out here
  foreign "${flags[@]}" -o out >there.log 2>&1 || other=$?
  [ $code -le 1 ] && [ $code -eq $other ] && diff -r here out && cmp here.log there.log
}

fetch
build
rm -rf "$work/data"
mkdir -p "$work/data"
cd "$work/data"
for kind in photo deep alpha palette grey flat; do
  "$root/build/release/datasets/forkmill-generate" "$kind" --count 4 --width 211 --height 133 pictures >/dev/null
done
"$root/build/release/datasets/forkmill-generate" icons --count 8 pictures >/dev/null
"$root/build/release/datasets/forkmill-generate" arrays --count 16 --width 37 --height 29 arrays >/dev/null
failed=()
for stage in "${stages[@]}"; do compare pictures "$stage" || failed+=("$stage"); done
for stage in "${numeric[@]}"; do compare arrays "$stage" || failed+=("$stage"); done
echo "$((${#stages[@]} + ${#numeric[@]})) stages compared, ${#failed[@]} differ${failed[*]:+: ${failed[*]}}"
[ ${#failed[@]} -eq 0 ]
