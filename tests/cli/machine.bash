# SPDX-License-Identifier: MIT
# What the tests of `forkmill run` share.  load machine
# shellcheck shell=bash

# With AddressSanitizer a death by a signal shall be one.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0"

# Runs forkmill with the arguments after the first, which is the exit code wanted. Leaves .out and .err.
mill() {
    local want=$1 code=0
    shift
    "$FORKMILL" run "$@" >.out 2>.err || code=$?
    [ "$code" -eq "$want" ] || { echo "exit code $code, not $want: run $*"; cat .err; return 1; }
}

# Starts forkmill in a session of its own, whose number is also its process id: $main. As a background job
# of a shell it would be deaf to SIGINT.
start() {
    env --default-signal=INT,QUIT setsid "$FORKMILL" run "$@" >.out 2>.err 3>&- &
    main=$!
}

# Waits for $main and checks its exit code.
finish() {
    local code=0
    wait "$main" || code=$?
    [ "$code" -eq "$1" ] || { echo "exit code $code, not $1"; cat .err; return 1; }
}

says() {
    grep -qF -- "$1" .err || { echo "not said: $1"; cat .err; return 1; }
}

silent() {
    [ ! -s "$1" ] || { echo "not silent:"; cat "$1"; return 1; }
}

# Fails where the pattern is found; errexit does not see a command behind an exclamation mark.
absent() {
    if grep "$@"; then echo "found: $1"; return 1; fi
}

# wait_until CONDITION...: a command tried again until it succeeds, for as long as a busy machine may take.
wait_until() {
    local end=$((SECONDS + ${WAIT_S:-60}))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || { echo "waited in vain: $*"; return 1; }
        sleep 0.03
    done
}

# None of the files that a file lists exists any more.
all_gone() {
    local name
    while read -r name; do [ ! -e "$name" ] || return 1; done <"$1"
}

# Files below a directory, temporary ones not counted.
files() {
    find "$1" -type f ! -name '.forkmill-*' 2>/dev/null | wc -l
}

# As many files, by the shell alone: it is asked over and over.
has_files() (
    shopt -s globstar nullglob
    found=0
    for file in "$1"/**/*; do
        if [ -f "$file" ]; then found=$((found + 1)); fi
    done
    [ "$found" -ge "$2" ]
)

no_temps() {
    [ -z "$(find "$1" -name '.forkmill-*')" ] || { find "$1" -name '.forkmill-*'; return 1; }
}

# Every file of the first tree is in the second, byte for byte. An output may be missing, never different.
part_of() {
    diff -rq "$1" "$2" | grep -v -e "^Only in $2" -e '^Only in .*: \.forkmill-.*\.tmp$' >.parts || return 0
    cat .parts
    return 1
}

# Numbers of the summary that --json printed, a line each: number items.done
number() {
    awk -v names="$*" '
        BEGIN { count = split(names, wanted, " ") }
        match($0, /^ *"[a-z_]+": /) {
            depth = (index($0, "\"") - 1) / 2
            split($0, word, "\"")
            path[depth] = (depth > 1 ? path[depth - 1] "." : "") word[2]
            value = $0
            sub(/^[^:]*: /, "", value)
            sub(/,$/, "", value)
            if (!(path[depth] in values)) values[path[depth]] = value
        }
        END {
            for (i = 1; i <= count; i++) {
                if (!(wanted[i] in values)) exit 1
                print values[wanted[i]]
            }
        }' .out
}

is() {
    local value
    value=$(number "$1")
    [ "$value" = "$2" ] || { echo "$1 is $value, not $2"; return 1; }
}

# Process ids of the children of a process, a line each; empty where there are none (yet).
children() {
    local ids
    { read -ra ids <"/proc/$1/task/$1/children"; } 2>/dev/null || true
    [ ${#ids[@]} -gt 0 ] && printf '%s\n' "${ids[@]}"
}

# Of the fork server and of the workers of $main.
server() {
    children "$main"
}

workers() {
    local server
    server=$(server) && children "$server"
}

has_workers() {
    [ "$(workers | wc -l)" -ge "$1" ]
}

# So many workers of $main are at the stage sleep with an item; they are asked for once all of them live.
asleep() {
    kill -USR1 "$main"
    [ "$(grep -o '^worker [0-9]* .*: sleep of ' .err | sort -u | wc -l)" -ge "$1" ]
}

# Of the session of $main nobody lives. The dead that wait for another parent to reap them do not count.
session_gone() {
    ! ps -o stat= -s "$main" | grep -qv '^Z'
}

# Hundreds of tiny pictures of several kinds: generate DIR COUNT
generate() {
    local quarter=$((($2 + 3) / 4))
    "$FORKMILL_GENERATE" icons --count $(($2 - 3 * quarter)) "$1"
    "$FORKMILL_GENERATE" grey --count $quarter --width 37 --height 29 "$1"
    "$FORKMILL_GENERATE" deep --count $quarter --width 31 --height 23 "$1"
    "$FORKMILL_GENERATE" palette --count $quarter --width 29 --height 31 "$1"
}

# One small picture: icon PATH [SEED]
icon() {
    "$FORKMILL_GENERATE" icons --seed "${2:-1}" .icon
    mv .icon/icons/000/icons-000000.png "$1"
}

# Runs a shell script in a mount namespace of its own: the one place where a test can have a full disk. Where
# the system forbids that, the test says so and is skipped.
in_mounts() {
    local flags=-m
    [ "$(id -u)" -eq 0 ] || flags=-rm
    unshare $flags true 2>/dev/null || skip "no mount namespace may be made here"
    unshare $flags bash -euc "$1"
}

# done skipped failed, as the run before said in JSON.
counts() {
    local got
    got=$(number items.done items.skipped items.failed)
    got=${got//$'\n'/ }
    [ "$got" = "$1" ] || { echo "done, skipped, failed: $got, not $1"; return 1; }
}

# What SQL gives of the journal in a directory, a line each.
query() { # OUTPUT SQL
    "$FORKMILL_PYTHON" - "$1/.forkmill-journal.db" "$2" <<'END'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    for row in db.execute(sys.argv[2]):
        print(*row)
END
}
