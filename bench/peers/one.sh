#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One job of bench/peers.sh on all files of a directory, all PNG or all JPEG, by forkmill or by one of its peers.
#
#   bench/peers/one.sh WHO thumbnail|half|blur|gray|encode IN OUT
#
# Two processes each, and out comes what went in: PNG by each tool's own default of compression, JPEG of one quality.
# bench/common.sh says what FORKMILL, FORKMILL_BENCH and PYTHON are.
set -euo pipefail

who=$1 job=$2 in=$3 out=$(realpath "$4")
files=("$in"/*)
format=${files[0]##*.}
quality=85 # the default of forkmill; pictures.py has the same
# Two processes on two cores: threads inside of them would only get in each other's way.
export OMP_NUM_THREADS=1 MAGICK_THREAD_LIMIT=1 VIPS_CONCURRENCY=1

# Hands each call of COMMAND some of the files, two calls side by side; of a few files each one.
shares() { # COMMAND...
  local files=("$in"/*)
  printf '%s\0' "${files[@]}" | xargs -0 -P 2 -n $((${#files[@]} < 100 ? 1 : 50)) "$@"
}

case $who in
  forkmill | forkmill-fastest)
    case $job in
      thumbnail) stages=(-s "resize:width=256,height=256,upscale=false") ;;
      half) stages=(-s "resize:scale=0.5,kernel=lanczos3") ;;
      blur) stages=(-s gaussblur:sigma=2) ;;
      gray) stages=(-s grayscale:weights=rec601) ;; # as OpenCV and Pillow have them
      encode) stages=() ;;
    esac
    [ "$who" = forkmill ] || stages+=(--save-compression fastest)
    exec "$FORKMILL" run -q -w 2 -i "$in" -o "$out" "${stages[@]}"
    ;;
  libvips) exec "$FORKMILL_BENCH/forkmill-bench-vips" "$job" "$out" "${files[@]}" ;;
  vipsthumbnail)
    how=
    [ "$format" = png ] || how="[Q=$quality]"
    shares vipsthumbnail -s '256x256>' -o "$out/%s.$format$how"
    ;;
  opencv | pillow) exec "$PYTHON" "$(dirname "$0")/pictures.py" "$who" "$job" "$in" "$out" ;;
  imagemagick | graphicsmagick)
    case $who-$job in
      *-thumbnail) how=(-thumbnail '256x256>') ;;
      *-half) how=(-filter Lanczos -resize '50%') ;;
      *-blur) how=(-blur 0x2) ;;
      *-gray) how=(-colorspace Gray) ;;
      *-encode) how=() ;;
    esac
    [ "$format" = png ] || how+=(-quality "$quality")
    cd "$in" # gm makes its outputs below $out under the whole path of the input
    in=.
    if [ "$who" = imagemagick ]; then
      shares mogrify -path "$out" "${how[@]}" -format "$format"
    else
      shares gm mogrify -output-directory "$out" "${how[@]}" -format "$format"
    fi
    ;;
  *)
    echo "one.sh: nobody is called $who" >&2
    exit 2
    ;;
esac
