"""Peak memory in MiB of the longest series, 512 slices of 512 x 512 px: `ichor segment` with every
format on a DICOM folder and on a NIfTI file, and POST /v1/segment of the compressed volume.

    python scripts/long_series.py --ichor PATH_OF_ICHOR [--slices 512] [--only dicom nifti http]
                                      [--onnxruntime LIBRARY]  # with that engine, streamed, on the CPU

Linux only (/proc). Needs pydicom and numpy. Exits with 1 if a peak reaches 512 MiB, or 768 MiB with onnxruntime, whose
server also holds the working memory of the batches of two networks.
"""

import argparse
import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from memory import resident_bytes
from phantoms import SIDE, SPACING_MM, planes, write_nifti
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MIB = {"native": 512, "ort": 768}
FORMATS = "png,nifti,dicom-seg,dicom-sr,json,csv,montage"


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


def segment(ichor: str, series: Path, output: Path, engine: list[str]) -> tuple[float, float]:
    """Peak MiB and seconds of one `ichor segment`."""
    start = time.monotonic()
    command: list = [ichor, "segment", series, "--output", output, "--format", FORMATS]
    if series.suffix == ".nii":
        command[-1] = FORMATS.replace("dicom-seg,dicom-sr,", "")
    process = subprocess.Popen(command + engine, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"error: ichor segment ended with status {status}")
    return usage.ru_maxrss / 1024, time.monotonic() - start


def post(ichor: str, body: Path, engine: list[str]) -> tuple[float, float]:
    """Peak MiB of a server that segmented the volume, and seconds of the request."""
    server = subprocess.Popen([ichor, "serve", "--port", "0", *engine], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        address = re.findall(r"http://\S+:\d+", server.stdout.readline())[0]
        start = time.monotonic()
        headers = {"content-type": "application/gzip"}
        request = urllib.request.Request(f"{address}/v1/segment", body.read_bytes(), headers)
        with urllib.request.urlopen(request, timeout=3600) as answer:
            answer.read()
        seconds = time.monotonic() - start
        return resident_bytes(server.pid) / 2**20, seconds
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ichor", required=True, help="the ichor binary")
    parser.add_argument("--slices", type=int, default=512)
    parser.add_argument("--only", nargs="+", choices=["dicom", "nifti", "http"], default=["dicom", "nifti", "http"])
    parser.add_argument("--onnxruntime", help="libonnxruntime.so, for the engine that runs batches")
    arguments = parser.parse_args()
    engine = (
        ["--engine", "ort", "--provider", "cpu", "--onnxruntime", arguments.onnxruntime]
        if arguments.onnxruntime
        else []
    )
    highest = 0.0
    for way in arguments.only:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if way == "dicom":
                write_dicom(folder / "head", arguments.slices)
                peak, seconds = segment(arguments.ichor, folder / "head", folder / "out", engine)
            elif way == "nifti":
                with (folder / "head.nii").open("wb") as file:
                    write_nifti(file, arguments.slices)
                peak, seconds = segment(arguments.ichor, folder / "head.nii", folder / "out", engine)
            else:
                packed = folder / "head.nii.gz"
                with gzip.open(packed, "wb", compresslevel=6) as file:
                    write_nifti(file, arguments.slices)
                print(f"body of {packed.stat().st_size / 2**20:.1f} MiB")
                peak, seconds = post(arguments.ichor, packed, engine)
        print(f"{way}: {arguments.slices} slices, peak {peak:.0f} MiB, {seconds:.0f} s", flush=True)
        highest = max(highest, peak)
    limit = LIMIT_MIB["ort" if engine else "native"]
    sys.exit(f"error: the peak reaches {limit} MiB" if highest >= limit else 0)


if __name__ == "__main__":
    main()
