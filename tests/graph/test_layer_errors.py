"""What the layers for segmentation, mobile networks and published weights say to whoever writes them wrongly."""

from __future__ import annotations

import pytest

from striate.errors import NetworkError
from striate.graph import network
from striate.sources import load

CASES = [
    (
        "slice: {axis: 3}",
        "slice has no such axis to cut\n"
        "  got:   axis: 3, input 8×16×12\n"
        "  needs: an axis from 0 (channels) to 2\n"
        "  write: axis: 0",
    ),
    (
        "slice: {start: 3, stop: 3}",
        "slice takes nothing\n"
        "  got:   axis: 0, start: 3, stop: 3 of 8, input 8×16×12\n"
        "  needs: 0 ≤ start < stop ≤ 8, negative numbers counted from the end\n"
        "  write: slice: {axis: 0, start: 0, stop: 4}",
    ),
    (
        "slice: {axis: 2, stop: 13}",
        "slice takes what is not there\n"
        "  got:   axis: 2, start: 0, stop: 13 of 12, input 8×16×12\n"
        "  needs: 0 ≤ start < stop ≤ 12, negative numbers counted from the end\n"
        "  write: slice: {axis: 2, start: 0, stop: 6}",
    ),
    (
        "slice: {start: 1.5}",
        "slice cannot use this start\n"
        "  got:   start: 1.5\n"
        "  needs: a whole number; a negative one counts from the end\n"
        "  write: start: 1",
    ),
    (
        "crop: 6",
        "crop cuts off the whole map\n"
        "  got:   amount 6+6 of 12 pixels, input 8×16×12\n"
        "  needs: at most 11 in all\n"
        "  write: amount: 5",
    ),
    (
        "crop: same",
        "crop cannot use this amount\n"
        "  got:   amount: 'same'\n"
        "  needs: a whole number of at least 0, one for each axis, or [before, after] for each axis\n"
        "  write: amount: 0",
    ),
    (
        "channelpad: -1",
        "channelpad cannot use this after\n"
        "  got:   after: -1\n"
        "  needs: a whole number of at least 0\n"
        "  write: after: 1",
    ),
    (
        "channelpad: {before: 2}",
        "channelpad needs after\n  got:   before: 2\n  write: channelpad: {after: 3}",
    ),
    (
        "dense: {units: 3, pointwise: 1}",
        "dense cannot use this pointwise\n  got:   pointwise: 1\n  needs: true or false\n  write: pointwise: true",
    ),
    (
        "pad: [13, reflect]",
        "reflect padding needs enough pixels to take from\n"
        "  got:   padding 13+13 on 12 pixels, input 8×16×12\n"
        "  needs: at most 11 on each side\n"
        "  write: mode: zero, or less padding",
    ),
    (
        "pad: {amount: 1, mode: reflect, value: 2}",
        "pad with the mode reflect takes its numbers from the map, not from value\n"
        "  got:   value: 2, mode: reflect\n"
        "  needs: value with mode: zero alone\n"
        "  write: value: 0",
    ),
    (
        "pixelshuffle: 3",
        "pixelshuffle cannot divide its channels into blocks of pixels\n"
        "  got:   8×16×12, scale: 3\n"
        "  needs: channels that are a multiple of 9 (3 along each of 2 axes)\n"
        "  write: a conv with 9 filters before it",
    ),
    (
        "channelshuffle: 6",
        "channelshuffle cannot divide its channels among its groups\n"
        "  got:   8 channels, groups: 6\n"
        "  needs: channels that are a multiple of groups\n"
        "  write: groups: 2",
    ),
    (
        "resize: {size: 8, align_corners: true}",
        "resize can align corners only where it interpolates\n"
        "  got:   align_corners: true, mode: nearest\n"
        "  needs: mode: linear with align_corners\n"
        "  write: mode: linear",
    ),
    (
        "upsample: {scale: 2, mode: cubic}",
        "upsample cannot use this mode\n  got:   mode: cubic\n  needs: one of nearest, linear\n  write: mode: nearest",
    ),
    (
        "resizelike",
        "resizelike needs what arrives and 1 more\n"
        "  got:   1: input\n"
        "  needs: the name of an earlier layer, given there with 'as: NAME'\n"
        "  write: resizelike: NAME, or resizelike: {like: NAME}",
    ),
    (
        "croplike: {like: nowhere}",
        "there is no layer called 'nowhere' before this one\n"
        "  got:   'nowhere'\n"
        "  needs: one of input; 'as: NAME' gives a layer a name",
    ),
    (
        "croplike: {like: input, offset: 1}",
        "croplike cannot cut the reference's size out of its map\n"
        "  got:   16 of 16 pixels at offset 1: 8×16×12 to the size of 8×16×12\n"
        "  needs: a map that is large enough along every axis, offset included\n"
        "  write: offset: center",
    ),
    (
        "croplike: {like: input, offset: left}",
        "croplike cannot use this offset\n  got:   offset: left\n  needs: one of center\n  write: offset: center",
    ),
    (
        "lppool: [0, 2]",
        "lppool cannot use this norm\n  got:   norm: 0\n  needs: a number at least 0.01\n  write: norm: 0.01",
    ),
    (
        "stochasticpool: 17",
        "the window of stochasticpool is larger than its input\n"
        "  got:   a window of 17 on 16 pixels, input 8×16×12\n"
        "  needs: an input of at least 17 along every axis\n"
        "  write: a kernel of at most 16, more padding, fewer poolings before it, or a larger input",
    ),
    (
        "stochasticpool: {kernel: 2, padding: 1}",
        "stochasticpool has no attribute 'padding'\n  got:   padding: 1\n  needs: one of kernel, stride",
    ),
    (
        "fractionalmaxpool: 2",
        "fractionalmaxpool needs the size or the ratio of its output\n"
        "  got:   neither\n"
        "  needs: one of them\n"
        "  write: fractionalmaxpool: {kernel: 2, ratio: 0.7}",
    ),
    (
        "fractionalmaxpool: {kernel: 2, size: 3, ratio: 0.5}",
        "fractionalmaxpool needs the size or the ratio of its output\n"
        "  got:   size: 3, ratio: 0.5\n"
        "  needs: one of them\n"
        "  write: fractionalmaxpool: {kernel: 2, ratio: 0.7}",
    ),
    (
        "fractionalmaxpool: [2, 12]",
        "fractionalmaxpool cannot place its windows\n"
        "  got:   12 windows of 2 on 12 pixels, input 8×16×12\n"
        "  needs: at least 1 window, and at most 11: n - kernel + 1\n"
        "  write: size: 5",
    ),
    (
        "layerscale: {parameter: 3a}",
        "layerscale cannot use this parameter\n"
        '  got:   parameter: "3a"\n'
        "  needs: a name of letters, digits and _\n"
        "  write: parameter: weight",
    ),
    (
        "stochasticdepth: 1.0",
        "stochasticdepth cannot use this probability\n"
        "  got:   probability: 1.0\n"
        "  needs: a number from 0.0 to below 1.0\n"
        "  write: probability: 0.5",
    ),
    (
        "conv: {filters: 4, kernel: 3, padding: casual}",
        "conv cannot use this padding\n"
        "  got:   padding: casual\n"
        "  needs: same, valid, full, causal, a whole number of at least 0, one for each axis, or [before, after] for "
        "each axis\n"
        "  write: padding: causal",
    ),
]


@pytest.mark.parametrize(("line", "message"), CASES)
def test_errors_in_yaml(line: str, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load(f"input: [8, 16, 12]\nlayers:\n  - {line}\n")
    place, _, told = str(caught.value).partition("): ")
    assert place.startswith("text:3, layer 1 (")
    assert told == message


def test_a_reference_of_another_kind() -> None:
    x = network("n", (8, 16, 12))
    with pytest.raises(NetworkError) as caught:
        x.resizelike(x.globalavgpool())
    assert str(caught.value) == (
        "n, node 'resizelike1': resizelike needs a reference with the axes of its map\n"
        "  got:   8×16×12 and the reference 8\n"
        "  needs: a reference with 2 spatial axes\n"
        "  write: as reference a layer before flatten or global pooling"
    )
    with pytest.raises(NetworkError) as caught:
        x.maxpool(2).croplike(x)
    assert caught.value.write == "resizelike, or the two layers the other way round"


def test_the_wrong_number_of_inputs_is_told_at_the_call() -> None:
    x = network("n", (8, 16, 12))
    with pytest.raises(NetworkError) as caught:
        x.resizelike(mode="linear")
    assert str(caught.value) == (
        "n, node 'resizelike1': resizelike has the wrong number of inputs\n"
        "  got:   1 (input)\n"
        "  needs: 2\n"
        "  write: x.resizelike(reference)"
    )
    with pytest.raises(NetworkError) as caught:
        x.conv(4, 3, x)
    assert str(caught.value) == (
        "n, node 'conv1': conv has the wrong number of inputs\n  got:   2 (input, input)\n  needs: 1"
    )


@pytest.mark.parametrize(
    "line", ["crop: 1", "pad: 1", "resize: 4", "pixelshuffle: 1", "lppool: [2, 2]", "lrn: 3", "slice: {axis: 1}"]
)
def test_a_vector_has_no_axes_to_work_on(line: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load(f"input: [8, 16, 12]\nlayers:\n  - globalavgpool\n  - {line}\n")
    assert caught.value.got in ("8 (a vector)", "axis: 1, input 8")
