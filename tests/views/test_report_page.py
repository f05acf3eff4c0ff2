"""The report page: whole, escaped, self-contained, and sensible when pieces are missing."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.analysis import inspect
from striate.findings import Finding
from striate.graph import Graph
from striate.runs import DataCard, Evaluation, SplitCard, Status
from striate.views.image_data import image_data
from striate.views.report_page import render_report
from striate.views.report_parts import FeatureMaps, Mistake, Picture, ReportPage

Make = Callable[..., ReportPage]

VOID = {"meta", "img", "br", "link", "wbr"}
INLINE = {"a", "b", "code", "span", "wbr"}
SECTIONS = "training confusions per-class mistakes sight network recipe data findings versions".split()  # noqa: SIM905


class Page(HTMLParser):
    """A page as a browser sees it; complains about tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.faults: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"{self.getpos()}: <{tag}> repeats an attribute")
        if tag not in VOID:
            self.open.append(tag)
        if tag not in INLINE:
            self.handle_data(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{self.getpos()}: </{tag}> does not match")

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts.setdefault(tag, []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str = "body") -> str:
        return " ".join("".join(self.texts.get(tag, [])).split())


def sound(html: str) -> Page:
    """Parse, and check what holds for every page."""
    page = Page(html)
    assert not page.faults, page.faults[:5]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [attributes["aria-labelledby"] for attributes in page.all("section")] == SECTIONS
    assert set(SECTIONS) <= set(ids)
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "srcset", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert not {"script", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in page.tags}
    assert not re.search(r"https?:|//[a-z]|@import|@font-face", re.sub(r"data:image/png;base64,[^\"]*", "", html))
    assert page.all("html")[0]["lang"] == "en"
    assert all((image.get("alt") or "").strip() for image in page.all("img"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    return page


def test_a_complete_page(make_page: Make) -> None:
    html = render_report(make_page())
    page = sound(html)
    text = page.text()
    for fact in (
        "digits-simple-cnn-1",
        "Finished",
        "All 10 epochs were run.",
        "1 March 2026, 14:05 UTC",
        "98.33 %",
        "95 % interval 96.4 to 99.2 %",
        "354 of 360 test images right.",
        "Always answering the most frequent class: 10.0 %.",
        "22,602",
        "1 min 23 s",
        "5,210 images per second",
        "1 warning",
        "epoch 9, the best one",
        "8 answered 1: 2 of 36",
        "97.0 % sure",
        "digits/0",
        "conv 16, 3×3, same",
        "16×8×8",
        "32×4×4, 20 of 32 channels",
        "epochs 10",
        "batch_size 32",
        "augment.shift 1",
        "ema not set",
        "learning_rate 0.002",
        "precision float32: measured",
        "Settled when the run began threads 2",
        "stratified 64/16/20, seed 0",
        "a" * 12,
        "(pixel / 255 - mean) / std with mean 0.3053 and std 0.3764",
        "values 0 to 16 were scaled to 0 to 255",
        "16 parameters have no effect",
        "bias: false",
        "3.12.1",
    ):
        assert fact in text, fact
    assert len(page.all("svg")) == 3
    assert len(page.all("img")) == 6 + 16 + 1 + 16 + 20
    assert len(html) < 200_000


def test_the_page_forbids_itself_the_network(make_page: Make) -> None:
    html = render_report(make_page())
    (policy,) = [meta["content"] for meta in Page(html).all("meta") if meta.get("http-equiv")]
    assert policy is not None
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == ["'none'"]
    assert rules["img-src"] == ["data:"]
    assert rules["style-src"] == ["'unsafe-inline'"]
    assert "script-src" not in rules
    assert html.index("Content-Security-Policy") < html.index("<style")


def test_the_same_page_has_the_same_text(make_page: Make) -> None:
    assert render_report(make_page()) == render_report(make_page())


EVIL = "<script>alert(1)</script>"
BREAKOUT = "\"><img src=x onerror=alert(1)>'{{ 7 * 7 }}"


def test_text_from_the_user_is_escaped(
    make_page: Make, evaluation_of: Callable[..., Evaluation], card_of: Callable[..., DataCard]
) -> None:
    names = (EVIL, BREAKOUT, "</style><b>", "&amp;")
    picture = Picture(np.zeros((4, 4), np.uint8), BREAKOUT)
    page = make_page(
        record={
            "name": EVIL,
            "network": BREAKOUT,
            "reason": EVIL,
            "command": EVIL,
            "recipe": {EVIL: BREAKOUT, "a": {BREAKOUT: [EVIL]}},
            "resolved": {BREAKOUT: EVIL},
            "versions": {EVIL: BREAKOUT, "striate": EVIL},
        },
        card=card_of(names, source=BREAKOUT, split_rule=EVIL, notes=(EVIL, BREAKOUT)),
        evaluations=(evaluation_of([[5, 1, 0, 2], [0, 4, 1, 0], [0, 0, 4, 0], [1, 0, 0, 3]], names),),
        mistakes=(Mistake(picture, EVIL, BREAKOUT, 0.5, EVIL),),
        filters=(picture,),
        filters_node=EVIL,
        image=picture,
        feature_maps=(FeatureMaps(EVIL, (1, 4, 4), (picture,)),),
        findings=(Finding("X001", "error", EVIL, where=BREAKOUT, fix=EVIL),),
    )
    html = render_report(page)
    parsed = sound(html)
    assert EVIL not in html
    assert "<img src=x" not in html
    assert "</style><b>" not in html
    assert EVIL in parsed.text()
    assert "{{ 7 * 7 }}" in parsed.text()
    assert "&amp;" in parsed.text()
    assert BREAKOUT in [image["alt"] for image in parsed.all("img")]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("running", "Still running"),
        ("done", "Finished"),
        ("interrupted", "Interrupted"),
        ("diverged", "Diverged"),
        ("failed", "Failed"),
        ("out of time", "Out of time"),
        ("stopped early", "Stopped early"),
    ],
)
def test_nothing_but_the_record(make_page: Make, status: Status, words: str) -> None:
    page = make_page(
        record={
            **{"status": status, "reason": None, "command": None, "finished": None},
            **{"results": {}, "recipe": {}, "asked": {}},
        },
        metrics=(),
        evaluations=(),
        mistakes=(),
        filters=(),
        filters_node=None,
        image=None,
        feature_maps=(),
        findings=(),
    )
    parsed = sound(render_report(page))
    text = parsed.text()
    assert words in text
    assert not parsed.all("svg")
    assert not parsed.all("img")
    for sentence in (
        "Not measured: the run is not finished." if status == "running" else "the run ended before an evaluation.",
        "There is no curve to draw",
        "Not measured: the run has no evaluation.",
        "None were recorded.",
        "No image was followed through the network.",
        "No filters were recorded.",
        "The run ended before its options were resolved.",
        "No findings about the network, the data or the training.",
    ):
        assert sentence in text, sentence
    assert "None" not in text.replace("None were recorded", "")
    assert "Training time" not in text


def test_interrupted_in_the_first_epoch(make_page: Make) -> None:
    rows = ({"kind": "step", "epoch": 1, "step": 1, "loss": 2.0, "learning_rate": 0.1},)
    text = sound(render_report(make_page(metrics=rows))).text()
    assert "No epoch was finished; these are the losses of single batches." in text
    assert "The numbers of each epoch" not in text
    assert "The dashed line" not in text


def test_without_validation(make_page: Make, metric_rows: Callable[[int], Any]) -> None:
    rows = tuple(
        {**row, "val_loss": None, "val_accuracy": None} if row["kind"] == "epoch" else row for row in metric_rows(3)
    )
    text = sound(render_report(make_page(metrics=rows))).text()
    assert "There is no validation curve" in text
    assert "validation loss" not in text
    assert "The dashed line" not in text


def test_a_run_that_diverged_says_when(make_page: Make) -> None:
    rows = (
        {"kind": "epoch", "epoch": 1, "step": 5, "train_loss": 2.0, "val_loss": 2.0},
        {"kind": "epoch", "epoch": 2, "step": 10, "train_loss": None, "val_loss": None},
    )
    assert "In epoch 2 the loss stopped being a number" in sound(render_report(make_page(metrics=rows))).text()


def test_values(make_page: Make, card_of: Callable[..., DataCard]) -> None:
    evaluation = Evaluation(
        split="val", task="values", classes=("age",), count=20, loss=2.5, accuracy=None, interval=None, confusion=None,
        rmse=1.5811, mae=1.25,
    )  # fmt: skip
    splits = {"train": SplitCard(count=80, hash="d" * 64), "val": SplitCard(count=20, hash="e" * 64)}
    card = card_of(("age",), task="values", splits=splits)
    parsed = sound(render_report(make_page(card=card, evaluations=(evaluation,), mistakes=())))
    text = parsed.text()
    for sentence in (
        "RMSE on val",
        "1.581",
        "MAE 1.25.",
        "expect a little less on new ones",
        "This run predicts numbers; there are no classes to confuse.",
        "This run predicts numbers, not classes.",
        "it has no right and wrong answers",
        "There is no test split.",
    ):
        assert sentence in text, sentence
    assert "Images per value" not in text


def test_tags(make_page: Make, card_of: Callable[..., DataCard], evaluation_of: Callable[..., Evaluation]) -> None:
    scores = evaluation_of([[5, 1], [2, 4]], ("sky", "sea")).per_class
    evaluation = Evaluation(
        split="test", task="tags", classes=("sky", "sea"), count=12, loss=0.4, accuracy=0.75, interval=None,
        confusion=None, per_class=scores,
    )  # fmt: skip
    text = sound(render_report(make_page(card=card_of(("sky", "sea"), task="tags"), evaluations=(evaluation,)))).text()
    assert "9 of 12 test images with every tag right." in text
    assert "An image may have several tags" in text
    assert "Tag by tag" in text


def test_two_hundred_classes(
    make_page: Make, evaluation_of: Callable[..., Evaluation], card_of: Callable[..., DataCard]
) -> None:
    names = [f"species {number:03}" for number in range(200)]
    matrix = [[40 if row == column else int(column == row + 1) for column in range(200)] for row in range(200)]
    matrix[3][7] = 9
    html = render_report(make_page(card=card_of(names), evaluations=(evaluation_of(matrix, names),)))
    text = sound(html).text()
    assert 'class="confusion' not in html
    assert "species 003 answered species 007: 9 of 50" in text
    assert "190 more pairs of classes were mixed up." in text  # 199 + 1 - 10
    assert "lowest F1 first class images precision recall F1 species 003 50 97.6 % 80.0 %" in text
    assert len(html) < 400_000


def test_the_confusion_matrix_is_the_matrix(make_page: Make, digits_matrix: list[list[int]]) -> None:
    html = render_report(make_page())
    table = re.findall(r'<table class="confusion.*?</table>', html, re.DOTALL)[0]
    rows = re.findall(r"<tr><th scope=\"row\">(\d)</th>(.*?)</tr>", table)
    read = [[int(entry or 0) for entry in re.findall(r"<td[^>]*>(\d*)</td>", cells)] for _, cells in rows]
    assert read == digits_matrix
    assert [int(name) for name, _ in rows] == list(range(10))


def test_no_mistakes_at_all(make_page: Make, evaluation_of: Callable[..., Evaluation]) -> None:
    text = sound(render_report(make_page(mistakes=(), evaluations=(evaluation_of([[5, 0], [0, 5]], "ab"),)))).text()
    assert "100 %" in text
    assert "No image was taken for another class." in text
    assert "None: every image of the test split was answered rightly." in text


def test_several_evaluations(make_page: Make, evaluation_of: Callable[..., Evaluation]) -> None:
    val, test = evaluation_of([[5, 5], [0, 10]], "ab", "val"), evaluation_of([[9, 1], [0, 10]], "ab")
    text = sound(render_report(make_page(evaluations=(val, test)))).text()
    assert text.index("Accuracy on test 95.00 %") < text.index("Accuracy on val")
    assert "75.00 %" in text
    assert "Accuracy on val" in sound(render_report(make_page(evaluations=(val,)))).text()


def test_the_network_table_adds_up(make_page: Make, residual: Graph) -> None:
    report = inspect(residual)
    html = render_report(make_page(network=report))
    sound(html)
    table = re.findall(r'<table class="numbers network.*?</table>', html, re.DOTALL)[0]
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", table.split("<tfoot>")[0])
    assert [name for name, _ in rows] == [node.name for node in report.nodes]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", entries) for _, entries in rows]
    for column, whole in ((2, report.parameters), (4, report.macs)):
        assert sum(int(row[column].replace(",", "").replace("–", "0")) for row in cells) == whole
    assert f"{report.parameters:,}" in table.split("<tfoot>")[1]


def test_what_is_left_out_is_said(make_page: Make, pictures_of: Callable[..., tuple[Picture, ...]]) -> None:
    mistakes = tuple(Mistake(picture, "a", "b", 0.5, "id") for picture in pictures_of(30, (8, 8)))
    html = render_report(
        make_page(
            mistakes=mistakes,
            filters=pictures_of(100, (3, 3, 3)),
            feature_maps=(FeatureMaps("conv9", (512, 7, 7), pictures_of(40, (7, 7))),),
        )
    )
    text = sound(html).text()
    assert "Shown are 24 of 30." in text
    assert "36 more filters are not shown." in text
    assert "512×7×7, 32 of 512 channels" in text


def test_options_are_those_that_were_used(make_page: Make) -> None:
    text = sound(render_report(make_page())).text()
    assert "auto" not in text
    assert "precision_reason" not in text
    assert text.count("(asked for)") == 1
    assert "epochs 10 (asked for)" in text


def test_a_tile_does_not_repeat_its_node(make_page: Make) -> None:
    maps = FeatureMaps("relu1", (1, 4, 4), (Picture(np.zeros((4, 4), np.uint8), "channel 0 of relu1"),))
    html = render_report(make_page(feature_maps=(maps,)))
    assert 'alt="channel 0 of relu1"' in html
    assert "<figcaption>channel 0</figcaption>" in html


def test_photographs_are_made_smaller(make_page: Make) -> None:
    random = np.random.default_rng(0)
    photos = [Picture(random.integers(0, 256, (480, 640, 3), dtype=np.uint8), f"photo {n}") for n in range(24)]
    mistakes = tuple(Mistake(photo, "a", "b", 0.9, "id") for photo in photos)
    maps = FeatureMaps("conv1", (64, 112, 112), tuple(Picture(photo.pixels[:112, :112, 0], "map") for photo in photos))
    html = render_report(make_page(mistakes=mistakes, feature_maps=(maps,) * 4))
    # Noise, which cannot be compressed, is the worst case.
    assert len(html) < 3_000_000
    assert all(int(image["width"] or 0) <= 192 for image in Page(html).all("img"))


def test_pictures_are_what_was_given() -> None:
    random = np.random.default_rng(0)
    for shape in ((8, 8), (8, 6, 3)):
        pixels = random.integers(0, 256, shape, dtype=np.uint8)
        one = image_data(Picture(pixels, "x"), 64)
        png = Image.open(io.BytesIO(base64.b64decode(one.source.partition(",")[2])))
        assert np.array_equal(np.asarray(png), pixels)
        assert (one.height, one.width, one.pixelated) == (*shape[:2], True)
    tall = image_data(Picture(np.zeros((1000, 10), np.uint8), "x"), 64)
    assert (tall.height, tall.width, tall.pixelated) == (64, 1, False)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8)],
    ids=["float", "RGBA", "1-D", "empty"],
)
def test_what_is_no_picture_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture is uint8 of shape"):
        Picture(pixels, "x")


# ---- colours


def luminance(colour: np.ndarray) -> float:
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """WCAG 2.2, "contrast ratio"."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themes() -> dict[str, dict[str, np.ndarray]]:
    css = (files("striate.views") / "templates" / "report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(blocks) == 3
    found = {}
    for name, block in zip(("light", "dark", "print"), blocks, strict=True):
        colours = dict(re.findall(r"--(\w+): #(\w+);", block))
        wide = {key: value if len(value) == 6 else "".join(2 * c for c in value) for key, value in colours.items()}
        found[name] = {k: np.array([int(v[i : i + 2], 16) for i in (0, 2, 4)]) / 255 for k, v in wide.items()}
    return found


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_text_can_be_read(theme: str) -> None:
    colours = themes()[theme]
    assert set(colours) == set(themes()["light"])
    for paper in ("paper", "panel"):
        for ink in ("ink", "soft", "accent", "good", "notice", "bad"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for ink in ("ink", "soft"):
        assert contrast(colours[ink], colours["tint"]) >= 4.5
    for line in ("train", "val", "rate"):
        assert contrast(colours[line], colours["paper"]) >= 3
    # The strongest cells of the confusion matrix (see _cell).
    for name, most in (("right", 0.45), ("wrong", 0.60)):
        cell = most * colours[name] + (1 - most) * colours["panel"]
        assert contrast(colours["ink"], cell) >= 4.5, name
