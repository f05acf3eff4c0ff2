"""Plain PyTorch versions of the zoo's networks, imported: the numbers of the native ones, and of torch's counter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from striate import zoo
from striate.analysis import inspect
from striate.analysis.report import NodeReport
from striate.sources.torch_module import import_module
from zoo_networks import (
    test_alexnet,
    test_c3d,
    test_conv_autoencoder,
    test_convnext,
    test_dcgan,
    test_deeplab,
    test_densenet,
    test_efficientnet,
    test_fcn,
    test_googlenet,
    test_inception_v3,
    test_mobilenet_v1,
    test_mobilenet_v2,
    test_mobilenet_v3,
    test_nin,
    test_resnet,
    test_resnet_cifar,
    test_shufflenet_v1,
    test_shufflenet_v2,
    test_squeezenet,
    test_super_resolution,
    test_unet,
    test_vgg,
    test_wavenet,
    test_yolo,
)

Make = Callable[[], nn.Module]


def sized(oracle: Callable[[int, int], nn.Module], name: str) -> Make:
    entry = zoo.find(name)
    assert entry is not None
    return lambda: oracle(entry.input[0], entry.classes or 0)


PLAIN: dict[str, Make] = {
    "alexnet": sized(test_alexnet.AlexNet, "alexnet"),
    "c3d": lambda: test_c3d.C3D(3, 487, test_c3d.WIDTHS, 4096, 16),
    "conv_autoencoder": sized(test_conv_autoencoder.Autoencoder, "conv_autoencoder"),
    "convnext_tiny": test_convnext.ConvNeXtTiny,
    "dcgan_generator": sized(test_dcgan.Generator, "dcgan_generator"),
    "dcgan_discriminator": sized(test_dcgan.Discriminator, "dcgan_discriminator"),
    "deeplab_v3": lambda: test_deeplab.DeepLabV3((3, 4, 6, 3)),
    "densenet121": sized(test_densenet.DenseNet121, "densenet121"),
    "efficientnet_b0": lambda: test_efficientnet.EfficientNet(0),
    "fcn8s": test_fcn.FCN8s,
    "googlenet": sized(test_googlenet.GoogLeNet, "googlenet"),
    "inception_v3": sized(test_inception_v3.Inception3, "inception_v3"),
    "mobilenet_v1": test_mobilenet_v1.MobileNet,
    "mobilenet_v2": test_mobilenet_v2.MobileNetV2,
    "mobilenet_v3_large": test_mobilenet_v3.Large,
    "nin": sized(test_nin.ImageNet, "nin"),
    **{name: sized(test_resnet.ORACLES[name], name) for name in ("resnet18", "resnet152", "resnext50_32x4d")},
    "resnet20": sized(partial(test_resnet_cifar.ResNet, n=3), "resnet20"),
    "resnet20_a": sized(partial(test_resnet_cifar.ResNet, n=3, option="A"), "resnet20_a"),
    "shufflenet_v1": test_shufflenet_v1.ShuffleNetV1,
    "shufflenet_v2_x1_0": lambda: test_shufflenet_v2.ShuffleNetV2(test_shufflenet_v2.WIDTHS["1_0"]),
    "squeezenet1_1": sized(partial(test_squeezenet.SqueezeNet, version="1_1"), "squeezenet1_1"),
    "espcn": sized(test_super_resolution.ESPCN, "espcn"),
    "srcnn": sized(test_super_resolution.SRCNN, "srcnn"),
    "unet": test_unet.UNet,
    "unet_same": test_unet.PaddedUNet,
    "vgg16_bn": sized(partial(test_vgg.VGG, name="vgg16_bn"), "vgg16_bn"),
    "wavenet": sized(test_wavenet.WaveNet, "wavenet"),
    "yolov3": sized(test_yolo.YOLOv3, "yolov3"),
}


def weighted(nodes: tuple[NodeReport, ...]) -> list[tuple[str, tuple[int, ...], int, int, object]]:
    """What is known of each node with multiply-adds, in an order that does not depend on the order of branches."""
    found = [(node.kind, node.shape, node.parameters, node.macs, str(node.field)) for node in nodes if node.macs]
    return sorted(found)


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_version_has_the_numbers_of_the_native_one(name: str) -> None:
    native = zoo.build(name)
    with torch.device("meta"):
        module = PLAIN[name]()
    imported = import_module(module, native.input_shape)
    ours, theirs = inspect(imported), inspect(native)
    assert ours.uncounted == ()
    # It pads with -infinity before it pools, which no layer holds.
    opaque = ["pad1"] if name == "conv_autoencoder" else []
    assert [node.name for node in imported.nodes if node.layer.kind == "opaque"] == opaque
    assert (ours.parameters, ours.macs, ours.output) == (theirs.parameters, theirs.macs, theirs.output)
    assert weighted(ours.nodes) == weighted(theirs.nodes)
    assert ours.parameters == sum(entry.numel() for entry in module.parameters())


@pytest.mark.parametrize("name", PLAIN)
def test_multiply_adds_are_half_of_torchs_operations(name: str) -> None:
    shape = zoo.build(name).input_shape
    with torch.device("meta"):
        module = PLAIN[name]().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, *shape, device="meta"))
    assert 2 * inspect(import_module(module, shape)).macs == counter.get_total_flops()
