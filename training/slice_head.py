"""The slice head that is served: logistic regression on what the trained network sees, at every scale.

The head that learns with the network sees balanced, augmented batches and only its deepest features.
Fitted afterwards on every training slice alike, on the mean and the maximum of several levels, it
ranks slices of unseen patients better (EARLIER.md); Kang et al. (2020) found the same of classifiers
under rare classes. The slices are varied as in training: as they are, the network knows them by heart.
"""

import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from training.losses import within

# How much the strongest place of the mask moves any hemorrhage, against the regression's own spread.
# By decree, chosen on two folds: on training slices the mask is too good to regress on.
MASK_SHARE = 0.6

# Side of the cells on the grid of the answer; a head that sees the mask before it is enlarged has smaller ones.
CELL_PX = 8


def strongest(mask: torch.Tensor, side: int) -> torch.Tensor:
    """[B, 1]: the highest mean logit of a cell of `side` x `side` px of [B, 1, H, W].

    A slice is as suspect as its most suspect place; means are deaf to single pixels.
    """
    return functional.avg_pool2d(mask, side).amax(dim=(2, 3))


class SliceHead(nn.Module):
    """Levels [B, C, H, W] and mask logits [B, 1, H, W] to slice logits [B, classes]."""

    def __init__(self, channels: int, classes: int, cell: int):
        super().__init__()
        self.linear = nn.Linear(2 * channels, classes)
        self.register_buffer("mask_share", torch.zeros(1, classes))
        self.cell = cell

    def forward(self, levels: list[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
        return self.linear(pool(levels)) + strongest(mask, self.cell) * self.mask_share


def strongest_cell(model: nn.Module) -> dict:
    """The ModelSpec's `strongest_cell` of a model with a fitted head."""
    head = next(module for module in model.modules() if isinstance(module, SliceHead))
    return {"side_px": CELL_PX, "weight": round(float(head.mask_share[0, 0]), 5)}


def pool(levels: list[torch.Tensor]) -> torch.Tensor:
    """Means, then maxima, of every channel of several [B, C, H, W]: [B, 2 * channels in all].

    The maximum keeps a small bleed visible that the mean would dilute.
    """
    means = [level.mean(dim=(2, 3)) for level in levels]
    return torch.cat(means + [level.amax(dim=(2, 3)) for level in levels], dim=1)


@torch.no_grad()
def seen(model: nn.Module, batches, name: str, views: int, rows: list[int] | None = None) -> tuple[torch.Tensor, ...]:
    """Of `views` random variations of every training slice of a set, or of these rows, N in all: pooled levels [N, F],
    the strongest cell within the skull [N], and labels [N, classes]; float64.
    """
    pooled, cells, labels, inside = [], [], [], None

    def keep(head, inputs):
        levels, mask = inputs
        pooled.append(pool(levels)[0])
        smaller = functional.interpolate(inside, size=mask.shape[2:], mode="nearest") == 1
        cells.append(strongest(within(mask, smaller), head.cell)[0, 0])

    hook = model.slice_head.register_forward_pre_hook(keep)
    model.eval()
    for row in tqdm((batches.rows(name) if rows is None else rows) * views, desc=f"slice head, {name}", mininterval=10):
        one = batches.read(name, row)
        one = batches.vary(name, one, len(one.grey))
        inside = torch.from_numpy(one.inside)[None, None].float()
        labels.append(torch.from_numpy(one.labels))
        model(batches.image([one]))
    hook.remove()
    return tuple(torch.stack(values).double() for values in (pooled, cells, labels))


def regress(features: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, ridge: float):
    """(slope [F], intercept) of least weighted log loss plus `ridge` times the squared slope.

    float64 [N, F] of unit deviation, [N] of 0 and 1, [N] that add up to 1. A class with only one kind
    of label gets its smoothed odds and no slope.
    """
    count = len(labels)
    odds = (labels.sum() + 1) / (count - labels.sum() + 1)
    slope = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    intercept = odds.log().clone().requires_grad_(True)
    if 0 < labels.sum() < count:
        optimizer = torch.optim.LBFGS([slope, intercept], max_iter=500, line_search_fn="strong_wolfe")

        def loss():
            optimizer.zero_grad()
            logits = features @ slope + intercept
            errors = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
            value = (weights * errors).sum() + ridge * slope.square().sum()
            value.backward()
            return value

        optimizer.step(loss)
    return slope.detach(), intercept.detach()


@torch.no_grad()
def fit(model: nn.Module, batches, ridge: float, views: int, negatives_every: int = 1) -> None:
    """Replace the weights of `model.slice_head`, from the training patients of `batches.Batches` alone.

    Of the negative slices of a set every `negatives_every`-th is looked at, and counts that many times: neighbours
    without blood are alike, and looking takes time.

    A set weighs by the root of its slice count: each is a hospital that the head must serve, and some have few slices.
    """
    parts = []
    for name in batches.sets:
        rows = batches.rows(name)
        if not rows:  # All of its patients are kept for choosing.
            continue
        negative = [row for row in rows if batches.sets[name].kind(row) == "negative"]
        kept = sorted({*rows} - {*negative} | {*negative[::negatives_every]})
        features, cells, labels = seen(model, batches, name, views, kept)
        stand_for = torch.tensor([len(negative) / len(negative[::negatives_every]) if row in {*negative} else 1.0
                                  for row in kept] * views, dtype=cells.dtype)  # fmt: skip
        parts.append((features, cells, labels, stand_for * len(rows) ** -0.5))
    features, cells, labels, weights = map(torch.cat, zip(*parts))
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    standard, head = (features - mean) / deviation, model.slice_head
    head.mask_share.zero_()
    for column in range(labels.shape[1]):
        known = labels[:, column] >= 0
        share = weights[known] / weights[known].sum()
        with torch.enable_grad():
            slope, intercept = regress(standard[known], labels[known, column], share, ridge)
        if column == 0:
            head.mask_share[0, 0] = MASK_SHARE * (standard @ slope).std() / (cells.std() + 1e-3)
            intercept = intercept - head.mask_share[0, 0] * cells.mean()
        head.linear.weight[column] = slope / deviation
        head.linear.bias[column] = intercept - (slope * mean / deviation).sum()
