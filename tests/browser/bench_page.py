#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page of a bench in a real browser: something is drawn, in light and in dark, no error is reported and no request
leaves the page.

    bench_page.py FORKMILL FORKMILL-GENERATE [KEEP]

KEEP is a directory for the page and its pictures. Exits with 77 where there is no Chromium.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars --enable-logging=stderr --v=0
--virtual-time-budget=2000""".split() + ["--host-resolver-rules=MAP * ~NOTFOUND"]
LIGHT, DARK = 1, 0
SIZE = (1120, 1700)
# Pillow has a table for so many; one for all there are takes seconds to walk.
MOST_COLOURS = 1 << 16


def chromium():
    for name in ("chromium", "chromium-browser"):
        found = shutil.which(name)
        if found:
            return found
    print("skipped: the page was not looked at, as there is no chromium; datasets/setup.sh tests installs it")
    sys.exit(77)


def asked_by_page(log):
    """The addresses that requests of a page from a file were for; the browser asks for things of its own, too."""
    asked = set()
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            if '"network_isolation_key":"file:' in line:
                asked.update(re.findall(r'"url":"([^"]*)"', line))
    return asked


def browse(program, page, folder, scheme, size, name):
    """Draws the page; returns the picture, what was logged, and the addresses asked for."""
    picture, net = os.path.join(folder, name + ".png"), os.path.join(folder, name + ".net.json")
    with tempfile.TemporaryDirectory(dir=folder) as profile:
        done = subprocess.run(
            [program, *FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}",
             f"--blink-settings=preferredColorScheme={scheme}", f"--log-net-log={net}",
             f"--screenshot={picture}", "file://" + page],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False, text=True, errors="replace")
    assert done.returncode == 0, done.stderr
    return Image.open(picture).convert("RGB"), done.stderr, asked_by_page(net)


def brightness(colour):
    return sum(colour) / 3


def check_picture(image, dark):
    colours = image.getcolors(MOST_COLOURS)
    assert len(colours) > 200, f"only {len(colours)} colours: is it blank?"
    ground = max(colours)[1]
    assert (brightness(ground) < 64) == dark, f"the ground is {ground}"
    # Ink, and every engine's own colour as the page's style has it.
    assert any(brightness(c) > 200 for _, c in colours) and any(brightness(c) < 64 for _, c in colours)
    counts = {c: n for n, c in colours}
    for colour in ((0x6a, 0xa9, 0xff), (0xff, 0x9f, 0x5a)) if dark else ((0x1f, 0x6f, 0xeb), (0xc4, 0x57, 0x0a)):
        assert counts.get(colour, 0) > 50, f"colour {colour} is missing"


def check_log(log):
    for line in log.split("\n"):
        # Lines from the page itself; the browser's own complaints about the machine are not of interest.
        assert "CONSOLE" not in line, line


def check_text(page):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    assert not re.search(r"<script|<img|<iframe|<object|@import|url\(", text)
    for address in re.findall(r'(?:src|href)\s*=\s*"([^"]*)"', text):
        assert address == "data:,", address
    assert "default-src 'none'" in text
    for words in ("Speed-up by workers", "Time by stage", "Pools over time", "Take engine", "cores allowed"):
        assert words in text, words


def check_narrow(image):
    """On a telephone nothing sticks out to the right: the last columns are ground."""
    ground = max(image.getcolors(MOST_COLOURS))[1]
    right = image.crop((image.width - 6, 0, image.width, image.height))
    assert right.getcolors(MOST_COLOURS) == [(right.width * right.height, image.getpixel((1, 1)))], ground


def main():
    forkmill, generate = sys.argv[1:3]
    program = chromium()
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[3] if len(sys.argv) > 3 else temporary
        inputs = os.path.join(temporary, "in <b>&amp;</b>")
        page = os.path.join(folder, "page.html")
        subprocess.run([generate, "photo", "--count", "4", "--width", "300", "--height", "300", inputs], check=True)
        subprocess.run([forkmill, "bench", "-i", inputs, "-s", "resize:width=200", "-s", "sharpen", "--repeat", "3",
                        "-q", "--html", page], check=True, stdout=subprocess.DEVNULL)
        check_text(page)
        for scheme, name in ((LIGHT, "light"), (DARK, "dark")):
            image, log, asked = browse(program, page, folder, scheme, SIZE, name)
            check_picture(image, scheme == DARK)
            check_log(log)
            assert not asked, f"requests left the page: {asked}"
        image, log, _ = browse(program, page, folder, LIGHT, (500, 2600), "narrow")
        check_narrow(image)
        check_log(log)
        # The checks can fail: a page with an error and an address outside is found out.
        bad = os.path.join(folder, "bad.html")
        with open(bad, "w", encoding="utf-8") as file:
            file.write('<script>throw new Error("x")</script><img src="http://127.0.0.1:9/x.png">')
        _, log, asked = browse(program, bad, folder, LIGHT, (200, 200), "bad")
        assert "CONSOLE" in log and "http://127.0.0.1:9/x.png" in asked, sorted(asked)
    print("the page is drawn in light and dark, without errors, and asks for nothing")


if __name__ == "__main__":
    main()
