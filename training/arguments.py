"""The command-line arguments that all commands on prepared sets share."""

import argparse
from pathlib import Path

import torch

from training import dataset


def new_parser(description: str, subject: str) -> argparse.ArgumentParser:
    """Parser of `SUBJECT --prepared DIR... --output PATH [--threads N]`, to which commands add their own arguments."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(subject, type=Path)
    parser.add_argument("--prepared", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    return parser


def parse_arguments(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, list[dataset.PreparedSet]]:
    """Parse the command line, set PyTorch's number of threads, and load the prepared sets."""
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    return arguments, dataset.join_boxes([dataset.load(folder) for folder in arguments.prepared])
