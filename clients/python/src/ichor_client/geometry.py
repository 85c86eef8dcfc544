"""Where the slices lie: the affine of a mask, and the way back onto the grid of a NIfTI volume."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

from .errors import GeometryError
from .optional import require
from .schemas import Placement

# Deviation of a position from even steps that is noted, mm: ten times the rounding of DICOM's decimal texts.
_EVEN_MM = 0.1
# Deviation of a direction, as a part of its unit vector.
_PARALLEL = 1e-3
# Deviation of a voxel from the grid of the input, in voxels.
_ON_GRID = 0.02


class GeometryWarning(UserWarning):
    """A NIfTI affine cannot hold what is known of the slices."""


@dataclass(frozen=True)
class Planes:
    """Positions of the slices in their order; mm between rows and between columns; extent of the first slice, mm."""

    placements: list[Placement | None]
    spacing_mm: tuple[float, float] | None
    extent_mm: float | None


def mask_affine(planes: Planes) -> Any:
    """The affine from (column, row, slice) to mm to the right, the front and up, as a 4 x 4 array.

    Slices at uneven positions have their mean distance, with a GeometryWarning.

    Raises GeometryError if positions or the pixel size are not known.
    """
    numpy = require("numpy")
    known = [placement for placement in planes.placements if placement is not None]
    if planes.spacing_mm is None or not known or len(known) < len(planes.placements):
        raise GeometryError(
            "The slices have no positions or no pixel size, which NIfTI needs. mask() has the pixels alone."
        )
    first = known[0]
    row_mm, column_mm = planes.spacing_mm
    row, column = numpy.array(first.row), numpy.array(first.column)
    positions = numpy.array([placement.position_mm for placement in known])
    if len(known) > 1:
        step = (positions[-1] - positions[0]) / (len(known) - 1)
        _warn_if_inexact(numpy, known, positions, step)
    else:
        # The thickness of a single slice is not part of the report.
        step = numpy.cross(row, column) * (planes.extent_mm or 1.0)
    affine = numpy.eye(4)
    affine[:3, :] = numpy.column_stack([row * column_mm, column * row_mm, step, positions[0]])
    # DICOM's x and y point to the patient's left and back, NIfTI's to the right and front.
    affine[:2] *= -1
    return affine


def _warn_if_inexact(numpy: Any, known: list[Placement], positions: Any, step: Any) -> None:
    even = positions[0] + numpy.arange(len(known))[:, None] * step
    directions = numpy.array([[*placement.row, *placement.column] for placement in known])
    if numpy.abs(directions - directions[0]).max() > _PARALLEL:
        cause = "The slices differ in direction, which NIfTI cannot hold: the affine is that of the first."
    elif numpy.abs(positions - even).max() > _EVEN_MM:
        cause = "The slices are unevenly spaced, which NIfTI cannot hold: the affine has their mean distance."
    else:
        return
    warnings.warn(f"{cause} Volumes of the report are exact.", GeometryWarning, stacklevel=4)


def on_grid_of(header: bytes, voxels: Any, affine: Any) -> tuple[Any, Any]:
    """The voxels turned and mirrored onto the grid of a NIfTI volume with this header, and the affine of that volume.

    Raises GeometryError if the slices do not lie on that grid.
    """
    nibabel, numpy = require("nibabel"), require("numpy")
    kind = nibabel.Nifti1Header if header[344:347] in (b"n+1", b"ni1") else nibabel.Nifti2Header
    given = kind.from_fileobj(io.BytesIO(header))
    shape = tuple(int(side) for side in given.get_data_shape())
    grid = given.get_best_affine()
    sizes = (*shape[:3], *(1,) * (3 - len(shape)))
    if voxels.shape[2] == 1:
        # One slice: its step is that of the axis of the volume along its normal.
        normal = affine[:3, 2]
        axis = max(range(3), key=lambda axis: abs(float(normal @ _unit(numpy, grid[:3, axis]))))
        affine = affine.copy()
        affine[:3, 2] = grid[:3, axis]
    # Voxel of the input to voxel of the mask: a permutation of axes, each with a sign, and whole steps.
    mapping = numpy.linalg.solve(affine, grid)
    turn = numpy.rint(mapping[:3, :3])
    corners = numpy.array([[0, 0, 0], [side - 1 for side in sizes]])
    mapped = corners @ mapping[:3, :3].T + mapping[:3, 3]
    whole = numpy.rint(mapped)
    is_permutation = (numpy.abs(turn).sum(axis=0) == 1).all() and (numpy.abs(turn).sum(axis=1) == 1).all()
    inside = (whole.min(axis=0) == 0).all() and (whole.max(axis=0) == numpy.array(voxels.shape) - 1).all()
    if not is_permutation or not inside or numpy.abs(mapped - whole).max() > _ON_GRID:
        raise GeometryError("The slices of the report do not lie on the grid of the volume that was sent.")
    axes = [int(numpy.flatnonzero(turn[:, axis])[0]) for axis in range(3)]
    turned = voxels.transpose(axes)
    for axis, source in enumerate(axes):
        if turn[source, axis] < 0:
            turned = numpy.flip(turned, axis)
    return numpy.ascontiguousarray(turned).reshape((*shape[:3], *(1,) * (3 - len(shape)))), grid


def _unit(numpy: Any, vector: Any) -> Any:
    return vector / numpy.linalg.norm(vector)
