"""The slice head is fitted on training patients only, with known labels only."""

import numpy as np
import pytest
import torch

from training import slice_head
from training.batches import Batches
from training.dataset import PreparedSet


class Brightest(torch.nn.Module):
    """A network whose features are the slice itself."""

    def __init__(self):
        super().__init__()
        self.slice_head = slice_head.SliceHead(1, 6, cell=4)

    def forward(self, image):
        return image, self.slice_head([image], image)


CONFIG = {"normalize": {"mean": 0.0, "std": 1.0}, "augment": {"online": {"horizontal_flip": 0.5}, "intensity": {}}}


def phantoms(count: int, seed: int) -> PreparedSet:
    """Slices of noise, every other one with a bright spot: EDH by label; no label of SDH."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(0, 0.1, (count, 1, 16, 16)).astype(np.float32)
    rows = []
    for number in range(count):
        bleeds = number % 2
        images[number, 0, 4:6, 4:6] += 0.8 * bleeds
        rows.append({
            "patient": str(number // 4), "slice": str(number), "hemorrhage": str(bleeds), "epidural": str(bleeds), "subdural": "",
            "subarachnoid": "0", "intraparenchymal": "0", "intraventricular": "0", "mask_known": "1",
        })  # fmt: skip
    return PreparedSet(f"phantom-{seed}", images, np.zeros((count, 16, 16), np.uint8), rows)


def fitted(sets: list, parts: dict, views: int) -> Brightest:
    model = Brightest()
    slice_head.fit(model, Batches(sets, parts, CONFIG, seed=0), ridge=1e-3, views=views)
    return model.eval()


@pytest.mark.parametrize("views", [1, 3])
def test_the_head_finds_the_spot_from_training_patients_only(views):
    sets = [phantoms(80, 0), phantoms(24, 1)]
    # The patients left out say the contrary.
    for row in sets[0].rows[:20]:
        row["hemorrhage"] = "0" if row["hemorrhage"] == "1" else "1"
    parts = {
        "phantom-0": {"train": [str(number) for number in range(5, 20)]},
        "phantom-1": {"train": [str(number) for number in range(6)]},
    }
    model = fitted(sets, parts, views)
    with torch.no_grad():
        _, logits = model(torch.from_numpy(phantoms(40, 2).images))
    any_hemorrhage, epidural, subdural, subarachnoid = logits[:, :4].T
    assert any_hemorrhage[1::2].min() > 0 > any_hemorrhage[::2].median()
    assert any_hemorrhage[1::2].min() > any_hemorrhage[::2].max()
    assert model.slice_head.mask_share[0, 0] > 0 and not model.slice_head.mask_share[0, 1:].any()
    assert (epidural[1::2] > 0).all() and (epidural[::2] < 0).all()
    assert (subdural == subdural[0]).all(), "without labels"
    assert (subarachnoid == subarachnoid[0]).all() and subarachnoid[0] < -3, "no patient has it"


def test_the_head_uses_the_mask_inside_the_skull_only():
    one = phantoms(80, 0)
    parts = {one.name: {"train": [str(number) for number in range(20)]}}
    batches = Batches([one], parts, CONFIG, seed=0)
    _, cells, _ = slice_head.collect_features(Brightest(), batches, one.name, views=2)
    assert len(cells) == 160 and cells.min() > 0
    one.within = np.zeros((80, 16, 16), np.uint8)
    one.within[:, 8:] = 1  # the spots lie above
    _, below, _ = slice_head.collect_features(Brightest(), batches, one.name, views=2)
    assert cells.max() > 0.2 > 0.1 > below.max() > 0


def test_a_small_set_weighs_as_much_as_a_large_one():
    features = torch.zeros(10, 1, dtype=torch.float64)
    labels = torch.tensor([1.0] * 2 + [0.0] * 8, dtype=torch.float64)
    weights = torch.tensor([0.25] * 2 + [0.5 / 8] * 8, dtype=torch.float64)
    _, intercept = slice_head.regress(features, labels, weights, ridge=1e-3)
    assert abs(intercept) < 1e-3


def test_used_negatives_count_for_the_skipped_ones():
    one = phantoms(160, 0)
    parts = {"phantom-0": {"train": [str(number) for number in range(40)]}}
    biases = []
    for every in (1, 4):
        model = Brightest()
        slice_head.fit(model, Batches([one], parts, CONFIG, seed=0), ridge=10.0, views=1, negatives_every=every)
        biases.append(float(model.slice_head.linear.bias[2] + model.slice_head.linear.bias[1]))
    assert biases[0] == pytest.approx(biases[1], abs=0.15), "the odds remain those of the set"
