#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same bytes with AVX-512, on a machine that has none: Bochs emulates a processor that has it and boots a kernel of
# Debian, under which forkmill runs stages and unit tests; what comes out is compared with what comes out here, and of a
# build without clones. Not part of the suite: it takes packages and some minutes. The kernel is not installed.
#
#   tests/avx512.sh [SECONDS]      how long Bochs may take; 1800 unless told
#
# Exit code 77, and a line on standard error, where packages cannot be had: nothing was compared then.
# `compression: balanced`, as in aarch64.sh. Bochs 2.7 is wrong about AVX-512 in two ways that gcc has use for: bytes
# inserted from memory (vpinsrb with a displacement of 8 bits), and unsigned integers of 64 bits converted to and from
# floats. A kernel with such an instruction differs here and may be right.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$root/build/avx512
packages=(bochs bochsbios vgabios bochs-term busybox-static cpio isolinux syslinux-common xorriso)
stages=(resize:scale=0.5 'resize:scale=0.3,linear=true' gaussblur:sigma=2 sharpen:sigma=0.6
  'sharpen:sigma=2,threshold=0.1' gamma levels levels:auto=true equalize equalize:channels=luma clahe invert
  flatten threshold quantize:colours=16 sobel median:size=3 median:size=5 erode rotate:angle=90 grayscale
  linear:a=1.3 cast:type=u8 hash 'convolve:mask=1 2 1 0,scale=0')
floats=(resize:scale=0.5 gaussblur:sigma=2 sharpen:sigma=0.6 levels clahe flatten threshold grayscale cast:type=u8)
numeric=(normalize 'normalize:method=zscore,axis=-1' cumsum:axis=0 cumsum:axis=-1 diff:axis=0 diff:axis=-1
  'clip:min=0,max=60' rfft block_reduce:size=2 'block_reduce:func=max,size=2' 'linear:a=1.3,b=2' stats histogram sumsq
  'convolve:mask=1 2 3,axis=1')
units=(astype affine cumsum_diff arithmetic_arrays clahe equalize point stats normalize)

skip() {
  echo "SKIPPED, nothing compared: $*" >&2
  exit 77
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

fetch() {
  mkdir -p "$work/kernel"
  compgen -G "$work/kernel/boot/vmlinuz-*" >/dev/null && dpkg -s "${packages[@]}" >/dev/null 2>&1 && return 0
  local kernel
  as_root apt-get update -qq || skip "apt-get update failed"
  as_root apt-get install -y -qq "${packages[@]}" >/dev/null || skip "no ${packages[*]}"
  kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p') || true
  [ -n "$kernel" ] || skip "no linux-image-cloud-amd64"
  (cd "$work/kernel" && apt-get download -qq "$kernel" && dpkg -x "$kernel"_*.deb .) || skip "no $kernel"
}

build() {
  local preset
  cd "$root"
  for preset in release dev; do cmake --preset "$preset" >/dev/null; done
  cmake --build --preset release --target forkmill forkmill-generate >/dev/null
  cmake --build --preset dev --target unit_tests >/dev/null
  cmake -G Ninja -B "$work/plain" -DCMAKE_BUILD_TYPE=Release -DFORKMILL_TESTS=OFF \
    -DCMAKE_C_FLAGS=-DSIMD_BASELINE >/dev/null
  cmake --build "$work/plain" --target forkmill >/dev/null
}

# Pictures of 8 and 16 bits, grey, with alpha and without, arrays of all types; and what is done with them, where the
# shell may be that of busybox: a line for each stage, with its exit code and the digest of all that it made and said.
prepare() {
  rm -rf "$work/job"
  mkdir -p "$work/job"
  cd "$work/job"
  local generate=$root/build/release/datasets/forkmill-generate here=$root/build/release/forkmill kind job
  for kind in photo deep alpha palette grey flat; do
    "$generate" "$kind" --count 1 --width 67 --height 31 pictures >/dev/null
  done
  "$here" run -q -i pictures -o luma -s grayscale
  mv luma pictures
  "$here" run -q -i pictures -o deeper -s cast:type=u16
  mv deeper pictures
  "$generate" arrays --count 24 --width 131 --height 29 arrays >/dev/null
  {
    for job in "${stages[@]}"; do printf 'pictures\t%s\n' "$job"; done
    for job in "${floats[@]}"; do printf 'floats\t%s\n' "$job"; done
    for job in "${numeric[@]}"; do printf 'arrays\t%s\n' "$job"; done
    for job in u8 i16 i32 i64 u64 f16 f32 f64; do printf 'arrays\tastype:type=%s,casting=saturate\n' "$job"; done
  } >job.list
  cat >run.sh <<'END'
export FORKMILL_JOURNAL=false
$1 doctor | grep instructions
while IFS="$(printf '\t')" read -r from stage; do
  rm -rf out
  set -- "$1" run -q --engine serial --memory 64MiB -o out --save-compression balanced
  case $from in
    floats) "$@" -i pictures -s cast:type=f32 -s "$stage" -s cast:type=u16 ;;
    *) "$@" -i "$from" -s "$stage" ;;
  esac >log 2>&1
  echo "$from $stage $? $({ cat log; find out -type f | sort | xargs cat; } 2>&1 | sha256sum)"
done <job.list
END
}

# The job, programs and libraries, which are also what the kernel starts.
pack() {
  local tree=$work/tree library program test
  rm -rf "$tree" "$work/disc"
  mkdir -p "$tree"/{bin,proc,dev} "$work/disc/isolinux"
  cp -r "$work/job" "$tree/job"
  cp "$(command -v busybox)" "$root/build/release/forkmill" "$root/build/dev/tests/unit_tests" "$tree/bin"
  for program in "$tree/bin/forkmill" "$tree/bin/unit_tests"; do
    for library in $(ldd "$program" | grep -o '/[^ ]*'); do cp -nL --parents "$library" "$tree"; done
  done
  {
    echo '#!/bin/busybox sh'
    echo '/bin/busybox --install -s /bin; mount -t proc proc /proc; mount -t devtmpfs dev /dev; mkdir /dev/shm'
    echo 'mount -t tmpfs shm /dev/shm; cd /job; { sh run.sh forkmill'
    for test in "${units[@]}"; do
      echo "unit_tests test_$test >log 2>&1; echo unit $test \$?; grep -aE '^.  (FAILED|ERROR)' log"
    done
    echo "} 2>&1 | sed 's/^/> /' >/dev/ttyS0; stty -F /dev/ttyS0 sane; poweroff -f" # stty waits until all is sent
  } >"$tree/init"
  chmod +x "$tree/init"
  (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/disc/initrd.gz"
  cp "$work"/kernel/boot/vmlinuz-* "$work/disc/vmlinuz"
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/disc/isolinux"
  # Bochs tells a size of xsaves that the kernel does not believe, and then has no vectors at all.
  printf 'DEFAULT l\nLABEL l\nKERNEL /vmlinuz\nINITRD /initrd.gz\nAPPEND %s\n' "console=ttyS0 quiet loglevel=0 nosmp \
mitigations=off clearcpuid=xsaves,xsavec lpj=1000000 panic=-1" >"$work/disc/isolinux/isolinux.cfg"
  xorriso -as mkisofs -quiet -o "$work/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
    -boot-load-size 4 -boot-info-table "$work/disc" 2>/dev/null
}

emulate() { # SECONDS
  cd "$work"
  printf '%s\n' 'display_library: term' 'megs: 1024' 'romimage: file=/usr/share/bochs/BIOS-bochs-latest' \
    'vgaromimage: file=/usr/share/vgabios/vgabios.bin' \
    'cpu: model=corei7_skylake_x, count=1, ips=50000000, reset_on_triple_fault=0' \
    'ata0-master: type=cdrom, path=disc.iso, status=inserted' 'boot: cdrom' 'com1: enabled=1, mode=file, dev=serial' \
    'log: bochs.log' 'panic: action=fatal' 'error: action=report' 'info: action=ignore' 'debug: action=ignore' >bochsrc
  echo c >go
  rm -f serial
  # It ends with an error however it ends, and wants a terminal.
  TERM=xterm script -qc "timeout -k 5 $1 bochs -q -f bochsrc -rc go" /dev/null </dev/null >/dev/null || true
  tr -d '\r' <serial | sed -n 's/^> //p' >there
}

fetch
build
prepare
bash run.sh "$root/build/release/forkmill" >"$work/here"
bash run.sh "$work/plain/forkmill" >"$work/baseline"
pack
emulate "${1:-1800}"
cd "$work"
for test in "${units[@]}"; do echo "unit $test 0"; done | tee -a here >>baseline
head -n 1 here baseline there
grep -q AVX-512 there || { echo "no AVX-512 there" >&2; exit 1; }
sed -i 1d here baseline there
diff here there && diff baseline there && echo "$(wc -l <there) results, all the same"
