"""What a caller gives, as one file that is sent: a file as it is, several as a zip."""

import gzip
import io
import os
import re
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from . import arrays
from .errors import InputError
from .optional import require

# Largest upload that the API describes.
MAX_BYTES = 320 << 20
# As many as `ichor segment` takes of a folder.
MAX_FILES = 10_000
# What is packed stays in memory up to this size, and goes to a temporary file above it.
_MAX_IN_MEMORY_BYTES = 16 << 20
_CLUTTER = {"dicomdir", "thumbs.db", "desktop.ini"}
_IMAGE_SUFFIXES = (
    *(".dcm", ".dicom", ".ima", ".img", ".nii", ".nii.gz", ".png", ".jpg", ".jpeg", ".tif", ".tiff"),
    *(".webp", ".bmp"),
)
_NIFTI_HEADER_BYTES = 540


@dataclass(frozen=True)
class Payload:
    """A file to be sent, which can be opened again for a repeated request."""

    open: Callable[[], IO[bytes]]
    size: int
    media_type: str = "application/octet-stream"
    # Whether several pictures are slices of one head, because the caller gave them as one array.
    is_stack: bool = False

    def nifti_header(self) -> bytes | None:
        """The header, where the file is a NIfTI volume."""
        with self.open() as file:
            head = file.read(_NIFTI_HEADER_BYTES)
            if head[:2] == b"\x1f\x8b":
                file.seek(0)
                try:
                    head = gzip.GzipFile(fileobj=file).read(_NIFTI_HEADER_BYTES)
                except (OSError, EOFError, zlib.error):
                    return None
        is_nifti = head[344:347] in (b"n+1", b"ni1") or head[4:7] in (b"n+2", b"ni2")
        return head if is_nifti else None


def payload_of(given: Any, spacing_mm: Sequence[float] | None = None) -> Payload:
    """What a caller gives, as a file: a path, a folder, bytes, an array, a pydicom Dataset, a nibabel image, or a list
    of paths, bytes or Datasets.

    Raises InputError for anything else, and MissingPackageError.
    """
    is_array = hasattr(given, "__array_interface__")
    if spacing_mm is not None and not (is_array and not arrays.is_picture(require("numpy").asarray(given))):
        raise InputError("spacing_mm is for arrays of Hounsfield units. Other inputs carry their own, or have none.")
    if isinstance(given, str | os.PathLike):
        return _payload_of_path(given)
    if isinstance(given, bytes | bytearray | memoryview):
        return _payload_of_bytes(bytes(given))
    if is_array:
        return _payload_of_array(require("numpy").asarray(given), spacing_mm)
    if _is_dataset(given):
        return _payload_of_bytes(_dataset_bytes(given), "application/dicom")
    if hasattr(given, "to_bytes") and hasattr(given, "affine"):
        return _payload_of_bytes(given.to_bytes())
    if isinstance(given, Iterable):
        return _payload_of_list(given)
    raise InputError(
        f"A {type(given).__name__} cannot be sent. Give a path, bytes, an array, a pydicom Dataset, a nibabel image, "
        "or a list of paths or Datasets."
    )


def _payload_of_bytes(content: bytes, media_type: str = "application/octet-stream") -> Payload:
    if not content:
        raise InputError("The input is empty.")
    _check_size(len(content), "The input")
    return Payload(lambda: io.BytesIO(content), len(content), media_type)


def _payload_of_path(given: str | os.PathLike[str]) -> Payload:
    path = Path(given)
    if path.is_dir():
        files = list(_images_below(path))
        if not files:
            raise InputError(f"{path} holds no image.")
        return _packed((file.relative_to(path).as_posix(), file) for file in files)
    size = _size_of(path)
    return Payload(lambda: path.open("rb"), size)


def _payload_of_list(given: Iterable[Any]) -> Payload:
    items = []
    for item in given:
        items.append(item)
        if len(items) > MAX_FILES:
            raise InputError(f"The list has more than {MAX_FILES} files. Name those of one series.")
    if not items:
        raise InputError("The list is empty.")
    if len(items) == 1:
        return payload_of(items[0])
    return _packed(_entries(items))


def _entries(items: list[Any]) -> Iterator[tuple[str, Path | bytes]]:
    """Name and content of each item; names keep the order of the list."""
    for index, item in enumerate(items):
        if isinstance(item, str | os.PathLike):
            path = Path(item)
            yield f"{index:05}_{path.name}", path
        elif isinstance(item, bytes | bytearray | memoryview):
            yield f"{index:05}", bytes(item)
        elif _is_dataset(item):
            yield f"{index:05}.dcm", _dataset_bytes(item)
        else:
            raise InputError(f"Item {index} of the list is a {type(item).__name__}. Give paths, bytes or Datasets.")


def _packed(entries: Iterable[tuple[str, Path | bytes]]) -> Payload:
    """A zip of the files, in memory or in a temporary file that is deleted with it."""

    def write(file: IO[bytes]) -> str:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, content in entries:
                if isinstance(content, Path):
                    _size_of(content)
                    archive.write(content, name)
                else:
                    archive.writestr(name, content)
                _check_size(file.seek(0, io.SEEK_CUR), "The zip of the files")
        return "application/zip"

    return _spooled(write)


def _payload_of_array(array: Any, spacing_mm: Sequence[float] | None) -> Payload:
    arrays.check_shape(array)
    if arrays.is_picture(array):
        return _spooled(lambda file: arrays.write_pictures(file, array), is_stack=array.ndim == 3)
    return _spooled(lambda file: arrays.write_volume(file, array, spacing_mm))


class _TemporaryFile:
    """A file that is deleted when neither this object nor what it opened is in use."""

    def __init__(self) -> None:
        self.spooled: Any = tempfile.SpooledTemporaryFile(_MAX_IN_MEMORY_BYTES)  # noqa: SIM115
        weakref.finalize(self, self.spooled.close)

    def open(self) -> IO[bytes]:
        """The file from its beginning. Closing it leaves this one open."""
        self.spooled.seek(0)
        return cast(IO[bytes], _Reader(self))


class _Reader(io.RawIOBase):
    """Reads a temporary file."""

    def __init__(self, owner: _TemporaryFile):
        self._owner = owner

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        position: int = self._owner.spooled.seek(offset, whence)
        return position

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._owner.spooled.read(size)
        return content


def _spooled(write: Callable[[IO[bytes]], str], is_stack: bool = False) -> Payload:
    """What `write` writes; it returns the media type."""
    file = _TemporaryFile()
    media_type = write(file.spooled)
    size = file.spooled.seek(0, io.SEEK_CUR)
    _check_size(size, "The packed input")
    return Payload(file.open, size, media_type, is_stack)


def _images_below(folder: Path) -> Iterator[Path]:
    """Files that look like images, in natural order; hidden files and those of operating systems are left out.

    Raises InputError beyond 10,000 files.
    """
    seen = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=_natural)
        for name in sorted(names, key=_natural):
            seen += 1
            if seen > MAX_FILES:
                raise InputError(f"{folder} holds more than {MAX_FILES} files. Name the folder of one series.")
            path = Path(place) / name
            if not name.startswith(".") and name.lower() not in _CLUTTER and path.is_file() and _is_image(path):
                yield path


def _is_image(path: Path) -> bool:
    if path.name.lower().endswith(_IMAGE_SUFFIXES):
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts 2 before 10."""
    parts = re.findall(r"\d{1,18}|\D+|\d+", name)
    return [(int(part), "") if part.isdecimal() and len(part) <= 18 else (-1, part) for part in parts]


def _size_of(path: Path) -> int:
    if not path.is_file():
        text = str(path)
        hint = " Download the address first." if re.match(r"[a-z0-9]+:/", text) else ""
        raise InputError(f"{path} is not a file.{hint}" if path.exists() else f"There is no {path}.{hint}")
    size = path.stat().st_size
    if not size:
        raise InputError(f"{path} is empty.")
    _check_size(size, str(path))
    return size


def _check_size(size: int, what: str) -> None:
    if size > MAX_BYTES:
        raise InputError(f"{what} has more than {MAX_BYTES >> 20} MiB, which no server takes. Send one series alone.")


def _is_dataset(given: Any) -> bool:
    return any(kind.__module__ == "pydicom.dataset" and kind.__name__ == "Dataset" for kind in type(given).__mro__)


def _dataset_bytes(dataset: Any) -> bytes:
    packed = io.BytesIO()
    try:
        dataset.save_as(packed, enforce_file_format=True)
    except (AttributeError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise InputError(f"The Dataset cannot be written as a DICOM file: {error}") from error
    return packed.getvalue()
