"""Heads drawn by formula, of no patient: planes of Hounsfield units, NIfTI volumes, windowed pictures."""

import gzip
import io
import struct
from collections.abc import Iterator

import numpy as np

SIDE = 512
SPACING_MM = (0.45, 0.45, 0.4)


def planes(slices: int, side: int = SIDE) -> Iterator[np.ndarray]:
    """A head with an ellipsoid of blood and the noise of a scanner: HU as int16, one plane after the other."""
    row, column = np.mgrid[0:side, 0:side] / side - 0.5
    rng = np.random.default_rng(1)
    grain = rng.integers(-6, 7, (side, side), dtype=np.int16)
    head, brain = (column / 0.39) ** 2 + (row / 0.45) ** 2 < 1, (column / 0.35) ** 2 + (row / 0.41) ** 2 < 1
    for index in range(slices):
        z = index / slices - 0.5
        blood = ((column - 0.16) / 0.09) ** 2 + ((row - 0.05) / 0.13) ** 2 + (z / 0.3) ** 2 < 1
        plane = np.where(head, 1000, -1000).astype(np.int16)
        plane[brain] = 34
        plane[blood] = 72
        plane[brain] += np.roll(grain, index, axis=1)[brain]
        yield plane


def write_nifti(file, slices: int) -> None:
    """Writes a volume with this number of planes to an open file."""
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
    file.write(header)
    for plane in planes(slices):
        file.write(plane.tobytes())


def packed_nifti(slices: int) -> bytes:
    """A volume as the bytes of a `.nii.gz` file."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
        write_nifti(file, slices)
    return packed.getvalue()


def windowed(plane: np.ndarray, center_hu: float = 40, width_hu: float = 120) -> np.ndarray:
    """8-bit grey of a plane in a window."""
    return np.rint(np.clip((plane - center_hu) / width_hu + 0.5, 0, 1) * 255).astype(np.uint8)
