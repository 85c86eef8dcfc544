"""Every kind of input gives the same result as the folder of its files."""

import gzip
import io
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from blood import SPACING_MM, blood_of, dice
from ichor_client import Analysis, Ichor, InputError, InvalidRequestError, Report
from ichor_client.inputs import MAX_FILES, payload_of
from PIL import Image
from pydicom.dataset import Dataset


def archive(content: bytes) -> dict[str, bytes]:
    """The files of a zip by name, in their order."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_picture_is_segmented_from_path_bytes_and_array_alike(ichor: Ichor, slice_file: Path):
    grey = np.asarray(Image.open(slice_file).convert("L"))
    answers = [ichor.segment(given) for given in (slice_file, str(slice_file), slice_file.read_bytes(), grey)]
    for answer in answers:
        assert answer.detected is True and not answer.is_series and answer.volume_ml is None
        assert answer.mask().shape == grey.shape and answer.mask().dtype == bool
        assert isinstance(answer.report, Report)
        assert answer.mask().sum() == sum(lesion.area_px for lesion in answer.report.lesions) > 500
        assert np.array_equal(answer.mask(), answers[0].mask())


def test_datasets_and_lists_are_segmented_as_their_folder(ichor: Ichor, head: tuple[Path, list], analysis: Analysis):
    folder, datasets = head
    other = ichor.segment(datasets, model="unet")
    assert np.array_equal(other.mask(), analysis.mask()) and other.volume_ml == analysis.volume_ml
    with payload_of(sorted(folder.iterdir())).open() as sent, payload_of(folder).open() as same:
        files = [archive(file.read()) for file in (sent, same)]
    assert list(files[0].values()) == list(files[1].values()) and len(files[0]) == len(datasets)


def test_one_dataset_is_a_slice(ichor: Ichor, head: tuple[Path, list]):
    one = ichor.segment(head[1][4], model="unet")
    assert isinstance(one.report, Report) and one.mask().ndim == 2 and one.report.image.modality == "CT"


def test_a_dataset_in_memory_is_not_changed(head: tuple[Path, list]):
    dataset = head[1][0]
    before = dataset.to_json()
    payload = payload_of(dataset)
    with payload.open() as file:
        assert pydicom.dcmread(file).SOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.to_json() == before


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.float64])
def test_an_array_is_written_as_it_is_whatever_its_type(volume: np.ndarray, kind: type):
    payload = payload_of(volume.astype(kind), SPACING_MM)
    with payload.open() as file:
        image = nibabel.Nifti1Image.from_bytes(gzip.decompress(file.read()))
    assert np.array_equal(np.asarray(image.dataobj).transpose(2, 1, 0), volume)
    assert image.header.get_zooms() == pytest.approx(SPACING_MM[::-1])
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")


def test_the_mask_of_an_array_lies_on_the_array(ichor: Ichor, volume: np.ndarray):
    result = ichor.segment(volume, spacing_mm=SPACING_MM, model="unet")
    truth = blood_of(volume)
    assert result.mask().shape == volume.shape and dice(result.mask(), truth) > 0.7
    # Turned in any way, it would lie elsewhere.
    assert max(dice(np.flip(result.mask(), axis), truth) for axis in (1, 2)) < 0.5
    expected_ml = truth.sum() * np.prod(SPACING_MM) / 1000
    assert result.volume_ml == pytest.approx(expected_ml, rel=0.4)


def test_an_array_of_pictures_is_one_series(ichor: Ichor, volume: np.ndarray):
    grey = np.rint(np.clip((volume[2:6] - 40) / 120 + 0.5, 0, 1) * 255).astype(np.uint8)
    result = ichor.segment(grey, model="unet")
    assert result.is_series and result.mask().shape == grey.shape
    assert result.volume_ml is None, "pictures have no size"
    assert dice(result.mask(), blood_of(volume[2:6])) > 0.6


def test_parameters_reach_the_server(ichor: Ichor, slice_file: Path):
    result = ichor.segment(slice_file, model="unet", threshold=0.7, window=(80, 200))
    assert result.model.name == "unet" and result.report.hemorrhage.threshold == pytest.approx(0.7)
    with pytest.raises(InvalidRequestError) as caught:
        ichor.segment(slice_file, threshold=7)
    assert caught.value.status == 400 and caught.value.code and "threshold" in caught.value.detail
    with pytest.raises(TypeError, match="treshold"):
        ichor.segment(slice_file, treshold=0.7)  # type: ignore[call-arg]


def test_a_folder_leaves_out_what_is_not_an_image(head: tuple[Path, list], tmp_path: Path):
    for file in head[0].iterdir():
        (tmp_path / file.stem).write_bytes(file.read_bytes())
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.dcm").write_bytes(b"x")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    with payload_of(tmp_path).open() as packed:
        assert list(archive(packed.read())) == [f"{number:02}" for number in range(1, 9)]


def test_a_list_keeps_its_order_in_the_names(tmp_path: Path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.png").write_bytes(name.encode())
    payload = payload_of([tmp_path / "b" / "same.png", tmp_path / "a" / "same.png", b"c"])
    with payload.open() as file:
        files = archive(file.read())
    assert [files[name] for name in sorted(files)] == [b"b", b"a", b"c"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("no/such/file.dcm", "There is no no/such/file.dcm"),
        ("https://example.org/head.zip", "Download the address first"),
        (b"", "empty"),
        ([], "The list is empty"),
        ([3, 4], "Item 0 of the list is a int"),
        (7, "A int cannot be sent"),
        (np.zeros((2, 3, 4, 5)), "Give a slice as"),
        (np.zeros((600, 2, 2), np.uint8), "the limits are"),
        (np.zeros((64, 64)), "needs spacing_mm"),
        (np.zeros((64, 64), bool), "needs spacing_mm|The array holds bool"),
        (Dataset(), "cannot be written as a DICOM file"),
        ((b"x" for _ in range(MAX_FILES + 1)), f"more than {MAX_FILES} files"),
    ],
)
def test_a_wrong_input_is_refused_before_anything_is_sent(given, message: str):
    with pytest.raises(InputError, match=message):
        Ichor("http://127.0.0.1:1").segment(given)


def test_wrong_spacing_is_refused(volume: np.ndarray):
    client = Ichor("http://127.0.0.1:1")
    for spacing in ((1, 1), (1, 0, 1), (1, 1, float("nan")), (1, 1, 1000)):
        with pytest.raises(InputError, match="spacing_mm is the mm"):
            client.segment(volume, spacing_mm=spacing)
    with pytest.raises(InputError, match="Other inputs carry their own"):
        client.segment(b"bytes", spacing_mm=(1, 1, 1))


def test_an_empty_folder_and_an_oversized_file_are_refused(tmp_path: Path):
    client = Ichor("http://127.0.0.1:1")
    with pytest.raises(InputError, match="holds no image"):
        client.segment(tmp_path)
    with (tmp_path / "large.dcm").open("wb") as file:
        file.truncate(321 << 20)
    for given in (tmp_path, tmp_path / "large.dcm"):
        with pytest.raises(InputError, match="more than 320 MiB"):
            client.segment(given)
