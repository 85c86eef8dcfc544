"""Folders that `ichor prepare` reads, from the sets of other scanners as they are published.

`python -m training.layout DATA --output DIR` writes DIR/<set> for every set that DATA holds. Images are linked, but for
slices of Hounsfield units, which are written as pictures in several windows: serving estimates the window of a picture,
and training must see what the estimate makes of it.
"""

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from training.split import SUBTYPES

COLUMNS = ("patient", "slice", "image", "hemorrhage", *SUBTYPES, "mask")
# Centre and width, HU. The first is the window of the network input; the last shows the stored values as they are.
WINDOWS = ((40, 120), (40, 80), (80, 200), (127.5, 255))
# The published pictures without blood are numbered scanner by scanner; neighbours are often one patient.
NUMBERS_PER_PATIENT = 10
# Of slices of one patient in AISD, whose names hold nothing but a running number.
LARGEST_GAP = 10
# Slices that are no series are numbered so far apart that none is another's neighbour (`training.chain`).
APART = 1000
BOX_TYPES = dict(zip(("EDH", "SDH", "SAH", "IPH", "IVH"), SUBTYPES))


def read_table(path: Path) -> list[dict]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_table(folder: Path, rows: list[dict]) -> None:
    """slices.csv, columns that a row lacks left empty."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "slices.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def link(folder: Path, source: Path) -> None:
    """`folder`/<name of source>, which leads to `source`."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    target.unlink(missing_ok=True)
    target.symlink_to(source.resolve())


def in_window(stored: np.ndarray, center: float, width: float) -> np.ndarray:
    """uint8 picture of stored HU 0..255, in which the 0 round the head stands for air.

    A 0 that is not joined to the border lies within the head, and is about 0 HU.
    """
    flooded = np.pad((stored > 0).astype(np.uint8), 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    grey = (stored.astype(np.float32) - (center - width / 2)) / width
    grey[flooded[1:-1, 1:-1] == 2] = 0
    return np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)


def lay_out_units(sources: list[Path], folder: Path) -> None:
    """Sets of slices that hold HU 0..255 and masks by type, joined into one: their patients are of one pool."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = []
    for source in sources:
        for row in read_table(source / "slices.csv"):
            stored = cv2.imread(str(source / row["image"]), cv2.IMREAD_GRAYSCALE)
            labels = cv2.imread(str(source / row["labels"]), cv2.IMREAD_UNCHANGED)
            stem = f"{source.name}_{Path(row['image']).stem}"
            mask = f"masks/{stem}.png"
            cv2.imwrite(str(folder / mask), 255 * (labels > 0).astype(np.uint8))
            for center, width in WINDOWS:
                image = f"images/{stem}_{center:g}_{width:g}.png"
                cv2.imwrite(str(folder / image), in_window(stored, center, width))
                kept = {name: row[name] for name in ("patient", "hemorrhage", *SUBTYPES)}
                rows.append(kept | {"slice": APART * (len(rows) + 1), "image": image, "mask": mask})
    write_table(folder, rows)


def lay_out_pictures(source: Path, folder: Path) -> None:
    """Single pictures; near duplicates and runs of bleed-free ones count as one patient."""
    for name in ("images", "masks"):
        link(folder, source / name)
    rows = []
    for row in read_table(source / "slices.csv"):
        number, bleeds = APART * int(Path(row["image"]).stem), row["hemorrhage"] == "1"
        patient = row["group"] if bleeds else f"negative-{int(row['group']) // NUMBERS_PER_PATIENT}"
        kept = {name: row[name] for name in ("image", "hemorrhage", "mask")}
        rows.append(kept | {"patient": patient, "slice": number})
    write_table(folder, rows)


def lay_out_ischemia(source: Path, folder: Path) -> None:
    """Bleed-free slices named SET_NUMBER; numbers near each other count as one patient."""
    link(folder, source / "images")
    rows, before, patient = [], None, 0
    for row in sorted(read_table(source / "slices.csv"), key=lambda row: row["image"]):
        name, number = Path(row["image"]).stem.rsplit("_", 1)
        if before is None or before[0] != name or int(number) - before[1] > LARGEST_GAP:
            patient += 1
        before = name, int(number)
        negative = {"hemorrhage": 0, "mask": "", **dict.fromkeys(SUBTYPES, 0)}
        rows.append({"patient": f"{name}-{patient}", "slice": APART * int(number), "image": row["image"], **negative})
    write_table(folder, rows)


def lay_out_rsna(source: Path, folder: Path) -> None:
    """DICOM slices, those alone whose label is known."""
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


def lay_out_synthetic(source: Path, folder: Path) -> None:
    """Synthetic slices named NUMBER_AGE_TYPE_...; each age is one phantom, and counts as one patient."""
    link(folder, source)
    rows = []
    for path in sorted(source.glob("*.png")):
        number, age, kind = path.stem.split("_")[:3]
        labels = {name: int(kind == name) for name in SUBTYPES}
        image = f"{source.name}/{path.name}"
        known = {"hemorrhage": int(kind != "none"), **labels}
        rows.append({"patient": age, "slice": APART * int(number), "image": image, "mask": "", **known})
    write_table(folder, rows)


def lay_out_head(source: Path, folder: Path) -> None:
    """One bleed-free head in DICOM."""
    link(folder, source)
    rows = [
        {"patient": source.name, "slice": int(path.stem), "image": f"{source.name}/{path.name}", "hemorrhage": 0, "mask": "",
         **dict.fromkeys(SUBTYPES, 0)}
        for path in sorted(source.glob("*.dcm"))
    ]  # fmt: skip
    write_table(folder, rows)


def lay_out_boxes(source: Path, folder: Path) -> None:
    """The slices of ct-ich that have boxes; the mask is the boxes, filled, and the types are those of the boxes.

    Prepared, they lie on the network grid, where `training.boxes` makes masks of them.
    """
    link(folder, source / "brain")
    (folder / "masks").mkdir(parents=True, exist_ok=True)
    boxes: dict[tuple, list[dict]] = {}
    for box in read_table(source / "boxes.csv"):
        boxes.setdefault((box["patient"], int(box["slice"])), []).append(box)
    rows = []
    for row in read_table(source / "slices.csv"):
        drawn = boxes.get((row["patient"], int(row["slice"])), [])
        if not drawn or row["hemorrhage"] != "1":
            continue
        height, width = cv2.imread(str(source / row["image"]), cv2.IMREAD_GRAYSCALE).shape
        filled = np.zeros((height, width), np.uint8)
        for box in drawn:
            left, top, right, bottom = (float(box[name]) for name in ("x0", "y0", "x1", "y1"))
            filled[max(0, round(top)) : round(bottom) + 1, max(0, round(left)) : round(right) + 1] = 255
        mask = f"masks/{row['patient']}_{row['slice']}.png"
        cv2.imwrite(str(folder / mask), filled)
        types = {BOX_TYPES[box["class"]] for box in drawn}
        labels = {name: int(name in types or row[name] == "1") for name in SUBTYPES}
        rows.append(
            {**{name: row[name] for name in ("patient", "slice", "image", "hemorrhage")}, **labels, "mask": mask}
        )
    write_table(folder, rows)


# The name of each set, the folders that it is made of, and how.
SETS = {
    "pictures": (("pictures",), lay_out_pictures),
    "rsna-masks": (("bhsd", "mbh-seg25"), lay_out_units),
    "rsna": (("rsna",), lay_out_rsna),
    "ischemia": (("ischemia",), lay_out_ischemia),
    "synthetic": (("insilico-more",), lay_out_synthetic),
    "head-ge": (("dicom/head-ge",), lay_out_head),
    "ct-ich-boxes": (("ct-ich",), lay_out_boxes),
}


def lay_out(data: Path, output: Path) -> list[str]:
    """Write every set whose folders are there; returns their names."""
    written = []
    for name, (folders, write) in SETS.items():
        sources = [data / folder for folder in folders if (data / folder).is_dir()]
        if sources:
            write(sources if write is lay_out_units else sources[0], output / name)
            written.append(name)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    print(*lay_out(arguments.data, arguments.output), sep="\n")


if __name__ == "__main__":
    main()
