"""Answers of the API as dataclasses. Written by generate_schemas.py from its description; do not edit.

A field that the description allows to be null or absent is None by default. Fields that it does not have are left out.
"""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class ModelReference:
    """Schema of the API: `ModelReference`."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Window:
    """Schema of the API: `Window`."""

    center_hu: float
    width_hu: float


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """Schema of the API: `ImageInfo`."""

    width: int
    height: int
    spacing_mm: tuple[float, float] | None = None
    modality: str | None = None
    window: Window | None = None
    gray_scale: Literal["hounsfield", "window_known", "window_estimated", "unreadable"]
    """How the grey values were read: as Hounsfield units, as a picture in a window that the models know, as a picture
    in a window that was estimated from it, or not at all
    """
    estimated_window: Window | None = None
    """The window that a picture seems to be shown in; there where gray_scale is window_estimated"""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Schema of the API: `Placement`."""

    position_mm: tuple[float, float, float]
    """Centre of the first sample"""
    row: tuple[float, float, float]
    """Unit vector to higher columns"""
    column: tuple[float, float, float]
    """Unit vector to higher rows"""


@dataclass(frozen=True, kw_only=True)
class SliceSubtype:
    """Schema of the API: `SliceSubtype`."""

    code: str
    name: str
    probability: float
    experimental: bool


@dataclass(frozen=True, kw_only=True)
class SliceHemorrhage:
    """Schema of the API: `SliceHemorrhage`."""

    detected: bool | None = None
    """null: it cannot be said, for the reason in the warning that carries a doubt"""
    probability: float | None = None
    """Calibrated, any hemorrhage on the slice; null where the image cannot be interpreted"""
    verdict: Literal["likely", "uncertain", "unlikely"] | None = None
    """The probability in one of three words, by the bands in model.json, whose errors the model card gives; never
    unlikely where something is outlined; null where the model has no bands, where the image cannot be interpreted, and
    in place of unlikely where detected is null
    """
    threshold: float
    subtypes: list[SliceSubtype]


@dataclass(frozen=True, kw_only=True)
class Readout:
    """What else than the threshold decides on the mask; with it, a mask for another threshold follows from the
    probabilities
    """

    open: bool
    """false: the probability of the slice leaves its mask empty at every threshold"""
    min_lesion_px: float
    """Smallest region that counts, px of the image"""


@dataclass(frozen=True, kw_only=True)
class Box:
    """Schema of the API: `Box`."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Point:
    """Schema of the API: `Point`."""

    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class TypeProbability:
    """Schema of the API: `TypeProbability`."""

    code: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class LesionType:
    """Type of a lesion. Types in `not_assessed` are not recognized better than by chance: they have no probability and
    are not excluded.
    """

    code: str | None = None
    """The most probable of EDH, SDH, SAH, IPH and IVH; null where that one is not assessed."""
    probability: float | None = None
    extra_axial: float | None = None
    """Probability that the lesion lies outside the brain tissue and the ventricles: EDH, SDH or SAH."""
    probabilities: list[TypeProbability]
    not_assessed: list[str]


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a lesion lies; absent where the inside of the skull was not found."""

    side: Literal["left", "right", "midline"] | None = None
    """The patient's side. A picture without an orientation counts as displayed in the usual way, with the patient's
    right on the left of the image. null where the midline was not found.
    """
    depth: Literal["superficial", "deep"]
    """deep: half of the lesion is farther from the inner table than 35 % of the largest distance, about 2 cm in an
    adult.
    """
    region: (
        Literal["frontal", "parietal", "temporal", "occipital", "basal_ganglia", "brainstem", "cerebellum"] | None
    ) = None
    """Only in a series that shows the top of the head; null near a border between regions. basal_ganglia includes the
    thalamus.
    """


@dataclass(frozen=True, kw_only=True)
class Density:
    """Hounsfield units of the pixels of a lesion; absent for pictures."""

    mean_hu: float
    sd_hu: float
    above_60_hu: float
    """Part of the pixels above 60 HU."""


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """Schema of the API: `Lesion`."""

    id: int
    area_px: int
    area_mm2: float | None = None
    volume_ml: float | None = None
    """The part of the volume in this slice; null for a single slice"""
    bbox: Box
    centroid: Point
    mean_probability: float
    contour: list[tuple[int, int]] | None = None
    """Border pixels, [column, row]."""
    type: LesionType | None = None
    location: Location | None = None
    thickness_mm: float | None = None
    """Largest thickness perpendicular to the inner table, mm; only of a lesion that lies along the table."""
    density: Density | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Schema of the API: `Picture`."""

    media_type: Literal["image/png"]
    base64: str


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The samples of the slice: a value is stored * scale + offset, in unit"""

    media_type: Literal["image/png"]
    base64: str
    unit: Literal["HU", "grey"]
    """Hounsfield units (16-bit grey PNG), or grey levels from 0 to 255 of what came windowed (8-bit)"""
    scale: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class Translated:
    """A text in each language"""

    en: str
    de: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """Schema of the API: `Source`."""

    authors: str
    journal: str
    year: int
    doi: str


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Schema of the API: `Pattern`."""

    code: str
    """Rule, as in docs/patterns.md"""
    lesions: list[int]
    """id of the lesions that it applies to"""
    consider: Translated
    """What to consider, a sentence"""
    sources: list[Source]


@dataclass(frozen=True, kw_only=True)
class ReportWarning:
    """Schema of the API: `ReportWarning`."""

    code: str
    message: str
    doubt: Literal["incomplete", "unreadable", "undecided", "unmeasurable"] | None = None
    """What of the answer cannot be relied on because of it; absent for a note. incomplete: not all of the head was
    segmented, so detected is true or null. unreadable: nothing is said of hemorrhage. undecided: the slice is above the
    cut-off and nothing reaches the threshold. unmeasurable: lengths, areas and volumes are null.
    """


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Schema of the API: `Timings`."""

    decode: float
    preprocess: float
    inference: float
    postprocess: float
    encode: float
    total: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """Schema of the API: `Report`."""

    model: ModelReference
    image: ImageInfo
    placement: Placement | None = None
    hemorrhage: SliceHemorrhage
    probability_alone: float | None = None
    """Probability by this slice alone, where neighbours changed it; of single slices absent; null where the image
    cannot be interpreted
    """
    readout: Readout
    lesions: list[Lesion]
    """Largest first"""
    mask: Picture | None = None
    overlay: Picture | None = None
    probabilities: Picture | None = None
    samples: Samples | None = None
    text: Translated | None = None
    """The finding as a paragraph, with include=text"""
    patterns: list[Pattern] | None = None
    """What a textbook considers for the types and places of the lesions; left out where no rule applies, or with
    patterns=false. Nothing of it is predicted
    """
    warnings: list[ReportWarning]
    timings_ms: Timings
    disclaimer: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class SeriesInfo:
    """Schema of the API: `SeriesInfo`."""

    slices: int
    width: int
    height: int
    spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None
    """Along the normal of the slices; null where unknown or uneven"""
    tilt_degrees: float | None = None
    modality: str | None = None
    window: Window | None = None
    gray_scale: Literal["hounsfield", "window_known", "window_estimated", "unreadable"]
    """How the grey values were read: as Hounsfield units, as a picture in a window that the models know, as a picture
    in a window that was estimated from it, or not at all
    """
    estimated_window: Window | None = None
    """The window that a picture seems to be shown in; there where gray_scale is window_estimated"""
    key_slice: int
    """The slice to look at first: largest area, else highest probability"""


@dataclass(frozen=True, kw_only=True)
class SeriesSubtype:
    """Schema of the API: `SeriesSubtype`."""

    code: str
    name: str
    probability: float
    """Highest of the slices"""
    experimental_volume_ml: float | None = None
    """Each slice's volume shared out in proportion to the types' probabilities on it; types are known per slice, not
    per pixel
    """
    experimental: bool


@dataclass(frozen=True, kw_only=True)
class SeriesHemorrhage:
    """Schema of the API: `SeriesHemorrhage`."""

    detected: bool | None = None
    """Whether any slice has a mask; null: it cannot be said, for the reason in the warning that carries a doubt"""
    probability: float | None = None
    """Highest of the slices, each calibrated for itself; not a calibrated probability of the head; null where the image
    cannot be interpreted
    """
    verdict: Literal["likely", "uncertain", "unlikely"] | None = None
    """The probability of the highest slice in one of three words, by the bands in model.json, whose errors the model
    card gives; never unlikely where something is outlined; null where the model has no bands, where the image cannot be
    interpreted, and in place of unlikely where detected is null
    """
    threshold: float
    subtypes: list[SeriesSubtype]


@dataclass(frozen=True, kw_only=True)
class Abc2:
    """Schema of the API: `Abc2`."""

    a_mm: float
    b_mm: float
    c_mm: float
    volume_ml: float


@dataclass(frozen=True, kw_only=True)
class VolumeLesion:
    """Schema of the API: `VolumeLesion`."""

    id: int
    volume_ml: float | None = None
    voxels: int
    first_slice: int
    last_slice: int
    key_slice: int
    largest_diameter_mm: float | None = None
    abc2: Abc2 | None = None
    type: LesionType | None = None
    location: Location | None = None
    thickness_mm: float | None = None
    """Largest thickness perpendicular to the inner table on a slice, mm; only of a lesion that lies along the table."""
    density: Density | None = None


@dataclass(frozen=True, kw_only=True)
class Volumetry:
    """Schema of the API: `Volumetry`."""

    total_volume_ml: float | None = None
    total_volume_interval_ml: tuple[float, float] | None = None
    """Volume of the same lesions at 1.5 times and at half the odds of the threshold, mL: how much it depends on the
    threshold. It is no confidence interval.
    """
    lesions: list[VolumeLesion]
    """Regions across slices, largest first"""
    key_slice: int | None = None
    """The slice with the largest area; null without hemorrhage"""
    warnings: list[ReportWarning]


@dataclass(frozen=True, kw_only=True)
class SliceReport:
    """Schema of the API: `SliceReport`."""

    index: int
    source: int
    """Place in what was sent, files and frames in their order"""
    placement: Placement | None = None
    extent_mm: float | None = None
    """Length along the normal that the slice stands for; null where positions are unknown"""
    probability: float | None = None
    """Calibrated probability of any hemorrhage, in the light of the neighbouring slices; null where the image cannot be
    interpreted
    """
    probability_alone: float | None = None
    """Probability by this slice alone; null where the image cannot be interpreted"""
    threshold: float
    """Threshold of the mask: that of the series, or a lower one where the slice outlines nothing at that and yet bleeds
    more likely than not
    """
    readout: Readout
    area_px: int
    area_mm2: float | None = None
    lesions: list[Lesion]
    mask: Picture | None = None
    overlay: Picture | None = None
    probabilities: Picture | None = None
    samples: Samples | None = None


@dataclass(frozen=True, kw_only=True)
class SeriesReport:
    """Schema of the API: `SeriesReport`."""

    model: ModelReference
    series: SeriesInfo
    hemorrhage: SeriesHemorrhage
    volume: Volumetry
    slices: list[SliceReport]
    """In the order of the series"""
    text: Translated | None = None
    """The finding as a paragraph, with include=text"""
    patterns: list[Pattern] | None = None
    """What a textbook considers for the types and places of the lesions; left out where no rule applies, or with
    patterns=false. Nothing of it is predicted
    """
    warnings: list[ReportWarning]
    timings_ms: Timings
    """Stages are summed over slices that run in parallel; total is the time that passed"""
    disclaimer: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class PartialReport:
    """A slice before the others are done: volumes are null The mask is what the pixels of this slice say; whether it
    stands is decided with all slices known: where the result gives the slice no area, drop it. Its report is written
    again without.
    """

    index: int
    source: int
    """Place in what was sent, files and frames in their order"""
    probability: float | None = None
    """Calibrated probability of any hemorrhage by this slice alone: the result weighs its neighbours as well; null
    where the image cannot be interpreted
    """
    probability_alone: float | None = None
    """Probability by this slice alone; null where the image cannot be interpreted"""
    area_px: int
    area_mm2: float | None = None
    lesions: list[Lesion]
    mask: Picture | None = None
    overlay: Picture | None = None
    probabilities: Picture | None = None
    image: ImageInfo
    placement: Placement | None = None
    extent_mm: float | None = None
    """Length along the normal that the slice stands for; null where positions are unknown"""
    threshold: float
    """Threshold of the mask: that of the series, or a lower one where the slice outlines nothing at that and yet bleeds
    more likely than not
    """
    readout: Readout
    samples: Samples | None = None


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Schema of the API: `Engine`."""

    name: str
    """blocked, tract or onnxruntime, for instance"""
    version: str | None = None
    """Of a library that is loaded at run time"""
    provider: Literal["cpu", "cuda"]
    device: int | None = None
    """Number of the GPU"""
    precision: Literal["f32", "f16"]
    max_batch: int
    """Most slices that are computed at once"""
    fallback: str | None = None
    """Why it is not what was asked for"""


@dataclass(frozen=True, kw_only=True)
class MaskClass:
    """Schema of the API: `MaskClass`."""

    code: str
    name: str
    color: str


@dataclass(frozen=True, kw_only=True)
class SliceClass:
    """Schema of the API: `SliceClass`."""

    code: str
    name: str
    experimental: bool


@dataclass(frozen=True, kw_only=True)
class Postprocessing:
    """Schema of the API: `Postprocessing`."""

    threshold: float
    slice_threshold: float | None = None
    """Least probability of the slice head for a mask"""
    min_lesion_px: int
    """Smallest region that counts, px of the network's grid"""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """Schema of the API: `ModelInfo`."""

    name: str
    title: str
    version: str
    sha256: str
    architecture: str
    engine: Engine | None = None
    """What runs the network; null until a network that is built when it is first asked for has been"""
    card: str
    classes: list[MaskClass]
    slice_classes: list[SliceClass]
    threshold: float
    postprocessing: Postprocessing
    metrics: dict[str, Any]
    training: dict[str, Any]
    license: str
    intended_use: str
    out_of_scope: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Schema of the API: `Limits`."""

    max_side_px: int
    min_side_px: int
    max_decoded_bytes: int
    max_slices: int
    max_body_bytes: int
    max_upload_bytes: int | None = None
    """Of POST /v1/uploads; absent where no uploads are taken"""


@dataclass(frozen=True, kw_only=True)
class NamedWindow:
    """Schema of the API: `NamedWindow`."""

    name: str
    center_hu: float
    width_hu: float


@dataclass(frozen=True, kw_only=True)
class ModelList:
    """Schema of the API: `ModelList`."""

    version: str
    default: str
    models: list[ModelInfo]
    limits: Limits
    media_types: list[str]
    disclaimer: str
    windows: list[NamedWindow]
    """Display windows by name"""


@dataclass(frozen=True, kw_only=True)
class UploadTarget:
    """Schema of the API: `UploadTarget`."""

    method: Literal["PUT"]
    url: str
    """Relative to the API, or absolute; needs no other credentials"""
    headers: dict[str, str]
    """To be sent as they are"""
    size_bytes: int
    expires_at: str


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Schema of the API: `Upload`."""

    job_id: str
    upload: UploadTarget
    job_url: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Schema of the API: `Progress`."""

    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class SliceLink:
    """Schema of the API: `SliceLink`."""

    index: int
    url: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Schema of the API: `Problem`."""

    type: str
    title: str
    status: int
    code: str
    """Stable; switch on it."""
    detail: str
    """What was wrong and what to do."""
    request_id: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """Schema of the API: `Job`."""

    id: str
    state: Literal["queued", "running", "done", "failed", "expired"]
    created_at: str
    expires_at: str
    progress: Progress | None = None
    """null until the slices are counted"""
    slices: list[SliceLink]
    """Finished slices from `after` on; each url gives a PartialReport"""
    result: SeriesReport | None = None
    """The series answer without pictures, where it is small; else null"""
    result_url: str | None = None
    """Where the result lies, once the job is done"""
    error: Problem | None = None
    """Why the job failed"""
    warnings: list[ReportWarning]
