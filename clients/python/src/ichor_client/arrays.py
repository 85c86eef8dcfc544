"""Arrays as files that the server reads: NIfTI for Hounsfield units, PNG for grey pictures."""

import gzip
import io
import struct
import zipfile
from collections.abc import Sequence
from typing import IO, Any

from .errors import InputError
from .optional import require

MAX_SLICES = 512
MAX_SIDE_PX = 4096


def check_shape(array: Any) -> None:
    """Raises InputError for an array that is not a slice (rows, columns) or a series (slices, rows, columns)."""
    shape = tuple(array.shape)
    if len(shape) not in (2, 3):
        raise InputError(
            f"The array has the shape {shape}. Give a slice as (rows, columns) or a series as (slices, rows, columns)."
        )
    if 0 in shape or max(shape[-2:]) > MAX_SIDE_PX or (len(shape) == 3 and shape[0] > MAX_SLICES):
        raise InputError(
            f"The array has the shape {shape}; the limits are {MAX_SIDE_PX} rows and columns and {MAX_SLICES} slices."
        )


def is_picture(array: Any) -> bool:
    """Whether an array has the grey levels of a picture, 0 to 255."""
    return str(array.dtype) == "uint8"


def write_pictures(file: IO[bytes], array: Any) -> str:
    """Writes a picture as PNG, or several as a zip of them. Returns the media type."""
    image = require("PIL.Image")

    def png(plane: Any) -> bytes:
        packed = io.BytesIO()
        image.fromarray(plane).save(packed, "PNG", compress_level=1)
        return packed.getvalue()

    if array.ndim == 2:
        file.write(png(array))
        return "image/png"
    with zipfile.ZipFile(file, "w") as archive:
        for index, plane in enumerate(array):
            archive.writestr(f"{index:05}.png", png(plane))
    return "application/zip"


def write_volume(file: IO[bytes], array: Any, spacing_mm: Sequence[float] | None) -> str:
    """Writes Hounsfield units as a gzipped NIfTI volume. Returns the media type.

    Slices go from feet to head, rows from front to back, and columns from the patient's right to the left, as axial
    slices are shown. `spacing_mm` is the distance between slices, rows and columns; for one slice that between rows
    and columns is enough, and its thickness is then written as 1 mm, which no value of the report depends on.
    """
    numpy = require("numpy")
    if array.dtype.kind not in "iuf":
        raise InputError(f"The array holds {array.dtype}. Give Hounsfield units as integers or floats, or uint8 grey.")
    steps = _checked_spacing(array, spacing_mm)
    planes = array if array.ndim == 3 else array[None]
    # 32 bits hold the values of every scanner; 16 bits halve what is sent.
    fits = array.dtype.kind in "iu" and array.min() >= -32768 and array.max() <= 32767
    kind, code, bits = ("<i2", 4, 16) if fits else ("<f4", 16, 32)
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
        packed.write(_header(planes.shape, steps, code, bits))
        for plane in planes:
            packed.write(numpy.ascontiguousarray(plane, dtype=kind).tobytes())
    return "application/gzip"


def _checked_spacing(array: Any, spacing_mm: Sequence[float] | None) -> tuple[float, float, float]:
    if spacing_mm is None:
        raise InputError(
            "An array of Hounsfield units needs spacing_mm, the mm between slices, rows and columns. "
            "Give a picture, which has no size in mm, as uint8."
        )
    values = [float(value) for value in spacing_mm]
    if array.ndim == 2 and len(values) == 2:
        values = [1.0, *values]
    if len(values) != 3 or not all(0.01 <= value <= 100 for value in values):
        raise InputError("spacing_mm is the mm between slices, rows and columns: three numbers between 0.01 and 100.")
    return values[0], values[1], values[2]


def _header(shape: tuple[int, ...], steps: tuple[float, float, float], code: int, bits: int) -> bytes:
    """Header of NIfTI-1 (nifti1.h): its axes are columns, rows and slices, its directions right, front and up."""
    (slices, rows, columns), (depth, height, width) = shape, steps
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, columns, rows, slices, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, 1, width, height, depth, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    struct.pack_into("<B", header, 123, 2)  # mm
    struct.pack_into("<2h", header, 252, 0, 1)  # the affine below is that of the scanner
    affine = (-width, 0, 0, 0, 0, -height, 0, 0, 0, 0, depth, 0)
    struct.pack_into("<12f", header, 280, *affine)
    header[344:348] = b"n+1\0"
    return bytes(header)
