"""Write the ONNX file of a trained model: one file, BatchNorm folded, weights stored as f16.

The arithmetic stays f32: each f16 tensor passes a Cast that the engine folds when it loads. That
halves the file and costs no speed; a true f16 graph would be slow on x86. Folding and rounding
happen in PyTorch (`as_stored`), so that the file can be held to PyTorch without an allowance.
"""

import copy
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training import models

OPSET = 17
NAMES = ("mask_logits", "slice_logits")
# Smaller tensors (biases, mostly) stay f32: they weigh nothing.
LARGEST_KEPT_AS_F32 = 64


@torch.no_grad()
def as_stored(model: torch.nn.Module) -> torch.nn.Module:
    """A copy as the file will hold it: BatchNorm folded, large weights rounded to f16, still f32.

    Every BatchNorm of ours is registered right after the convolution that it follows.
    """
    stored = copy.deepcopy(model).float().eval().to(memory_format=torch.contiguous_format)
    for module in list(stored.modules()):
        children = list(module.named_children())
        for (name, convolution), (norm_name, norm) in zip(children, children[1:]):
            if isinstance(norm, torch.nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(convolution, norm))
                setattr(module, norm_name, torch.nn.Identity())
    for weight in stored.parameters():
        if weight.numel() > LARGEST_KEPT_AS_F32:
            weight.copy_(weight.half().float())
    return stored


def graph_of(model: torch.nn.Module, side: int) -> onnx.ModelProto:
    """Trace [1, 1, side, side]."""
    with tempfile.TemporaryDirectory() as scratch:
        traced, folded = Path(scratch) / "traced.onnx", Path(scratch) / "folded.onnx"
        torch.onnx.export(
            model, (torch.zeros(1, 1, side, side),), str(traced), input_names=["image"],
            output_names=list(NAMES), opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        # The basic level computes constants and drops identities; it adds no operator of its own.
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(folded)
        onnxruntime.InferenceSession(str(traced), options, ["CPUExecutionProvider"])
        return onnx.load(folded)


def store_as_f16(graph: onnx.ModelProto) -> None:
    """Replace every large f32 weight by an f16 one and a Cast to f32."""
    casts = []
    for tensor in list(graph.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > LARGEST_KEPT_AS_F32:
            half = numpy_helper.from_array(values.astype(np.float16), tensor.name + "_f16")
            graph.graph.initializer.remove(tensor)
            graph.graph.initializer.append(half)
            casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=1))
    for node in reversed(casts):
        graph.graph.node.insert(0, node)


def export_onnx(model: torch.nn.Module, path: Path, side: int) -> None:
    """Write `path`. Raises onnx's error when the graph is not valid."""
    graph = graph_of(as_stored(model), side)
    store_as_f16(graph)
    onnx.checker.check_model(graph, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, path)


def run_onnx(path: Path, image: np.ndarray) -> list[np.ndarray]:
    """Mask logits [1, 1, H, W] and slice logits [1, K] of float32 [1, 1, H, W], by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return session.run(list(NAMES), {"image": image})


@torch.no_grad()
def largest_difference(model: torch.nn.Module, path: Path, images: np.ndarray) -> float:
    """Greatest difference of any probability between PyTorch and the file, over [N, 1, H, W]."""
    model.eval()
    worst = 0.0
    for image in images:
        ours = model(torch.from_numpy(image[None]))
        for logits, exported in zip(ours, run_onnx(path, image[None])):
            difference = torch.sigmoid(logits) - torch.sigmoid(torch.from_numpy(exported))
            worst = max(worst, float(difference.abs().max()))
    return worst


def load_model(checkpoint: Path) -> tuple[torch.nn.Module, dict]:
    """The averaged model of a checkpoint, in evaluation mode, and the whole checkpoint."""
    saved = torch.load(checkpoint, weights_only=False)
    model = models.build(saved["config"]["architecture"])
    model.load_state_dict(saved["average"])
    return model.eval(), saved
