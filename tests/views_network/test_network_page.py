"""The page of a network is complete without scripts, loads nothing, and its script finds what is asked for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from striate import zoo
from striate.analysis import NodeReport, Report, inspect
from striate.analysis.comparison import depth
from striate.views import network_document
from striate.views.diagram_svg import svg_diagram
from striate.views.network_document import network_page

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "rect", "wbr"}


class Balanced(HTMLParser):
    """Fails on an element that is not closed, and keeps references, ids and the cells of the table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.rows = 0
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.references += [values[name] or "" for name in ("href", "src", "action") if name in values]
        self.ids += [values["id"] or ""] if "id" in values else []
        self.rows += tag == "tr"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["simple-cnn", "resnet152", "googlenet", "unet"])
def test_a_page_stands_alone(name: str) -> None:
    report = inspect(zoo.build(name))
    html = network_page(report)
    page = Balanced(html)
    assert len(page.ids) == len(set(page.ids))
    assert all(reference.startswith("#") and reference[1:] in page.ids for reference in page.references)
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html
    assert page.rows == len(report.nodes) + 2
    for node in report.nodes:
        assert f'<th scope="row">{node.name}</th>' in html
    assert f"{report.parameters:,}" in html


def test_the_policy_names_the_script() -> None:
    html = network_page(inspect(zoo.build("simple-cnn")))
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in html.replace("&#39;", "'")


def test_names_are_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    nodes = (
        NodeReport("input", "input", {"shape": (3, 8, 8)}, (), (3, 8, 8), 0, 0, ()),
        NodeReport(evil, "opaque", {"operation": evil}, ("input",), (3, 8, 8), 5, 0, ()),
    )
    html = network_page(Report(evil, (3, 8, 8), (3, 8, 8), nodes))
    assert "<img" not in html
    Balanced(html)


ASK = """<script>addEventListener("load", () => {
const form = document.getElementById("search");
const report = {hidden: form.hidden, before: form.elements.found.value};
form.elements.words.value = "layer3 downsample";
form.elements.kind.value = "conv";
form.dispatchEvent(new Event("input"));
report.after = form.elements.found.value;
report.shown = [...document.querySelectorAll(".network tbody tr")].filter((row) => row.offsetHeight > 0)
  .map((row) => row.cells[0].textContent);
const boxes = [...document.querySelectorAll(".diagram .box")];
report.outside = boxes.filter((box) => { const frame = box.querySelector("rect").getBoundingClientRect();
  return [...box.querySelectorAll("text")].some((text) => { const own = text.getBoundingClientRect();
    return own.left < frame.left || own.right > frame.right || own.top < frame.top || own.bottom > frame.bottom; });
}).length;
report.boxes = boxes.length;
const table = document.querySelector(".scroll.tall"), frame = table.getBoundingClientRect();
report.cut = table.scrollWidth - table.clientWidth;
const total = table.querySelector("tfoot th").getBoundingClientRect();
report.total = total.top > frame.top && total.bottom <= frame.bottom;
report.below = document.querySelector(".list").getBoundingClientRect().top - frame.bottom;
report.window = innerWidth;
report.page = document.documentElement.scrollWidth;
parent.postMessage(JSON.stringify(report), "*");
});</script>"""
FRAME = """<!doctype html><title></title>
<script>addEventListener("message", event => { document.title = event.data; });</script>
<iframe src="page.html" style="width: {width}px; height: 900px; border: 0"></iframe>"""


def asked(chromium: str, folder: Path, html: str, width: int) -> tuple[dict[str, Any], list[str]]:
    (folder / "frame.html").write_text(FRAME.replace("{width}", str(width)), encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(ASK[8:-9].encode()).digest()).decode()
    copy = html.replace("script-src ", f"script-src 'sha256-{digest}' ", 1).replace("</body>", f"{ASK}</body>")
    (folder / "page.html").write_text(copy, encoding="utf-8")
    command = [
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}", "--window-size=1300,1000"),
        *("--virtual-time-budget=3000", "--dump-dom", (folder / "frame.html").as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stderr[-2000:]
    return json.loads(unescape(title[1])), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 1200])
def test_searching_in_a_browser(chromium: str, tmp_path: Path, width: int) -> None:
    report = inspect(zoo.build("resnet152"))
    found, console = asked(chromium, tmp_path, network_page(report), width)
    assert console == []
    assert found["hidden"] is False
    assert found["before"].startswith(f"515 of 515 layers: {report.parameters:,} parameters, {report.macs:,} MACs")
    assert found["shown"] == ["layer3.0.downsample.0"]
    weights = 512 * 1024
    assert found["after"] == f"1 of 515 layers: {weights:,} parameters, {weights * 14 * 14:,} MACs"
    assert found["outside"] == 0
    assert found["boxes"] == 41
    assert found["page"] <= found["window"] == width
    assert found["total"] is True
    assert found["below"] >= 10


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width"), [("googlenet", 1280), ("densenet121", 1280), ("efficientnet_b7", 1920)])
def test_no_column_is_off_screen_on_a_desktop(chromium: str, tmp_path: Path, name: str, width: int) -> None:
    found, console = asked(chromium, tmp_path, network_page(inspect(zoo.build(name))), width)
    assert console == []
    assert (found["cut"], found["total"]) == (0, True)


@pytest.mark.parametrize("name", zoo.names())
def test_the_depth_is_that_of_a_comparison(name: str) -> None:
    """Counted there by the parameters that each layer says it has, here by what is drawn blue."""
    graph = zoo.build(name)
    assert network_document._depth(inspect(graph))[0] == depth(graph)


def test_blue_boxes_hold_the_weights() -> None:
    """Collapsed ones too: what the legend says is so for every box."""
    for name, level in (("resnet152", 1), ("resnet152", None), ("mobilenet_v2", 2), ("unet", 1)):
        report = inspect(zoo.build(name))
        kinds = {node.name: node.kind for node in report.nodes}
        svg = svg_diagram(report, level, standalone=False)
        boxes = re.findall(r'class="box" data-nodes="(.*?)".*?fill="var\((--tint|--paper)\)"', svg, re.DOTALL)
        assert len(boxes) == svg.count('class="box"')
        for nodes, fill in boxes:
            weighted = any(kinds[node] in ("conv", "convtranspose", "dense") for node in nodes.split())
            assert (fill == "--tint") == weighted, nodes
    assert "Blue boxes hold convolutions or dense layers." in network_page(inspect(zoo.build("lenet-5")))
