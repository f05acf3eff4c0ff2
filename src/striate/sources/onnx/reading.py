"""The steps from a file to a Graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from striate.errors import NetworkError, SourceError
from striate.findings import Finding
from striate.graph.graph import Graph
from striate.sources.onnx.checks import Checks
from striate.sources.onnx.decoding import decode
from striate.sources.onnx.entry import enter_inputs
from striate.sources.onnx.faults import short, told
from striate.sources.onnx.file import parse_file
from striate.sources.onnx.fusing import fused
from striate.sources.onnx.importer import Importer
from striate.sources.onnx.maps import Map
from striate.sources.onnx.model import OnnxModel
from striate.sources.onnx.stepping import step
from striate.sources.options import check_classes, check_inputs, with_classes
from striate.units import Shape

__all__ = ["ImportedOnnx", "read_onnx"]


@dataclass(frozen=True)
class ImportedOnnx:
    """A network from an ONNX file.

    Args:
        graph: the network.
        opset: the version of the operations in the file.
        findings: what its reader should know: tensors that are not used, operations that lead nowhere, and the like.
    """

    graph: Graph
    opset: int
    findings: tuple[Finding, ...] = ()


def read_onnx(
    path: str | Path, *, input: Shape | tuple[Shape, ...] | None = None, classes: int | None = None
) -> ImportedOnnx:
    """The network in an ONNX file, of any exporter, from opset 11 on.

    The weights are not read, and nothing in the file is run. Batch normalisation that the exporter has folded into the
    convolution before it is gone from the file: the network then has a bias there instead, and fewer parameters.

    Args:
        path: of the ``.onnx`` file.
        input: the shape of one image, ``(channels, *spatial)``, where the file leaves sizes open, or another one;
            a tuple of them for several inputs.
        classes: the number of classes, as :func:`striate.sources.load` takes it.

    Raises:
        UsageError: the package onnx is not installed.
        SourceError: the file is damaged, contradicts itself, or leaves sizes open that ``input`` does not give.
    """
    path = Path(path)
    where = str(path)
    size, count = check_inputs(input), check_classes(classes)
    whole = decode(parse_file(path), where, path.parent)
    model = fused(whole)
    importer = Importer(model, path.parent)
    try:
        batch = enter_inputs(importer, size, where)
        checks = Checks(model.stated if size is None else {}, batch)
        for operation in model.operations:
            try:
                step(importer, operation, checks)
            except NetworkError as error:
                raise told(error, f"{where}, {short(operation.label, 120)}") from None
        graph = _graph(importer, path, where)
    except RecursionError:
        raise SourceError("this network is nested too deeply", where=where) from None
    except NetworkError as error:
        raise error if error.where is not None else told(error, where) from None
    if count is not None:
        graph = with_classes(graph, count)
    return ImportedOnnx(graph, model.opset, (*importer.findings, *_closing(importer, whole)))


def _graph(importer: Importer, path: Path, where: str) -> Graph:
    outputs: list[str] = []
    for name in importer.model.outputs:
        value = importer.value(name) if not importer.missing(name) else None
        if isinstance(value, Map):
            outputs.append(importer.straight(importer.ending(name), value).node)
        else:
            importer.findings.append(
                Finding("N930", "warning", f"the output {short(name)} does not depend on the input; it is left out")
            )
    if not outputs:
        raise SourceError(
            "nothing that leaves this network depends on its input",
            where=where,
            got=short(", ".join(importer.model.outputs)),
            needs="an output that follows from the input",
        )
    try:
        return Graph(path.stem or "network", tuple(importer.nodes), tuple(dict.fromkeys(outputs)))
    except NetworkError as error:
        raise told(error, where) from None


def _closing(importer: Importer, model: OnnxModel) -> list[Finding]:
    """What only the whole file shows, as it is written."""
    found = []
    used = {name for operation in model.operations for name in operation.reads()} | {*model.outputs}
    if unused := [name for name in model.tensors if name not in used]:
        count = f"{len(unused)} stored tensor{'s are' if len(unused) > 1 else ' is'} used by nothing"
        found.append(Finding("N932", "info", f"{count}: {_few(unused)}"))
    if model.dead:
        count = f"{model.dead} operation{'s lead' if model.dead > 1 else ' leads'} to no output; left out"
        found.append(Finding("N933", "info", count))
    if importer.merged:
        found.append(
            Finding(
                "N934",
                "info",
                f"{len(importer.merged)} tensors are stored once with others of equal numbers, as PyTorch's older"
                f" exporter does; vectors count for each name, larger ones once: {_few(list(importer.merged))}",
            )
        )
    for name in importer.flattened_in_other_order:
        message = "its numbers stand with the channels last; so do the weights of the dense layer behind it"
        found.append(Finding("N935", "info", message, where=name))
    return found


def _few(names: list[str], limit: int = 4) -> str:
    return short(", ".join(names[:limit]) + (", …" if len(names) > limit else ""), 160)
