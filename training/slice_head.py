"""The slice head that is served: logistic regression on what the trained network sees, at every scale.

The head that learns with the network sees balanced, augmented batches and only its deepest features.
Fitted afterwards on every training slice as it is, on the mean and the maximum of four levels, it
ranks slices of unseen patients better (RESULTS.md); Kang et al. (2020) found the same of classifiers
under rare classes.
"""

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm


def pool(levels: list[torch.Tensor]) -> torch.Tensor:
    """Means, then maxima, of every channel of several [B, C, H, W]: [B, 2 * channels in all].

    The maximum keeps a small bleed visible that the mean would dilute.
    """
    means = [level.mean(dim=(2, 3)) for level in levels]
    return torch.cat(means + [level.amax(dim=(2, 3)) for level in levels], dim=1)


@torch.no_grad()
def seen(model: torch.nn.Module, one, rows: list[int]) -> torch.Tensor:
    """float [len(rows), F]: what `model.slice_head` is given for these slices of a set."""
    given = []
    hook = model.slice_head.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0][0].clone()))
    model.eval()
    for row in tqdm(rows, desc=f"slice head, {one.name}", mininterval=10):
        model(torch.from_numpy(np.array(one.images[row : row + 1])))
    hook.remove()
    return torch.stack(given)


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
def fit(model: torch.nn.Module, sets: list, parts: dict, ridge: float) -> None:
    """Replace the weights of `model.slice_head`, from the training patients alone.

    Every set weighs the same, however many slices it has: each is a hospital that the head must serve.
    """
    features, labels, weights = [], [], []
    for one in sets:
        rows = one.rows_of(parts[one.name]["train"])
        features.append(seen(model, one, rows).double())
        labels.append(torch.from_numpy(np.stack([one.labels(row) for row in rows])).double())
        weights.append(torch.full((len(rows),), 1 / len(rows), dtype=torch.float64))
    features, labels, weights = torch.cat(features), torch.cat(labels), torch.cat(weights)
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    standard = (features - mean) / deviation
    for column in range(labels.shape[1]):
        known = labels[:, column] >= 0
        share = weights[known] / weights[known].sum()
        with torch.enable_grad():
            slope, intercept = regress(standard[known], labels[known, column], share, ridge)
        model.slice_head.weight[column] = slope / deviation
        model.slice_head.bias[column] = intercept - (slope * mean / deviation).sum()
