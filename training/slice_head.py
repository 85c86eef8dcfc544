"""The slice head of the released model: logistic regression on pooled features of the trained network.

The auxiliary head, which is trained with the network, uses balanced, augmented batches and the deepest features only.
A head fitted afterwards on every training slice, on the mean and the maximum of several levels, ranks slices of other
patients better (EARLIER.md); Kang et al. (2020) found the same for classifiers with rare classes. The slices are
augmented as in training, because the network has memorized them as they are.
"""

import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from training.losses import mask_outside

# Share of the mask's highest cell in the logit of any hemorrhage, relative to the spread of the regression. Chosen on two
# folds, not fitted: on training slices the mask is too good for a regression.
MASK_SHARE = 0.6

# Side of the cells on the grid of the output, px; a head that takes the mask before it is enlarged has smaller ones.
CELL_PX = 8


def highest_cell_mean(mask: torch.Tensor, side: int) -> torch.Tensor:
    """[B, 1]: the highest mean logit of a cell of `side` x `side` px of [B, 1, H, W].

    The mean over a cell keeps single pixels from deciding.
    """
    return functional.avg_pool2d(mask, side).amax(dim=(2, 3))


class SliceHead(nn.Module):
    """Maps levels [B, C, H, W] and mask logits [B, 1, H, W] to slice logits [B, classes]."""

    def __init__(self, channels: int, classes: int, cell: int):
        super().__init__()
        self.linear = nn.Linear(2 * channels, classes)
        self.register_buffer("mask_share", torch.zeros(1, classes))
        self.cell = cell

    def forward(self, levels: list[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
        return self.linear(pool(levels)) + highest_cell_mean(mask, self.cell) * self.mask_share


def strongest_cell(model: nn.Module) -> dict:
    """`strongest_cell` of `model.json` for a model with a fitted head."""
    head = next(module for module in model.modules() if isinstance(module, SliceHead))
    return {"side_px": CELL_PX, "weight": round(float(head.mask_share[0, 0]), 5)}


def pool(levels: list[torch.Tensor]) -> torch.Tensor:
    """Means, then maxima, of every channel of several [B, C, H, W]: [B, 2 * channels in all].

    The maximum keeps a small bleed visible that the mean would dilute.
    """
    means = [level.mean(dim=(2, 3)) for level in levels]
    return torch.cat(means + [level.amax(dim=(2, 3)) for level in levels], dim=1)


@torch.no_grad()
def collect_features(model: nn.Module, batches, name: str, views: int, rows: list[int] | None = None) -> tuple[torch.Tensor, ...]:
    """Features of `views` augmentations of every training slice of a set, or of `rows`: N entries in all.

    Returns pooled levels [N, F], the highest cell of the mask inside the skull [N], and labels [N, classes]; float64.
    """
    pooled, cells, labels, inside = [], [], [], None

    def store(head, inputs):
        levels, mask = inputs
        pooled.append(pool(levels)[0])
        smaller = functional.interpolate(inside, size=mask.shape[2:], mode="nearest") == 1
        cells.append(highest_cell_mean(mask_outside(mask, smaller), head.cell)[0, 0])

    hook = model.slice_head.register_forward_pre_hook(store)
    model.eval()
    for row in tqdm((batches.training_rows(name) if rows is None else rows) * views, desc=f"slice head, {name}", mininterval=10):
        sample = batches.read(name, row)
        sample = batches.vary(name, sample, len(sample.grey))
        inside = torch.from_numpy(sample.inside)[None, None].float()
        labels.append(torch.from_numpy(sample.labels))
        model(batches.image_tensor([sample]))
    hook.remove()
    return tuple(torch.stack(values).double() for values in (pooled, cells, labels))


def regress(features: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, ridge: float):
    """(slope [F], intercept) that minimize the weighted log loss plus `ridge` times the squared slope.

    `features` float64 [N, F] of unit deviation, `labels` [N] of 0 and 1, `weights` [N] with the sum 1. A class with
    only one kind of label gets the log of its smoothed odds as intercept, and no slope.
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
    """Fit the weights of `model.slice_head` on the training patients of `batches`.

    Of the negative slices of a set every `negatives_every`-th is used, and counts that many times: neighbours without
    blood are alike.

    A set weighs by the root of its slice count, because each is one hospital, and some have few slices.
    """
    parts = []
    for name in batches.sets:
        rows = batches.training_rows(name)
        if not rows:  # all its patients are kept to choose by
            continue
        negative = [row for row in rows if batches.sets[name].kind(row) == "negative"]
        kept = sorted({*rows} - {*negative} | {*negative[::negatives_every]})
        features, cells, labels = collect_features(model, batches, name, views, kept)
        multiplicity = torch.tensor([len(negative) / len(negative[::negatives_every]) if row in {*negative} else 1.0
                                  for row in kept] * views, dtype=cells.dtype)  # fmt: skip
        parts.append((features, cells, labels, multiplicity * len(rows) ** -0.5))
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
