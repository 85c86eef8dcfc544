"""Published sets of other scanners in the layout of `ichor prepare`."""

import csv

import cv2
import numpy as np

from training import layout


def write(path, columns, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns.split(","), *rows])


def picture(path, plane):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.asarray(plane, np.uint8))


def rows_of(folder):
    return layout.read_table(folder / "slices.csv")


def test_zero_is_air_around_the_head_and_water_inside():
    stored = np.zeros((20, 20), np.uint8)
    stored[4:16, 4:16], stored[9:11, 9:11], stored[6, 6] = 40, 0, 100
    shown = layout.apply_window(stored, 40, 120)
    assert shown[0, 0] == 0 and shown[10, 10] == round(255 * 20 / 120)
    assert shown[5, 5] == 128 and shown[6, 6] == 255


def test_slices_of_hounsfield_units_are_written_in_every_window_with_one_mask(tmp_path):
    for name, patient in (("one", "7"), ("other", "7")):
        picture(tmp_path / name / "images/7_01.png", np.full((8, 8), 60))
        picture(tmp_path / name / "labels/7_01.png", np.eye(8) * 5)
        columns = f"patient,slice,image,labels,hemorrhage,{','.join(layout.SUBTYPES)}"
        write(
            tmp_path / name / "slices.csv",
            columns,
            [patient, 1, "images/7_01.png", "labels/7_01.png", 1, 0, 0, 0, 0, 1],
        )
    layout.write_windowed_sets([tmp_path / "one", tmp_path / "other"], tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 2 * len(layout.WINDOWS) and {row["patient"] for row in rows} == {"7"}
    assert len({row["mask"] for row in rows}) == 2
    mask = cv2.imread(str(tmp_path / "out" / rows[0]["mask"]), cv2.IMREAD_GRAYSCALE)
    assert mask[3, 3] == 255 and mask[0, 1] == 0
    numbers = sorted(int(row["slice"]) for row in rows)
    assert min(np.diff(numbers)) >= layout.NUMBER_STEP, "no window is a neighbouring slice"


def test_runs_of_bleed_free_pictures_are_one_patient(tmp_path):
    pictures = [["images/001.png", "001", 1, "masks/001.png"], ["images/022.png", "001", 1, ""],
                ["images/100.png", "100", 0, ""], ["images/109.png", "109", 0, ""], ["images/110.png", "110", 0, ""]]  # fmt: skip
    write(tmp_path / "in/slices.csv", "image,group,hemorrhage,mask", *pictures)
    layout.write_pictures(tmp_path / "in", tmp_path / "out")
    patients = [row["patient"] for row in rows_of(tmp_path / "out")]
    assert patients[0] == patients[1] and patients[2] == patients[3] != patients[4]


def test_ischemic_slices_with_near_numbers_are_one_patient(tmp_path):
    names = ["aisd_100", "aisd_101", "aisd_150", "other_151"]
    write(tmp_path / "in/slices.csv", "image,hemorrhage", *([f"images/{name}.png", 0] for name in names))
    layout.write_ischemia(tmp_path / "in", tmp_path / "out")
    patients = [row["patient"] for row in rows_of(tmp_path / "out")]
    assert patients[0] == patients[1] and len(set(patients)) == 3


def test_slices_without_a_known_label_are_left_out(tmp_path):
    columns = f"file,known,hemorrhage,{','.join(layout.SUBTYPES)}"
    write(tmp_path / "in/slices.csv", columns, ["single/a.dcm", 1, 1, 0, 0, 1, 0, 0], ["single/b.dcm", 0, *6 * [""]])
    layout.write_rsna(tmp_path / "in", tmp_path / "out")
    assert [row["image"] for row in rows_of(tmp_path / "out")] == ["single/a.dcm"]


def test_the_type_of_a_synthetic_slice_is_in_its_name(tmp_path):
    for name in ("004_9y_epidural_110kV_620mA", "011_12y_none_140kV_1470mA", "012_9y_subdural_80kV_10mA"):
        picture(tmp_path / "in" / f"{name}.png", np.zeros((4, 4)))
    layout.write_synthetic(tmp_path / "in", tmp_path / "out")
    first, none, last = rows_of(tmp_path / "out")
    assert first["epidural"] == "1" and first["hemorrhage"] == "1" and last["subdural"] == "1"
    assert none["hemorrhage"] == "0" and first["patient"] == last["patient"] != none["patient"]


def test_boxes_become_filled_masks_of_the_slices_that_bleed(tmp_path):
    for number in (1, 2):
        picture(tmp_path / "in/brain" / f"{number}.png", np.zeros((20, 30)))
    columns = f"patient,slice,image,hemorrhage,{','.join(layout.SUBTYPES)},mask"
    write(
        tmp_path / "in/slices.csv",
        columns,
        ["p", 1, "brain/1.png", 1, 0, 1, 0, 0, 0, ""],
        ["p", 2, "brain/2.png", 0, *5 * [0], ""],
    )
    boxes = [["p", 1, 1, "IPH", 2.2, 3.4, 5.6, 6.0], ["p", 2, 0, "EDH", 0, 0, 9, 9]]
    write(tmp_path / "in/boxes.csv", "patient,slice,hemorrhage_label,class,x0,y0,x1,y1", *boxes)
    layout.write_boxes(tmp_path / "in", tmp_path / "out")
    (row,) = rows_of(tmp_path / "out")
    assert row["intraparenchymal"] == row["subdural"] == "1" and row["epidural"] == "0"
    mask = cv2.imread(str(tmp_path / "out" / row["mask"]), cv2.IMREAD_GRAYSCALE) > 0
    assert mask[3:7, 2:7].all() and mask.sum() == 20


def test_only_sets_with_a_source_are_written(tmp_path):
    picture(tmp_path / "data/insilico-more/004_9y_none_1kV_1mA.png", np.zeros((4, 4)))
    assert layout.write_layouts(tmp_path / "data", tmp_path / "out") == ["synthetic"]
