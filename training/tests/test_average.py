"""The average of two networks."""

import numpy as np
import pytest
import torch

from training import average, export, fit, models

ARCHITECTURE = {"kind": "unet", "base": 4}
CONFIG = {"architecture": ARCHITECTURE, "preprocessing": [{"step": "resize", "width": 32, "height": 32}]}


def stored(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    model = models.build(ARCHITECTURE)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
    return export.as_stored(model)


def test_the_share_decides_between_the_two_networks():
    first, second = stored(1), stored(2)
    for share, expected in ((0, first), (1, second)):
        mixed = average.average(first, second, share).state_dict()
        assert all(torch.equal(mixed[name], value) for name, value in expected.state_dict().items())
    quarter, one, two = (each.state_dict() for each in (average.average(first, second, 0.25), first, second))
    assert all(torch.allclose(quarter[name], 0.75 * one[name] + 0.25 * two[name], atol=1e-6) for name in one)


def test_other_architectures_and_shares_are_refused():
    with pytest.raises(ValueError, match="0 to 1"):
        average.average(stored(1), stored(2), 1.5)
    other = export.as_stored(models.build(ARCHITECTURE | {"base": 8}))
    with pytest.raises(ValueError, match="architectures"):
        average.average(stored(1), other, 0.5)


@torch.no_grad()
def test_the_averaged_network_answers_alike_with_batchnorm():
    mixed, images = average.average(stored(1), stored(2), 0.5), torch.rand(8, 1, 32, 32)
    again = average.with_batchnorm(mixed, CONFIG, images)
    for mine, other in zip(export.as_stored(mixed)(images), again(images)):
        assert torch.allclose(mine, other, atol=1e-3)


def test_the_gate_stops_bleed_free_slices_and_lets_the_others_pass():
    maps = np.zeros((2, 40, 40), np.float16)
    maps[:, 5:15, 5:15] = 1
    predicted = fit.Predicted(
        patient=np.array(["a", "b"]), number=np.zeros(2, int), labels=np.array([[1], [0]], np.float32),
        mask_known=np.ones(2, bool), truth=maps.astype(bool) & np.array([True, False])[:, None, None], maps=maps,
        slice_logits=np.array([[2.0], [-2.0]], np.float32), evidence=np.zeros(2),
    )  # fmt: skip
    post = {"threshold": 0.3, "min_lesion_px": 1, "slice_threshold": 0.7}
    assert fit.sigmoid(np.array(-2.0)) < average.choose_gate([predicted], post) <= 0.7
