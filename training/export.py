"""Write the ONNX file of a trained model: one file, BatchNorm folded, weights stored as f16.

The arithmetic stays f32: each f16 tensor passes a Cast that the engine folds when it loads. The file is half as large at
the same speed; an f16 graph would be slow on x86. Folding and rounding happen in PyTorch (`as_stored`), so that the file
can be compared with PyTorch without a tolerance for them.
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
# Largest tensor that stays f32, numbers; biases mostly, which hardly count in the size of the file.
MAX_F32_SIZE = 64


@torch.no_grad()
def as_stored(model: torch.nn.Module) -> torch.nn.Module:
    """A copy with the weights of the file: BatchNorm folded, large weights rounded to f16 and kept as f32.

    Every BatchNorm in these networks is registered directly after its convolution.
    """
    stored = copy.deepcopy(model).float().eval().to(memory_format=torch.contiguous_format)
    for module in list(stored.modules()):
        children = list(module.named_children())
        for (name, convolution), (norm_name, norm) in zip(children, children[1:]):
            if isinstance(norm, torch.nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(convolution, norm))
                setattr(module, norm_name, torch.nn.Identity())
    for weight in stored.parameters():
        if weight.numel() > MAX_F32_SIZE:
            weight.copy_(weight.half().float())
    return stored


def graph_of(model: torch.nn.Module, side: int) -> onnx.ModelProto:
    """ONNX graph of the model for one slice [1, 1, side, side]."""
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
        if values.dtype == np.float32 and values.size > MAX_F32_SIZE:
            half = numpy_helper.from_array(values.astype(np.float16), tensor.name + "_f16")
            graph.graph.initializer.remove(tensor)
            graph.graph.initializer.append(half)
            casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=1))
    for node in reversed(casts):
        graph.graph.node.insert(0, node)


def export_onnx(model: torch.nn.Module, path: Path, side: int) -> None:
    """Write the ONNX file. Raises onnx's error if the graph is not valid."""
    graph = graph_of(as_stored(model), side)
    store_as_f16(graph)
    onnx.checker.check_model(graph, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, path)


def run_onnx(path: Path, image: np.ndarray) -> list[np.ndarray]:
    """Mask logits [1, 1, H, W] and slice logits [1, K] of float32 [1, 1, H, W], by onnxruntime."""
    return open_onnx(path).run(list(NAMES), {"image": image})


def open_onnx(path: Path) -> onnxruntime.InferenceSession:
    """onnxruntime session on one CPU thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])


@torch.no_grad()
def largest_difference(model: torch.nn.Module, path: Path, images: np.ndarray) -> float:
    """Largest difference of a probability between PyTorch and the file, over images [N, 1, H, W]."""
    model.eval()
    worst = 0.0
    for image in images:
        ours = model(torch.from_numpy(image[None]))
        for logits, exported in zip(ours, run_onnx(path, image[None])):
            difference = torch.sigmoid(logits) - torch.sigmoid(torch.from_numpy(exported))
            worst = max(worst, float(difference.abs().max()))
    return worst


def folded_pairs(model: torch.nn.Module) -> list[tuple[str, str]]:
    """Names of every convolution and of the BatchNorm that `as_stored` folds into it."""
    return [
        (".".join(filter(None, (prefix, name))), ".".join(filter(None, (prefix, norm_name))))
        for prefix, module in model.named_modules()
        for (name, _), (norm_name, norm) in zip(list(module.named_children()), list(module.named_children())[1:])
        if isinstance(norm, torch.nn.BatchNorm2d)
    ]


def weights_of(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """Every weight of a graph that `export_onnx` wrote, float32, under PyTorch's name."""
    held = {
        tensor.name.removesuffix("_f16"): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in graph.initializer
    }
    # The exporter keeps one of several equal biases; the name of the kernel identifies the convolution.
    for node in graph.node:
        if node.op_type == "Conv" and len(node.input) > 2:
            held[node.input[1].removesuffix("weight") + "bias"] = held[node.input[2]]
    return held


@torch.no_grad()
def load_onnx(path: Path, architecture: dict, images: torch.Tensor) -> torch.nn.Module:
    """The model of a file that `export_onnx` wrote, with BatchNorm restored, for further training.

    The file holds the product of each convolution and its BatchNorm. The parts are chosen again: kernels of norm 1, and
    the statistics of `images`, float32 [B, 1, H, W], normalised and augmented as in training. In evaluation the model
    answers as the file does; in training this holds as far as a batch resembles `images`. Parts that are not in the
    file, such as the auxiliary head, keep their initial weights.
    """
    held = weights_of(onnx.load(path).graph)
    model = models.build(architecture).eval()
    pairs, folded = folded_pairs(model), as_stored(model)
    fitting = {
        name: held[name] for name, value in folded.state_dict().items() if name in held and held[name].shape == value.shape
    }
    missing = folded.load_state_dict(fitting, strict=False).missing_keys
    lost = [name for name in missing if any(name.startswith(convolution + ".") for convolution, _ in pairs)]
    if lost:
        raise ValueError(f"{path} is of another architecture: it lacks {', '.join(lost[:3])}")
    statistics: dict[str, list] = {name: [] for name, _ in pairs}

    def observe(name):
        # Here and not later, because the activation that follows works in place.
        def hook(_, __, output):
            values = output.double()
            statistics[name].append((values.mean((0, 2, 3)), values.square().mean((0, 2, 3))))

        return hook

    hooks = [folded.get_submodule(name).register_forward_hook(observe(name)) for name, _ in pairs]
    for image in images:
        folded(image[None])
    for hook in hooks:
        hook.remove()
    normed = {name for name, _ in pairs}
    model.load_state_dict(
        {name: value for name, value in held.items()
         if name in model.state_dict() and name.rpartition(".")[0] not in normed},
        strict=False,
    )  # fmt: skip
    for name, norm_name in pairs:
        convolution, norm = model.get_submodule(name), model.get_submodule(norm_name)
        kernel, bias = held[f"{name}.weight"], held[f"{name}.bias"]
        mean, square = (torch.stack(each).mean(0) for each in zip(*statistics[name]))
        size = kernel.flatten(1).norm(dim=1)  # each kernel then has the norm 1, except those that are 0
        size = torch.where(size > 1e-6, size, torch.ones_like(size))
        convolution.weight.copy_(kernel / size[:, None, None, None])
        norm.running_mean.copy_((mean - bias) / size)
        norm.running_var.copy_((square - mean.square()).clamp(min=0) / size.square())
        norm.weight.copy_((norm.running_var + norm.eps).sqrt() * size)
        norm.bias.copy_(mean)
    return model


def load_model(checkpoint: Path) -> tuple[torch.nn.Module, dict]:
    """The averaged model of a checkpoint, in evaluation mode, and the checkpoint."""
    saved = torch.load(checkpoint, weights_only=False)
    model = models.build(saved["config"]["architecture"])
    model.load_state_dict(saved["average"])
    return model.eval(), saved
