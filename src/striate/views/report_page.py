"""The report of a run: one self-contained HTML page, without scripts and without anything from the network."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from striate.units import format_bytes, format_count, format_shape
from striate.views.confusions import largest_confusions
from striate.views.curves import draw_curves
from striate.views.evaluation_wording import hardest_first
from striate.views.image_data import image_data
from striate.views.inspect_rows import inspect_notes
from striate.views.metric_series import metric_series
from striate.views.number_wording import format_compact, format_percent
from striate.views.page_environment import network_rows, page_css, page_environment
from striate.views.report_parts import FeatureMaps, Mistake, Picture, ReportPage
from striate.views.report_results import (
    MOST_MATRIX_CLASSES,
    Headline,
    confusion_cells,
    epoch_table,
    headline,
    headline_evaluation,
)
from striate.views.report_setup import (
    STATUS_WORDS,
    counts_table,
    counts_words,
    data_facts,
    options,
    run_facts,
    when,
)
from striate.views.time_spent import time_spent_line

if TYPE_CHECKING:
    from striate.findings import Severity

__all__ = ["render_report"]

_MOST_MISTAKES, _MOST_MAPS, _MOST_FILTERS, _MOST_LAYERS, _MOST_PAIRS = 24, 32, 64, 8, 10
_IMAGE_SIDE, _MISTAKE_SIDE, _MAP_SIDE = 192, 128, 80
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


def render_report(page: ReportPage) -> str:
    """The page as HTML.

    It allows itself neither network nor scripts (a Content-Security-Policy in its head says so), follows the reader's
    light or dark setting, fits a phone, and prints. Text from the user is escaped. What is missing is said.

    Args:
        page: what to show. Of mistakes, filters and feature maps a bounded number is shown, and how many are left out
            is said.
    """
    environment = page_environment()
    context = {
        **_masthead(page),
        **_training(page),
        **_results(page),
        **_sight(page),
        **_setup(page),
    }
    return environment.get_template("report.html.jinja").render(css=page_css("report.css"), **context) + "\n"


def _masthead(page: ReportPage) -> dict[str, Any]:
    record, card = page.record, page.card
    words, tone = STATUS_WORDS[record.status]
    evaluation = headline_evaluation(page.evaluations)
    images = sum(split.count for split in card.splits.values())
    noun = {"classes": "classes", "tags": "tags", "values": "values"}[card.task]
    facts = [
        (
            "Parameters",
            format_count(page.network.parameters),
            f"{format_bytes(4 * page.network.parameters)} as float32",
        ),
        ("MACs per image", format_compact(page.network.macs), "FLOPs = 2 × MACs"),
        *run_facts(record),
        *(_other_fact(headline(other)) for other in page.evaluations if other is not evaluation),
    ]
    severities = Counter(finding.severity for finding in page.findings)
    serious = [(severities[name], name) for name in _SEVERITIES[:2] if severities[name]]
    return {
        "record": record,
        "status_words": words,
        "status_tone": tone,
        "standfirst": f"{record.network} on {card.source}: {format_count(images)} images, "
        f"{format_count(len(card.classes))} {noun}. {when(record.created)}.",
        "headline": None if evaluation is None else headline(evaluation),
        "facts": facts,
        "findings_line": " and ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in serious),
        "findings_tone": serious[0][1] if serious else "",
        "contents": _CONTENTS,
        "started": when(record.created),
        "finished": None if record.finished is None else when(record.finished),
    }


def _other_fact(other: Headline) -> tuple[str, str, str]:
    return other.label, other.value, other.interval or other.notes[0]


_CONTENTS = (
    ("training", "Training"),
    ("confusions", "Confusions"),
    ("per-class", "Classes"),
    ("mistakes", "Mistakes"),
    ("sight", "What it sees"),
    ("network", "Network"),
    ("recipe", "Recipe"),
    ("data", "Data"),
    ("findings", "Findings"),
    ("versions", "Versions"),
)


def _training(page: ReportPage) -> dict[str, Any]:
    series = metric_series(page.metrics)
    best = page.record.results.get("best_epoch")
    best_epoch = best if isinstance(best, int) and series.val_loss and best <= max(series.val_loss.x) else None
    titles, rows = epoch_table(page.metrics)
    notes = []
    if series.not_finite is not None:
        notes.append(
            f"In epoch {series.not_finite} the loss stopped being a number; the curves leave those places out."
        )
    if not series.epochs and series.step_loss:
        notes.append("No epoch was finished; these are the losses of single batches.")
    if series.epochs and not series.val_loss:
        notes.append("There is no validation curve: the run had no validation images.")
    curves = draw_curves(series, best_epoch)
    caption = (
        "One row for each epoch" if len(rows) == series.epochs else f"The last {len(rows)} of {series.epochs} epochs"
    )
    return {
        "curves": [{"title": c.title, "svg": Markup(c.svg), "spoken": c.spoken, "legend": c.legend} for c in curves],
        "curve_notes": notes,
        "best_epoch": best_epoch,
        "epoch_titles": titles,
        "epoch_rows": rows,
        "epochs_caption": caption,
        "spent_line": None if page.record.spent is None else time_spent_line(page.record.spent),
        "spent_advice": None if page.record.spent is None else page.record.spent.advice,
    }


def _results(page: ReportPage) -> dict[str, Any]:
    evaluation = headline_evaluation(page.evaluations)
    confusions = (
        ()
        if evaluation is None or evaluation.confusion is None
        else largest_confusions(evaluation.confusion, evaluation.classes)
    )
    scores = () if evaluation is None else evaluation.per_class
    many = len(scores) > MOST_MATRIX_CLASSES
    mistakes = page.mistakes[:_MOST_MISTAKES]
    without_classes = {
        "values": "This run predicts numbers; there are no classes to confuse.",
        "tags": "An image may have several tags; there is no single class to confuse with another.",
        "classes": "Not measured: the run has no evaluation.",
    }[page.card.task]
    return {
        "evaluation": evaluation,
        "cells": () if evaluation is None else confusion_cells(evaluation),
        "long_names": evaluation is not None and any(len(name) > 3 for name in evaluation.classes),
        "confusions": confusions[:_MOST_PAIRS],
        "confusions_left": max(len(confusions) - _MOST_PAIRS, 0),
        "no_confusions": without_classes,
        "scores": hardest_first(scores) if many else scores,
        "scores_sorted": many,
        "no_scores": "This run predicts numbers, not classes."
        if page.card.task == "values"
        else "Not measured: the run has no evaluation.",
        "mistakes": [_mistake(one) for one in mistakes],
        "mistakes_lead": "Wrong answers, the surest first: true class → answer."
        + (
            ""
            if len(mistakes) == len(page.mistakes)
            else f" Shown are {len(mistakes)} of {format_count(len(page.mistakes))}."
        ),
        "no_mistakes": _no_mistakes(page),
    }


def _no_mistakes(page: ReportPage) -> str:
    evaluation = headline_evaluation(page.evaluations)
    if page.card.task == "values":
        return "This run predicts numbers; it has no right and wrong answers."
    if evaluation is not None and evaluation.accuracy == 1.0:
        return f"None: every image of the {evaluation.split} split was answered rightly."
    return "None were recorded."


def _mistake(one: Mistake) -> dict[str, Any]:
    return {
        "image": image_data(one.picture, _MISTAKE_SIDE),
        "true": one.true,
        "predicted": one.predicted,
        "confidence": f"{format_percent(one.confidence)} %",
        "id": one.id,
    }


def _sight(page: ReportPage) -> dict[str, Any]:
    return {
        "image": None if page.image is None else image_data(page.image, _IMAGE_SIDE),
        "layers": [_layer(maps) for maps in page.feature_maps[:_MOST_LAYERS]],
        "filters": _tiles(page.filters[:_MOST_FILTERS], page.filters_node),
        "filters_left": max(len(page.filters) - _MOST_FILTERS, 0),
        "filters_node": page.filters_node,
    }


def _tiles(pictures: tuple[Picture, ...], node: str | None) -> list[dict[str, Any]]:
    """Small pictures under the name of their node, which need not be repeated below each."""
    suffix = f" of {node}"
    tiles = [image_data(picture, _MAP_SIDE) for picture in pictures]
    return [{"image": tile, "label": tile.caption.removesuffix(suffix)} for tile in tiles]


def _layer(maps: FeatureMaps) -> dict[str, Any]:
    shown = maps.maps[:_MOST_MAPS]
    return {
        "node": maps.node,
        "shape": format_shape(maps.shape),
        "channels": maps.shape[0],
        "left": maps.shape[0] - len(shown),
        "maps": _tiles(shown, maps.node),
    }


def _setup(page: ReportPage) -> dict[str, Any]:
    record, card, network = page.record, page.card, page.network
    titles, rows = counts_table(card)
    used, settled = options(record)
    missing = [name for name in ("train", "val", "test") if name not in card.splits]
    return {
        "network": network,
        "network_caption": f"{format_shape(network.input)} → {format_shape(network.output)}, layer by layer. "
        "Field: the pixels of the image that one output can see.",
        "rows": network_rows(network),
        "network_notes": inspect_notes(network),
        "options": used,
        "resolved": settled,
        "card": card,
        "data_facts": data_facts(card),
        "noun": {"classes": "class", "tags": "tag", "values": "value"}[card.task],
        "splits": [(name, split, counts_words(split)) for name, split in card.splits.items()],
        "missing_splits": f"There is no {' and no '.join(missing)} split." if missing else "",
        "count_titles": titles,
        "count_rows": rows,
        "findings": sorted(page.findings, key=lambda finding: _SEVERITIES.index(finding.severity)),
    }
