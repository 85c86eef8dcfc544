"""Time and accuracy at smaller and larger inputs: `python -m training.input_size MODEL_FOLDER --sets DIR=SIDE...`.

The exported weights run at other sides without retraining, by rewriting the graph's shapes. Each DIR was written
by `ichor prepare` with that side in the spec; its name is the data set's. Only the patients named by --patients are
scored; maps are brought back to the side of --truth, so that all sides are compared with the same outlines.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from training import dataset, figures, fit
from training.skull import apply_skull

FIGURES = ("dice_slices", "dice_patients", "slice_auc", "slice_sensitivity", "false_positive_rate")


def open_at_side(path: Path, side: int) -> onnxruntime.InferenceSession:
    """Session of the network for slices of [side, side], one CPU thread."""
    graph = onnx.load(path)
    old = graph.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    for value in (*graph.graph.input, *graph.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_value == old:
                dim.dim_value = side
    # Sizes in the exported graph: four numbers, the last two proportional to the side.
    for constant in graph.graph.initializer:
        if constant.data_type == onnx.TensorProto.INT64 and list(constant.dims) == [4]:
            sizes = numpy_helper.to_array(constant).copy()
            sizes[2:] = sizes[2:] * side // old
            constant.CopyFrom(numpy_helper.from_array(sizes, constant.name))
    del graph.graph.value_info[:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def predict(session, data: dataset.PreparedSet, truth: dataset.PreparedSet, patients, spec: dict) -> tuple[fit.Predicted, float]:
    """Predictions on the grid of `truth`, and the median CPU time of a run, ms."""
    rows, side = data.rows_of(patients), truth.images.shape[-1]
    maps, logits, times = [], [], []
    for row in rows:
        image = np.array(data.images[row : row + 1])
        begin = time.process_time()
        mask, labels = session.run(None, {session.get_inputs()[0].name: image})
        times.append(time.process_time() - begin)
        mask, labels = apply_skull(spec, mask[0, 0], labels[0], data.inside(row))
        maps.append(cv2.resize(fit.sigmoid(mask).astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR))
        logits.append(labels)
    return fit.Predicted(
        patient=np.array([data.rows[row]["patient"] for row in rows]),
        number=np.arange(len(rows)),
        labels=np.stack([data.labels(row) for row in rows]),
        mask_known=np.array([data.kind(row) != "weak" for row in rows]),
        truth=np.stack([truth.masks[row] == 1 for row in rows]),
        maps=np.stack(maps).astype(np.float16),
        slice_logits=np.stack(logits),
        evidence=np.stack(logits)[:, 0],
    ), float(np.median(times)) * 1e3  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--sets", nargs="+", required=True, metavar="DIR=SIDE")
    parser.add_argument("--truth", type=int, default=256)
    parser.add_argument("--patients", nargs="+", required=True)
    options = parser.parse_args()
    sets = [(dataset.load(Path(folder)), int(side)) for folder, side in (text.rsplit("=", 1) for text in options.sets)]
    truths = {data.name: data for data, side in sets if side == options.truth}
    spec = json.loads((options.model / "model.json").read_text())
    for data, side in sorted(sets, key=lambda pair: (pair[0].name, pair[1])):
        session = open_at_side(options.model / "model.onnx", side)
        predicted, ms = predict(session, data, truths[data.name], options.patients, spec)
        shipped = figures.measure(fit.score(predicted, spec["postprocessing"]))
        text = " ".join(f"{name} {shipped[name]:.3f}" for name in FIGURES)
        print(f"{data.name} {side}: {ms:.1f} ms, {len(predicted.patient)} slices, {text}", flush=True)


if __name__ == "__main__":
    main()
