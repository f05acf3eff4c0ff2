"""What cannot be imported says where in the author's code, what it was, and what to do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import striate as st
from striate.errors import LayerError, SourceError, StriateError, UsageError
from striate.sources.python_reference import read_kwargs
from striate.sources.torch_module import import_module

HERE = Path(__file__).name


class Broken(nn.Module):
    """A forward pass from a function."""

    def __init__(self, compute: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.compute = compute
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Any:
        return self.compute(self, x)


def raised(compute: Callable[[nn.Module, Tensor], Any], shape: tuple[int, ...] = (3, 8, 8)) -> SourceError:
    with pytest.raises(SourceError) as caught:
        import_module(Broken(compute), shape)
    error = caught.value
    line = inspect.getsourcelines(compute)[1]
    assert re.search(rf"{HERE}:\d+", error.where or ""), error
    assert line <= int((error.where or "").rpartition(":")[2]) <= line + len(inspect.getsourcelines(compute)[0])
    assert "\n" not in error.problem
    return error


def branch(m: Any, x: Tensor) -> Any:
    y = m.conv(x)
    if y.mean() > 0:
        return y
    return -y


def as_number(m: Any, x: Tensor) -> Any:
    return m.conv(x) * x.max().item()


def as_list(m: Any, x: Tensor) -> Any:
    return m.conv(x) * sum(x.amax((1, 2, 3)).tolist())


def as_count(m: Any, x: Tensor) -> Any:
    return m.conv(x)[:, : int(x.sum())]


def as_index(m: Any, x: Tensor) -> Any:
    return [m.conv(x) for _ in range(x.argmax())]


def as_array(m: Any, x: Tensor) -> Any:
    return m.conv(x) * x.detach().cpu().numpy().mean()


def as_mask(m: Any, x: Tensor) -> Any:
    return x[x > 0]


def as_places(m: Any, x: Tensor) -> Any:
    return torch.nonzero(x)


@pytest.mark.parametrize(
    ("compute", "got"),
    [
        (branch, "the truth of a tensor"),
        (as_number, "tensor.item()"),
        (as_list, "tensor.tolist()"),
        (as_count, "int() of a tensor"),
        (as_index, "a tensor as an index"),
        (as_array, "tensor.numpy()"),
        (as_places, "nonzero"),
        (as_mask, ""),
    ],
)
def test_a_course_that_depends_on_the_image(compute: Any, got: str) -> None:
    error = raised(compute)
    assert got in (error.got or "")
    if got:
        assert "depends on the image" in error.problem
        assert "torch.where" in (error.write or "")


def test_the_message_as_a_whole() -> None:
    lines = str(raised(branch)).splitlines()
    assert lines[0].endswith(
        "the forward pass asks for numbers that only a real image has, so that its course depends on the image"
    )
    assert lines[1:] == [
        "  got:   the truth of a tensor (if, while, and, or, assert)",
        "  needs: a course that follows from shapes and settings alone; a module is imported without running images",
        "  write: torch.where(…) instead of a branch, a constant set in __init__, or that part outside of forward",
    ]


def one_by_one(m: Any, x: Tensor) -> Any:
    return [m.conv(image[None]) for image in x]


def first_image(m: Any, x: Tensor) -> Any:
    return m.conv(x)[0]


def all_in_one(m: Any, x: Tensor) -> Any:
    return m.conv(x).flatten()[None].squeeze(0)[:100]


@pytest.mark.parametrize("compute", [one_by_one, first_image, all_in_one])
def test_images_that_are_mixed(compute: Any) -> None:
    error = raised(compute)
    assert "images of a batch are mixed" in error.problem
    assert "x.flatten(1)" in (error.write or "")


def plain_error(m: Any, x: Tensor) -> Any:
    return {}["no such key"]


def failed_assertion(m: Any, x: Tensor) -> Any:
    assert x.shape[0] == 1, "one image at a time"
    return m.conv(x)


def wrong_channels(m: Any, x: Tensor) -> Any:
    return m.conv(torch.cat([x, x], 1))


@pytest.mark.parametrize(
    ("compute", "got"),
    [(plain_error, "KeyError: 'no such key'"), (failed_assertion, "one image at a time")],
)
def test_whatever_forward_raises(compute: Any, got: str) -> None:
    error = raised(compute)
    assert got in (error.got or "")
    assert "fails" in error.problem
    assert "3×8×8" in (error.needs or "")


def test_weights_that_do_not_fit() -> None:
    error = raised(wrong_channels)
    assert error.got == "weights 4×3×3×3, input 1009×6×8×8 with the batch in front"
    assert error.needs == "3 channels"
    with pytest.raises(SourceError) as caught:
        import_module(nn.Sequential(nn.Flatten(), nn.Linear(100, 3)), (3, 8, 8))
    assert caught.value.where == "module 1"
    assert caught.value.got == "weights 3×100 and 3, input 192"
    assert caught.value.needs == "weights 3×192 and 3 for that input"


def test_outputs_that_do_not_depend_on_the_image() -> None:
    with pytest.raises(SourceError, match="depends on its input"):
        import_module(Broken(lambda m, x: torch.zeros(len(x), 3)), (3, 8, 8))
    with pytest.raises(SourceError, match="depends on its input"):
        import_module(Broken(lambda m, x: None), (3, 8, 8))


def test_inputs_that_are_none() -> None:
    with pytest.raises(LayerError, match="not the shape of an image"):
        import_module(nn.Linear(3, 4), (3,))
    with pytest.raises(SourceError, match="forward pass fails") as caught:
        import_module(Broken(branch), ((3, 8, 8), (3, 8, 8)))
    assert "one input shape for each argument" in (caught.value.write or "")


@pytest.mark.filterwarnings("ignore")
def test_modules_that_keep_no_python() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3))
    with pytest.raises(SourceError, match="scripted or traced"):
        import_module(torch.jit.trace(module, torch.zeros(1, 3, 8, 8)), (3, 8, 8))
    with pytest.raises(SourceError, match="compiled") as caught:
        import_module(torch.compile(module), (3, 8, 8))
    assert caught.value.write == "module._orig_mod"
    with pytest.raises(SourceError, match="lazy"):
        import_module(nn.LazyConv2d(4, 3), (3, 8, 8))


def test_constants_may_steer_the_course() -> None:
    def steered(m: Any, x: Tensor) -> Any:
        limits = torch.arange(3)
        for index in limits:
            if index > 0 and m.conv.bias.sum().shape == ():
                x = m.conv(x) if torch.tensor([True]).all() else x
                x = x[:, : int(limits[2]) + 1]
        return x if float(torch.linspace(0, 1, 3)[1]) == 0.5 else None

    graph = import_module(Broken(steered), (3, 8, 8))
    assert graph.output_shape == (3, 4, 4)
    assert graph.nodes[-2].shares is not None


def test_python_errors_of_verbs() -> None:
    with pytest.raises(UsageError, match="does not say what images") as caught:
        st.inspect(nn.Conv2d(3, 4, 3))
    assert caught.value.write == "input=(3, 224, 224)"
    with pytest.raises(UsageError, match="takes no options"):
        st.load(nn.Conv2d(3, 4, 3), input=(3, 8, 8), kwargs={"a": 1})
    with pytest.raises(UsageError, match="several shapes"):
        st.load("resnet18", input=((3, 8, 8), (3, 8, 8)))
    with pytest.raises(SourceError, match="classes=7 has no effect"):
        st.load(nn.Conv2d(3, 4, 3), input=(3, 8, 8), classes=7)


SOURCE = """
import torch
from torch import nn
from beside import WIDTH

class Net(nn.Module):
    def __init__(self, width=WIDTH, act="relu"):
        super().__init__()
        self.rates = [rate.item() for rate in torch.linspace(0, 1, 3)]
        self.conv = nn.Conv2d(3, width, 3)
        self.act = getattr(nn.functional, act)

    def forward(self, x):
        return self.act(self.conv(x))

def factory(depth=1):
    return nn.Sequential(*(nn.Conv2d(3, 3, 3) for _ in range(depth)))

def number():
    return 3

def failing():
    raise RuntimeError("no weights here")

ready = nn.Conv2d(3, 5, 3)
value = 12
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_net.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "beside.py").write_text("WIDTH = 6\n", encoding="utf-8")
    (tmp_path / "wrong.py").write_text("x = 1\ny = (\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_references_to_python(folder: Path) -> None:
    shape = (3, 8, 8)
    assert st.load("my_net.py:Net", input=shape).output_shape == (6, 6, 6)
    assert st.load(f"{folder}/my_net.py:Net", input=shape, kwargs={"width": 9}).output_shape == (9, 6, 6)
    assert st.load("my_net:factory", input=shape, kwargs={"depth": 2}).name == "factory"
    assert st.load("my_net.py:ready", input=shape).parameter_count == 140
    assert st.load("torch.nn:ReLU", input=shape).nodes[-1].layer.kind == "relu"
    assert st.load("my_net.py:Net", input=shape).nodes[1].origin == "my_net.py:14"


@pytest.mark.parametrize(
    ("text", "problem", "write"),
    [
        ("my_net.py:Nett", "there is no 'Nett' in my_net.py", "my_net.py:Net"),
        ("other.py:Net", "there is no such file", None),
        ("no_such_package.models:Net", "there is no module 'no_such_package'", "pip install no_such_package"),
        ("my_net.py:number", "what this makes is no module", None),
        ("my_net.py:value", "nothing that makes one", None),
        ("my_net.py:failing", "my_net.py:failing cannot be made", None),
        ("wrong.py:Net", "wrong.py cannot be imported", None),
        ("my_net.py", "holds many things", "my_net.py:Net"),
    ],
)
def test_references_that_lead_nowhere(folder: Path, text: str, problem: str, write: str | None) -> None:
    with pytest.raises(SourceError) as caught:
        st.load(text, input=(3, 8, 8))
    assert problem in caught.value.problem
    assert write is None or (caught.value.write or "").startswith(write)


def test_the_line_of_an_authors_error_is_told(folder: Path) -> None:
    with pytest.raises(SourceError) as caught:
        st.load("my_net.py:failing", input=(3, 8, 8))
    assert (caught.value.where or "").endswith("my_net.py:23")
    assert caught.value.got == "RuntimeError: no weights here"
    with pytest.raises(SourceError) as caught:
        st.load("wrong.py:Net", input=(3, 8, 8))
    assert "wrong.py:2" in (caught.value.where or "")


def test_a_zoo_name_and_a_layer_still_win(folder: Path) -> None:
    assert st.load("resnet18").name == "resnet18"
    with pytest.raises(StriateError, match="does not say"):
        st.load("my_net.py:Net")


@pytest.mark.parametrize("text", ["width", "=3", "{1", "a b=3", "[1]"])
def test_options_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        read_kwargs([text])


def test_an_option_twice() -> None:
    with pytest.raises(UsageError, match="twice"):
        read_kwargs(["a=1", '{"a": 2}'])
