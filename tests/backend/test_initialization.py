"""First weights: their distribution against the closed forms, and what they are for: signals that keep their size."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from properties.running import node_values
from striate import zoo
from striate.backend import SCHEMES, Scheme, build_module, initialize
from striate.backend.following import following_activation
from striate.backend.operations import operation_of
from striate.backend.registry import Fans
from striate.backend.schemes import DESCRIPTIONS
from striate.errors import UsageError
from striate.graph import Chain, Graph, network


def weights(graph: Graph, scheme: Scheme, name: str, seed: int = 0, **arguments: float) -> Tensor:
    module = build_module(graph, seed=None)
    initialize(module, graph, scheme, seed, **arguments)  # type: ignore[arg-type]
    return module.get_parameter(name).detach()


def dense_net(inputs: int = 400, units: int = 300, activation: str | None = None) -> Graph:
    x = network("dense", (inputs, 1)).flatten().dense(units, name="fc")
    return (x if activation is None else getattr(x, activation)()).build()


def assert_normal(values: Tensor, deviation: float) -> None:
    """Mean, deviation and fourth moment of a normal distribution, each within five standard errors."""
    count = values.numel()
    assert abs(float(values.mean())) < 5 * deviation / math.sqrt(count)
    assert float(values.std()) == pytest.approx(deviation, rel=5 / math.sqrt(2 * count))
    assert float((values / deviation).pow(4).mean()) == pytest.approx(3, abs=5 * math.sqrt(96 / count))


def assert_uniform(values: Tensor, bound: float) -> None:
    count = values.numel()
    assert float(values.abs().max()) <= bound
    assert float(values.abs().max()) > 0.99 * bound
    assert abs(float(values.mean())) < 5 * bound / math.sqrt(3 * count)
    assert float(values.var()) == pytest.approx(bound**2 / 3, rel=5 * math.sqrt(0.8 / count))


def test_he_is_normal_with_equation_10() -> None:
    assert_normal(weights(dense_net(activation="relu"), "he", "fc.weight"), math.sqrt(2 / 400))
    net = network("conv", (16, 8, 8)).conv(64, (3, 5)).relu().build()
    assert_normal(weights(net, "he", "conv1.weight"), math.sqrt(2 / (16 * 15)))


def test_he_before_a_leaky_relu_is_equation_15() -> None:
    net = network("leaky", (400, 1)).flatten().dense(300).leakyrelu(0.5).build()
    assert_normal(weights(net, "he", "dense1.weight"), math.sqrt(2 / 1.25 / 400))


def test_xavier_is_uniform_with_equation_16() -> None:
    assert_uniform(weights(dense_net(activation="tanh"), "xavier", "fc.weight"), math.sqrt(6 / 700))


def test_normal_and_uniform() -> None:
    assert_normal(weights(dense_net(), "normal", "fc.weight"), 0.01)
    assert_normal(weights(dense_net(), "normal", "fc.weight", std=0.3), 0.3)
    assert_uniform(weights(dense_net(), "uniform", "fc.weight"), 1 / 20)
    assert_uniform(weights(dense_net(), "uniform", "fc.weight", gain=3.0), 3 / 20)


@pytest.mark.parametrize("cls", [torch.nn.Linear, torch.nn.Conv2d])
def test_uniform_is_what_torchs_layers_draw(cls: type) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if cls is torch.nn.Linear:
            assert_uniform(torch.nn.Linear(400, 300).weight.detach(), 1 / 20)
        else:
            assert_uniform(torch.nn.Conv2d(16, 300, 5).weight.detach(), 1 / 20)


def test_a_gain_replaces_the_schemes_own() -> None:
    net = dense_net(activation="relu")
    assert_normal(weights(net, "he", "fc.weight", gain=0.5), 0.5 / 20)
    assert_normal(weights(net, "auto", "fc.weight", gain=0.5), 0.5 / 20)
    assert_uniform(weights(net, "xavier", "fc.weight", gain=0.5), 0.5 * math.sqrt(6 / 700))


def test_orthogonal_rows_or_columns() -> None:
    wide = weights(dense_net(60, 20), "orthogonal", "fc.weight")
    torch.testing.assert_close(wide @ wide.T, torch.eye(20), atol=1e-5, rtol=0)
    tall = weights(dense_net(20, 60, "relu"), "orthogonal", "fc.weight")
    torch.testing.assert_close(tall.T @ tall, 2 * torch.eye(20), atol=1e-5, rtol=0)


def test_orthogonal_groups_are_matrices_of_their_own() -> None:
    net = network("grouped", (8, 9, 9)).conv(6, 3, groups=2).build()
    for block in weights(net, "orthogonal", "conv1.weight").flatten(1).chunk(2):
        torch.testing.assert_close(block @ block.T, torch.eye(3), atol=1e-5, rtol=0)


def test_zero() -> None:
    assert bool((weights(dense_net(), "zero", "fc.weight") == 0).all())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_everything_but_weights_starts_at_its_constant(scheme: Scheme) -> None:
    net = network("all", (4, 6, 6)).conv(4, 3).batchnorm().groupnorm(2).layernorm().relu().flatten().dense(3).build()
    module = build_module(net)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.fill_(7)
    initialize(module, net, scheme)
    for name, parameter in net.parameters():
        if parameter.role != "weight":
            assert bool((module.get_parameter(name) == (1 if parameter.role == "scale" else 0)).all()), name
    norm = module.get_submodule("batchnorm1")
    assert norm.running_mean.eq(0).all()
    assert norm.running_var.eq(1).all()
    assert norm.num_batches_tracked == 0


def test_auto_chooses_by_the_activation_that_follows() -> None:
    x = network("mixed", (200, 4)).conv(200, 1, name="bent").batchnorm().dropout(0.1).maxpool(2).silu()
    x = x.conv(200, 1, name="squashed").tanh().flatten()
    net = x.dense(300, name="last").build()
    assert_normal(weights(net, "auto", "bent.weight"), math.sqrt(2 / 200))
    assert_uniform(weights(net, "auto", "squashed.weight"), math.sqrt(6 / 400))
    assert_uniform(weights(net, "auto", "last.weight"), math.sqrt(6 / 700))


def classifier(inputs: int = 400, classes: int = 300) -> Chain:
    return network("classifier", (inputs, 2), classes)


@pytest.mark.parametrize(
    "net",
    [
        classifier(200).flatten().dense(300, name="last").build(),
        classifier(200).flatten().dense(300, name="last").dropout(0.5).softmax().build(),
        classifier(200).flatten().dense(300, name="last").sigmoid().build(),
        classifier(400).conv(300, 1, name="last").relu().globalavgpool().build(),
        classifier(400).conv(300, 1, name="last").avgpool(2).flatten().build(),
    ],
    ids=["dense", "softmax", "sigmoid", "SqueezeNet", "average pooling"],
)
def test_auto_begins_with_small_logits(net: Graph) -> None:
    assert_normal(weights(net, "auto", "last.weight"), 0.1 / 20)
    assert_normal(weights(net, "auto", "last.weight", gain=0.5), 0.5 / 20)
    # Only this scheme: the others are what their papers say.
    assert float(weights(net, "xavier", "last.weight").abs().max()) > 0.99 * math.sqrt(6 / 700)


@pytest.mark.parametrize(
    "net",
    [
        network("no classes", (200, 2)).flatten().dense(300, name="last").build(),
        classifier(200).flatten().dense(300, name="last").batchnorm().build(),
        classifier(200).flatten().dense(300, name="last").rescale(1 / 9).build(),
        classifier(200).flatten().dense(300, name="last").tanh().build(),
        classifier(200, 10).flatten().dense(300, name="last").build(),
        classifier(400).conv(300, 1, name="last").build(),
    ],
    ids=["no classes", "normalised", "scaled by the network", "tanh", "another width", "a map for each class"],
)
def test_auto_leaves_other_last_layers_as_they_were(net: Graph) -> None:
    values = weights(net, "auto", "last.weight")
    assert_uniform(values, math.sqrt(6 / 700))
    assert torch.equal(values, weights(net, "xavier", "last.weight"))


@pytest.mark.parametrize("name", ["simple-cnn", "resnet20", "squeezenet1_1", "mobilenet_v3_small", "vgg11"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_classifiers_first_loss_is_that_of_even_chances(name: str, seed: int) -> None:
    net = zoo.build(name, (3, 32, 32), 10)
    module = build_module(net, seed=seed).train()
    for node in net.nodes:
        if node.layer.kind == "dropout":
            module.get_submodule(node.name).eval()
    digits = load_digits()
    images = torch.tensor(digits.images[:32], dtype=torch.float32)[:, None].expand(-1, 3, -1, -1)
    images = torch.nn.functional.interpolate((images - images.mean()) / images.std(), size=(32, 32), mode="bilinear")
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(module(images), torch.tensor(digits.target[:32]))
    assert float(loss) == pytest.approx(math.log(10), rel=0.05)


def test_the_layers_before_the_logits_learn_from_the_first_step() -> None:
    module = build_module(zoo.build("simple-cnn", (1, 8, 8), 10), seed=0)
    images = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.nn.functional.cross_entropy(module(images), torch.arange(16) % 10).backward()
    assert all(float(parameter.grad.norm()) > 1e-3 for name, parameter in module.named_parameters() if "weight" in name)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (lambda x: x.relu(), "relu"),
        (lambda x: x.batchnorm().relu(), "relu"),
        (lambda x: x.avgpool(2).flatten().sigmoid(), "sigmoid"),
        (lambda x: x.leakyrelu(), "leaky_relu"),
        (lambda x: x.gelu(), "relu"),
        (lambda x: x.softmax(), None),
        (lambda x: x.softmax().relu(), None),
        (lambda x: x.conv(4, 1, name="next").relu(), None),
        (lambda x: x.flatten().dense(2).relu(), None),
        (lambda x: x, None),
        (lambda x: x.add(x.conv(4, 1).tanh()).relu(), "relu"),
        (lambda x: x.multiply(x.globalavgpool(keep=True).conv(4, 1).sigmoid()).tanh(), "tanh"),
        (lambda x: x.multiply(x.sigmoid()).relu(), "sigmoid"),
        (lambda x: x.identity().upsample(2).concat(x.upsample(2)).tanh(), "tanh"),
    ],
)
def test_the_activation_that_follows(chain: object, expected: str | None) -> None:
    start = network("follow", (4, 8, 8)).conv(4, 1, name="conv")
    assert callable(chain)
    end = chain(start)
    assert isinstance(end, Chain)
    activation = following_activation(end.build(), "conv")
    assert (activation.nonlinearity if activation else None) == expected


def fans_of(graph: Graph, node: str) -> Fans:
    layer = graph[node].layer
    return operation_of(layer).fans(layer, layer.parameters(graph.input_shapes(graph[node]))[0].shape)


@pytest.mark.parametrize(
    ("channels", "attributes", "expected"),
    [
        (6, {"filters": 4, "kernel": (3, 5)}, Fans(6 * 15, 4 * 15, 1)),
        (6, {"filters": 4, "kernel": 3, "groups": 2}, Fans(3 * 9, 2 * 9, 2)),
        (6, {"filters": 12, "kernel": 3, "groups": 6}, Fans(9, 2 * 9, 6)),
    ],
)
def test_fans_of_convolutions(channels: int, attributes: dict[str, object], expected: Fans) -> None:
    assert fans_of(network("fans", (channels, 9, 9)).conv(**attributes).build(), "conv1") == expected


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("groups", [1, 2])
def test_fans_of_transposed_convolutions_by_counting(groups: int, kernel: int, stride: int, dilation: int) -> None:
    net = network("fans", (4, 60)).convtranspose(6, kernel, stride=stride, dilation=dilation, groups=groups).build()
    module = build_module(net, seed=None)
    with torch.no_grad():
        module.get_parameter("convtranspose1.weight").fill_(1)
    # With weights and inputs of 1 an output counts the numbers it sums; whole periods far from the edges.
    summed = module(torch.ones(1, 4, 60)).detach()[0, 0, 12 * stride : 36 * stride]
    inward = summed[summed > 0].mean()
    assert fans_of(net, "convtranspose1") == Fans(pytest.approx(float(inward)), 6 // groups * kernel, groups)


def test_the_size_of_a_signal_is_kept_through_thirty_relus_by_he_and_lost_without() -> None:
    x = network("deep", (256, 1)).flatten()
    for _ in range(30):
        x = x.dense(256, bias=False).relu()
    net = x.build()
    signal = torch.randn(64, 256, 1, generator=torch.Generator().manual_seed(1))

    def last_mean_square(scheme: Scheme) -> float:
        module = build_module(net, seed=None)
        initialize(module, net, scheme)
        with torch.no_grad():
            return float(module(signal).square().mean())

    # He et al. 2015, section 2.2: E[x²] after each ReLU stays that of the input, 1; without the √2 it halves each time.
    assert 0.2 < last_mean_square("he") < 5
    assert last_mean_square("auto") == last_mean_square("he")
    assert last_mean_square("xavier") < 1e-7


def test_variance_is_kept_through_convolutions_of_any_kind() -> None:
    x = network("convs", (32, 24, 24)).conv(64, 3, padding=1, padding_mode="circular").relu()
    x = (
        x.conv(64, 3, padding=1, padding_mode="circular", groups=4)
        .relu()
        .convtranspose(64, 4, stride=2, padding=1)
        .relu()
    )
    net = x.conv(64, 5, padding=2, padding_mode="circular", dilation=1).relu().build()
    module = build_module(net, seed=5)
    values = node_values(module, torch.randn(8, 32, 24, 24, generator=torch.Generator().manual_seed(1)))
    for node in net.nodes:
        if node.layer.kind == "relu":
            assert float(values[node.name].detach().square().mean()) == pytest.approx(1, rel=0.35)


def test_xavier_keeps_a_small_signal_through_tanh() -> None:
    x = network("deep", (256, 1)).flatten()
    for _ in range(10):
        x = x.dense(256, bias=False).tanh()
    net = x.build()
    module = build_module(net, seed=0)
    signal = 0.01 * torch.randn(64, 256, 1, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ratio = float(module(signal).var() / signal.var())
    # Near 0 tanh is the identity, and fan_in = fan_out = 256 makes the variance of a weight 1/256.
    assert ratio == pytest.approx(1, rel=0.35)


def test_a_weight_depends_on_its_seed_and_name_alone() -> None:
    short = network("short", (3, 8, 8)).conv(4, 3, name="stem").relu().build()
    long = network("long", (3, 8, 8)).conv(4, 3, name="stem").relu().conv(4, 3, name="next").relu().build()
    renamed = network("renamed", (3, 8, 8)).conv(4, 3, name="other").relu().build()
    stem = weights(short, "he", "stem.weight")
    assert torch.equal(stem, weights(long, "he", "stem.weight"))
    assert not torch.equal(stem, weights(renamed, "he", "other.weight"))
    assert not torch.equal(stem, weights(short, "he", "stem.weight", seed=1))
    assert torch.equal(weights(short, "he", "stem.weight", seed=-5), weights(short, "he", "stem.weight", seed=-5))


def test_equal_layers_start_differently() -> None:
    net = network("twins", (8, 8, 8)).conv(8, 3, name="a").relu().conv(8, 3, name="b").relu().build()
    module = build_module(net)
    assert not torch.equal(module.get_parameter("a.weight"), module.get_parameter("b.weight"))


def test_the_same_in_any_dtype_and_without_touching_the_global_state(small: Graph) -> None:
    module = build_module(small)
    double = build_module(small, seed=None).double()
    before = torch.get_rng_state()
    initialize(double, small)
    assert torch.equal(torch.get_rng_state(), before)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, double.state_dict()[name].to(tensor.dtype)), name
    assert double.training
    assert all(parameter.requires_grad for parameter in double.parameters())


def test_every_scheme_is_described() -> None:
    assert tuple(DESCRIPTIONS) == SCHEMES


@pytest.mark.parametrize(
    ("arguments", "problem", "write"),
    [
        ({"scheme": "hee"}, "there is no initialisation 'hee'", "he"),
        ({"scheme": "zero", "gain": 2.0}, "the initialisation 'zero' has no gain", "scheme='zero' alone"),
        ({"scheme": "normal", "gain": 2.0}, "the initialisation 'normal' has no gain", "scheme='normal' alone"),
        ({"scheme": "he", "std": 2.0}, "the initialisation 'he' has no std", "scheme='normal', or gain="),
        ({"gain": math.nan}, "gain must be a finite number of at least 0", "gain=1.0"),
        ({"scheme": "normal", "std": -1.0}, "std must be a finite number of at least 0", "std=1.0"),
        ({"seed": 0.5}, "the seed of an initialisation is a whole number", "seed=0"),
    ],
)
def test_arguments_that_do_nothing_or_harm_are_refused(
    small: Graph, arguments: dict[str, object], problem: str, write: str
) -> None:
    module = build_module(small, seed=None)
    with pytest.raises(UsageError) as caught:
        initialize(module, small, **arguments)  # type: ignore[arg-type]
    assert (caught.value.problem, caught.value.write) == (problem, write)


def test_another_networks_module_is_refused(small: Graph) -> None:
    other = dense_net()
    with pytest.raises(UsageError, match="this module was not built from the network small") as caught:
        initialize(build_module(other), small)
    assert caught.value.got == "no tensor conv1.weight"
    smaller = dense_net(inputs=399)
    with pytest.raises(UsageError) as caught:
        initialize(build_module(smaller), other)
    assert (caught.value.got, caught.value.needs) == ("fc.weight of 300×399", "fc.weight of 300×400")
    with pytest.raises(UsageError, match="'meta' has no numbers"):
        initialize(build_module(other, device="meta"), other)
