"""Compares `ichor inspect` with pydicom: minimum, maximum and mean Hounsfield unit of every frame.

    python tests/dicom/hounsfield_parity.py --ichor PATH_OF_ICHOR [--as-ct] [FOLDER ...]

Without folders it compares the test files of pydicom and of the package pydicom-data. Needs pydicom, pydicom-data,
numpy, pylibjpeg, pylibjpeg-libjpeg and pylibjpeg-openjpeg. Exits with 1 if a figure differs: every file is read as
pydicom reads it, or refused, or reported as not in Hounsfield units.

Few public files are CT; with --as-ct the headers of the others are rewritten to CT, and they are compared as well.
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pydicom

# ichor stores samples as 32-bit floats, which have 24 bits of precision.
RELATIVE = 2.0**-23
# Decoders of lossy JPEG and JPEG 2000 round their transforms differently, by about one stored value; a mean
# differs by much less.
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91"}
LOSSY_STORED_VALUES = 2
LOSSY_MEAN_STORED_VALUES = 0.1


def default_folders():
    folders = [Path(pydicom.data.__file__).parent / "test_files"]
    try:
        import data_store  # the module of the package pydicom-data

        folders.append(Path(data_store.__file__).parent)
    except ImportError:
        print("pydicom-data is not installed; its files are not compared", file=sys.stderr)
    return folders


def inspect(ichor, path):
    """The JSON line of one file."""
    done = subprocess.run([ichor, "inspect", "--json", path], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        return {"error": f"ichor ended with {done.returncode}"}
    return json.loads(done.stdout.splitlines()[0])


def as_ct(path, folder):
    """A copy with a header of CT with a rescale; the encoded pixel data stay the same."""
    try:
        dataset = pydicom.dcmread(path)
        if dataset.get("Modality") == "CT":
            return path
        dataset.Modality = "CT"
        dataset.RescaleSlope = dataset.get("RescaleSlope", None) or "1"
        dataset.RescaleIntercept = dataset.get("RescaleIntercept", None) or "0"
        dataset.pop("RescaleType", None)
        copy = Path(folder) / path.name
        dataset.save_as(copy)
        return copy
    except Exception:  # pydicom cannot rewrite every file; such a file is compared unchanged
        return path


def rescale(dataset, frame):
    """Slope and intercept of one frame, from the functional groups or the top level."""
    found = {"RescaleSlope": 1.0, "RescaleIntercept": 0.0}
    for name in found:
        if dataset.get(name) not in (None, ""):
            found[name] = float(dataset[name].value)
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    for item in [*shared[:1], *per_frame[frame : frame + 1]]:
        for transformation in item.get("PixelValueTransformationSequence", []):
            for name in found:
                if transformation.get(name) not in (None, ""):
                    found[name] = float(transformation[name].value)
    return found["RescaleSlope"], found["RescaleIntercept"]


def expected(path):
    """Minimum, maximum and mean of each frame, and the HU of one stored value."""
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian
        )
    frames = dataset.pixel_array
    if int(dataset.get("NumberOfFrames") or 1) == 1 and frames.ndim == 2:
        frames = frames[None]
    figures = []
    for number, frame in enumerate(frames):
        slope, intercept = rescale(dataset, number)
        units = frame * slope + intercept
        figures.append((float(units.min()), float(units.max()), float(units.mean()), abs(slope)))
    return dataset.file_meta.TransferSyntaxUID, figures


def compare(path, line):
    """The outcome and its reason."""
    if "error" in line:
        return "refused", line["error"]
    if line["format"] != "dicom":
        return "refused", "not read as DICOM"
    if not all(s["is_hounsfield"] for s in line["slices"]):
        return "no HU", next(
            w["message"] for s in line["slices"] for w in s["warnings"] if w["code"] == "not_hounsfield"
        )
    try:
        syntax, figures = expected(path)
    except Exception as error:  # pydicom fails with many types of errors
        return "only ichor", f"pydicom: {type(error).__name__}"
    if len(figures) != len(line["slices"]):
        return "DIFFERENT", f"{len(line['slices'])} frames, pydicom has {len(figures)}"
    for number, ((low, high, mean, slope), facts) in enumerate(zip(figures, line["slices"], strict=True)):
        # Positive and negative samples may cancel in a mean, so that rounding is relative to the largest sample.
        tolerance = RELATIVE * max(1, abs(low), abs(high))
        extra, extra_mean = (
            (slope * LOSSY_STORED_VALUES, slope * LOSSY_MEAN_STORED_VALUES) if syntax in LOSSY else (0, 0)
        )
        for name, truth, more in [("min", low, extra), ("max", high, extra), ("mean", mean, extra_mean)]:
            if not abs(facts["samples"][name] - truth) <= tolerance + more:
                return "DIFFERENT", f"frame {number}: {name} {facts['samples'][name]}, pydicom {truth}"
    kind = "equal" if syntax not in LOSSY else "equal (lossy)"
    cautions = sorted({w["code"] for s in line["slices"] for w in s["warnings"]})
    return kind, f"{len(figures)} frames" + (f"; {', '.join(cautions)}" if cautions else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ichor", required=True, help="the ichor binary")
    parser.add_argument("--as-ct", action="store_true", help="compare other modalities as well")
    parser.add_argument("folders", nargs="*", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    counts: collections.Counter = collections.Counter()
    folders = arguments.folders or default_folders()
    with tempfile.TemporaryDirectory() as copies:
        for path in sorted(p for folder in folders for p in folder.rglob("*.dcm") if p.is_file()):
            file = as_ct(path, copies) if arguments.as_ct else path
            outcome, reason = compare(file, inspect(arguments.ichor, file))
            counts[outcome] += 1
            print(f"{outcome:14} {path.name:44.44} {reason}")
    print("; ".join(f"{outcome}: {count}" for outcome, count in counts.most_common()))
    if not counts:
        sys.exit("error: no .dcm files were found")
    sys.exit(1 if counts["DIFFERENT"] else 0)


if __name__ == "__main__":
    main()
