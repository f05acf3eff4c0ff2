"""``--cost``, ``--memory`` and ``--count-like`` of inspect against numbers by hand or measured with the tool."""

from __future__ import annotations

import re

import pytest

from cli.commands import Run

NET = "conv 4 3 > relu > conv 4 3 > relu"
WORDS = ("inspect", NET, "--input", "3x8x8")


@pytest.mark.parametrize(
    ("network", "tool", "count"),
    [
        ("lenet-5", "torchinfo", 423_038),
        ("lenet-5", "thop", 418_096),
        ("lenet-5", "ptflops", 435_646),
        # padding "same" is an operation of its own, which fvcore does not know.
        ("simple-cnn", "fvcore", 263_424),
        ("vgg11_bn", "thop", 7_638_844_416),
        ("resnet34", "ptflops", 3_680_019_432),
        ("resnet34", "fvcore", 3_671_262_720),
        ("dcgan_generator", "torchinfo", 428_345_216),
        ("dcgan_generator", "ptflops-aten", 104_628_224),
    ],
)
def test_count_like_prints_what_the_tool_prints(striate: Run, network: str, tool: str, count: int) -> None:
    """The numbers are what the tools printed for these networks, written as modules."""
    words = ("inspect", network, "--count-like", tool)
    data = striate(*words, "--json").json
    assert data["count"] == count
    result = striate(*words)
    assert (result.code, result.err) == (0, "")
    table = result.out.split("─\n")
    assert table[-1].split()[:2] == [tool, f"{count:,}"]
    # The amounts that are printed add up to it, beginning with the MACs of Striate.
    ends = [re.split(r"\s", line)[-1] for line in table[-2].splitlines()[:-1]]
    amounts = [int(end.replace(",", "").replace("−", "-")) for end in ends]
    assert amounts[0] == data["macs"] == striate("inspect", network, "--json").json["totals"]["macs"]
    assert sum(amounts) == count


def test_a_tool_that_counts_the_same(striate: Run) -> None:
    result = striate("inspect", "resnet50", "--count-like", "paper")
    assert "difference  none: it counts what Striate counts" in result.out
    # "4.1 × 10⁹ multiply-adds" in every table since; 3.8 × 10⁹ in the paper, whose blocks have their stride elsewhere.
    assert "paper      4,089,184,256" in re.sub(" +", " " * 6, result.out)


def test_cost_by_hand(striate: Run) -> None:
    """9·3·4 multiply-adds at each of 6×6 places, then 9·4·4 at each of 4×4; the image needs no gradient."""
    first, second = 9 * 3 * 4 * 36, 9 * 4 * 4 * 16
    data = striate(*WORDS, "--cost", "--json").json
    totals = data["totals"]
    assert (totals["macs"], totals["input_gradient"], totals["weight_gradient"]) == (
        first + second,
        second,
        first + second,
    )
    # A bias and a relu at each number that leaves.
    assert totals["operations"] == 2 * (4 * 36 + 4 * 16)
    out = striate(*WORDS, "--cost").out
    assert f"{first + second:,} MACs per image" in out
    assert f"{totals['training']:,} MACs per image, {totals['training'] / totals['macs']:.3g} × forward" in out
    assert "uncounted   nothing: every layer is counted" in out
    (line,) = [line for line in out.splitlines() if line.startswith("conv1")]
    assert line.split()[4:] == [f"{first:,}", "62.8", "%", "–", f"{first:,}", "144"]


def test_depth_collapses_and_keeps_the_totals(striate: Run) -> None:
    whole = striate("inspect", "resnet18", "--cost").out
    folded = striate("inspect", "resnet18", "--cost", "--depth", "1").out
    assert whole.split("─\n")[-1].split() == folded.split("─\n")[-1].split()
    assert len(folded.splitlines()) < 30 < len(whole.splitlines())
    assert "layer1" in folded
    assert "layer1.0.conv1" not in folded


def test_memory_by_hand(striate: Run) -> None:
    """Kept are the image, what each relu gives, and nothing else; numbers of 2 bytes."""
    words = (*WORDS, "--memory", "--batch", "5", "--dtype", "bfloat16", "--optimizer", "adam")
    data = striate(*words, "--json").json
    totals, parameters = data["totals"], 9 * 3 * 4 + 4 + 9 * 4 * 4 + 4
    assert (data["batch"], data["dtype"], data["optimizer"]) == (5, "bfloat16", "adam")
    assert totals["weights"] == totals["gradients"] == 2 * parameters
    assert totals["activations"] == 2 * 5 * (3 * 64 + 4 * 36 + 4 * 16)
    out = striate(*words).out
    assert ": 3×8×8, batch 5, bfloat16, adam\n" in out
    kept = totals["activations"] / 1024
    assert f"activations  {kept:.1f} KiB kept for the backward pass at batch 5 in bfloat16, the images included" in out
    assert "left out     workspace inside kernels, the loss, what the allocator rounds up" in out


@pytest.mark.parametrize(("purpose", "peak"), [("training", "training_peak"), ("inference", "inference_peak")])
def test_the_largest_batch_is_the_largest(striate: Run, purpose: str, peak: str) -> None:
    """The peak of a batch is a budget that this batch fits, and no larger one."""
    words = ("inspect", "simple-cnn", "--memory", "--json")
    for batch in (1, 7, 64):
        needed = striate(*words, "--batch", str(batch)).json["totals"][peak]["bytes"]
        found = striate(*words, "--fit", f"{needed}B").json["fit"]
        assert (found["budget"], found["largest_batch"][purpose]) == (needed, batch)
        assert striate(*words, "--fit", f"{needed - 1}B").json["fit"]["largest_batch"][purpose] == batch - 1


def test_a_budget_nothing_fits(striate: Run) -> None:
    out = striate("inspect", "lenet-5", "--memory", "--fit", "1KiB").out
    assert "fits         in 1.0 KiB at most, in float32: not one image to train with adamw, which takes " in out


def test_checkpoints_are_shown_where_they_save_something(striate: Run) -> None:
    out = striate("inspect", "resnet18", "--memory", "--depth", "1").out
    plans = striate("inspect", "resnet18", "--memory", "--json").json["checkpoints"]
    below = out.split("behind")[1].splitlines()[2:]
    assert [line.split("  ")[0] for line in below] == [", ".join(plan["cuts"]) for plan in plans]
    assert "no checkpoint saves anything at batch 1 in float32" in striate("inspect", "conv 4 1", "--memory").out


def test_with_changes_and_budgets(striate: Run) -> None:
    """What is shown is the changed network, and so is what is held against a budget."""
    plain, changed = (
        striate("inspect", "simple-cnn", *words, "--cost", "--json").json["totals"]["macs"]
        for words in ((), ("--set", "conv1.filters=8"))
    )
    assert changed < plain
    result = striate("inspect", "simple-cnn", "--cost", "--max-macs", "1M")
    assert result.code == 1
    assert "1,885,440 exceed the budget of 1,000,000" in result.out


@pytest.mark.parametrize("view", ["--cost", "--memory"])
@pytest.mark.parametrize("columns", ["60", "80", "100"])
def test_a_narrow_terminal(striate: Run, monkeypatch: pytest.MonkeyPatch, view: str, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = striate("inspect", "resnet18", view, "--depth", "1").out
    assert max(map(len, out.splitlines())) <= int(columns)
    assert ("left out: " in out) == (columns == "60" or (view, columns) == ("--cost", "80"))


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (
            ["--count-like", "torchinf"],
            ["--count-like: how 'torchinf' counts is not known", "one of torchinfo, thop", "write: torchinfo"],
        ),
        (["--count-like"], ["--count-like needs a value"]),
        (["--memory", "--batch", "0"], ["--batch: this is not a count", "got:   0", "a whole number of at least 1"]),
        (["--memory", "--batch", "-3"], ["--batch: this is not a count", "got:   -3"]),
        (["--memory", "--batch", "9" * 5000], ["--batch: this is not a count", "at most 18 digits"]),
        (["--memory", "--fit", "8GB"], ["--fit: this is not a budget", "got:   8GB", "write: --fit 8GiB"]),
        (["--memory", "--fit", "much"], ["--fit: this is not a budget", "write: --fit 8MiB"]),
        (["--memory", "--dtype", "int8"], ["--dtype int8: memory in 'int8' is not known", "bfloat16"]),
        (["--memory", "--optimizer", "momentum"], ["--optimizer momentum: the memory of", "write: sgd-momentum"]),
        (["--batch", "32"], ["--batch has no effect without --memory", "write: --memory --batch 32"]),
        (["--cost", "--fit", "8GiB"], ["--fit has no effect without --memory", "write: --memory --fit 8GiB"]),
        (["--dtype", "float16", "--layer", "c1"], ["--dtype has no effect without --memory"]),
        (["--cost", "--memory"], ["these show different things", "--cost and --memory"]),
        (["--layer", "c1", "--count-like", "thop"], ["these show different things", "--layer and --count-like"]),
        (["--cost", "--format", "csv"], ["--cost shows a view of its own", "--format"]),
        (["--count-like", "thop", "--depth", "1"], ["--count-like shows a view of its own", "--depth"]),
        (["--memory", "--json", "--depth", "1"], ["--json has every node"]),
        (["--memory", "--depth", "x"], ["--depth: this is not a count"]),
    ],
)
def test_what_is_wrong_is_said_in_one_message(striate: Run, words: list[str], parts: list[str]) -> None:
    result = striate("inspect", "lenet-5", *words)
    assert (result.code, result.out) == (2, "")
    assert all(part in result.error for part in parts), result.error


def test_the_smallest_size_is_told_by_every_verb(striate: Run) -> None:
    """Each with the option it has for it; in Python with the argument."""
    text = "conv 8 5 > maxpool 2 > conv 4 5 > flatten > dense 3"
    for words in (("inspect", text), ("compare", text, text)):
        result = striate(*words, "--input", "1x9x20")
        assert result.code == 2
        assert "the smallest image that works is 1×14×20" in result.error
        assert result.error.rstrip().endswith("write: --input 1x14x20")
    result = striate("train", "alexnet", "--epochs", "1")
    assert result.code == 2
    assert result.error.rstrip().endswith("write: --size 63x63")


def test_all_outputs_and_bounds_are_shown(striate: Run) -> None:
    detector = striate("inspect", "yolov3", "--depth", "1").out
    assert detector.startswith("yolov3: 3×416×416 → 255×13×13, 255×26×26 and 255×52×52\n")
    # Read off single units in the middle of an image of 2560 pixels.
    assert "917×917 at head1.output, 949×949 at head2.output, 981×981 at head3.output" in detector
    named = striate("inspect", "yolov3", "--json").json["outputs"]
    assert [entry["shape"] for entry in named] == [[255, 13, 13], [255, 26, 26], [255, 52, 52]]
    # One unit of U-Net sees 188 or 204 pixels, depending on its phase.
    assert "receptive field  204×204 pixels at the output" in striate("inspect", "unet").out
    assert "≤" not in striate("inspect", "resnet18").out


def test_an_unknown_node_is_answered_with_few_names(striate: Run) -> None:
    error = striate("inspect", "resnet152", "--layer", "layer3.7.cnv1").error
    assert "layer3.7.conv1, " in error
    assert "and 505 others" in error
    assert len(error) < 400


def test_the_zoo_shows_no_classes_where_there_are_none(striate: Run) -> None:
    rows = (line.split() for line in striate("zoo").out.splitlines()[2:] if line.startswith("  "))
    lines = {row[0]: row[2] for row in rows}
    assert (lines["srcnn"], lines["dcgan_generator"], lines["resnet18"]) == ("–", "–", "1,000")
    listed = {entry["name"]: entry["classes"] for entry in striate("zoo", "--json").json}
    assert (listed["srcnn"], listed["resnet18"]) == (None, 1000)
