"""Writes the first seeds of the fuzz targets, fuzz/seeds/TARGET/*: one small file of each kind that
the decoders read, all of them phantoms. Needs pydicom, pylibjpeg-openjpeg, numpy and pillow.

    python scripts/fuzz_seeds.py fuzz/seeds
"""

import gzip
import io
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence

SIDE = 32
RAMP = np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE) * 4


def jpeg_lossless(pixels):
    """ISO 10918-1 process 14, predictor 1: difference classes in codes of five bits."""
    bits = []
    for row in range(SIDE):
        for column in range(SIDE):
            above = pixels[row - 1, 0] if row else 1 << 15
            before = pixels[row, column - 1] if column else above
            difference = (int(pixels[row, column]) - int(before) + 0x8000) % 0x10000 - 0x8000
            size = abs(difference).bit_length()
            bits.append(f"{size:05b}")
            if 0 < size < 16:
                value = difference if difference > 0 else difference + (1 << size) - 1
                bits.append(f"{value:0{size}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    coded = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    lengths = bytes([0, 0, 0, 0, 17] + [0] * 11)
    table = b"\xff\xc4" + struct.pack(">HB", 2 + 1 + 16 + 17, 0) + lengths + bytes(range(17))
    frame = b"\xff\xc3" + struct.pack(">HBHHBBBB", 11, 16, SIDE, SIDE, 1, 1, 0x11, 0)
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 1, 0, 0)
    return b"\xff\xd8" + table + frame + scan + coded + b"\xff\xd9"


def rle(pixels):
    """PS3.5 annex G: literal runs only."""
    planes = [(pixels >> 8).astype(np.uint8).tobytes(), (pixels & 255).astype(np.uint8).tobytes()]
    packed = [
        b"".join(bytes([len(run) - 1]) + run for run in (p[i : i + 128] for i in range(0, len(p), 128))) for p in planes
    ]
    header = struct.pack("<16I", 2, 64, 64 + len(packed[0]), *[0] * 13)
    return header + packed[0] + packed[1]


def picture(kind):
    out = io.BytesIO()
    Image.fromarray((RAMP >> 4).astype(np.uint8)).save(out, kind)
    return out.getvalue()


def ct(syntax, pixel_data, extended=False, **changes):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = uid.CTImageStorage, "1.2.3"
    dataset.Modality, dataset.PhotometricInterpretation = "CT", "MONOCHROME2"
    dataset.Rows = dataset.Columns = SIDE
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-1024"
    dataset.PixelSpacing, dataset.ImagePositionPatient = ["0.5", "0.5"], ["0", "0", "1"]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.WindowCenter, dataset.WindowWidth = ["40", "300"], ["80", "1500"]
    for name, value in changes.items():
        setattr(dataset, name, value)
    if uid.UID(syntax).is_encapsulated:
        pixel_data = pixel_data if isinstance(pixel_data, list) else [pixel_data]
        if extended:
            pixel_data, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(
                pixel_data
            )
        else:
            pixel_data = encapsulate(pixel_data)
    dataset.PixelData = pixel_data
    dataset["PixelData"].VR = "OB" if uid.UID(syntax).is_encapsulated else "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def enhanced():
    def frame(intercept, z):
        item, rescale, position = Dataset(), Dataset(), Dataset()
        rescale.RescaleSlope, rescale.RescaleIntercept = "1", intercept
        position.ImagePositionPatient = ["0", "0", z]
        item.PixelValueTransformationSequence = Sequence([rescale])
        item.PlanePositionSequence = Sequence([position])
        return item

    frames = Sequence([frame("-1024", "1"), frame("-1000", "6")])
    return ct(
        uid.ExplicitVRLittleEndian,
        RAMP.tobytes() * 2,
        NumberOfFrames="2",
        PerFrameFunctionalGroupsSequence=frames,
    )


def jpeg2000(pixels):
    from openjpeg.utils import encode_array

    return bytes(encode_array(pixels, photometric_interpretation=2, use_mct=False))


def nifti(datatype, bits, samples):
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, SIDE, SIDE, 2, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, datatype, bits)
    struct.pack_into("<8f", header, 76, 1, 0.5, 0.5, 5, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    struct.pack_into("<2h", header, 252, 1, 1)
    struct.pack_into("<12f", header, 280, -0.5, 0, 0, 8, 0, 0.5, 0, -8, 0, 0, 5, 0)
    header[344:348] = b"n+1\0"
    return bytes(header) + samples.tobytes() * 2


def archive(compression, entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, content in entries.items():
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return out.getvalue()


def multipart():
    """The Content-Type on the first line, followed by the body."""
    kind = b"multipart/form-data; boundary="
    part = b"Content-Disposition: form-data; name="
    model = b"--frontier\r\n" + part + b'"model"\r\n\r\nunet\r\n'
    file = (
        b"--frontier\r\n"
        + part
        + b'"file"; filename="a \\"b\\".png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\r\n'
    )
    folded = b"--a b \nContent-Disposition: form-data;\n name=file\nContent-Transfer-Encoding: base64\n\nAAAA\n"
    other = b"--a b\n" + part + b"file\n\n--a bc\n"
    return {
        "form": kind + b"frontier\n" + model + file + b"--frontier--\r\n",
        "line_feeds": kind + b'"a b"; charset=utf-8\npreamble\n' + folded + other + b"--a b--\nepilogue",
        "cut_off": kind + b"frontier\n" + model + file[:-12],
    }


def main(folder):
    slice_ = ct(uid.ExplicitVRLittleEndian, RAMP.tobytes())
    png = picture("PNG")
    seeds = {
        "dicom": {
            "explicit": slice_,
            "implicit": ct(uid.ImplicitVRLittleEndian, RAMP.tobytes()),
            "big_endian": ct(uid.ExplicitVRBigEndian, RAMP.byteswap().tobytes()),
            "deflated": ct(uid.DeflatedExplicitVRLittleEndian, RAMP.tobytes()),
            "rle": ct(uid.RLELossless, rle(RAMP)),
            "rle_two_frames": ct(uid.RLELossless, [rle(RAMP)] * 2, NumberOfFrames="2"),
            "rle_extended": ct(uid.RLELossless, [rle(RAMP)] * 2, extended=True, NumberOfFrames="2"),
            "jpeg_lossless": ct(uid.JPEGLosslessSV1, jpeg_lossless(RAMP)),
            "jpeg_baseline": ct(uid.JPEGBaseline8Bit, picture("JPEG"), BitsAllocated=8, BitsStored=8, HighBit=7),
            "jpeg2000": ct(uid.JPEG2000Lossless, jpeg2000(RAMP)),
            "enhanced": enhanced(),
            "mr": ct(uid.ExplicitVRLittleEndian, RAMP.tobytes(), Modality="MR"),
        },
        "nifti": {
            "int16": nifti(4, 16, RAMP.astype(np.int16)),
            "float32": nifti(16, 32, RAMP.astype(np.float32)),
            "gzip": gzip.compress(nifti(4, 16, RAMP.astype(np.int16)), mtime=0),
        },
        "archive": {
            "stored": archive(zipfile.ZIP_STORED, {"a.dcm": slice_, "b.dcm": slice_}),
            "deflated": archive(zipfile.ZIP_DEFLATED, {"s/1.png": png, "s/2.png": png}),
            "traversal": archive(zipfile.ZIP_STORED, {"../../a.png": png, "/b.png": png}),
        },
        "multipart": multipart(),
        "raster": {kind.lower(): picture(kind) for kind in ["PNG", "JPEG", "TIFF", "WEBP", "BMP"]},
    }
    for target, files in seeds.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / target / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
