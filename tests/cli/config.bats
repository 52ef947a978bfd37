#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Configs, flags and FORKMILL_ variables, seen from outside.
# ctest labels: plain

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    umask 077
    mkdir photos
}

# The names of all there is, but for what a run has said.
names() (
    shopt -s globstar
    GLOBIGNORE=.err:.out
    echo **
)

# Runs, and fails unless it is refused with exit code 2, nothing on stdout, and nothing made.
refused() {
    local before code=0
    before=$(names)
    "$FORKMILL" "$@" >.out 2>.err || code=$?
    [ "$code" -eq 2 ] || { echo "exit code $code"; cat .err; return 1; }
    [ ! -s .out ] || { cat .out; return 1; }
    [ "$before" = "$(names)" ]
}

says() {
    grep -qF -- "$1" .err || { echo "not said: $1"; cat .err; return 1; }
}

# Fails where the pattern is found; errexit does not see a command behind an exclamation mark.
absent() {
    if grep -q "$@"; then echo "found: $1"; return 1; fi
}

# The values of --print-config, without comments, so that two of them can be compared.
values() {
    "$FORKMILL" run --print-config "$@" | sed 's/ *# [^"]*$//'
}

@test "an error names the file, line and column, shows the line and a caret" {
    printf 'input: photos\nmemroy: 2GiB\n' >c.yaml
    refused run c.yaml -o out
    cat >expected <<'END'
c.yaml:2:1: error: unknown key 'memroy'; did you mean 'memory'?
    2 | memroy: 2GiB
      | ^~~~~~
END
    diff expected <(head -3 .err)
    says "= keys: input, output, files_from, null"
}

@test "all errors of a file, the environment and the flags come at once" {
    cat >c.yaml <<'END'
workers: 0
stages:
  - resize: {widht: 800}
  - shrapen
  - crop: {width: 3}
queue: 4
queue: 5
save: {format: pgn}
END
    FORKMILL_BATCH=none refused run c.yaml --retries=x
    says "c.yaml:1:10: error: workers: 0 is out of range; allowed is 1 to 1024"
    says "c.yaml:3:14: error: resize has no parameter 'widht'; did you mean 'width'?"
    says "c.yaml:4:5: error: unknown stage 'shrapen'"
    says "c.yaml:5:5: error: crop: height must be given"
    says "c.yaml:7:1: error: 'queue' is given twice; the first one is on line 6"
    says "c.yaml:8:16: error: save.format: 'pgn' is not one of same|png|pnm|"
  says "; did you mean 'png'?"
    says "error: FORKMILL_BATCH: 'none' is not a whole number"
    says "error: --retries: 'x' is not a whole number"
    [ "$(grep -c 'error:' .err)" -eq 8 ]
}

@test "parameters that do not go together are an error at the stage" {
    printf 'stages:\n  - resize: {scale: 2, width: 5}\n' >c.yaml
    refused check c.yaml
    says "c.yaml:2:5: error: resize: give either scale or width and height, not both"
}

@test "a file that is not YAML is refused with its line" {
    printf 'input: a\noutput: [b\n' >c.yaml
    refused check c.yaml
    says "c.yaml:"
    says "YAML syntax"
}

@test "hostile configs are refused" {
    printf 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n' >bomb.yaml
    refused check bomb.yaml
    says "anchors and aliases are not supported"
    printf 'output: \xff\n' >bytes.yaml
    refused check bytes.yaml
    says "bytes.yaml:1:9: error: byte 0xff is not UTF-8"
    head -c 2000000 /dev/zero | tr '\0' '#' >big.yaml
    refused check big.yaml
    says "at most 1048576 bytes"
    head -c 100000 /dev/zero | tr '\0' '[' >deep.yaml
    refused check deep.yaml
    says "nested deeper than 16 levels"
    refused check /dev/zero
    says "at most"
}

@test "control characters never reach the terminal" {
    printf '"\\e[31mred\\a": 1\nstages: ["\\e[2J"]\n' >c.yaml
    refused run c.yaml -s $'\e[7m' -w $'\a'
    absent $'[\e\a]' .err
    says '\x1b[31mred\x07'
    says '\x1b[2J'
    says '\x1b[7m'
    refused run --$'\e[1m' $'-\e'
    absent $'\e' .err
    says '\x1b[1m'
    refused check $'no\e[2Jsuch\xff.yaml'
    absent $'\e' .err
    says '\xff.yaml'
}

@test "a missing config, a directory, and a run without input say what to do" {
    refused run nowhere.yaml
    says "nowhere.yaml: cannot read the config: No such file or directory"
    refused run photos
    says "inputs are given by -i"
    refused run
    says "no input and no output is given; for example: forkmill run -i photos -o thumbs"
    refused run -i photos
    says "no output is given"
    refused run -i photos -o out -0
    says "null (-0): it says how files_from is separated"
    refused run -i photos -o out -q -v
    says "contradict"
}

@test "unknown flags and commands get the nearest match" {
    refused run --max-pixel 1M
    says "unknown flag '--max-pixel'; did you mean '--max-pixels'?"
    says "see forkmill run --help"
    refused run -i photos -o out -resize 800x600
    says "unknown flag '-resize'; resize is a stage, and -s adds it: -s resize:width=..."
    refused run -i photos -o out --width 800
    says "unknown flag '--width'; stages take it, as in -s resize:width=..."
    refused run -i photos -o out -s resize:800x600
    says "parameters of resize: width, height,"
    refused run --set max_pixel=1M
    says "did you mean 'max_pixels'?"
    refused rnu
    says "unknown command 'rnu'; did you mean 'run'?"
    refused run -i in -o out -s blur:radius=2
    says "unknown stage 'blur'; did you mean 'gaussblur'?"
    refused run -i in -o out -s strip
    says "'strip' is no stage but a setting: --save-strip"
    refused run -i in -o -
    says "output (-o): outputs are files, not a pipe"
    refused run -i - -o out
    says "input (-i): inputs are files, not a pipe; --files-from - reads their names"
    [ "$("$FORKMILL" run --version)" = "$("$FORKMILL" --version)" ]
    refused -i photos
    says "the command comes first"
    refused
    says "a command is wanted"
}

@test "a flag beats a variable, a variable the file, the file the default" {
    printf 'workers: 3\nqueue: 3\nbatch: 3\n' >c.yaml
    export FORKMILL_QUEUE=4 FORKMILL_BATCH=4
    run "$FORKMILL" run c.yaml --batch 5 --print-config
    [ "$status" -eq 0 ]
    grep -q '^workers: 3 *# c.yaml:1$' <<<"$output"
    grep -q '^queue: 4 *# FORKMILL_QUEUE$' <<<"$output"
    grep -q '^batch: 5 *# --batch$' <<<"$output"
    grep -q '^recycle: 0 *# default$' <<<"$output"
}

@test "every form of a flag sets the same" {
    expected=$(values --max-pixels 1M --save-strip --no-recursive -w 3 -i a -i b)
    [ "$expected" = "$(values --max-pixels=1M --save-strip=yes --recursive=no -w3 --input=a --input b)" ]
    [ "$expected" = "$(values --set max_pixels=1M --set save.strip=1 --set recursive=off --workers 3 -ia -ib)" ]
    printf 'max_pixels: 1M\nsave: {strip: true}\nrecursive: false\nworkers: 3\ninput:\n- a\n- b\n' >c.yaml
    [ "$expected" = "$(values c.yaml)" ]
    [ "$expected" = "$(FORKMILL_MAX_PIXELS=1M FORKMILL_SAVE_STRIP=on FORKMILL_RECURSIVE=0 values -w 3 -ia -ib)" ]
    [ "$expected" != "$(values)" ]
}

@test "a list of flags replaces the file's list, and -s the file's stages" {
    printf 'input: [a, b]\nstages: [flip]\n' >c.yaml
    run values c.yaml -i c -i d -s rotate:angle=90
    grep -qx '  - "c"' <<<"$output"
    grep -qx '  - "d"' <<<"$output"
    absent '"a"' <<<"$output"
    grep -qx '  - rotate:' <<<"$output"
    absent flip <<<"$output"
}

@test "a printed config fed back gives the same, odd names included" {
    values -i $'new\nline' -i $'\xff\xfe' -i '# "quoted\' -i $'caf\xc3\xa9 \xe2\x80\xa8' -i $'\e[1m' -i '- x: {y' \
        -o ' ~ ' --exclude '*.tmp' --save-level 9 --timeout 90s --memory 1500MB -w allotted \
        -s pool:name=in,workers=1 -s resize:scale=0.1 -s pool:queue=1 -s crop:width=5,height=7 -s pool >first.yaml
    values first.yaml >second.yaml
    diff first.yaml second.yaml
    "$FORKMILL" run --print-config first.yaml >third.yaml
    values third.yaml | diff first.yaml -
    values - <third.yaml | diff first.yaml -
    grep -q 'scale: 0.1$' first.yaml
    grep -q '!!binary "//4="' first.yaml
    absent $'\e' first.yaml
}

@test "every stage's defaults are printed so that they can be fed back" {
    count=0
    for name in $(sed -n 's/^STAGE(\(.*\))$/\1/p' "$FORKMILL_ROOT/stages/stages.def"); do
        if "$FORKMILL" run --print-config -s "$name" >one.yaml 2>.err; then
            values one.yaml >two.yaml
            sed 's/ *# [^"]*$//' one.yaml | diff - two.yaml
            count=$((count + 1))
        else # a stage that has no defaults for all says so
            grep -q "$name: " .err
        fi
    done
    [ "$count" -ge 10 ]
}

@test "a printed config is YAML for others, too" {
    "$FORKMILL" run --print-config -i $'a\n"b' -i $'\xff' -s resize:width=3 -s pool -w 5 >c.yaml
    "$FORKMILL_PYTHON" - <<'END'
import yaml
c = yaml.safe_load(open("c.yaml"))
assert c["input"] == ['a\n"b', b"\xff"], c["input"]
assert c["workers"] == 5 and c["include"] == [] and c["save"]["strip"] is False
assert c["stages"][0]["resize"]["width"] == 3 and c["stages"][1] == "pool"
END
}

@test "check says ok in one line, whatever the environment" {
    printf 'stages:\n  - resize: {width: 800}\n  - flip\n' >thumbs.yaml
    FORKMILL_WORKERS=x run "$FORKMILL" check thumbs.yaml
    [ "$status" -eq 0 ]
    [ "$output" = "thumbs.yaml: ok, 2 stages, 1 pool" ]
    run "$FORKMILL" check - <<<'stages: [pool: {name: a}, flip, pool: {name: b}]'
    [ "$output" = "standard input: ok, 1 stage, 2 pools" ]
    refused check
    refused check thumbs.yaml thumbs.yaml
    says "only one config"
}

@test "check tells of inputs that are not there, whatever else is wrong" {
    mkdir here
    printf 'input: [gone, here, "*.png", lost/too]\nfiles_from: list\n' >c.yaml
    "$FORKMILL" check c.yaml >.out 2>.err
    grep -q '^c.yaml: ok' .out
    says "warning: input: gone: No such file or directory"
    says "warning: input: lost/too: No such file or directory"
    says "warning: files_from: list: No such file or directory"
    [ "$(grep -c warning .err)" -eq 3 ]
    printf 'stages: [{tee: {name: "{stem}.png"}}, {tee: {name: "{stem}.png"}}]\n' >>c.yaml
    refused check c.yaml
    says "c.yaml:3:40: error: tee: its files would be called like those of an earlier tee"
    says "warning: input: gone"
    says "warning: input: lost/too"
}

@test "a variable that is nearly a setting's is pointed out" {
    FORKMILL_WORKRES=3 run "$FORKMILL" run --print-config
    [ "$status" -eq 0 ]
    grep -qF "forkmill: warning: FORKMILL_WORKRES is not a setting; did you mean FORKMILL_WORKERS?" <<<"$output"
}

@test "help, version and the manual page come from the tables" {
    for flag in --help -h help; do
        "$FORKMILL" "$flag" | grep -q '^usage: forkmill run'
    done
    [[ "$("$FORKMILL" --version)" =~ ^forkmill\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [ "$("$FORKMILL" version)" = "$("$FORKMILL" --version)" ]
    for command in run bench report stages check doctor; do
        "$FORKMILL" help $command | cmp - <("$FORKMILL" $command --help)
    done
    "$FORKMILL" run --help >help
    "$FORKMILL" --help-man | sed 's/\\-/-/g' >page
    names=$("$FORKMILL" run --print-config | sed -n 's/^\(# \)\?\([a-z_]*\):.*/\2/p' | grep -vx 'stages\|save')
    [ "$(wc -w <<<"$names")" -ge 20 ]
    help=$(<help) page=$(<page)
    for name in ${names//_/-} save-level; do
        [[ $help == *"--$name"[!a-z]* || $help == *"--[no-]$name"[!a-z]* ]]
        [[ $page == *"$name"* ]]
    done
    absent ' $' help
    [ "$(awk '{ if (length > 100) n++ } END { print n + 0 }' help)" -eq 0 ]
    "$FORKMILL" run --bogus --help | cmp - help
}

# What bash would offer at the end of these words, one after the other in one line.
offered() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _forkmill
    echo "${COMPREPLY[*]}"
}

@test "bash completes commands, flags, their values and stages" {
    "$FORKMILL" --help-bash >completion
    bash -n completion
    # shellcheck source=/dev/null
    . ./completion
    complete -p forkmill
    [ "$(offered forkmill re)" = report ]
    [ "$(offered forkmill help st)" = stages ]
    [ "$(offered forkmill run --ret)" = "--retry-failed --retries" ]
    [ "$(offered forkmill run --no-rec)" = --no-recursive ]
    [ "$(offered forkmill bench --work)" = --workers ]
    [ "$(offered forkmill report --retr)" = "" ]
    [ "$(offered forkmill run -i a --engine thr)" = thread ]
    [ "$(offered forkmill run --engine = op)" = openmp ]
    [ "$(offered forkmill run --engine =)" = "process thread openmp serial" ]
    [ "$(offered forkmill run -s resi)" = resize ]
    [ "$(offered forkmill stages whe)" = when ]
    [ "$(offered forkmill run -i "")" = "" ] # names of files
    [ "$(offered forkmill run -s "" | wc -w)" -eq "$(($(grep -c '^STAGE(' "$FORKMILL_ROOT/stages/stages.def") + 2))" ]
    # The flags of each command are those of its help.
    for command in run bench report stages check doctor; do
        "$FORKMILL" $command --help | sed -nE 's/^  (-.,|   ) --\[no-\]/--no-/p; s/^  (-.,|   ) --/--/p' |
            cut -d ' ' -f 1 | sort >flags
        offered forkmill $command -- | tr ' ' '\n' | sort | diff flags -
        [ "$(wc -l <flags)" -ge 1 ]
    done
}

@test "what would fail for every file of a format is found by check, all of it at once" {
    printf '%s\n' 'load: {shape: 4xx3, delimiter: ab, missing: foo}' 'save: {delimiter: "5"}' 'trace: ""' >c.yaml
    refused check c.yaml
    says "error: load.shape (c.yaml:1) is '4xx3': up to 8 sizes like 480x640 are wanted"
    says "error: load.delimiter (c.yaml:1) is 'ab'; it takes tab, a space"
    says "error: save.delimiter (c.yaml:2) is '5'; it takes tab, a space"
    says "error: trace (c.yaml:3): an empty name"
    while IFS='|' read -r config text; do
        printf '%b\n' "$config" >c.yaml
        refused check c.yaml
        says "$text"
        refused run c.yaml -i photos -o out
        says "$text"
    done <<'END'
load: {missing: foo}|load.missing (c.yaml:1): 'foo' is not a number
load: {missing: nan, dtype: u8}|load.missing (c.yaml:1): 'nan' is no integer
load: {shape: 100000x100000}|load.shape (c.yaml:1): 10000000000 elements, over max_elements
load: {offset: 1TiB}|load.offset (c.yaml:1): no file is as long, with max_file
load: {shape: 1000x1000}\nmax_file: 999999|load.shape (c.yaml:1): no file is as long
stages: [{tee: {name: "{stem}.csv", delimiter: "5"}}]|c.yaml:1:11: error: tee: save.delimiter is '5'
save: {name: ".forkmill-{name}"}|save.name: .forkmill-{name}: names that begin with .forkmill-
save: {name: "x/{dir}.forkmill-{name}"}|save.name: .forkmill-{name}: names that begin with .forkmill-
END
    printf '%s\n' 'load: {shape: -1x3, delimiter: tab, missing: nan, offset: 1KiB}' \
        'save: {delimiter: ";", name: ".forkmill-x/{dir}x.forkmill-{name}"}' >c.yaml
    "$FORKMILL" check c.yaml
    refused run -i photos -o out --load-shape 2x
    says "load.shape (--load-shape) is '2x'"
}

@test "a standard output that is full or closed is an error of every command that has something to say" {
    "$FORKMILL_GENERATE" icons photos
    "$FORKMILL" run -q -i photos -o out --journal
    printf 'input: photos\noutput: out2\n' >c.yaml
    commands=(--help --version --help-man --help-bash "help" "run --help" stages "stages --json" "stages resize"
        "stages pool" "check c.yaml" doctor "doctor --json" "report out" "report out --json"
        "run c.yaml --print-config" "run c.yaml --dry-run" "run c.yaml --json"
        "bench c.yaml --engines serial --repeat 1" "bench c.yaml --engines serial --repeat 1 --json -")
    for words in "${commands[@]}"; do
        read -ra words <<<"$words"
        code=0
        "$FORKMILL" "${words[@]}" >/dev/full 2>.err || code=$?
        [ "$code" -eq 5 ] || { echo "full: $code: ${words[*]}"; return 1; }
        says "cannot write to standard output"
        code=0
        "$FORKMILL" "${words[@]}" >&- 2>.err || code=$?
        [ "$code" -eq 5 ] || { echo "closed: $code: ${words[*]}"; return 1; }
        says "cannot write to standard output"
    done
}

@test "a standard output that nothing is written to may be closed" {
    "$FORKMILL_GENERATE" icons photos
    "$FORKMILL" run -i photos -o out -q >&-
    "$FORKMILL" run -i photos -o out -q >/dev/full
}

@test "a closed standard input has no list of files" {
    code=0
    "$FORKMILL" run --files-from - -o out <&- 2>.err || code=$?
    [ "$code" -eq 1 ]
    says "reading the list of files: Bad file descriptor"
}

@test "closed standard files are no trouble" {
    printf 'workers: x\n' >c.yaml
    code=0
    "$FORKMILL" check c.yaml <&- >&- 2>&- || code=$?
    [ "$code" -eq 2 ]
    [ "$(cat c.yaml)" = "workers: x" ]
}

@test "what a newcomer would type is answered with what to type" {
  run "$FORKMILL" resize
  [ "$status" -eq 2 ]
  [[ "$output" == *"resize is a stage, as in: forkmill run -i photos -o thumbs -s resize"* ]]
  run "$FORKMILL" run -i a -o b --format png
  [ "$status" -eq 2 ]
  [[ "$output" == *"did you mean '--save-format'?"* ]]
  run "$FORKMILL" run -i a -o b -s resize=800
  [ "$status" -eq 2 ]
  [[ "$output" == *"parameters follow a colon, as in resize:width=800"* ]]
  run "$FORKMILL" run -i a -o b -s resize:800x600
  [ "$status" -eq 2 ]
  [[ "$output" == *"a parameter is name=value: width=800,height=600"* ]]
  run "$FORKMILL" run -i a -o b -s resize:scale=50%
  [ "$status" -eq 2 ]
  [[ "$output" == *"scale: '50%' is not a number; write 0.5"* ]]
}
