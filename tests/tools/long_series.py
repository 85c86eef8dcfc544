"""Peak memory of a series of the greatest length, 512 slices of 512 x 512 px, in MiB: `ichor segment` with
every format on a DICOM folder and on a NIfTI file, and POST /v1/segment of the packed volume.

    python tests/tools/long_series.py --ichor PATH_OF_ICHOR [--slices 512] [--only dicom nifti http]

Linux only (/proc). Needs pydicom and numpy. Exits with 1 where a peak reaches 512 MiB.
"""

import argparse
import gzip
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROOT = Path(__file__).resolve().parents[2]
SIDE = 512
SPACING_MM = (0.45, 0.45, 0.4)
LIMIT_MIB = 512
FORMATS = "png,nifti,dicom-seg,dicom-sr,json,csv,montage"


def planes(slices: int):
    """A head with an ellipsoid of blood and the grain of a scanner, HU as int16, one plane after the other."""
    row, column = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    rng = np.random.default_rng(1)
    grain = rng.integers(-6, 7, (SIDE, SIDE), dtype=np.int16)
    head, brain = (column / 0.39) ** 2 + (row / 0.45) ** 2 < 1, (column / 0.35) ** 2 + (row / 0.41) ** 2 < 1
    for index in range(slices):
        z = index / slices - 0.5
        blood = ((column - 0.16) / 0.09) ** 2 + ((row - 0.05) / 0.13) ** 2 + (z / 0.3) ** 2 < 1
        plane = np.where(head, 1000, -1000).astype(np.int16)
        plane[brain] = 34
        plane[blood] = 72
        plane[brain] += np.roll(grain, index, axis=1)[brain]
        yield plane


def write_nifti(path: Path, slices: int, opener) -> None:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, SIDE, SIDE, slices, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, *SPACING_MM, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    struct.pack_into("<B", header, 123, 2)
    struct.pack_into("<2h", header, 252, 0, 1)
    x, y, z = SPACING_MM
    struct.pack_into("<12f", header, 280, -x, 0, 0, 115, 0, -y, 0, 115, 0, 0, z, 0)
    header[344:348] = b"n+1\0"
    with opener(path) as file:
        file.write(header)
        for plane in planes(slices):
            file.write(plane.tobytes())


def write_dicom(folder: Path, slices: int) -> None:
    folder.mkdir()
    study, series, frame_of_reference = generate_uid(), generate_uid(), generate_uid()
    for index, plane in enumerate(planes(slices)):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame_of_reference
        image.Modality, image.PatientName, image.PatientID = "CT", "Phantom", "PHANTOM"
        image.PixelSpacing, image.SliceThickness = [SPACING_MM[1], SPACING_MM[0]], SPACING_MM[2]
        image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        image.ImagePositionPatient = [-115, -115, round(index * SPACING_MM[2], 3)]
        image.PhotometricInterpretation, image.SamplesPerPixel = "MONOCHROME2", 1
        image.Rows = image.Columns = SIDE
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
        image.RescaleSlope, image.RescaleIntercept = 1, 0
        image.PixelData = plane.tobytes()
        image.save_as(folder / f"{index:04}.dcm", enforce_file_format=True)


def segment(ichor: str, series: Path, output: Path) -> tuple[float, float]:
    """Peak MiB and seconds of one run of the command line."""
    start = time.monotonic()
    command = [ichor, "segment", series, "--output", output, "--format", FORMATS]
    if series.suffix == ".nii":
        command[-1] = FORMATS.replace("dicom-seg,dicom-sr,", "")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"error: ichor segment ended with status {status}")
    return usage.ru_maxrss / 1024, time.monotonic() - start


def post(ichor: str, body: Path) -> tuple[float, float]:
    """Peak MiB of a server that answered the volume, and seconds of the request."""
    server = subprocess.Popen([ichor, "serve", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+:\d+", server.stdout.readline()).group()
        start = time.monotonic()
        headers = {"content-type": "application/gzip"}
        request = urllib.request.Request(f"{address}/v1/segment", body.read_bytes(), headers)
        with urllib.request.urlopen(request, timeout=3600) as answer:
            answer.read()
        seconds = time.monotonic() - start
        status = Path(f"/proc/{server.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024, seconds
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ichor", required=True, help="the ichor binary")
    parser.add_argument("--slices", type=int, default=512)
    parser.add_argument("--only", nargs="+", choices=["dicom", "nifti", "http"], default=["dicom", "nifti", "http"])
    arguments = parser.parse_args()
    highest = 0.0
    for way in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            if way == "dicom":
                write_dicom(folder / "head", arguments.slices)
                peak, seconds = segment(arguments.ichor, folder / "head", folder / "out")
            elif way == "nifti":
                write_nifti(folder / "head.nii", arguments.slices, lambda path: path.open("wb"))
                peak, seconds = segment(arguments.ichor, folder / "head.nii", folder / "out")
            else:
                packed = folder / "head.nii.gz"
                write_nifti(packed, arguments.slices, lambda path: gzip.open(path, "wb", compresslevel=6))
                print(f"body of {packed.stat().st_size / 2**20:.1f} MiB")
                peak, seconds = post(arguments.ichor, packed)
        print(f"{way}: {arguments.slices} slices, peak {peak:.0f} MiB, {seconds:.0f} s", flush=True)
        highest = max(highest, peak)
    sys.exit(f"error: the peak reaches {LIMIT_MIB} MiB" if highest >= LIMIT_MIB else 0)


if __name__ == "__main__":
    main()
