"""The GPU container compared with PyTorch, eager and compiled: same weights, same GPU, same run.

    python scripts/bench_gpu.py --sagemaker PATH --ichor PATH --onnxruntime LIBRARY [--provider cuda|cpu]

Prints slices per second end to end (from PNG files, over HTTP for Ichor and in one process for PyTorch), the network
alone by batch size, memory, the shares of the GPU's bandwidth and arithmetic, and the Dice of the masks with those of
Ichor's native engine on the CPU. Exits with 1 without a GPU, or if a bar is missed on one:

- 3 times the slices per second of PyTorch eager, end to end,
- the network alone not slower than the best compiled PyTorch,
- a Dice of 0.999 of the masks.

`--provider cpu` runs the same on the CPU, to test the measurement; its speeds are not those of a GPU.
Needs torch, onnx, opencv and scipy (the environment of training/). Linux only.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from memory import resident_bytes
from onnx import numpy_helper
from phantoms import planes
from scipy import ndimage
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from training import models as architectures
from training.export import as_stored

BARS = {"end_to_end": 3.0, "network": 1.0, "dice": 0.999}


def pictures(count: int) -> list[bytes]:
    """PNG slices of the phantom, brain window."""
    found = []
    for plane in planes(count):
        grey = np.clip((plane.astype(np.float32) + 20) / 120 * 255, 0, 255).astype(np.uint8)
        found.append(cv2.imencode(".png", grey)[1].tobytes())
    return found


# PyTorch ------------------------------------------------------------------------------------------------------------


def network(name: str, device: torch.device) -> tuple[torch.nn.Module, dict]:
    """The PyTorch network with the weights of the served file, and its model.json."""
    spec = json.loads((ROOT / "models" / name / "model.json").read_text())
    config = json.loads((ROOT / "training" / "config" / f"{name}.json").read_text())
    module = as_stored(architectures.build(config["architecture"]))
    graph = onnx.load(ROOT / "models" / name / spec["file"]).graph
    weights = {tensor.name.removesuffix("_f16"): numpy_helper.to_array(tensor) for tensor in graph.initializer}
    state = {key: torch.from_numpy(weights[key].astype(np.float32)) for key in module.state_dict()}
    module.load_state_dict(state)
    return module.eval().to(device).to(memory_format=torch.channels_last), spec


def tensor_of(picture: bytes, spec: dict) -> tuple[np.ndarray, tuple]:
    """The steps of model.json with OpenCV and scipy, as a PyTorch user would write them."""
    plane = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    box = (0, 0, max(plane.shape))
    for step in spec["preprocessing"]:
        match step["step"]:
            case "crop_to_head":
                labels, count = ndimage.label(plane > step["threshold"])
                if count:
                    largest = np.bincount(labels.ravel())[1:].argmax()
                    rows, columns = ndimage.find_objects(labels)[largest]
                    side = round(max(rows.stop - rows.start, columns.stop - columns.start) * (1 + 2 * step["margin"]))
                    top, left = (rows.start + rows.stop - side) // 2, (columns.start + columns.stop - side) // 2
                    box = (top, left, side)
                    plane = cut(plane, box)
            case "resize":
                plane = cv2.resize(plane, (step["width"], step["height"]), interpolation=cv2.INTER_AREA)
            case "normalize":
                plane = (plane - step["mean"]) / step["std"]
    return plane[None], box


def cut(plane: np.ndarray, box: tuple) -> np.ndarray:
    top, left, side = box
    out = np.zeros((side, side), np.float32)
    rows, columns = slice(max(top, 0), top + side), slice(max(left, 0), left + side)
    part = plane[rows, columns]
    out[max(-top, 0) :][: part.shape[0], max(-left, 0) :][:, : part.shape[1]] = part
    return out


def mask_of(probabilities: np.ndarray, box: tuple, threshold: float, side: int = 512) -> np.ndarray:
    """The mask in the geometry of the picture; its regions are labelled, as the container does."""
    top, left, width = box
    part = cv2.resize(probabilities, (width, width), interpolation=cv2.INTER_LINEAR)
    whole = np.zeros((side + 2 * width, side + 2 * width), np.float32)
    whole[width + top :][:width, width + left :][:, :width] = part
    mask = whole[width : width + side, width : width + side] >= threshold
    ndimage.label(mask)
    return mask


@torch.no_grad()
def torch_end_to_end(module, spec: dict, files: list[bytes], batch: int, device, workers: int) -> float:
    """Slices per second from files to masks as PNG: threads decode and postprocess, batches go to the device."""
    threshold = spec["postprocessing"]["threshold"]
    encode = lambda mask: cv2.imencode(".png", mask.astype(np.uint8) * 255)[1]  # noqa: E731
    begin = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        prepared = pool.map(lambda file: tensor_of(file, spec), files)
        reading, group = [], []
        for item in prepared:
            group.append(item)
            if len(group) == batch:
                reading += read_out(module, group, pool, threshold, encode, device)
                group = []
        if group:
            reading += read_out(module, group, pool, threshold, encode, device)
        for future in reading:
            future.result()
    return len(files) / (time.perf_counter() - begin)


def read_out(module, group, pool, threshold, encode, device):
    images = torch.from_numpy(np.stack([image for image, _ in group])).to(device, non_blocking=True)
    masks, _ = module(images.to(memory_format=torch.channels_last))
    probabilities = torch.sigmoid(masks[:, 0]).float().cpu().numpy()
    boxes = [box for _, box in group]
    read = lambda p, box: encode(mask_of(p, box, threshold))  # noqa: E731
    return [pool.submit(read, p, box) for p, box in zip(probabilities, boxes, strict=True)]


@torch.no_grad()
def torch_network_ms(module, batch: int, runs: int, device, half: bool) -> float:
    """Median ms of the network alone, with the copies to the device and back."""
    image = torch.rand(batch, 1, 256, 256)
    image = image.pin_memory() if device.type == "cuda" else image
    took = []
    for run in range(runs + 3):
        begin = time.perf_counter()
        with torch.autocast(device.type, dtype=torch.float16, enabled=half and device.type == "cuda"):
            masks, slices = module(image.to(device, non_blocking=True).to(memory_format=torch.channels_last))
        masks.float().cpu(), slices.float().cpu()
        if run >= 3:
            took.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(took)


# The GPU -----------------------------------------------------------------------------------------------------------


def peaks(device) -> dict:
    """Measured peaks of the device: arithmetic of a large matrix product, bandwidth of a copy."""
    on_gpu = device.type == "cuda"
    side, kind = (8192, torch.float16) if on_gpu else (1024, torch.float32)
    a = torch.rand(side, side, device=device, dtype=kind)
    values = torch.rand((1 << 28) if on_gpu else (1 << 24), device=device)
    target = torch.empty_like(values)
    return {
        "flops": 2 * side**3 / best_seconds(lambda: a @ a, on_gpu),
        "bytes_per_second": 2 * values.numel() * 4 / best_seconds(lambda: target.copy_(values), on_gpu),
    }


def best_seconds(work, on_gpu: bool) -> float:
    best = float("inf")
    for _ in range(6):
        begin = time.perf_counter()
        work()
        if on_gpu:
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    return best


@torch.no_grad()
def work_of(module, device) -> dict:
    """Operations of one slice, and the bytes that its layers read and write in f32 without fusion."""
    image, moved = torch.rand(1, 1, 256, 256, device=device), [0]

    def count(layer, inputs, output):
        tensors = [*inputs, output, *layer.parameters(recurse=False)]
        moved[0] += sum(t.numel() * 4 for t in tensors if isinstance(t, torch.Tensor))

    leaves = [layer for layer in module.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(count) for layer in leaves]
    with FlopCounterMode(display=False) as counter:
        module(image)
    for hook in hooks:
        hook.remove()
    return {"flops": counter.get_total_flops(), "bytes": moved[0]}


def gpu_memory_mb(pid: int) -> float | None:
    """GPU memory of a process."""
    command = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    used = [float(row.split(",")[1]) for row in rows if row.split(",")[0].strip() == str(pid)]
    return used[0] if used else None


# Ichor --------------------------------------------------------------------------------------------------------------


class Container:
    """`sagemaker serve` on a free port; a context manager."""

    def __init__(self, options, model: str):
        self.command = [options.sagemaker, "serve", "--models", ROOT / "models", "--port", str(free_port())]
        self.command += [*ort_flags(options), "--default-model", model, "--max-batch", str(options.batch)]
        self.address = f"http://127.0.0.1:{self.command[5]}"

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE)
        # The start line is printed before the port is open.
        assert self.process.stdout
        if not self.process.stdout.readline():
            sys.exit("error: sagemaker serve did not start")
        while self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/ping") as answer:
                    self.engines = json.load(answer)["engines"]
                break
            except OSError:
                time.sleep(0.05)
        self.reader = ThreadPoolExecutor(1)
        self.reader.submit(self.process.stdout.read)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def invoke(self, file: bytes) -> None:
        request = urllib.request.Request(
            f"{self.address}/invocations?include=mask", file, {"content-type": "image/png"}
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()

    def slices_per_second(self, files: list[bytes], clients: int) -> float:
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(self.invoke, files[:clients]))
            begin = time.perf_counter()
            list(pool.map(self.invoke, files))
        return len(files) / (time.perf_counter() - begin)

    def resident_mb(self) -> float:
        return resident_bytes(self.process.pid) / 2**20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ort_flags(options) -> list[str]:
    return ["--onnxruntime", options.onnxruntime, "--provider", options.provider, "--precision", options.precision]


def network_ms(options, model: str) -> dict:
    sizes = [1]
    while sizes[-1] * 2 <= options.batch:
        sizes.append(sizes[-1] * 2)
    command = [options.sagemaker, "measure", "--models", ROOT / "models" / model, "--runs", str(options.runs)]
    command += ["--batches", ",".join(map(str, sizes)), "--max-batch", str(options.batch), *ort_flags(options)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def dice_with_native_engine(options, model: str) -> float:
    """Lowest Dice of the masks of all samples with those of the native engine on the CPU."""
    samples = sorted((ROOT / "frontend" / "samples").glob("*.png"))
    with tempfile.TemporaryDirectory() as folder:
        masks = []
        for name, flags in [("own", []), ("ort", ["--engine", "ort", *ort_flags(options)])]:
            output = Path(folder) / name
            command = [options.ichor, "segment", *samples, "--model", model, "--output", output, *flags]
            subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
            masks.append(
                [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0 for path in sorted(output.glob("*_mask.png"))]
            )
    drawn = [(a, b) for a, b in zip(*masks, strict=True) if a.any() or b.any()]
    if not drawn:
        sys.exit("error: every mask is empty, so there is nothing to compare")
    return min(float(2 * (a & b).sum() / (a.sum() + b.sum())) for a, b in drawn)


# The run ------------------------------------------------------------------------------------------------------------


def bench(options, model: str, device, best: dict) -> dict:
    on_gpu = device.type == "cuda"
    files = pictures(options.slices)
    workers = os.cpu_count()
    module, spec = network(model, device)
    work = work_of(module, device)
    compiled = None if options.no_compile else torch.compile(module, mode="max-autotune" if on_gpu else "default")
    eager_ms = {b: torch_network_ms(module, b, options.runs, device, half=False) for b in (1, options.batch)}
    ways = {"eager f32": eager_ms[options.batch]}
    if on_gpu:
        ways["eager f16"] = torch_network_ms(module, options.batch, options.runs, device, half=True)
    if compiled is not None:
        ways["compiled f32"] = torch_network_ms(compiled, options.batch, options.runs, device, half=False)
        if on_gpu:
            ways["compiled f16"] = torch_network_ms(compiled, options.batch, options.runs, device, half=True)
    torch_end_to_end(module, spec, files[: options.batch], options.batch, device, workers)
    eager_slices = torch_end_to_end(module, spec, files, options.batch, device, workers)
    with Container(options, model) as container:
        ichor_slices = container.slices_per_second(files, 2 * options.batch)
        memory = {"resident_mb": round(container.resident_mb()), "gpu_mb": gpu_memory_mb(container.process.pid)}
    alone = network_ms(options, model)
    by_batch = {entry["batch"]: entry["median_ms"] for entry in alone["batches"]}
    largest = max(by_batch)
    seconds = by_batch[largest] / 1e3
    compiled_best = min((ms for way, ms in ways.items() if way.startswith("compiled")), default=ways["eager f32"])
    return {
        "model": model,
        "engine": alone["engine"],
        "end_to_end_slices_per_second": {
            "ichor over HTTP": round(ichor_slices, 1),
            "pytorch eager": round(eager_slices, 1),
        },
        "end_to_end_ratio": round(ichor_slices / eager_slices, 2),
        "network_ms_by_batch": {"ichor": by_batch, "pytorch eager": eager_ms},
        f"network_ms_at_batch_{largest}": {"ichor": by_batch[largest], **ways},
        "network_ratio_to_compiled_best": round(compiled_best / by_batch[largest], 2),
        "memory": memory,
        "work_per_slice": work,
        "share_of_arithmetic_peak": round(work["flops"] * largest / seconds / best["flops"], 3),
        "share_of_bandwidth": round(work["bytes"] * largest / seconds / best["bytes_per_second"], 3),
        "least_dice_with_native_engine": round(dice_with_native_engine(options, model), 5),
    }


def missed(result: dict, on_gpu: bool) -> list[str]:
    reached = {"dice": result["least_dice_with_native_engine"]}
    if on_gpu:
        reached["end_to_end"] = result["end_to_end_ratio"]
        reached["network"] = result["network_ratio_to_compiled_best"]
    return [
        f"{result['model']}: {bar} {value} is below {BARS[bar]}" for bar, value in reached.items() if value < BARS[bar]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sagemaker", required=True, help="the container's server")
    parser.add_argument("--ichor", required=True, help="the ichor binary, built with the feature gpu")
    parser.add_argument("--onnxruntime", required=True, help="libonnxruntime.so")
    parser.add_argument("--provider", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--precision", choices=["auto", "f32", "f16"], default="auto")
    parser.add_argument("--models", nargs="+", default=["deeplabv3", "unet"])
    parser.add_argument("--slices", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile")
    options = parser.parse_args()
    if options.provider == "cuda" and not torch.cuda.is_available():
        sys.exit(
            "error: PyTorch finds no NVIDIA GPU. Run this on a machine with one, or test the measurement with "
            "--provider cpu."
        )
    device = torch.device(options.provider)
    best = peaks(device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    print(json.dumps({"device": name, "torch": torch.__version__, "measured_peaks": best}), flush=True)
    below = []
    for model in options.models:
        result = bench(options, model, device, best)
        print(json.dumps(result, indent=1), flush=True)
        below += missed(result, device.type == "cuda")
    for line in below:
        print(f"error: {line}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
