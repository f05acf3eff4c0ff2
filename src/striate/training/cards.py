"""Cards: what each option that saves epochs does, where it is from, and when it does nothing."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CARDS", "Card"]


@dataclass(frozen=True)
class Card:
    """One trick.

    Args:
        name: what people call it.
        write: as it stands in a recipe, with the options that belong to it.
        what: what it does.
        source: where it is from.
        idle: when it does nothing, or is refused.
        measured: what it changed in a measurement of Striate's own; empty where none was made.
    """

    name: str
    write: str
    what: str
    source: str
    idle: str
    measured: str = ""


CARDS = (
    Card(
        "Whitening first layer",
        "whiten: true",
        "The filters of the first convolution are set so that they make the patches of the training images"
        " uncorrelated, two filters for each direction, and stay as they are; its bias is trained during the first"
        " 30 % of the training.",
        'Page, "How to train your ResNet", part 8, 2019; Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024, section 3.2',
        "Refused where the network does not begin with one convolution, or where that has more filters than patches"
        " have directions with two signs (24 for 2×2 patches of colour images).",
    ),
    Card(
        "Identity initialisation",
        "init: dirac",
        "Each convolution begins by handing its channels on unchanged in as many filters as there are channels; the"
        " others, and dense layers, are drawn as torch draws them by itself: uniform, bound 1/√fan_in.",
        'Zagoruyko and Komodakis, "DiracNets", 2017; Jordan 2024, section 3.3',
        "Refused without convolutions; of little effect in residual networks, which begin near the identity anyway.",
    ),
    Card(
        "Fast shifts",
        "bias_rate: 64",
        "The shifts of the normalisation layers have so many times the learning rate.",
        "Page 2019; Jordan 2024, section 3.4 (scalebias)",
        "Refused without a normalisation that learns a shift.",
    ),
    Card(
        "Averaged weights",
        "average: ema, average_decay: 0.999",
        "An exponential moving average of the weights runs along; it is what is validated, kept and shipped. Each step"
        " keeps the share average_decay of it; at first less, so that the first weights are soon forgotten.",
        'Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992',
        "With a learning rate that falls to 0, as one-cycle and cosine do, the last weights hardly move and the"
        " average is nearly them. A batch normalisation whose averages are slow adds its own lag.",
    ),
    Card(
        "Lookahead",
        "average: lookahead",
        "Every five steps slow weights move towards the fast ones, and the fast ones are set back to them; the slow"
        " weights follow ever more slowly, 0.95 a step at the end.",
        'Zhang et al., "Lookahead optimizer", 2019; Jordan 2024, section 3.4',
        "Brings nothing where batch normalisation averages slowly (momentum 0.1); a momentum of 0.4 suits it, as in"
        " airbench94. Nothing beside Muon either, by the published ablations.",
    ),
    Card(
        "Muon",
        "optimizer: muon, learning_rate: 0.02, rest: adamw, rest_rate: 0.004",
        "The weights of all layers but the first and the last move along their momentum made orthogonal, all else by"
        " the rule in rest. Where batch normalisation follows, the norm of the weights is kept as it is.",
        'Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024',
        "Refused where no layer with weights lies between the first and the last. Weight decay does not act on what"
        " Muon moves.",
    ),
    Card(
        "SGD with a large batch",
        "optimizer: sgd, learning_rate: 0.75, batch: 512",
        "Nesterov momentum, on the mean of the loss over a batch: twice the batch bears about twice the rate. Recipes"
        " for a summed loss, as airbench94's, are written for the mean here: rate · batch, and decay / rate.",
        'Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.1; Jordan 2024, appendix',
        "The rule ends where the batch is so large that its gradient has little noise left.",
    ),
    Card(
        "Triangular schedule",
        "schedule: triangular",
        "The learning rate rises straight from 0.2 of its peak during 23 % of the training (warmup), and falls straight"
        " to 0.07.",
        "Jordan 2024, listing of airbench94",
        "Ends above 0: take one-cycle where no average of the weights follows it.",
    ),
    Card(
        "One-cycle schedule",
        "schedule: one-cycle",
        "Half a cosine up from 1/25 of the peak, then half a cosine down to 0. The default. It ends with the training,"
        " also where that is half an epoch (epochs: 0.5) or a time.",
        'Smith and Topin, "Super-convergence", 2018',
        "A training that is stopped early has not seen the small rates at the end.",
    ),
    Card(
        "Label smoothing",
        "label_smoothing: 0.2",
        "That share of the target is spread over all classes, so that the network is never driven to certainty.",
        'Szegedy et al., "Rethinking the Inception architecture", 2016, section 7',
        "Refused with losses other than cross-entropy. The loss that is shown includes it and cannot reach 0.",
    ),
    Card(
        "Progressive resizing",
        "sizes: progressive, smallest_size: 0.625, full_size_at: 0.6",
        "The training begins with images of 5/8 of each side, which cost about 40 % of whole ones, and grows them in"
        " steps of 1/8 until they are whole after 60 % of it.",
        "Howard, fast.ai in DAWNBench, 2018",
        "Refused where the network takes one size only, as with flatten before a dense layer.",
    ),
    Card(
        "Test-time augmentation",
        "tta: flip-shift",
        "Evaluation and prediction take the mean over several views: mirrored (flip), moved by a pixel (shift), both"
        " (flip-shift). It is recorded in the run, with the accuracy without it beside.",
        "Jordan 2024, section 3.5",
        "Costs 2, 3 or 6 times the prediction. flip is wrong for what has a right and a left, such as digits and text.",
    ),
    Card(
        "Alternating flips",
        "flip: alternating",
        "Each image is mirrored in exactly every other epoch, so that two epochs show each of its two forms once.",
        "Jordan 2024, section 3.6",
        "Refused in a single epoch, where it would be the random flip.",
    ),
)
