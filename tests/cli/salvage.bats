#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Damaged images: an error by default, and with on_corrupt: salvage what can be read of them.

load machine

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    "$FORKMILL_GENERATE" photo --width 160 --height 120 whole
    mv "$(find whole -name '*.png')" whole.png
    mkdir in
}

# What is left when the file ends after PART hundredths of it: cut PART FROM TO
cut_at() {
    head -c $(($(stat -c %s "$2") * $1 / 100)) "$2" >"$3"
}

# Of rows in a PNM file: how many from the top equal those of another, and are all that follow zero?
rows() { # SALVAGED WHOLE
    "$FORKMILL_PYTHON" - "$@" <<'END'
import sys
def rows(path):
    magic, size, most, samples = open(path, "rb").read().split(b"\n", 3)
    width, height = map(int, size.split())
    return [samples[y * width * 3:(y + 1) * width * 3] for y in range(height)]
got, want = map(rows, sys.argv[1:])
equal = 0
while equal < len(want) and got[equal] == want[equal]:
    equal += 1
print(equal, all(not any(row) for row in got[equal + 1:]))
END
}

@test "a damaged image fails unless salvage is asked for, and then is read as far as it goes" {
    cut_at 60 whole.png in/cut.png
    mill 1 -i in -o out
    says "in/cut.png: decode: file ends early"
    [ "$(files out)" -eq 0 ]
    mill 0 -i in/cut.png -o out --on-corrupt salvage --save-format pnm --json
    says "in/cut.png: salvaged"
    grep -q '"warnings": *1' .out
    mill 0 -i whole.png -o whole-out --save-format pnm
    read -r equal rest <<<"$(rows out/cut.pnm whole-out/whole.pnm)"
    percent=$(sed -n 's/.*salvaged \([0-9]*\) %.*/\1/p' .err)
    echo "$equal rows, told as $percent %, zeros behind: $rest"
    [ "$rest" = True ] && [ "$equal" -gt 50 ] && [ "$equal" -lt 120 ]
}

@test "pixels that are whole stay whole, whatever comes behind them or a checksum says" {
    head -c -12 whole.png >in/without-end.png
    "$FORKMILL_PYTHON" - <<'END'
data = bytearray(open("whole.png", "rb").read())
at = data.rindex(b"IEND") - 5
data[at] ^= 1
open("in/checksum.png", "wb").write(data)
END
    mill 1 -i in -o out
    mill 0 -i in -o out --on-corrupt salvage --save-format pnm
    mill 0 -i whole.png -o out --save-format pnm
    cmp out/without-end.pnm out/whole.pnm
    cmp out/checksum.pnm out/whole.pnm
}

@test "what has no pixels to salvage fails as ever" {
    head -c 60 whole.png >in/head.png
    echo "no image" >in/text.png
    mill 1 -i in -o out --on-corrupt salvage
    [ "$(files out)" -eq 0 ]
    says "in/head.png: decode: file ends early"
}

@test "every engine salvages the same bytes" {
    for part in 5 20 40 60 95; do cut_at $part whole.png in/$part.png; done
    mill 0 -i whole.png -o jpeg --save-format jpeg || skip "this build lacks libjpeg"
    for part in 40 80; do cut_at $part jpeg/whole.jpg in/$part.jpg; done
    mill 0 -i in -o out --on-corrupt salvage --engine serial
    [ "$(files out)" -eq 7 ]
    for how in "--engine process -w 3" "--engine thread -w 2" "--engine openmp -w 2"; do
        # shellcheck disable=SC2086
        mill 0 -i in -o other --on-corrupt salvage $how
        diff -r out other
    done
}
