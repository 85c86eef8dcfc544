"""Folders for `ichor prepare` from published sets of other scanners.

`python -m training.layout DATA --output DIR` writes DIR/<set> for every set in DATA. Images are linked, except slices of
Hounsfield units, which are written as pictures in several windows: in use, the window of a picture is estimated, and the
training data must include the result of this estimate.
"""

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from training.split import SUBTYPES

COLUMNS = ("patient", "slice", "image", "hemorrhage", *SUBTYPES, "mask", "labels")
# Centre and width, HU. The first is the window of the network input; the last one leaves the stored values unchanged.
WINDOWS = ((40, 120), (40, 80), (80, 200), (127.5, 255))
# The published pictures without blood are numbered by scanner; neighbours are often of one patient.
NUMBERS_PER_PATIENT = 10
# Largest gap between the numbers of one patient in AISD, whose file names have only a running number.
MAX_GAP = 10
# Distance of the numbers of slices that are not a series, so that none are neighbours (`training.chain`).
NUMBER_STEP = 1000
BOX_TYPES = dict(zip(("EDH", "SDH", "SAH", "IPH", "IVH"), SUBTYPES))


def read_table(path: Path) -> list[dict]:
    """The rows of a CSV file."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_table(folder: Path, rows: list[dict]) -> None:
    """Write slices.csv; columns that a row lacks stay empty."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "slices.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def link(folder: Path, source: Path) -> None:
    """Make the symbolic link `folder`/<name of source> to `source`."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    target.unlink(missing_ok=True)
    target.symlink_to(source.resolve())


def apply_window(stored: np.ndarray, center: float, width: float) -> np.ndarray:
    """uint8 picture in a window, from stored HU 0 to 255, where 0 around the head is air.

    A 0 that is not connected to the border is inside the head, and means about 0 HU.
    """
    flooded = np.pad((stored > 0).astype(np.uint8), 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    grey = (stored.astype(np.float32) - (center - width / 2)) / width
    grey[flooded[1:-1, 1:-1] == 2] = 0
    return np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)


def write_windowed_sets(sources: list[Path], folder: Path) -> None:
    """Join sets of slices of HU 0 to 255 with masks by type into one: their patients are from one pool."""
    for name in ("images", "masks", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = []
    for source in sources:
        for row in read_table(source / "slices.csv"):
            stored = cv2.imread(str(source / row["image"]), cv2.IMREAD_GRAYSCALE)
            labels = cv2.imread(str(source / row["labels"]), cv2.IMREAD_UNCHANGED)
            stem = f"{source.name}_{Path(row['image']).stem}"
            mask, types = f"masks/{stem}.png", f"labels/{stem}.png"
            cv2.imwrite(str(folder / mask), 255 * (labels > 0).astype(np.uint8))
            cv2.imwrite(str(folder / types), labels.astype(np.uint8))
            for center, width in WINDOWS:
                image = f"images/{stem}_{center:g}_{width:g}.png"
                cv2.imwrite(str(folder / image), apply_window(stored, center, width))
                kept = {name: row[name] for name in ("patient", "hemorrhage", *SUBTYPES)}
                rows.append(kept | {"slice": NUMBER_STEP * (len(rows) + 1), "image": image, "mask": mask, "labels": types})
    write_table(folder, rows)


def write_pictures(source: Path, folder: Path) -> None:
    """Single pictures; near duplicates and runs of bleed-free ones count as one patient."""
    for name in ("images", "masks"):
        link(folder, source / name)
    rows = []
    for row in read_table(source / "slices.csv"):
        number, bleeds = NUMBER_STEP * int(Path(row["image"]).stem), row["hemorrhage"] == "1"
        patient = row["group"] if bleeds else f"negative-{int(row['group']) // NUMBERS_PER_PATIENT}"
        kept = {name: row[name] for name in ("image", "hemorrhage", "mask")}
        rows.append(kept | {"patient": patient, "slice": number})
    write_table(folder, rows)


def write_ischemia(source: Path, folder: Path) -> None:
    """Bleed-free slices named SET_NUMBER; numbers near each other count as one patient."""
    link(folder, source / "images")
    rows, before, patient = [], None, 0
    for row in sorted(read_table(source / "slices.csv"), key=lambda row: row["image"]):
        name, number = Path(row["image"]).stem.rsplit("_", 1)
        if before is None or before[0] != name or int(number) - before[1] > MAX_GAP:
            patient += 1
        before = name, int(number)
        negative = {"hemorrhage": 0, "mask": "", **dict.fromkeys(SUBTYPES, 0)}
        rows.append({"patient": f"{name}-{patient}", "slice": NUMBER_STEP * int(number), "image": row["image"], **negative})
    write_table(folder, rows)


def write_rsna(source: Path, folder: Path) -> None:
    """DICOM slices with a known label."""
    link(folder, source / "single")
    known = [row for row in read_table(source / "slices.csv") if row["known"] == "1"]
    write_table(
        folder,
        [
            {name: row[name] for name in ("hemorrhage", *SUBTYPES)}
            | {"patient": Path(row["file"]).stem, "slice": 1, "image": row["file"], "mask": ""}
            for row in known
        ],
    )  # fmt: skip


def write_synthetic(source: Path, folder: Path) -> None:
    """Synthetic slices named NUMBER_AGE_TYPE_...; each age is one phantom, and counts as one patient."""
    link(folder, source)
    rows = []
    for path in sorted(source.glob("*.png")):
        number, age, kind = path.stem.split("_")[:3]
        labels = {name: int(kind == name) for name in SUBTYPES}
        image = f"{source.name}/{path.name}"
        known = {"hemorrhage": int(kind != "none"), **labels}
        rows.append({"patient": age, "slice": NUMBER_STEP * int(number), "image": image, "mask": "", **known})
    write_table(folder, rows)


def write_head(source: Path, folder: Path) -> None:
    """One bleed-free head in DICOM."""
    link(folder, source)
    rows = [
        {"patient": source.name, "slice": int(path.stem), "image": f"{source.name}/{path.name}", "hemorrhage": 0, "mask": "",
         **dict.fromkeys(SUBTYPES, 0)}
        for path in sorted(source.glob("*.dcm"))
    ]  # fmt: skip
    write_table(folder, rows)


def boxes_by_slice(source: Path) -> dict[tuple[str, int], list[dict]]:
    """{(patient, slice): rows} of boxes.csv."""
    boxes: dict[tuple[str, int], list[dict]] = {}
    for box in read_table(source / "boxes.csv"):
        boxes.setdefault((box["patient"], int(box["slice"])), []).append(box)
    return boxes


def corners_of(box: dict) -> list[int]:
    """First column, first row, last column and last row of a box, px."""
    return [round(float(box[name])) for name in ("x0", "y0", "x1", "y1")]


def fill_box(image: np.ndarray, corners: list[int], value: int) -> None:
    """Set the pixels of a box, which may reach beyond the image."""
    left, top, right, bottom = corners
    image[max(0, top) : bottom + 1, max(0, left) : right + 1] = value


def write_boxes(source: Path, folder: Path) -> None:
    """Slices of ct-ich with boxes; the mask is the filled boxes, and the types are those of the boxes.

    On the network grid `training.boxes` makes masks from them.
    """
    link(folder, source / "brain")
    (folder / "masks").mkdir(parents=True, exist_ok=True)
    boxes = boxes_by_slice(source)
    rows = []
    for row in read_table(source / "slices.csv"):
        drawn = boxes.get((row["patient"], int(row["slice"])), [])
        if not drawn or row["hemorrhage"] != "1":
            continue
        height, width = cv2.imread(str(source / row["image"]), cv2.IMREAD_GRAYSCALE).shape
        filled = np.zeros((height, width), np.uint8)
        for box in drawn:
            fill_box(filled, corners_of(box), 255)
        mask = f"masks/{row['patient']}_{row['slice']}.png"
        cv2.imwrite(str(folder / mask), filled)
        types = {BOX_TYPES[box["class"]] for box in drawn}
        labels = {name: int(name in types or row[name] == "1") for name in SUBTYPES}
        rows.append(
            {**{name: row[name] for name in ("patient", "slice", "image", "hemorrhage")}, **labels, "mask": mask}
        )
    write_table(folder, rows)


def write_box_types(source: Path, folder: Path) -> None:
    """All slices of ct-ich; on those with boxes, the type of each pixel is that of the smallest box around it."""
    for name in ("brain", "masks"):
        link(folder, source / name)
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    boxes = boxes_by_slice(source)
    rows = []
    for row in read_table(source / "slices.csv"):
        kept = {name: row[name] for name in ("patient", "slice", "image", "hemorrhage", *SUBTYPES, "mask")}
        drawn = boxes.get((row["patient"], int(row["slice"])), [])
        if drawn and row["hemorrhage"] == "1":
            height, width = cv2.imread(str(source / row["image"]), cv2.IMREAD_GRAYSCALE).shape
            corners = [corners_of(box) for box in drawn]
            areas = [(right - left) * (bottom - top) for left, top, right, bottom in corners]
            labels = np.zeros((height, width), np.uint8)
            for index in np.argsort(areas)[::-1]:
                fill_box(labels, corners[index], list(BOX_TYPES).index(drawn[index]["class"]) + 1)
            kept["labels"] = f"labels/{row['patient']}_{row['slice']}.png"
            cv2.imwrite(str(folder / kept["labels"]), labels)
        rows.append(kept)
    write_table(folder, rows)


def write_parenchymal(source: Path, folder: Path) -> None:
    """PHE-SICH: every bleed is intraparenchymal; a part of some lies in a ventricle, which the set does not label."""
    for name in ("images", "hematoma"):
        link(folder, source / name)
    rows = []
    for row in read_table(source / "slices.csv"):
        labels = {name: int(name == "intraparenchymal" and bool(row["hematoma"])) for name in SUBTYPES}
        kept = {name: row[name] for name in ("patient", "slice", "image")}
        rows.append(kept | labels | {"hemorrhage": int(bool(row["hematoma"])), "mask": row["hematoma"]})
    write_table(folder, rows)


# Name of each set, its source folders, and the function that writes it.
SETS = {
    "pictures": (("pictures",), write_pictures),
    "rsna-masks": (("bhsd", "mbh-seg25"), write_windowed_sets),
    "rsna": (("rsna",), write_rsna),
    "ischemia": (("ischemia",), write_ischemia),
    "synthetic": (("insilico-more",), write_synthetic),
    "head-ge": (("dicom/head-ge",), write_head),
    "ct-ich-boxes": (("ct-ich",), write_boxes),
    "ct-ich-types": (("ct-ich",), write_box_types),
    "phe-sich-types": (("phe-sich",), write_parenchymal),
}


def write_layouts(data: Path, output: Path) -> list[str]:
    """Write every set whose source folders exist; returns their names."""
    written = []
    for name, (folders, write) in SETS.items():
        sources = [data / folder for folder in folders if (data / folder).is_dir()]
        if sources:
            write(sources if write is write_windowed_sets else sources[0], output / name)
            written.append(name)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    print(*write_layouts(arguments.data, arguments.output), sep="\n")


if __name__ == "__main__":
    main()
