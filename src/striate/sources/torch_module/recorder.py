"""Watches a forward pass on tensors without numbers, and writes down a node for each operation.

Every call of a torch function arrives here first, with the author's own arguments. A call that a layer describes is
not computed at all: the layer says what shape leaves it. Any other is computed on the device meta, where nothing is
allocated. The module's own tensors are replaced by stand-ins on that device before anything is computed with them, so
that nothing can change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from striate.errors import SourceError
from striate.sources.torch_module.calls import Call, told_name
from striate.sources.torch_module.faults import data_dependent, mixed_images, named_input, nothing_left
from striate.sources.torch_module.functions import FACTORIES, MIXING, MOVING_KINDS, QUESTIONS, SILENT
from striate.sources.torch_module.layout import plain_layout
from striate.sources.torch_module.nodes import Nodes
from striate.sources.torch_module.operations import reader_of
from striate.sources.torch_module.places import Places
from striate.sources.torch_module.readers import arranged
from striate.sources.torch_module.tensors import READABLE, Tensors
from striate.sources.torch_module.values import Found, Place, Value, image_shape, tensors_in
from striate.sources.torch_module.watching import watch
from striate.units import Shape

__all__ = ["Recorder"]

#: Questions whose answer lies in the tensor's own memory.
_SHARING = ("numpy", "__array__", "__dlpack__")
#: How the names of calls begin whose numbers nobody knows.
_RANDOM = ("rand", "normal", "bernoulli", "empty", "uniform", "exponential", "multinomial", "dropout")


class Recorder(TorchFunctionMode):
    """The mode under which a forward pass is run.

    Args:
        parameters: the module's parameters by their full names.
        others: its buffers, and tensors that are attributes.
        batch: how many images the pass runs with.
        places: says where a call comes from.
    """

    def __init__(self, parameters: Mapping[str, Tensor], others: Iterable[Tensor], batch: int, places: Places) -> None:
        super().__init__()
        self.batch = batch
        self.nodes = Nodes({name: tuple(entry.shape) for name, entry in parameters.items()})
        self._tensors = Tensors(parameters, others, batch, self.nodes, places)
        self._places = places
        #: The module, by its path, whose forward made the last call.
        self.calling = ""
        #: Nodes that took the images of a batch together with an axis, with the error for a result of that kind.
        self.mixing: dict[int, SourceError] = {}

    def enter(self, shape: Shape, node: int, dtype: torch.dtype) -> Tensor:
        """The tensor that stands for a batch of images."""
        tensor = torch.empty((self.batch, *shape), dtype=dtype, device="meta")
        self._tensors.register(Value(tensor, node, plain_layout(shape)))
        return tensor

    def place(self) -> Place:
        """Where the call that is being recorded was made."""
        return self._places.current()

    def value_of(self, tensor: Tensor) -> Value:
        """What is known of a tensor."""
        return self._tensors.of(tensor)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """One call."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in SILENT:
            return func(*args, **kwargs)
        if name == "__get__":
            return self._attribute(func, args)
        if name in FACTORIES:
            return self._made(func, args, kwargs)
        call = Call(func, name, args, kwargs, self)
        if not call.values:
            return func(*args, **kwargs)
        if not call.depends:
            return self._constant(call)
        if call.name in QUESTIONS:
            raise data_dependent(call.name, self._places.here())
        if call.name == "__getitem__" and isinstance(args[1], str):
            raise named_input(args[1], self._places.here())
        self.nodes.refusal = None
        self.calling = self._places.path
        if reader := reader_of(call.name):
            out = reader(call)
            out = self.made(call, out) if isinstance(out, Found) else out
            if out is not None:
                return out
        return self._computed(call)

    def made(self, call: Call, found: Found, view: Tensor | None = None) -> Tensor | None:
        """The tensor that leaves a new node (``view``, where that is part of another); None where no rule fits."""
        whole = all(value.node is None or value.tensor.is_floating_point() for value in call.values)
        if not (whole or found.layer.kind in MOVING_KINDS):
            # Torch alone knows which of its functions take whole numbers.
            return None
        node = self.nodes.add(found, told_name(call.func), self._places.current())
        return None if node is None else self._result(call, node, found, view)

    def _result(self, call: Call, node: int, found: Found, view: Tensor | None) -> Tensor:
        """The tensor of a node that a layer gives, without computing anything."""
        layout = plain_layout(self.nodes.shape(node)) if found.layout is None else found.layout
        if call.in_place and call.values[0].node is not None and layout.shape == call.values[0].tensor.shape[1:]:
            return self._tensors.written(call.values[0], node, layout)
        if view is not None and tuple(view.shape[1:]) == layout.shape:
            return self._tensors.register(Value(view, node, layout))
        like = next(value for value in call.values if value.node is not None)
        tensor = torch.empty((self.batch, *layout.shape), dtype=like.tensor.dtype, device="meta")
        return self._tensors.register(Value(tensor, node, layout, operation="permute"))

    def view(self, call: Call, tensor: Tensor, layout: Any) -> Tensor:
        """A tensor with the numbers of the call's first value, in another arrangement."""
        first = call.values[0]
        if tensor is first.tensor:
            tensor = tensor.detach()
        place = self._places.current()
        value = Value(tensor, first.node, layout, place=place, operation=told_name(call.func), stale=list(first.stale))
        return self._tensors.register(value)

    def run(self, call: Call) -> Any:
        """Compute a call on the device meta."""
        return call.func(*call.tensors(call.args), **call.tensors(call.kwargs))

    def _computed(self, call: Call) -> Any:
        """A call that no layer describes: what comes out is what torch says, and the node is opaque."""
        seen, result = watch(lambda: self.run(call))
        outputs = tensors_in(result)
        if call.name == "__setitem__":
            outputs = [call.values[0].tensor]
        if not outputs:
            return result
        place, told = self._places.current(), told_name(call.func)
        if seen.nature == "pointwise" and len(outputs) == 1:
            kept = self._number_by_number(call, outputs[0], told)
            if kept is not None:
                return kept
        inputs = tuple(dict.fromkeys(self.nodes.plain(value) for value in call.values if value.node is not None))
        weights = frozenset(name for value in call.values for name in value.weights)
        replaced: dict[int, Tensor] = {}
        for number, tensor in enumerate(outputs):
            shape, regular, batched = image_shape(tuple(tensor.shape), self.batch)
            if 0 in shape:
                raise nothing_left(told, shape, self._places.here())
            if not batched and call.name in MIXING:
                raise mixed_images(told, tuple(tensor.shape), self.batch, self._places.here())
            cost = seen.macs if number == 0 or seen.macs is None else 0
            if sum(size % self.batch == 0 for size in tensor.shape if size) > 1:
                raise mixed_images(told, tuple(tensor.shape), self.batch, self._places.here())
            # Where the images are summed up, there is no cost of a single one.
            cost = None if cost is None or (cost and not batched) else cost // self.batch
            pointwise = seen.nature == "pointwise" and all(len(self.nodes.shape(i)) == len(shape) for i in inputs)
            nature = "unknown" if seen.nature == "pointwise" and not pointwise else seen.nature
            node = self.nodes.opaque(told, shape, inputs, place, weights if number == 0 else frozenset(), cost, nature)
            layout = plain_layout(shape) if regular else None
            if call.name in MIXING and tensor.shape[0] % self.batch == 0 and tensor.shape[0] != self.batch:
                self.mixing[node] = mixed_images(told, tuple(tensor.shape), self.batch, self._places.here())
            known = self._tensors.known(tensor)
            if known is not None and call.writes:
                self._tensors.written(known, node, layout)
                continue
            if known is not None:
                replaced[id(tensor)] = tensor.detach()
            self._tensors.register(Value(replaced.get(id(tensor), tensor), node, layout))
        return _swapped(result, replaced) if replaced else result

    def _number_by_number(self, call: Call, output: Tensor, told: str) -> Tensor | None:
        """Where all that arrives lies in one and the same other order, what leaves does too, and nothing is moved."""
        values = [value for value in call.values if value.node is not None]
        layout = arranged(values[0])
        if layout is None or call.in_place or tuple(output.shape[1:]) != layout.shape:
            return None
        if any(value.layout != layout or value.stale for value in values):
            return None
        inputs = tuple(dict.fromkeys(value.node for value in values if value.node is not None))
        if len({self.nodes.shape(node) for node in inputs}) != 1:
            return None
        weights = frozenset(name for value in call.values for name in value.weights)
        place, shape = self._places.current(), self.nodes.shape(inputs[0])
        node = self.nodes.opaque(told, shape, inputs, place, weights, 0, "pointwise")
        return self._tensors.register(Value(output, node, layout))

    def _constant(self, call: Call) -> Any:
        """A call that the inputs do not reach: computed with numbers where they are few and may be read."""
        if call.name in QUESTIONS:
            if any(value.tensor.is_meta and value.real is None and value.parameter is None for value in call.values):
                raise data_dependent(call.name, self._places.here(), constant=True)
            given = call.originals(call.args)
            if call.name in _SHARING:
                given = tuple(entry.clone() if isinstance(entry, Tensor) else entry for entry in given)
            return call.func(*given, **call.originals(call.kwargs))
        result = self.run(call)
        weights = frozenset(name for value in call.values for name in value.weights)
        outputs = tensors_in(result)
        if call.name == "__setitem__":
            outputs = [call.values[0].tensor]
        numbers = None
        random = call.name.startswith(_RANDOM)
        readable = not random and all(value.real is not None for value in call.values)
        if readable and all(tensor.numel() <= READABLE for tensor in outputs):
            numbers = tensors_in(call.func(*call.originals(call.args), **call.originals(call.kwargs)))
        for index, tensor in enumerate(outputs):
            known = self._tensors.known(tensor)
            if known is not None and call.writes:
                self._tensors.overwritten(known, weights, numbers is not None)
            elif known is not None:
                known.weights |= weights
            else:
                real = numbers[index] if numbers is not None else None
                self._tensors.register(Value(tensor, weights=weights, real=real))
        return result

    def _attribute(self, func: Any, args: tuple[Any, ...]) -> Any:
        """``x.shape``, ``x.T``, ``x.data``: what is a tensor is a call like any other."""
        name = getattr(func.__self__, "__name__", "")
        if name in ("T", "mT", "H", "mH", "data", "real", "imag"):
            call = Call(func, name, args, {}, self)
            return self._constant(call) if not call.depends else self._viewed(call)
        return func(*args)

    def _viewed(self, call: Call) -> Any:
        reader = reader_of(call.name)
        out = reader(call) if reader else None
        return out if isinstance(out, Tensor) else self._computed(call)

    def _made(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A new tensor: without numbers, unless it has few."""
        call = Call(func, getattr(func, "__name__", ""), args, kwargs, self)
        if call.depends and call.name in ("tensor", "as_tensor"):
            raise data_dependent(call.name, self._places.here())
        options = {key: value for key, value in call.tensors(kwargs).items() if key not in ("generator", "pin_memory")}
        if call.name == "from_numpy":
            return func(*args)
        if not call.name.startswith("as_tensor") or args:
            options["device"] = "meta"
        out = func(*call.tensors(args), **options)
        real = None
        random = call.name.startswith(_RANDOM)
        if out.numel() <= READABLE and not random and not call.depends and all(v.real is not None for v in call.values):
            real = func(*call.originals(args), **call.originals(kwargs))
        zero = call.name in ("zeros", "zeros_like", "new_zeros")
        self._tensors.register(Value(out, real=real, zero=zero))
        return out


def _swapped(tree: Any, replaced: Mapping[int, Tensor]) -> Any:
    if isinstance(tree, Tensor):
        return replaced.get(id(tree), tree)
    if isinstance(tree, (list, tuple)) and type(tree) in (list, tuple):
        return type(tree)(_swapped(entry, replaced) for entry in tree)
    return tree
