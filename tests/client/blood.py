"""Where the phantom of `head_series` has blood, as an array."""

import numpy as np
from head_series import COLUMN_MM, ROW_MM

# mm between slices, rows and columns.
SPACING_MM = (6.0, ROW_MM, COLUMN_MM)


def blood_of(volume: np.ndarray) -> np.ndarray:
    """The voxels of blood: 66 to 78 HU, between brain and bone."""
    return (volume > 60) & (volume < 100)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())
