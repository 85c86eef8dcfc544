"""Rows of the tables of lesions and regions, with the columns of the CSV files of `ichor segment`."""

from typing import Any

from .schemas import Lesion, Report, SeriesReport, VolumeLesion

_LESION_COLUMNS = [
    *("lesion", "volume_ml", "voxels", "first_slice", "last_slice", "key_slice", "largest_diameter_mm"),
    *("abc2_a_mm", "abc2_b_mm", "abc2_c_mm", "abc2_volume_ml"),
]
_REGION_COLUMNS = [
    *("slice", "source", "region", "area_px", "area_mm2", "volume_ml"),
    *("bbox_x", "bbox_y", "bbox_width", "bbox_height", "centroid_x", "centroid_y", "mean_probability"),
]


def lesions(report: Report | SeriesReport) -> dict[str, Any]:
    """`data` and `columns` of a DataFrame of the lesions of a series, or of the regions of a slice."""
    if isinstance(report, Report):
        return regions(report)
    return {"data": [_lesion_row(lesion) for lesion in report.volume.lesions], "columns": _LESION_COLUMNS}


def regions(report: Report | SeriesReport) -> dict[str, Any]:
    """`data` and `columns` of a DataFrame of the regions on each slice."""
    if isinstance(report, Report):
        rows = [_region_row(0, 0, lesion) for lesion in report.lesions]
    else:
        rows = [_region_row(part.index, part.source, lesion) for part in report.slices for lesion in part.lesions]
    return {"data": rows, "columns": _REGION_COLUMNS}


def _lesion_row(lesion: VolumeLesion) -> tuple[object, ...]:
    abc2 = lesion.abc2
    return (
        *(lesion.id, lesion.volume_ml, lesion.voxels, lesion.first_slice, lesion.last_slice, lesion.key_slice),
        lesion.largest_diameter_mm,
        *((abc2.a_mm, abc2.b_mm, abc2.c_mm, abc2.volume_ml) if abc2 else (None,) * 4),
    )


def _region_row(index: int, source: int, lesion: Lesion) -> tuple[object, ...]:
    box, centroid = lesion.bbox, lesion.centroid
    return (
        *(index, source, lesion.id, lesion.area_px, lesion.area_mm2, lesion.volume_ml),
        *(box.x, box.y, box.width, box.height, centroid.x, centroid.y, lesion.mean_probability),
    )
