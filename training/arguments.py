"""What the commands that work on prepared sets have in common on their command lines."""

import argparse
from pathlib import Path

import torch

from training import dataset


def parser(description: str, subject: str) -> argparse.ArgumentParser:
    """`SUBJECT --prepared DIR... --output PATH [--threads N]`; commands add what they need beyond."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(subject, type=Path)
    made.add_argument("--prepared", type=Path, nargs="+", required=True)
    made.add_argument("--output", type=Path, required=True)
    made.add_argument("--threads", type=int, default=2)
    return made


def parse(made: argparse.ArgumentParser) -> tuple[argparse.Namespace, list[dataset.Prepared]]:
    """The arguments, with PyTorch's threads set, and the prepared sets."""
    arguments = made.parse_args()
    torch.set_num_threads(arguments.threads)
    return arguments, dataset.join_boxes([dataset.load(folder) for folder in arguments.prepared])
