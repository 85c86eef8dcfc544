"""The result of one input, in the forms that other programs take."""

import base64
import binascii
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import tables
from .errors import AnswerError, GeometryError, InputError
from .geometry import GeometryWarning, Planes, mask_affine, on_grid_of
from .optional import require
from .parsing import decode, parse_value
from .schemas import (
    Lesion,
    ModelReference,
    Picture,
    Placement,
    Report,
    ReportWarning,
    SeriesReport,
    SliceReport,
    VolumeLesion,
)
from .structured_report import build_report
from .transport import Transport

if TYPE_CHECKING:
    from .request import Request

__all__ = ["Analysis", "GeometryWarning"]

MAX_SIDE_PX = 4096
# Voxels of all slices: 512 slices of 1024 x 1024 px. A picture of one colour is small however large it declares itself.
MAX_VOXELS = 1 << 29


@dataclass(frozen=True)
class _Plane:
    """What the report has of one slice, in the form of a series or of a single slice."""

    placement: Placement | None
    mask: Picture | None
    overlay: Picture | None
    probabilities: Picture | None


class Analysis:
    """The result of one input: a slice or a series.

    `report` is the answer of the server, typed; `raw` is the same as it came, for what a newer server adds.
    """

    def __init__(self, report: Report | SeriesReport, raw: Any, transport: Transport, request: "Request | None" = None):
        self.report = report
        self.raw: dict[str, Any] = raw
        self._transport = transport
        self._request = request
        self._seg: Any = None
        parts: list[Report] | list[SliceReport] = report.slices if isinstance(report, SeriesReport) else [report]
        self._planes = [_Plane(part.placement, part.mask, part.overlay, part.probabilities) for part in parts]

    @classmethod
    def from_answer(cls, body: bytes, transport: Transport, request: "Request") -> "Analysis":
        """The result in an answer of /v1/segment.

        Raises AnswerError if it is not a report.
        """
        raw = decode(body)
        is_series = isinstance(raw, dict) and "series" in raw
        report: Report | SeriesReport
        report = parse_value(raw, SeriesReport, "report") if is_series else parse_value(raw, Report, "report")
        return cls(report, raw, transport, request)

    def __repr__(self) -> str:
        kind = f"series of {len(self._planes)} slices" if self.is_series else "slice"
        volume = "" if self.volume_ml is None else f", {self.volume_ml:.1f} mL"
        return f"<Analysis of a {kind}: detected {self.detected}{volume}; research only>"

    def _repr_png_(self) -> bytes | None:
        """The picture that Jupyter shows: the overlay, where it was ordered."""
        return self.overlay_png() if any(plane.overlay for plane in self._planes) else None

    @property
    def is_series(self) -> bool:
        """Whether the report is that of a series."""
        return isinstance(self.report, SeriesReport)

    @property
    def detected(self) -> bool | None:
        """Whether hemorrhage was outlined; None if the input allows no answer, for the reason in `warnings`."""
        return self.report.hemorrhage.detected

    @property
    def probability(self) -> float | None:
        """Calibrated probability of hemorrhage, of a series that of its highest slice; None if unreadable."""
        return self.report.hemorrhage.probability

    @property
    def verdict(self) -> str | None:
        """`likely`, `uncertain` or `unlikely`; None for a model without these bands."""
        return self.report.hemorrhage.verdict

    @property
    def volume_ml(self) -> float | None:
        """Volume of all lesions; None for a slice, and where sizes are not known."""
        return self.report.volume.total_volume_ml if isinstance(self.report, SeriesReport) else None

    @property
    def lesions(self) -> list[VolumeLesion] | list[Lesion]:
        """The lesions, largest first: connected across slices, or of the slice."""
        return self.report.volume.lesions if isinstance(self.report, SeriesReport) else self.report.lesions

    @property
    def warnings(self) -> list[ReportWarning]:
        """What to be careful about, with stable codes."""
        return self.report.warnings

    @property
    def model(self) -> ModelReference:
        """Name and version of the model."""
        return self.report.model

    def mask(self) -> Any:
        """Where the hemorrhage is, as a NumPy array of bool: (rows, columns), of a series (slices, rows, columns).

        Slices are in the order of the report. Raises GeometryError if they differ in size: take `masks` then.
        """
        return self._stacked(self.masks())

    def masks(self) -> list[Any]:
        """The mask of each slice, as NumPy arrays (rows, columns) of bool."""
        numpy = require("numpy")
        return _bounded(
            numpy.zeros(self._size(), dtype=bool) if plane.mask is None else _pixels(plane.mask) > 127
            for plane in self._planes
        )

    def probability_map(self) -> Any:
        """Probability of hemorrhage per pixel, 0 to 1 in steps of 1/255, as a NumPy array of float32 shaped as `mask`.

        Raises InputError if it was not ordered, which `segment(…, probabilities=True)` does.
        """
        numpy = require("numpy")
        pictures = [plane.probabilities for plane in self._planes if plane.probabilities is not None]
        if len(pictures) < len(self._planes):
            raise InputError("The report has no probabilities: segment with probabilities=True.")
        return self._stacked(_bounded(_pixels(picture).astype(numpy.float32) / 255 for picture in pictures))

    def overlay_png(self, index: int | None = None) -> bytes:
        """The slice with its mask drawn on it, as a PNG file; of a series that of slice `index`, or of the key slice.

        Raises InputError if it was not ordered, which `segment(…, overlay=True)` does.
        """
        if index is None:
            index = self.report.series.key_slice if isinstance(self.report, SeriesReport) else 0
        if not 0 <= index < len(self._planes):
            raise InputError(f"There is no slice {index}: the series has {len(self._planes)}.")
        overlay = self._planes[index].overlay
        if overlay is None:
            raise InputError("The report has no overlay: segment with overlay=True.")
        return _png(overlay)

    def lesions_table(self) -> Any:
        """The lesions as a pandas DataFrame, one per row; columns as in the `lesions.csv` of `ichor segment`.

        Volumes are in mL, lengths in mm. Of a slice they are its regions, as in `regions_table`.
        """
        return require("pandas").DataFrame(**tables.lesions(self.report))

    def regions_table(self) -> Any:
        """The region of each lesion on each slice as a pandas DataFrame; columns as in the CSV file of the program.

        Areas are in px and mm², volumes in mL, positions in px from 0.
        """
        return require("pandas").DataFrame(**tables.regions(self.report))

    def to_nifti(self, *, probabilities: bool = False) -> Any:
        """The mask as a nibabel image of 8-bit voxels, or the probabilities as float32.

        The mask of a NIfTI volume, of an array and of a nibabel image lies on the grid of that input: same shape, same
        affine. Other slices are stacked in their order; GeometryWarning names what an affine cannot hold of them.

        Raises GeometryError if the slices have no positions.
        """
        nibabel, numpy = require("nibabel"), require("numpy")
        values = self.probability_map() if probabilities else self.mask().astype(numpy.uint8)
        volume = values[None] if values.ndim == 2 else values
        header = None if self._request is None else self._request.payload.nifti_header()
        planes = Planes([plane.placement for plane in self._planes], self._spacing(), self._extent_mm())
        # NIfTI's first axis are the columns, its last one the slices.
        voxels, affine = numpy.ascontiguousarray(volume.transpose(2, 1, 0)), mask_affine(planes)
        if header is not None:
            voxels, affine = on_grid_of(header, voxels, affine)
        image = nibabel.Nifti1Image(voxels, affine)
        image.header.set_xyzt_units("mm")
        return image

    def to_seg(self) -> Any:
        """The mask as a DICOM segmentation, a pydicom Dataset: `analysis.to_seg().save_as("seg.dcm")`.

        The server writes it, from the same input sent again; it is asked for once. Raises ProblemError for an input
        that is not DICOM with positions, or too large for one request.
        """
        if self._seg is None:
            if self._request is None:
                raise InputError("The input of this job is not known here: segment it with Ichor.segment.")
            pydicom = require("pydicom")
            body = self._request.segmentation(self._transport)
            try:
                seg = pydicom.dcmread(io.BytesIO(body))
                is_segmentation = seg.SOPClassUID == pydicom.uid.SegmentationStorage
            except Exception as error:
                raise AnswerError(f"The answer is not a DICOM file: {error}") from error
            if not is_segmentation:
                raise AnswerError("The answer is a DICOM file, and not a segmentation.")
            self._seg = seg
        return self._seg

    def to_sr(self) -> Any:
        """The volumes as a DICOM structured report (TID 1500), a pydicom Dataset that refers to that of `to_seg`.

        Raises as `to_seg`, and GeometryError for a single slice, which has no volume.
        """
        if not isinstance(self.report, SeriesReport):
            raise GeometryError("A structured report holds volumes, which a single slice does not have.")
        return build_report(require("pydicom"), self.report, self.to_seg())

    def save_report(self, path: str | Path) -> None:
        """Writes the report as the server sent it, as JSON."""
        Path(path).write_text(json.dumps(self.raw, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def _size(self) -> tuple[int, int]:
        """Rows and columns."""
        image = self.report.series if isinstance(self.report, SeriesReport) else self.report.image
        if not (0 < image.width <= MAX_SIDE_PX and 0 < image.height <= MAX_SIDE_PX):
            raise AnswerError(f"The report has an image of {image.width} x {image.height} px, above the limit.")
        return image.height, image.width

    def _spacing(self) -> tuple[float, float] | None:
        image = self.report.series if isinstance(self.report, SeriesReport) else self.report.image
        return image.spacing_mm

    def _extent_mm(self) -> float | None:
        return self.report.slices[0].extent_mm if isinstance(self.report, SeriesReport) else None

    def _stacked(self, planes: list[Any]) -> Any:
        if not self.is_series:
            return planes[0]
        if len({plane.shape for plane in planes}) > 1:
            raise GeometryError("The slices differ in size and are not one array. Take masks(), a list.")
        return require("numpy").stack(planes)


def _bounded(planes: Iterable[Any]) -> list[Any]:
    """The planes as a list.

    Raises AnswerError if they have more voxels than any series.
    """
    found, voxels = [], 0
    for plane in planes:
        voxels += plane.size
        if voxels > MAX_VOXELS:
            raise AnswerError(f"The pictures of the report have more than {MAX_VOXELS} px together.")
        found.append(plane)
    return found


def _png(picture: Picture) -> bytes:
    try:
        return base64.b64decode(picture.base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AnswerError(f"A picture of the report is not base64: {error}") from error


def _pixels(picture: Picture) -> Any:
    """The 8-bit pixels of a picture, as an array (rows, columns)."""
    numpy, image = require("numpy"), require("PIL.Image")
    try:
        with image.open(io.BytesIO(_png(picture)), formats=["PNG"]) as opened:
            # Before a pixel is decoded: a few bytes can declare any size.
            if max(opened.size) > MAX_SIDE_PX:
                raise AnswerError(
                    f"A picture of the report has {opened.size[0]} x {opened.size[1]} px, above the limit."
                )
            return numpy.asarray(opened.convert("L"))
    except (OSError, SyntaxError, ValueError, image.DecompressionBombError) as error:
        raise AnswerError(f"A picture of the report is not a PNG file: {error}") from error
