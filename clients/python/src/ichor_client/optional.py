"""Packages that only some functions need, imported when they are used."""

from importlib import import_module
from typing import Any

from .errors import MissingPackageError

# Package to import, the extra of ichor-client that installs it, and its name in the package index.
_PACKAGES = {
    "numpy": ("numpy", "NumPy"),
    "PIL.Image": ("numpy", "Pillow"),
    "nibabel": ("nifti", "nibabel"),
    "pydicom": ("dicom", "pydicom"),
    "pandas": ("pandas", "pandas"),
}


def require(name: str) -> Any:
    """The module `name`.

    Raises MissingPackageError, with the command that installs it, if it is missing.
    """
    try:
        return import_module(name)
    except ImportError as error:
        extra, package = _PACKAGES[name]
        raise MissingPackageError(
            f"{package} is not installed, which this function needs. Install it: pip install 'ichor-client[{extra}]'"
        ) from error
