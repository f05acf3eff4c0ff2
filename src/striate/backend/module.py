"""Graph → torch.nn.Module, node by node, through torch.fx."""

from __future__ import annotations

import torch
from torch import fx, nn

from striate.backend.initialization import initialize
from striate.backend.names import check_known, check_names, variable_name
from striate.backend.operations import operation_of
from striate.backend.sharing import share_tensors
from striate.graph import Graph, Node
from striate.graph.layers.input import Input

__all__ = ["build_module"]


def build_module(graph: Graph, *, device: torch.device | str = "cpu", seed: int | None = 0) -> fx.GraphModule:
    """The network as a PyTorch module.

    It takes one float tensor ``(batch, channels, *spatial)`` for each input of the graph, in order, and returns a
    tensor, or a tuple of them when the graph has several outputs. Every node but the inputs is a submodule under the
    node's name (``module.get_submodule("layer1.0.conv1")``; dots nest), so its parameters are ``<node>.<name>`` in the
    state dict. The parameters are float32. ``named_parameters()`` follows the nesting: nodes under one prefix stand
    together there. Nodes that share tensors hold the same ones, each under its name. In ``module.graph`` the inputs
    come first, then the nodes in the graph's order; each carries its node's name in ``meta["node"]``. The global random
    state is neither used nor changed.

    Args:
        graph: the network.
        device: where the parameters live; ``meta`` gives a module with shapes and no numbers.
        seed: for :func:`striate.backend.initialize` with the scheme ``auto``; None leaves every weight 0, for callers
            that load or initialise the weights themselves.

    Raises:
        NetworkError: when a node's name cannot be a module's, or PyTorch code for a layer is unknown.

    >>> from striate.graph import network
    >>> module = build_module(network("tiny", (1, 8, 8)).conv(4, 3, name="stem").relu().flatten().dense(2).build())
    >>> [name for name, _ in module.named_parameters()]
    ['stem.weight', 'stem.bias', 'dense1.weight', 'dense1.bias']
    >>> module(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 2])
    """
    check_known(graph)
    check_names(graph)
    root = nn.Module()
    # Tensors without numbers first: the constructors of torch would draw theirs from the global random state.
    with torch.device("meta"):
        for node in graph.nodes:
            if not isinstance(node.layer, Input):
                _nest(root, node.name, operation_of(node.layer).build(node.layer, graph.input_shapes(node)))
    module = fx.GraphModule(root, _wire(graph)).to(dtype=torch.float32)
    device = torch.device(device)
    if device.type == "meta":
        share_tensors(module, graph)
        return module
    module = module.to_empty(device=device)
    # Only now: moving a module from the device meta would give each place a tensor of its own again.
    share_tensors(module, graph)
    if seed is None:
        initialize(module, graph, "zero")
    else:
        initialize(module, graph, seed=seed)
    return module


def _nest(root: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module under a dotted name, with empty modules in between; it takes over what stands there already."""
    *parents, last = name.split(".")
    place = root
    for part in parents:
        if part not in place._modules:
            place.add_module(part, nn.Module())
        place = place.get_submodule(part)
    for part, inner in place.get_submodule(last).named_children() if last in place._modules else ():
        module.add_module(part, inner)
    place.add_module(last, module)


def _wire(graph: Graph) -> fx.Graph:
    """The calls, in the order of the nodes."""
    wired = fx.Graph()
    values: dict[str, fx.Node] = {}
    arguments: set[str] = set()
    for node in graph.inputs:
        values[node.name] = _placeholder(wired, node, arguments)
    for node in graph.nodes:
        if isinstance(node.layer, Input):
            continue
        inputs = tuple(values[name] for name in node.inputs)
        value = wired.create_node("call_module", node.name, inputs, name=variable_name(node.name))
        value.meta["node"] = node.name
        values[node.name] = value
    outputs = tuple(values[name] for name in graph.outputs)
    wired.output(outputs[0] if len(outputs) == 1 else outputs)
    wired.lint()
    return wired


def _placeholder(wired: fx.Graph, node: Node, arguments: set[str]) -> fx.Node:
    """An input: its target is the argument's name, which must be free even where fx renames the variable."""
    argument = variable_name(node.name)
    while argument in arguments:
        argument += "_"
    arguments.add(argument)
    value = wired.create_node("placeholder", argument, name=argument)
    value.meta["node"] = node.name
    return value
