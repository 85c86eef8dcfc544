"""Prepare, train, evaluate and release, for each configuration.

`python -m training.pipeline --data DIR... --work DIR --models DIR` trains the shipped models. `--name NAME` with one
configuration trains a model on your own data under that name; a folder with a slices.csv is enough. `--smoke` does the
same on phantoms with a small model in about a minute, and checks the result. A stopped run continues from its last
checkpoint.
"""

import argparse
import copy
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

from training import agreement, dataset, phantom, spec, train
from training.crossvalidate import crossvalidate
from training.evaluate import evaluate
from training.release import release

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("ICHOR_CACHE", Path.home() / ".cache" / "ichor"))
# Smallest sum of all masks of the smoke run's model, px; the phantoms have about 2,700 px of blood.
MIN_MASK_PX = 300
# Added by the smoke run to the mean of `normalize` in model.json: 2 of 255 grey levels.
OTHER_MEAN = 0.008
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))


def prepare(ichor: Path, data: Path, config: dict, folder: Path) -> dataset.PreparedSet:
    """Run `ichor prepare` on a data set and load its tensors; raises CalledProcessError if the command fails."""
    folder.mkdir(parents=True, exist_ok=True)
    spec_file = folder / "spec.json"
    spec_file.write_text(json.dumps(spec.build_spec(config, {}, "0" * 64)))
    command = [ichor, "prepare", data, "--spec", spec_file, "--output", folder]
    subprocess.run([str(word) for word in command], check=True)
    return dataset.load(folder)


def train_and_release(config: dict, arguments: argparse.Namespace) -> float:
    """Train and release one model; returns the largest difference of a probability between its file and PyTorch."""
    prepared = arguments.work / "prepared" / config["name"]
    sets = [prepare(arguments.ichor, data, config, prepared / data.name) for data in arguments.data]
    sets = dataset.join_boxes(sets)
    run = arguments.work / "runs" / config["name"]
    if config["split"] == "folds":
        results = crossvalidate(config, sets, run)
        run /= "everybody"
        train.train(config, sets, train.split_sets(sets, config), run)
    else:
        parts = train.split_sets(sets, config)
        results = evaluate(train.train(config, sets, parts, run).eval(), sets, parts)
    results["steps"] = sum(steps for steps, _ in config["recipe"]["stages"])
    (run / "results.json").write_text(json.dumps(results, indent=1))
    samples = None
    if arguments.samples:
        samples = prepare(arguments.ichor, arguments.samples, config, prepared / "samples")
    return release(run, arguments.models / config["name"], samples)


def with_name(config: dict, name: str) -> dict:
    """The configuration for a model of another name, at version 0.1.0."""
    return config | {"name": name, "title": name, "version": "0.1.0"}


def smoke_config(config: dict) -> dict:
    """The configuration with a few small steps for phantoms and every augmentation turned on."""
    small = copy.deepcopy(config)
    small["architecture"] = {"kind": "unet", "base": 8}
    resize = next(step for step in small["preprocessing"] if step["step"] == "resize")
    resize |= {"width": 64, "height": 64}
    small["pretrained"] = False
    small["split"] = "patient"
    small["batch"] = {"*": {"masked": 3, "weak": 1, "negative": 2}}
    small["recipe"] |= {"stages": [[120, 64]], "warmup_steps": 5, "validate_every": 60}
    small["recipe"] |= {"learning_rate": 0.005, "hard_negatives": True}
    small["recipe"].pop("restarts", None)
    small["recipe"]["pseudo_labels"] = {"at_steps": [100], "sure": 0.5, "unsure": 0.15, "smallest": 4}
    small["augment"]["synthetic_lesions"] = 0.2
    fine_tune = json.loads((HERE / "config" / "fine-tune" / "deeplabv3.json").read_text())["augment"]
    small["augment"]["picture"] = fine_tune["picture"]
    small["augment"]["intensity"] |= {"window": fine_tune["intensity"]["window"]}
    small["augment"]["offline"] = {"copies": 1, "rotation_degrees": 15, "zoom": 0.1, "horizontal_flip": 0.5}
    return small


def smoke(arguments: argparse.Namespace) -> None:
    """Run everything on phantoms. Raises AssertionError if the loss did not fall."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments.work = Path(scratch)
        data = Path(scratch) / "phantom"
        arguments.data = [data]
        arguments.models = Path(scratch) / "models"
        phantom.write_phantoms(data)
        # A name and a data set that are in no configuration, as for a user's own model.
        config = with_name(smoke_config(json.loads((HERE / "config" / "unet.json").read_text())), "own-heads")
        difference = train_and_release(config, arguments)
        history = json.loads((arguments.work / "runs" / "own-heads" / "history.json").read_text())
        first, last = (sum(e["loss"] for e in part) / 5 for part in (history[:5], history[-5:]))
        assert last < 0.8 * first, f"loss fell only from {first:.3f} to {last:.3f}"
        for name in ("model.onnx", "model.json", "MODEL_CARD.md"):
            assert (arguments.models / "own-heads" / name).stat().st_size > 0
        listed = subprocess.run(
            [arguments.ichor, "models", "--models", arguments.models],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        assert "own-heads" in listed, listed
        prepared = dataset.load(arguments.work / "prepared" / "own-heads" / "phantom")
        run = arguments.work / "runs" / "own-heads"
        found = agreement.compare(run, arguments.models, arguments.ichor, data, prepared)
        assert found.found_px >= MIN_MASK_PX, f"masks of {found.found_px} px in all: too few to compare"
        check_other_preprocessing_is_refused(arguments, run, data, prepared)
        print(
            f"smoke: loss {first:.3f} to {last:.3f}, ONNX within {difference:.5f} of PyTorch; ichor's logits within "
            f"{found.logit:.6f} of their size, probabilities within {found.probability:.6f}, {found.mask_px} of "
            f"{found.found_px} px on the two sides of the threshold, figures within {found.figure:.6f}"
        )


def check_other_preprocessing_is_refused(arguments: argparse.Namespace, run: Path, data: Path, prepared: dataset.PreparedSet) -> None:
    """Raises AssertionError if the comparison accepts a model.json whose preprocessing is not that of the training."""
    models = arguments.work / "other-models"
    shutil.copytree(arguments.models, models)
    path = models / "own-heads" / "model.json"
    served = json.loads(path.read_text())
    next(step for step in served["preprocessing"] if step["step"] == "normalize")["mean"] += OTHER_MEAN
    path.write_text(json.dumps(served))
    try:
        agreement.compare(run, models, arguments.ichor, data, prepared)
    except ValueError as refused:
        print(f"with another mean of the tensor, as expected: {refused}")
    else:
        raise AssertionError(f"a mean that differs by {OTHER_MEAN} in model.json was not found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", default=[])
    parser.add_argument("--work", type=Path, default=CACHE)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--configs", type=Path, nargs="+", default=sorted((HERE / "config").glob("*.json")))
    parser.add_argument("--name", help="name of your own model")
    parser.add_argument("--samples", type=Path, default=Path("frontend/samples"))
    parser.add_argument("--ichor", type=Path, default=TARGET / "release" / "ichor")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.smoke:
        return smoke(arguments)
    if not arguments.data:
        parser.error("--data names the data sets to train on")
    configs = [json.loads(config.read_text()) for config in arguments.configs]
    if arguments.name:
        if len(configs) != 1:
            parser.error("--name goes with one --configs")
        configs = [with_name(configs[0], arguments.name)]
    for config in configs:
        train_and_release(config, arguments)


if __name__ == "__main__":
    main()
