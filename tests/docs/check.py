#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the documents say what the program does?

    check.py FORKMILL ROOT            one line for each difference; exit 1 when there is one
    check.py FORKMILL ROOT --update   writes README.md's tables anew first

The tables between <!-- table: NAME --> and <!-- end --> in README.md are made from the program's own output. Every
YAML example must pass `forkmill check`, every line of an example that begins with "forkmill run" must be understood,
every link to a file or a heading must lead to one, and the kinds of failures must be those of stages/error.c.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

TABLE = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
HELP_COLUMN = 33
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pipeline/README.md", "stages/README.md",
             "datasets/README.md", "bench/README.md"]


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def cell(text):
    return text.replace("|", "\\|")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def flags_of_help(text):
    """(flags, help) of each setting in `forkmill run --help`."""
    found = []
    for line in text.split("\nsettings:\n")[1].split("\n\n")[0].split("\n"):
        if re.match(r"  (-\w,|   ) ?--", line):
            flags, _, rest = line.strip().partition("  ")
            found.append([flags, rest.strip()])
        else:
            found[-1][1] += " " + line[HELP_COLUMN:]
    return found


def config_keys(text):
    """Flag name to key, from `forkmill run --print-config`."""
    keys, above = {}, ""
    for line in text.split("\n"):
        match = re.match(r"(?:# )?(  )?(?:# )?(\w+):", line)
        if not match or match.group(2) == "stages":
            continue
        key = f"{above}.{match.group(2)}" if match.group(1) else match.group(2)
        above = above if match.group(1) else key
        keys[re.sub(r"[._]", "-", key)] = key
    return keys


def settings_table(forkmill):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORKMILL_")}
    keys = config_keys(output(forkmill, "run", "--print-config", env=environment))
    rows = []
    for flags, text in flags_of_help(output(forkmill, "run", "--help")):
        name = re.search(r"--(?:\[no-\])?([\w-]+)", flags).group(1)
        values = re.search(r" \(([^()]*)\)$", text)
        allowed, default = "", ""
        if values and "default" in values.group(1):
            text = text[:values.start()]
            *words, default = values.group(1).split("; ")
            allowed = "; ".join(words).replace("|", ", ")
            default = default.removeprefix("default ")
        rows.append([f"`{keys[name]}`", f"`{cell(flags)}`", default, cell(text + (f" ({allowed})" if allowed else ""))])
    return table(["Key", "Flag", "Default", "Meaning"], rows)


def stages_table(forkmill, synthetic=False):
    rows = []
    for stage in json.loads(output(forkmill, "stages", "--json")):
        if (stage["group"] == "synthetic") != synthetic:
            continue
        parameters = ", ".join(f"`{each['name']}`" + (f" {each['default']}" if each["default"] is not None else "")
                               for each in stage["parameters"])
        kinds = " ".join(kind for kind in ("images", "arrays") if stage[kind])
        rows.append([f"`{stage['name']}`", kinds, cell(stage["summary"]), cell(parameters)])
    return table(["Stage", "Of", "What it does", "Parameters and their defaults"], rows)


def exits_table(forkmill):
    lines = output(forkmill, "--help").split("Exit codes:\n")[1].strip("\n").split("\n")
    return table(["Code", "Meaning"], [re.split(r"(?<!,) +", line.strip(), maxsplit=1) for line in lines])


def synthetic_table(forkmill):
    return stages_table(forkmill, synthetic=True)


MAKERS = {"settings": settings_table, "stages": stages_table, "synthetic": synthetic_table, "exits": exits_table}


def with_tables(readme, forkmill):
    return TABLE.sub(lambda match: match.group(1) + MAKERS[match.group(2)](forkmill) + match.group(4), readme)


def command_of(line):
    """The words behind "forkmill run" in a line of an example, or None."""
    match = re.match(r"(?:[^#]*\| *|\w+=\S+ +)?forkmill (run .*)", line)
    return match and match.group(1).split("  #")[0]


def check_examples(path, text, forkmill, folder):
    """Configs are saved under the name their first line has, so that commands can name them."""
    for kind, body in BLOCK.findall(text):
        if kind == "yaml":
            name = re.match(r"# ([\w-]+\.yaml)", body)
            config = os.path.join(folder, name.group(1) if name else "unnamed.yaml")
            with open(config, "w", encoding="utf-8") as file:
                file.write(body)
            result = subprocess.run([forkmill, "check", config], capture_output=True, text=True)
            if result.returncode:
                yield f"{path}: {result.stderr}"
    for kind, body in BLOCK.findall(text):
        for line in body.replace("\\\n", " ").split("\n") if kind == "sh" else []:
            words = command_of(line)
            if words is None:
                continue
            result = subprocess.run(["sh", "-c", f'"$0" {words} --print-config', forkmill], cwd=folder,
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if result.returncode:
                yield f"{path}: {line}\n{result.stderr}"


def anchors(path):
    """What a link may say behind # to reach a heading, as GitHub makes it."""
    with open(path, encoding="utf-8") as file:
        headings = HEADING.findall(BLOCK.sub("", file.read()))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(root, path, text):
    for target, anchor in LINK.findall(BLOCK.sub("", text)):
        if "://" in target:
            continue
        file = os.path.join(root, os.path.dirname(path), target) if target else os.path.join(root, path)
        if not os.path.exists(file):
            yield f"{path}: nothing at {target}"
        elif anchor and anchor not in anchors(file):
            yield f"{path}: no heading for {target}#{anchor}"


def check_kinds(root, readme):
    """The kinds of failures, against those that errors have; of the last ones no item is let to fail."""
    with open(os.path.join(root, "stages/error.c"), encoding="utf-8") as file:
        has = set(re.findall(r'return "([a-z-]+)";', file.read())) - {"none", "unknown", "disk-full", "room", "busy"}
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", readme.split("| Kind |")[1].split("\n\n")[0], re.M))
    for kind in sorted(has ^ listed):
        yield f"README.md: the kinds of failures {'lack' if kind in has else 'have too many:'} {kind}"


def check(forkmill, root, update):
    readme_path = os.path.join(root, "README.md")
    with open(readme_path, encoding="utf-8") as file:
        readme = file.read()
    fresh = with_tables(readme, forkmill)
    if update and fresh != readme:
        with open(readme_path, "w", encoding="utf-8") as file:
            file.write(fresh)
        readme = fresh
    if sorted(name for _, name, _, _ in TABLE.findall(readme)) != sorted(MAKERS):
        yield f"README.md: the tables should be {', '.join(MAKERS)}, one of each"
    for (_, name, has, _), (_, _, should, _) in zip(TABLE.findall(readme), TABLE.findall(fresh)):
        if has != should:
            yield f"README.md: the table of {name} is out of date; tests/docs/check.py --update writes it anew"
    yield from check_kinds(root, readme)
    with tempfile.TemporaryDirectory() as folder:
        for path in DOCUMENTS:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = file.read()
            yield from check_examples(path, text, forkmill, folder)
            yield from check_links(root, path, text)


def main(arguments):
    if len(arguments) not in (2, 3) or arguments[2:] not in ([], ["--update"]):
        sys.exit(__doc__)
    breaches = list(check(os.path.abspath(arguments[0]), arguments[1], bool(arguments[2:])))
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
