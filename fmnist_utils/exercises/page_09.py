"""The exercises of page 09, *How do you get 99 %?*."""

import torch

from fmnist_utils.exercises.cases import Case, Draw, exercise


@exercise("09.4")
def training_versions(draw: Draw) -> Case:
    """The places of the versions whose original is not held out."""
    count = draw.whole(3, 5)
    origins = [draw.whole(0, count - 1) for _ in range(8)]
    origins[:2] = [0, 1]
    held_out = [1, *range(2, draw.whole(2, count))]
    kept = [place for place, origin in enumerate(origins) if origin not in held_out]
    return Case({"origins": origins, "held_out": held_out}, kept)


@exercise("09.5")
def overall_accuracy(draw: Draw) -> Case:
    """The mean of the accuracies of minibatches, each weighted by its size."""
    last = draw.whole(1, 20)
    sizes = torch.tensor([50, 50, last])
    hits = torch.tensor([draw.whole(25, 50), draw.whole(25, 50), draw.whole(0, last // 2)])
    return Case({"batch_means": hits / sizes, "batch_sizes": sizes}, hits.sum() / sizes.sum())
