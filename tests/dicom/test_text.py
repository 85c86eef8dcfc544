"""Patient and study in the written objects: equal to the source in every character set, and nothing else from it."""

import json
import os
import subprocess
from pathlib import Path

import pydicom
import pytest
from head_series import write_series
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from reading import ICHOR, ROOT, Result, segment

# PS3.3 C.12.1.1.2, with typical names in each character set.
NAMES = {
    "ISO_IR 100": "Müller^Jörg",
    "ISO_IR 101": "Wałęsa^Świętosław",
    "ISO_IR 109": "Ĉapek^Ĝoĥan",
    "ISO_IR 110": "Bērziņš^Jānis",
    "ISO_IR 126": "Διονυσιος",
    "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 138": "שרון^דבורה",
    "ISO_IR 144": "Люкceмбypг",
    "ISO_IR 148": "Çavuşoğlu^Gül",
    "ISO_IR 166": "สมชาย",
    "ISO_IR 13": "ﾔﾏﾀﾞ^ﾀﾛｳ",
    "ISO_IR 192": "Łukasz^Ćwiąkalski=山田^太郎=やまだ",
    "GB18030": "Wang^XiaoDong=王^小东",
    "GBK": "Wang^XiaoDong=王^小东",
    "\\ISO 2022 IR 87": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "ISO 2022 IR 6\\ISO 2022 IR 159": "Fuji^Hiroshi=\u4e02^\u4e04",
    "\\ISO 2022 IR 149": "Hong^Gildong=洪^吉洞=홍^길동",
    "ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 144": "Buc^Jérôme=Люкceмбypг",
}
# Files whose bytes do not fit their declared character set.
BYTES = {
    "undeclared": (None, "Müller^Jörg".encode("latin-1")),
    "utf8 under latin1": (b"ISO_IR 100", "Müller^Jörg".encode()),
    "latin1 under utf8": (b"ISO_IR 192", "Müller^Jörg".encode("latin-1")),
    "unknown set": (b"ISO_IR 203", "Œuvre^Žan".encode("iso8859-15")),
    # Characters whose second byte is a backslash, a delimiter of names, or a blank in other character sets.
    "backslash": (b"GB18030", b"Wang^\x81\x5c\x85\x5e\x81\xa0"),
    "simplified Chinese": (b"\\ISO 2022 IR 58", b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="),
    "padding": (b"ISO_IR 100", "  Müller^^^Dr.   ".encode("latin-1")),
    "three groups": (b"ISO_IR 192", ("A^B^C^D^E=甲^乙=" + "あ" * 60).encode()),
    "long": (b"ISO_IR 100", b"N" * 900),
}
TEXTS = ("PatientName", "PatientID", "ReferringPhysicianName", "StudyDescription", "StudyID", "AccessionNumber")


def head(keyword: str, vr: bytes) -> bytes:
    """The first bytes of an element in explicit little endian: its tag and value representation."""
    tag = tag_for_keyword(keyword)
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + vr


def element(keyword: str, vr: bytes, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    is_long = vr in (b"UN", b"OB")
    length = b"\0\0" + len(value).to_bytes(4, "little") if is_long else len(value).to_bytes(2, "little")
    return head(keyword, vr) + length + value


def place(data: bytes, keyword: str) -> slice | None:
    """The position of the value of an element with a 16-bit length."""
    start = data.find(head(keyword, dictionary_VR(keyword).encode()))
    if start < 0:
        return None
    length = int.from_bytes(data[start + 6 : start + 8], "little")
    return slice(start + 8, start + 8 + length)


def raw(path: Path, keyword: str) -> bytes | None:
    data = path.read_bytes()
    found = place(data, keyword)
    return None if found is None else data[found].rstrip(b" \0")


def rewrite(folder: Path, replaced: dict[str, bytes | None]) -> None:
    """Replaces elements of the files by raw ones, or removes them."""
    for path in folder.iterdir():
        data = path.read_bytes()
        for keyword, new in replaced.items():
            old = place(data, keyword)
            assert old, keyword
            data = data[: old.start - 8] + (new or b"") + data[old.stop :]
        path.write_bytes(data)


def written(folder: Path, output: Path) -> tuple[Result, list[Path]]:
    """The result, and the paths of the first source, the segmentation and the structured report."""
    result = segment(folder, output, "dicom-sr")
    return result, [min(folder.iterdir()), result.seg, result.sr]


def assert_equal(folder: Path, output: Path) -> list[pydicom.Dataset]:
    _, paths = written(folder, output)
    source, *copies = [pydicom.dcmread(path) for path in paths]
    for path, copy in zip(paths[1:], copies, strict=True):
        for keyword in (*TEXTS, "SpecificCharacterSet"):
            assert (raw(path, keyword) or b"") == (raw(paths[0], keyword) or b""), keyword
        for keyword in (keyword for keyword in TEXTS if keyword in source):
            assert str(copy[keyword].value) == str(source[keyword].value), keyword
    return [source, *copies]


@pytest.mark.parametrize("character_set", NAMES)
def test_names_equal_the_sources_in_every_character_set(tmp_path, character_set):
    name = NAMES[character_set]

    def change(image, _):
        image.SpecificCharacterSet = character_set.split("\\")
        image.PatientName = image.ReferringPhysicianName = name
        image.StudyDescription = name.split("=")[-1].replace("^", " ")

    write_series(tmp_path / "head", gaps_mm=[5], tilt_degrees=0, change=change)
    for dataset in assert_equal(tmp_path / "head", tmp_path / "out"):
        assert str(dataset.PatientName) == name
        dataset.walk(lambda _, found: found.value)


@pytest.mark.parametrize("case", BYTES)
def test_bytes_are_repeated_whatever_they_mean(tmp_path, case):
    character_set, name = BYTES[case]
    write_series(tmp_path / "head", gaps_mm=[5], tilt_degrees=0)
    declared = None if character_set is None else element("SpecificCharacterSet", b"CS", character_set)
    rewrite(tmp_path / "head", {"PatientName": element("PatientName", b"PN", name), "SpecificCharacterSet": declared})
    assert_equal(tmp_path / "head", tmp_path / "out")


@pytest.mark.parametrize("vr", [b"UN", b"LO", b"ST", b"OB"])
def test_text_under_another_representation_is_repeated_under_its_own(tmp_path, vr):
    write_series(tmp_path / "head", gaps_mm=[5], tilt_degrees=0)
    name = "Müller^Jörg".encode("latin-1")
    rewrite(tmp_path / "head", {"PatientName": element("PatientName", vr, name)})
    result, (_, *copies) = written(tmp_path / "head", tmp_path / "out")
    for path in copies:
        assert raw(path, "PatientName") == name
        assert str(pydicom.dcmread(path).PatientName) == "Müller^Jörg"
    assert "dicom_text_left_empty" not in result.warnings()


@pytest.mark.parametrize(("vr", "value"), [(b"US", b"ab"), (b"UN", b"\1\0\2\0"), (b"LO", b"N" * 5000)])
def test_what_is_no_text_is_left_empty_and_said(tmp_path, vr, value):
    write_series(tmp_path / "head", gaps_mm=[5], tilt_degrees=0)
    rewrite(tmp_path / "head", {"PatientName": element("PatientName", vr, value)})
    result, (_, *copies) = written(tmp_path / "head", tmp_path / "out")
    assert "dicom_text_left_empty" in result.warnings()
    assert "PatientName (0010,0010)" in json.dumps(result.report["warnings"])
    for path in copies:
        assert (raw(path, "PatientName"), raw(path, "PatientID")) == (b"", b"PHANTOM")


def test_nothing_else_of_the_source_is_carried_over(tmp_path):
    marked = {
        "OtherPatientNames": "CARRIED^Other",
        "PatientMotherBirthName": "CARRIED^Birth",
        "PatientAddress": "CARRIED street",
        "PatientTelephoneNumbers": "CARRIED phone",
        "PatientComments": "CARRIED comment",
        "InstitutionName": "CARRIED clinic",
        "OperatorsName": "CARRIED^Operator",
        "StationName": "CARRIED station",
        "ProtocolName": "CARRIED protocol",
        "SeriesDescription": "CARRIED series",
        "ImageComments": "CARRIED image",
        "AdditionalPatientHistory": "CARRIED history",
    }

    def change(image, _):
        for keyword, value in marked.items():
            setattr(image, keyword, value)
        block = image.private_block(0x0011, "CARRIED creator", create=True)
        block.add_new(1, "LO", "CARRIED private")

    write_series(tmp_path / "head", gaps_mm=[5], tilt_degrees=0, change=change)
    _, (_, *copies) = written(tmp_path / "head", tmp_path / "out")
    quoted = {"PatientName", "PatientID", "PatientBirthDate", "PatientSex"}
    for path in copies:
        assert b"CARRIED" not in path.read_bytes()
        patient = {keyword_for_tag(found.tag) for found in pydicom.dcmread(path) if found.tag.group == 0x0010}
        assert patient == quoted


def test_neither_report_nor_messages_name_the_patient(tmp_path):
    def change(image, _):
        image.SpecificCharacterSet = "ISO_IR 148"
        image.PatientName, image.PatientID, image.StudyDescription = "Çavuşoğlu^Secret", "SECRET-1", "Secret study"
        image.PatientWeight = "77"

    write_series(tmp_path / "head", gaps_mm=[5, 9], tilt_degrees=20, change=change)
    rewrite(tmp_path / "head", {"PatientName": element("PatientName", b"LO", b"Secret" * 900)})
    command = [ICHOR, "segment", str(tmp_path / "head"), "--model", "unet"]
    command += ["--output", str(tmp_path / "out"), "--format", "dicom-sr,json,nifti"]
    environment = {**os.environ, "RUST_LOG": "trace"}
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    assert "secret" not in (run.stdout + run.stderr).lower()
    assert "secret" not in (tmp_path / "out" / "head_report.json").read_text().lower()
