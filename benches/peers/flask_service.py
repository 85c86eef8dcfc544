"""What a user would otherwise write: the same ONNX files and the same answer with onnxruntime, OpenCV and Pillow
behind Flask, served by waitress. numpy and C++ do all work on pixels.

    python benches/peers/flask_service.py MODELS PORT THREADS
"""

import base64
import io
import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import flask
import numpy as np
import onnxruntime
import waitress
from PIL import Image
from skull import cranium

sys.path.append(str(Path(__file__).resolve().parents[2]))
from training.skull import mask_outside_skull

MIN_HEAD_SHARE = 0.02
FILL = 0.3
DISCLAIMER = "For research and teaching only. Not a medical device; never use it for diagnosis or treatment."


@dataclass(frozen=True)
class Box:
    """The square that is resized to the network input; it may reach beyond the image."""

    x: int
    y: int
    side: int

    def shared(self, width: int, height: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Rows and columns that box and image have in common, in coordinates of the box and of the image."""
        x0, x1 = max(self.x, 0), min(self.x + self.side, width)
        y0, y1 = max(self.y, 0), min(self.y + self.side, height)
        inside = slice(y0 - self.y, y1 - self.y), slice(x0 - self.x, x1 - self.x)
        return inside, (slice(y0, y1), slice(x0, x1))


def square_around(x: int, y: int, width: int, height: int, margin: float) -> Box:
    side = int(np.floor(max(width, height) * (1 + 2 * margin) + 0.5))
    return Box(x + (width - side) // 2, y + (height - side) // 2, side)


def resize(plane: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bilinear and antialiased when it shrinks, which the resize of OpenCV is not."""
    return np.asarray(Image.fromarray(plane, "F").resize((width, height), Image.Resampling.BILINEAR))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


class Model:
    """One network with the preprocessing and postprocessing of its model.json."""

    def __init__(self, folder: Path, threads: int):
        self.spec = json.loads((folder / "model.json").read_text())
        self.steps = {step["step"]: step for step in self.spec["preprocessing"]}
        self.post = self.spec["postprocessing"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            str(folder / self.spec["file"]), options, providers=["CPUExecutionProvider"]
        )
        outputs = self.spec["outputs"]
        self.outputs = [outputs["mask"]["name"]] + ([outputs["slice"]["name"]] if "slice" in outputs else [])
        self.cell = outputs.get("slice", {}).get("strongest_cell")
        color = self.spec["classes"][0]["color"].lstrip("#")
        self.bgr = np.array([int(color[i : i + 2], 16) for i in (4, 2, 0)], np.float32)

    def prepare(self, grey: np.ndarray) -> tuple[np.ndarray, Box, np.ndarray | None]:
        plane = grey.astype(np.float32) / 255
        crop = self.steps["crop_to_head"]
        bright = (plane >= np.float32(crop["threshold"])).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
        height, width = grey.shape
        box = square_around(0, 0, width, height, 0)
        if len(stats) > 1:
            head = stats[1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])]
            if head[cv2.CC_STAT_AREA] >= MIN_HEAD_SHARE * grey.size:
                x, y, head_width, head_height = (int(v) for v in head[:4])
                box = square_around(x, y, head_width, head_height, crop["margin"])
        inside, outside = box.shared(width, height)
        cut = np.zeros((box.side, box.side), np.float32)
        cut[inside] = plane[outside]
        size, normal = self.steps["resize"], self.steps["normalize"]
        seen = resize(cut, size["width"], size["height"])
        within = cranium(seen, step["bone"]) if (step := self.steps.get("find_skull")) else None
        tensor = (seen - normal["mean"]) / normal["std"]
        channels = self.spec["input"]["shape"][1]
        return np.repeat(tensor[None, None].astype(np.float32), channels, axis=1), box, within

    def segment(self, grey: np.ndarray) -> dict:
        tensor, box, within = self.prepare(grey)
        logits = self.session.run(self.outputs, {self.spec["input"]["name"]: tensor})
        mask_logits = logits[0].reshape(tensor.shape[2:])
        slice_logits = logits[1].ravel() if len(logits) > 1 else None
        if within is not None:
            mask_logits, slice_logits = mask_outside_skull(mask_logits, slice_logits, within, self.cell)
        grid = sigmoid(mask_logits)
        inside, outside = box.shared(grey.shape[1], grey.shape[0])
        probabilities = np.zeros(grey.shape, np.float32)
        probabilities[outside] = resize(grid, box.side, box.side)[inside]
        found, labels, stats, centroids = cv2.connectedComponentsWithStats(
            (probabilities >= np.float32(self.post["threshold"])).astype(np.uint8), connectivity=8
        )
        smallest = self.post["min_lesion_px"] * (box.side / tensor.shape[3]) ** 2
        gate = self.post.get("slice_threshold")
        if slice_logits is not None and gate is not None and sigmoid(slice_logits[0]) < gate:
            found = 1
        kept = [label for label in range(1, found) if stats[label, cv2.CC_STAT_AREA] >= smallest]
        kept.sort(key=lambda label: -stats[label, cv2.CC_STAT_AREA])
        mask = np.isin(labels, kept).astype(np.uint8) * 255 if kept else np.zeros(grey.shape, np.uint8)
        lesions = [self.lesion(i, label, labels, stats, centroids, probabilities) for i, label in enumerate(kept, 1)]
        strongest = float(mask_logits.max() if slice_logits is None else slice_logits[0])
        return self.answer(grey, mask, lesions, strongest, slice_logits)

    def lesion(self, number, label, labels, stats, centroids, probabilities) -> dict:
        x, y, width, height, area = (int(v) for v in stats[label])
        region = labels[y : y + height, x : x + width] == label
        contours, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(x, y))
        return {
            "id": number,
            "area_px": area,
            "area_mm2": None,
            "volume_ml": None,
            "bbox": {"x": x, "y": y, "width": width, "height": height},
            "centroid": {"x": float(centroids[label][0]), "y": float(centroids[label][1])},
            "mean_probability": float(probabilities[y : y + height, x : x + width][region].mean()),
            "contour": contours[0].reshape(-1, 2).tolist(),
        }

    def overlay(self, grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
        drawn = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        if mask.any():
            inside = mask > 0
            inner = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), borderValue=0) > 0
            drawn[inside] = np.rint(drawn[inside] * (1 - FILL) + self.bgr * FILL).astype(np.uint8)
            drawn[inside & ~inner] = self.bgr.astype(np.uint8)
        return drawn

    def answer(self, grey, mask, lesions, strongest: float, slice_logits) -> dict:
        calibration = self.spec["calibration"]
        subtypes = self.spec["outputs"].get("slice", {}).get("classes", [])[1:]
        return {
            "model": {key: self.spec[key] for key in ("name", "version", "sha256")},
            "image": {"width": grey.shape[1], "height": grey.shape[0], "spacing_mm": None, "modality": None},
            "hemorrhage": {
                "detected": bool(lesions),
                "probability": float(sigmoid(calibration["slope"] * strongest + calibration["intercept"])),
                "threshold": self.post["threshold"],
                "subtypes": [
                    {"code": kind["code"], "name": kind["name"], "probability": float(sigmoid(logit))}
                    for kind, logit in ([] if slice_logits is None else zip(subtypes, slice_logits[1:], strict=True))
                ],
            },
            "lesions": lesions,
            "mask": picture(mask),
            "overlay": picture(self.overlay(grey, mask)),
            "warnings": [],
            "disclaimer": DISCLAIMER,
        }


def picture(image: np.ndarray) -> dict:
    _, png = cv2.imencode(".png", image)
    return {"media_type": "image/png", "base64": base64.b64encode(png).decode()}


def application(folder: Path, threads: int) -> flask.Flask:
    models = {path.parent.name: Model(path.parent, threads) for path in sorted(folder.glob("*/model.json"))}
    app = flask.Flask(__name__)

    @app.post("/v1/segment")
    def segment():
        model = models[flask.request.args.get("model", "deeplabv3")]
        with Image.open(io.BytesIO(flask.request.get_data())) as image:
            grey = np.asarray(image.convert("L"))
        return flask.jsonify(model.segment(grey))

    return app


def main() -> None:
    # waitress logs every request that waits, and concurrent clients make most requests wait.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    folder, port, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    server = waitress.create_server(application(folder, threads), host="127.0.0.1", port=port, threads=threads)
    print(f"ready at http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
