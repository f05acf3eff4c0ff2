"""``striate bench``: what is counted follows from the network, what is measured from the clock."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import pytest
import torch

import striate as st
from striate.analysis.bench_report import BenchReport, BenchRow
from striate.analysis.cost_report import cost
from striate.errors import UsageError
from striate.graph import network
from striate.training import bench as module
from striate.training.bench import bench
from striate.training.settings import Setting, Trial
from striate.views import json_text, make_console
from striate.views.benches import bench_view

NET = network("small", (1, 8, 8)).conv(4, 3, bias=False).relu().maxpool(2).flatten().dense(3).build()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Setting]:
    """Steps of 1, 2 and 4 ms for every setting but bf16, which disagrees; 100 GMAC/s in a matrix product."""
    asked: list[Setting] = []

    def fake(
        graph: Any, module: Any, images: Any, labels: Any, loss: Any, settings: Any, **options: Any
    ) -> list[Trial]:
        asked.extend(settings)
        loss(module(images), labels).backward()  # the loss fits the network
        return [
            Trial(setting, agrees=False, reason="disagrees: outputs 0.200 apart", difference=0.2, cosine=0.7)
            if setting.dtype == torch.bfloat16
            else Trial(setting, (0.004, 0.001, 0.002), True, difference=None if setting is settings[0] else 0.0)
            for setting in settings
        ]

    monkeypatch.setattr(module, "try_settings", fake)
    monkeypatch.setattr(module, "matrix_peak", lambda dtype, device: 1e11)
    monkeypatch.setattr(module, "may_have_bf16", lambda: True)
    monkeypatch.setattr(module, "processor_name", lambda: "a processor")
    monkeypatch.setattr(module, "why_not_fused", lambda: "llvmlite is not installed")
    return asked


def test_the_numbers_follow_from_the_network_and_the_median(measured: list[Setting]) -> None:
    report = bench(NET, batch=10, threads=1)
    # conv: 6·6 positions of 4 filters of 9 taps, forward and for the weights (the image needs no gradient);
    # dense: 36·3, forward, for the weights and for its input.
    macs = 2 * 36 * 4 * 9 + 3 * 36 * 3
    assert report.macs == macs == cost(NET).training
    row = report.rows[0]
    assert (row.median, row.images_per_second) == (0.002, pytest.approx(10 / 0.002))
    assert row.flops_per_second == pytest.approx(2 * macs * 10 / 0.002)
    assert row.share_of_peak == pytest.approx(2 * macs * 10 / 0.002 / 2e11)
    assert [one.name for one in report.rows] == [
        "fp32, channels-last",
        "fp32, channels-last, pooling first",
        "fp32, contiguous",
        "fp32, contiguous, pooling first",
        "bf16, channels-last",
        "bf16, channels-last, pooling first",
        "bf16, contiguous",
        "bf16, contiguous, pooling first",
    ]
    data = json.loads(json_text(report))
    assert data["settings"][0]["step_seconds"] == {
        "median": 0.002,
        "fastest": 0.001,
        "slowest": 0.004,
        "all": [0.004, 0.001, 0.002],
    }
    assert data["settings"][4]["flops_per_second"] is None
    assert data["settings"][4]["reason"] == "disagrees: outputs 0.200 apart"
    assert data["peak_flops_per_second"] == {"fp32": 2e11, "bf16": 2e11}


@pytest.mark.parametrize(
    "net", [NET, network("map", (1, 8, 8)).conv(2, 3).build(), network("one", (1, 8, 8)).flatten().dense(1).build()]
)
def test_every_output_has_a_loss(measured: list[Setting], net: Any) -> None:
    assert bench(net, batch=2, precision="fp32", threads=1).rows


def test_fused_pooling_stands_beside_pooling_first(measured: list[Setting], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "why_not_fused", lambda: "")
    report = bench(NET, batch=10, precision="fp32", threads=1)
    assert [one.name for one in report.rows] == [
        "fp32, channels-last",
        "fp32, channels-last, pooling first",
        "fp32, channels-last, pooling first, fused pooling",
        "fp32, contiguous",
        "fp32, contiguous, pooling first",
    ]
    assert [row["fused_pooling"] for row in report.as_dict()["settings"]] == [False, False, True, False, False]
    measured.clear()
    as_written = network("n", (1, 8, 8)).conv(4, 3).maxpool(2).relu().flatten().dense(3).build()
    bench(as_written, precision="fp32", threads=1)
    assert [setting.fused for setting in measured] == [False, True, False]
    measured.clear()
    bench(network("n", (1, 8, 8)).conv(4, 3).maxpool(3).relu().flatten().dense(3).build(), precision="fp32", threads=1)
    assert not any(setting.fused for setting in measured)


def test_a_real_measurement_takes_five_steps_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "why_not_fused", lambda: "")
    report = bench(NET, batch=4, precision="fp32", threads=1, seconds=0.0)
    # Fused pooling is among them; where llvmlite is missing it does not run, and says so.
    assert [len(row.seconds) for row in report.rows if not row.reason] == [5] * (5 if find_spec("llvmlite") else 4)
    assert all(row.difference is None or row.difference < 1e-5 for row in report.rows)
    assert report.rows[1].difference == 0.0
    assert torch.get_num_threads() >= 1


def test_what_is_asked_is_what_is_tried(measured: list[Setting], monkeypatch: pytest.MonkeyPatch) -> None:
    bench(network("n", (1, 8, 8)).flatten().dense(3).build(), precision="bf16", threads=1)
    assert [(setting.precision, setting.rewritten) for setting in measured] == [("bf16", False), ("bf16", False)]
    measured.clear()
    monkeypatch.setattr(module, "has_compiler", lambda: True)
    bench(NET, precision="fp32", threads=1, compiled=True)
    assert measured[-1].name == "fp32, channels-last, pooling first, compiled"
    measured.clear()
    monkeypatch.setattr(module, "may_have_bf16", lambda: False)
    assert list(bench(NET, threads=1).peaks) == ["fp32"]


def test_what_cannot_be_timed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="only a network with one input, one output and something to train"):
        bench(network("n", (1, 8, 8)).relu().build())
    monkeypatch.setattr(module, "available_memory", lambda: 100_000)
    with pytest.raises(UsageError) as caught:
        bench(NET, batch=1000)
    assert "a step with 1000 images does not fit into memory" in str(caught.value)
    largest = int((caught.value.write or "").removeprefix("--batch "))
    monkeypatch.setattr(module, "has_compiler", lambda: False)
    with pytest.raises(UsageError, match="needs a C\\+\\+ compiler, and there is none"):
        bench(NET, batch=largest, compiled=True)


def test_the_table() -> None:
    def row(name: str, seconds: tuple[float, ...], difference: float | None = None, reason: str = "") -> BenchRow:
        return BenchRow(
            name, "fp32", "contiguous", False, False, False, seconds, 64, 2 * 64 * 10**7, 1e11, difference, 1.0, reason
        )

    rows = (
        row("fp32, contiguous", (0.0201, 0.02, 0.0207)),
        row("fp32, channels-last", (0.016, 0.0161, 0.0165), 0.0),
        row("bf16, contiguous", (), 0.2, "disagrees: outputs 0.200 apart, gradient cosine 0.700"),
    )
    report = BenchReport("net", (1, 28, 28), 64, 2, "a processor", 10**7, ("odd1 (opaque)",), {"fp32": 1e11}, rows)
    console = make_console()
    console.width = 80
    with console.capture() as capture:
        console.print(bench_view(report))
    assert capture.get() == (
        "net: 1×28×28, 64 images a step, 2 threads\n\n"
        "setting              ms a step      range  images/s  GFLOP/s  of peak  differ\n"
        "─────────────────────────────────────────────────────────────────────────────\n"
        "fp32, contiguous          20.1  20.0-20.7     3,184     63.7     64 %       –\n"
        "fp32, channels-last       16.1  16.0-16.5     3,975     79.5     80 %   equal\n"
        "bf16, contiguous             –          –         –        –        –       –\n"
        "  disagrees: outputs 0.200 apart, gradient cosine 0.700\n\n"
        "step     forward and backward, no update; the steps of all settings are taken in\n"
        "         turn\n"
        "work     10,000,000 MACs per image, forward and backward; FLOPs = 2 × MACs; not\n"
        "         counted: odd1 (opaque), so GFLOP/s are lower bounds\n"
        "peak     of a product of two square matrices: fp32 100.0 GFLOP/s\n"
        "differ   relative, from the outputs of the first setting; more than 5 % apart a\n"
        "         setting is not used\n"
        "machine  a processor\n"
    )


def test_the_verb(measured: list[Setting], capsys: pytest.CaptureFixture[str]) -> None:
    from striate.cli.program import run

    assert run(["bench", "lenet-5", "--batch", "4", "--threads", "1", "--precision", "fp32"]) == 0
    assert capsys.readouterr().out.startswith("lenet-5: 1×32×32, 4 images a step, 1 thread\n")
    assert run(["bench", "lenet-5", "--batch", "4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["batch"] == 4
    assert run(["bench", "--batch", "0"]) == 2
    assert st.bench("lenet-5", batch=3, threads=1).batch == 3
