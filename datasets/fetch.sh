#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Gets real pictures out of Debian or Ubuntu packages, without installing them, into datasets/cache/.
#
#   datasets/fetch.sh icons|art|photos|all
#
# What is there already is left alone. Prints the directories on stdout; everything else goes to stderr.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$here/cache
work=

say() { echo "fetch: $*" >&2; }

finish() {
  [ -z "$work" ] || rm -rf "$work"
}
trap finish EXIT

# Packages that hold what is wanted; the first ones that can be had and together suffice are taken.
icon_packages=(gnome-icon-theme mate-icon-theme oxygen-icon-theme tango-icon-theme adwaita-icon-theme)
photo_packages=(lomiri-wallpapers-16.04 lomiri-wallpapers-20.04)
photo_packages_else=(mate-backgrounds ubuntu-wallpapers plasma-workspace-wallpapers)

icons_wanted=3000
art_wanted=200
photos_wanted=6

updated=no
update_lists() {
  [ $updated = no ] || return 1
  updated=yes
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      say "the package lists may be old or missing, and there is neither root nor sudo for apt-get update"
      return 1
    fi
    as_root=(sudo)
  fi
  say "updating the package lists"
  "${as_root[@]}" apt-get -q update >&2
}

download() { # PACKAGE; the .deb appears in the current directory
  apt-get -q -o APT::Sandbox::User="$(id -un)" download "$1" >/dev/null 2>&1
}

# Unpacks a package into DIRECTORY; false when it cannot be had.
unpack() { # PACKAGE DIRECTORY
  local package=$1 directory=$2
  mkdir -p "$directory.deb" "$directory"
  if ! (cd "$directory.deb" && download "$package"); then
    if ! { update_lists && (cd "$directory.deb" && download "$package"); }; then
      say "$package: not in the package lists, or no network"
      return 1
    fi
  fi
  dpkg-deb -x "$directory.deb"/*.deb "$directory" || return 1
  rm -r "$directory.deb"
  say "$package: unpacked"
}

# Moves a finished directory to its place, so that a half-done one is never taken for done.
publish() { # DIRECTORY NAME
  rm -rf "${cache:?}/$2"
  mv "$1" "$cache/$2"
}

count_png() { find "$1" -type f -name '*.png' | wc -l; }

fetch_icons() {
  local package found=0
  mkdir "$work/icons"
  for package in "${icon_packages[@]}"; do
    unpack "$package" "$work/$package" || continue
    mkdir "$work/icons/$package"
    (cd "$work/$package/usr/share/icons" && find . -type f -name '*.png' -print0 | sort -z |
      tar --null -cf - -T -) | tar -xf - -C "$work/icons/$package"
    found=$(count_png "$work/icons")
    [ "$found" -lt $icons_wanted ] || break
  done
  if [ "$found" -lt $icons_wanted ]; then
    say "only $found icons could be had; wanted are $icons_wanted"
    return 1
  fi
  publish "$work/icons" icons
}

# Of all pictures of 0.5 to 4 MP, the first ones in the order of their names' hashes.
pick_art() { # DIRECTORY
  python3 - "$1" $art_wanted <<'PY'
import hashlib, os, struct, sys
root, wanted = sys.argv[1], int(sys.argv[2])
found = []
for folder, _, names in os.walk(root):
    for name in names:
        path = os.path.join(folder, name)
        if not name.endswith(".png") or os.path.islink(path):
            continue
        with open(path, "rb") as file:
            head = file.read(24)
        if len(head) == 24 and head[12:16] == b"IHDR":
            width, height = struct.unpack(">II", head[16:24])
            if 500_000 <= width * height <= 4_000_000:
                relative = os.path.relpath(path, root)
                found.append((hashlib.sha256(relative.encode()).digest(), relative))
for _, relative in sorted(found)[:wanted]:
    sys.stdout.write(relative + "\0")
PY
}

fetch_art() {
  unpack openclipart-png "$work/openclipart-png" || return 1
  mkdir "$work/art"
  local clipart=$work/openclipart-png/usr/share/openclipart/png
  pick_art "$clipart" >"$work/art.list"
  tar -C "$clipart" --null -cf - -T "$work/art.list" | tar -xf - -C "$work/art"
  local found
  found=$(count_png "$work/art")
  if [ "$found" -ne $art_wanted ]; then
    say "openclipart-png: $found pictures of 0.5 to 4 MP; wanted are $art_wanted"
    return 1
  fi
  publish "$work/art" art
}

# JPEG photographs of 7.9 to 30 MP become PNG of 8 bits, with their colour profiles and EXIF.
convert_photos() { # PACKAGE
  local photo width height name number
  number=$(find "$work/tiles" -type f | wc -l)
  while IFS= read -r -d '' photo; do
    width=$(vipsheader -f width "$photo")
    height=$(vipsheader -f height "$photo")
    if [ $((width * height)) -lt 7900000 ] || [ $((width * height)) -gt 30000000 ]; then
      continue
    fi
    [ "$(vipsheader -f bands "$photo")" = 3 ] || continue
    name=$(basename "${photo%.*}")
    vips pngsave "$photo" "$work/photos/$name.png" --compression 3 --filter sub
    if [ "$width" -ge 2000 ] && [ "$height" -ge 2000 ]; then
      number=$((number + 1))
      vips extract_area "$photo" "$work/tiles/$number.v" $(((width - 2000) / 2)) $(((height - 2000) / 2)) 2000 2000
    fi
  done < <(find "$1" -type f \( -name '*.jpg' -o -name '*.jpeg' \) -print0 | sort -z)
}

# Packages hold hardly a photograph of 24 MP; six middles of 4 MP side by side have the size and the content of one.
make_mosaics() {
  local count turn i row
  count=$(find "$work/tiles" -type f | wc -l)
  [ "$count" -ge 6 ] || return 0
  for turn in 0 1 2 3; do
    row=()
    for i in 0 1 2 3 4 5; do
      row+=("$(((turn + i) % count + 1)).v")
    done
    (cd "$work/tiles" && vips arrayjoin "${row[*]}" ../mosaic.v --across 3)
    vips pngsave "$work/mosaic.v" "$work/photos/mosaic-24mp-$turn.png" --compression 3 --filter sub --strip
  done
}

fetch_photos() {
  if ! command -v vips >/dev/null; then
    say "photos: vips converts them, and it is not there; datasets/setup.sh data installs it"
    return 1
  fi
  local package
  mkdir "$work/photos" "$work/tiles"
  for package in "${photo_packages[@]}"; do
    if unpack "$package" "$work/$package"; then
      convert_photos "$work/$package"
    fi
  done
  for package in "${photo_packages_else[@]}"; do
    [ "$(count_png "$work/photos")" -lt $photos_wanted ] || break
    if unpack "$package" "$work/$package"; then
      convert_photos "$work/$package"
    fi
  done
  if [ "$(count_png "$work/photos")" -lt $photos_wanted ]; then
    say "photos: no package at hand has enough of them"
    return 1
  fi
  make_mosaics
  publish "$work/photos" photos
}

fetch() { # NAME
  if [ ! -d "$cache/$1" ]; then
    say "$1: fetching"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.work.XXXXXX")
    chmod 755 "$work"
    # The function must stop at its first error, which bash forgets inside a condition; hence its own shell.
    "${BASH_SOURCE[0]}" --into "$work" "$1"
    rm -rf "$work"
    work=
  fi
  say "$1: $(count_png "$cache/$1") PNG files, $(du -sh "$cache/$1" | cut -f 1)"
  echo "$cache/$1"
}

case $#:${1-} in
  3:--into)
    work=$2
    trap - EXIT
    "fetch_$3"
    ;;
  1:icons | 1:art | 1:photos) fetch "$1" ;;
  1:all) for name in icons art photos; do fetch $name; done ;;
  *)
    echo "Usage: datasets/fetch.sh icons|art|photos|all" >&2
    exit 2
    ;;
esac
