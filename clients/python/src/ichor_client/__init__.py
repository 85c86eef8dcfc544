"""Ichor from Python: intracranial hemorrhage on head CT, for research and teaching only, never for diagnosis.

from ichor_client import Ichor

analysis = Ichor("http://127.0.0.1:8080").segment("dicom-folder")
print(analysis.detected, analysis.volume_ml)
"""

from .analysis import Analysis, GeometryWarning
from .client import Ichor
from .errors import (
    AnswerError,
    BusyError,
    ConnectionFailedError,
    DeadlineError,
    GeometryError,
    IchorError,
    InputError,
    InvalidRequestError,
    JobError,
    MissingPackageError,
    NotFoundError,
    ProblemError,
    TooLargeError,
)
from .jobs import Job
from .schemas import Progress, Report, SeriesReport
from .version import __version__

__all__ = [
    "Analysis",
    "AnswerError",
    "BusyError",
    "ConnectionFailedError",
    "DeadlineError",
    "GeometryError",
    "GeometryWarning",
    "Ichor",
    "IchorError",
    "InputError",
    "InvalidRequestError",
    "Job",
    "JobError",
    "MissingPackageError",
    "NotFoundError",
    "ProblemError",
    "Progress",
    "Report",
    "SeriesReport",
    "TooLargeError",
    "__version__",
]
