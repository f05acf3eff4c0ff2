"""Time the training of a network on this machine, in each arithmetic and memory order, beside what it could do.

Examples:
  striate bench
  striate bench resnet18 --input 3x64x64 --batch 32
  striate bench mnist-cnn --precision fp32 --threads 1 --json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, read_count, read_shape

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``NET``, ``--input``, ``--classes``, ``--batch``, ``--threads``, ``--device``, ``--precision``,
    ``--compile``, ``--json``."""
    parser.words.add_argument(
        "net",
        metavar="NET",
        nargs="?",
        default="mnist-cnn",
        help="a zoo name, a YAML file, a run folder, model.py:Net or inline text [mnist-cnn]",
    )
    group = parser.options
    group.add_argument("--input", metavar="SHAPE", help="another input shape, channels first, such as 3x64x48")
    group.add_argument("--classes", metavar="N", help="another number of classes")
    group.add_argument("--batch", metavar="N", help="images in a step [64]")
    group.add_argument("--device", default="auto", metavar="DEVICE", help="cpu, cuda, cuda:N or mps [cuda or cpu]")
    group.add_argument("--threads", metavar="N", help="processor threads [all]")
    group.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default="auto",
        metavar="auto|fp32|bf16",
        help="arithmetic [auto]",
    )
    group.add_argument("--compile", action="store_true", help="try torch.compile too, which takes a minute")
    add_json(parser)


def command(options: Namespace) -> None:
    """The table of settings."""
    import striate as st
    from striate.cli.interrupts import begin_work
    from striate.cli.output import show, write_plain
    from striate.views import json_text
    from striate.views.benches import bench_view

    batch, threads = read_count(options.batch, "--batch"), read_count(options.threads, "--threads")
    shape, classes = read_shape(options.input), read_count(options.classes, "--classes")
    from striate.training import bench  # torch comes with it

    _ = bench
    begin_work()
    report = st.bench(
        options.net,
        input=shape,
        classes=classes,
        batch=batch or 64,
        threads=threads,
        precision=options.precision,
        compile=options.compile,
        device=options.device,
    )
    if options.json:
        write_plain(json_text(report))
    else:
        show(bench_view(report))
