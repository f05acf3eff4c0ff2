"""The weights that a network is linted with: a file, a run, arrays, or those that a module has itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import WeightsError
from striate.findings import Finding
from striate.lint.catalogue import other_codes
from striate.lint.fitting import Fit, TensorArrays, fit_names
from striate.units import format_count

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.lint.stored_arrays import StoredArrays

__all__ = ["fitted_weights", "own_weights", "weights_file"]

_TOLD = 5

Weights = Mapping[str, Any]


def weights_file(folder: Path) -> Path | None:
    """The weights of a run: the best ones, else the last; None where none were written yet."""
    from striate.runs import RunFolder

    run = RunFolder(folder)
    return next((path for path in (run.best_weights, run.last_weights) if path.is_file()), None)


def fitted_weights(
    graph: Graph, weights: str | Path | Weights, *, imported: bool
) -> tuple[Weights, tuple[Finding, ...]]:
    """Weights under the names of a network, and what is to be said about those that were not found.

    Args:
        graph: the network.
        weights: a safetensors file, a run folder, or arrays or torch tensors by name.
        imported: whether the network may come from a module or file with other names: then a file may have those.

    Raises:
        WeightsError: they cannot be read, or are those of another network.
    """
    if not isinstance(weights, (str, Path)):
        shapes = {name: tuple(value.shape) for name, value in weights.items() if hasattr(value, "shape")}
        fit = _fit(graph, shapes)
        if fit.wanted and len(fit.missing) == fit.wanted:
            raise _fits_nothing(graph, shapes)
        return TensorArrays(weights, fit.names), _unmatched(fit)
    arrays = _stored(Path(weights))
    names: dict[str, str] = {}
    if imported:
        fit = _fit(graph, {name: arrays.shape(name) for name in arrays})
        names = {**fit.names, **fit.differing}
        if not fit.differing and 2 * len(fit.missing) <= fit.wanted:
            return TensorArrays(arrays, fit.names), _unmatched(fit)
    from striate.lint.stored_arrays import check_fit

    check_fit(graph, arrays, names)
    return arrays, ()


def own_weights(graph: Graph, module: Any) -> tuple[Weights | None, tuple[Finding, ...]]:
    """The weights that a module has itself, read where they lie; None where it has none with numbers.

    Args:
        graph: what was imported from it.
        module: a ``torch.nn.Module``; neither moved nor changed.
    """
    tensors = {
        name: tensor
        for name, tensor in (*module.named_parameters(), *module.named_buffers())
        if tensor.device.type != "meta" and str(tensor.layout) == "torch.strided" and not tensor.is_quantized
    }
    fit = _fit(graph, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    return (TensorArrays(tensors, fit.names), _unmatched(fit)) if fit.names else (None, ())


def _stored(path: Path) -> StoredArrays:
    from striate.lint.stored_arrays import StoredArrays

    if path.is_dir():
        found = weights_file(path)
        if found is None:
            raise WeightsError("there are no weights in this folder", where=str(path), needs="a finished run")
        path = found
    return StoredArrays(path)


def _fit(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> Fit:
    """The names as they are, else without what wrappers put before each of them."""
    fit = fit_names(graph, shapes)
    if len(fit.missing) * 2 <= fit.wanted:
        return fit
    from striate.sources.checkpoint.matching import unwrapped

    prefix, inner = unwrapped(shapes)
    other = fit_names(graph, inner)
    if not prefix or len(other.missing) >= len(fit.missing):
        return fit
    names, differing = (
        {name: prefix + stored for name, stored in found.items()} for found in (other.names, other.differing)
    )
    return Fit(names, other.missing, other.wanted, differing)


def _unmatched(fit: Fit) -> tuple[Finding, ...]:
    if not fit.missing:
        return ()
    shown = ", ".join(fit.missing[:_TOLD]) + (", …" if len(fit.missing) > _TOLD else "")
    text = (
        f"the weights have nothing for {format_count(len(fit.missing))} of {format_count(fit.wanted)} trained tensors"
    )
    message = f"{text}: {shown}; rules say nothing about their values"
    return (Finding("N940", "info", message, rule=other_codes()["N940"].name),)


def _fits_nothing(graph: Graph, shapes: Mapping[str, Any]) -> WeightsError:
    shown = ", ".join(list(shapes)[:_TOLD]) or "no arrays"
    first = next((name for name, _ in graph.parameters()), "")
    return WeightsError(
        f"none of these is a weight of {graph.name}",
        where="weights",
        got=shown[:300],
        needs=f"arrays under the names and in the shapes of its trained tensors, such as {first}",
    )
