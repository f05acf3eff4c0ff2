"""The report page in a real browser: it fits the window, and nothing in it fails."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.analysis import inspect
from striate.graph import Graph
from striate.runs import DataCard, Evaluation
from striate.views.report_page import render_report
from striate.views.report_parts import FeatureMaps, Mistake, Picture, ReportPage

pytestmark = pytest.mark.browser

Make = Callable[..., ReportPage]

MEASURE = """<script>
addEventListener("load", () => {
const page = document.documentElement;
const wide = [...document.querySelectorAll("body *")].filter(element =>
  element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".scroll") && !element.closest(".spoken"));
parent.postMessage(JSON.stringify({
  window: innerWidth, page: page.scrollWidth, wide: wide.slice(0, 5).map(element => element.outerHTML.slice(0, 120)),
  images: [...document.images].filter(image => !(image.complete && image.naturalWidth)).length,
  paper: getComputedStyle(document.body).backgroundColor,
}), "*");
});
</script>"""

# A window of its own cannot be as narrow as a phone; a frame can.
FRAME = """<!doctype html><title></title>
<script>addEventListener("message", event => { document.title = event.data; });</script>
<iframe src="page.html" style="width: {width}px; height: 900px; border: 0"></iframe>
"""


def load(chromium: str, folder: Path, html: str, width: int, *options: str) -> tuple[dict[str, Any], list[str]]:
    """What the page measures of itself, and what the browser wrote to its console."""
    frame = folder / "frame.html"
    frame.write_text(FRAME.replace("{width}", str(width)), encoding="utf-8")
    # The page allows itself no script; the copy allows the one that measures, and is otherwise the same.
    copy = html.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';", 1)
    (folder / "page.html").write_text(copy.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    command = [
        *(
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
        ),
        *(f"--user-data-dir={folder / 'profile'}", "--window-size=1300,1000", "--virtual-time-budget=3000"),
        *(*options, "--dump-dom", frame.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(unescape(title[1])), console


@pytest.fixture
def wide_page(
    make_page: Make, residual: Graph, card_of: Callable[..., DataCard], evaluation_of: Callable[..., Evaluation]
) -> ReportPage:
    """Everything that could be too wide: long names without spaces, many classes, a long network, large pictures."""
    names = [f"a_class_with_a_rather_long_name_{number}_" + "x" * 40 for number in range(25)]
    matrix = [[1000 if row == column else (row * column) % 7 for column in range(25)] for row in range(25)]
    random = np.random.default_rng(0)
    photos = [Picture(random.integers(0, 256, (60, 200, 3), dtype=np.uint8), "p" * 80) for _ in range(3)]
    long = "/folder" * 60
    return make_page(
        record={
            "name": "r" * 120,
            "network": "n" * 120,
            "reason": long,
            "command": f"striate train --data {long}",
            "recipe": {"o" * 60: "v" * 200, "an_option_with_a_name": list(range(100))},
            "versions": {"platform": "p" * 150},
        },
        card=card_of(names, source=long, notes=(long,)),
        network=inspect(residual),
        evaluations=(evaluation_of(matrix, names),),
        mistakes=tuple(Mistake(photo, names[0], names[1], 0.5, long) for photo in photos),
        image=photos[0],
        feature_maps=(FeatureMaps("node." * 30, (64, 60, 200), tuple(photos)),),
    )


@pytest.mark.parametrize("width", [375, 1200])
def test_the_page_fits_the_window(
    chromium: str, tmp_path: Path, make_page: Make, wide_page: ReportPage, width: int
) -> None:
    for page in (make_page(), wide_page):
        measured, console = load(chromium, tmp_path, render_report(page), width)
        assert measured["window"] == width
        assert measured["page"] <= width, measured["wide"]
        assert measured["wide"] == []
        assert measured["images"] == 0
        assert console == []


def test_dark_and_light(chromium: str, tmp_path: Path, make_page: Make) -> None:
    html = render_report(make_page())
    light, _ = load(chromium, tmp_path, html, 1200, "--blink-settings=preferredColorScheme=1")
    dark, _ = load(chromium, tmp_path, html, 1200, "--blink-settings=preferredColorScheme=0")
    assert min(map(int, re.findall(r"\d+", light["paper"]))) > 240
    assert max(map(int, re.findall(r"\d+", dark["paper"]))) < 40


def test_faults_would_be_seen(chromium: str, tmp_path: Path, make_page: Make) -> None:
    html = render_report(make_page())
    fault = '<div style="width:2000px">wide</div><img src="https://example.invalid/x.png" alt="x">'
    measured, console = load(chromium, tmp_path, html.replace("<footer>", f"{fault}<footer>"), 375)
    assert measured["page"] >= 2000
    assert measured["wide"]
    assert any("Content Security Policy" in line for line in console)
