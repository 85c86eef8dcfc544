"""Writes src/ichor_client/schemas.py from the description of the API, src/http/openapi.json of the repository.

python3 clients/python/generate_schemas.py          # write the file
python3 clients/python/generate_schemas.py --check  # exit status 1 if it differs from the description
"""

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DESCRIPTION = HERE.parents[1] / "src" / "http" / "openapi.json"
TARGET = HERE / "src" / "ichor_client" / "schemas.py"
MAX_LINE = 120

# Answers that the client reads; what they refer to follows.
ROOTS = ("Report", "SeriesReport", "PartialReport", "ModelList", "Upload", "Job", "Problem")

# Names of objects that have none in the description. An object without a name here is named after its place. Objects
# with the same fields are one class, with the name that comes first.
NAMES = {
    "Lesion.bbox": "Box",
    "Lesion.centroid": "Point",
    "LesionType.probabilities[]": "TypeProbability",
    "Placement": "Placement",
    "Report.model": "ModelReference",
    "Report.image": "ImageInfo",
    "Report.image.window": "Window",
    "Report.hemorrhage": "SliceHemorrhage",
    "Report.hemorrhage.subtypes[]": "SliceSubtype",
    "Report.warnings[]": "ReportWarning",
    "Report.timings_ms": "Timings",
    "Pattern.sources[]": "Source",
    "SeriesReport.series": "SeriesInfo",
    "SeriesReport.hemorrhage": "SeriesHemorrhage",
    "SeriesReport.hemorrhage.subtypes[]": "SeriesSubtype",
    "VolumeLesion.abc2": "Abc2",
    "Upload.upload": "UploadTarget",
    "Job.progress": "Progress",
    "ModelList.models[]": "ModelInfo",
    "ModelList.models[].classes[]": "MaskClass",
    "ModelList.models[].slice_classes[]": "SliceClass",
    "ModelList.models[].postprocessing": "Postprocessing",
    "ModelList.limits": "Limits",
    "ModelList.windows[]": "NamedWindow",
}

HEADER = '''"""Answers of the API as dataclasses. Written by generate_schemas.py from its description; do not edit.

A field that the description allows to be null or absent is None by default. Fields that it does not have are left out.
"""

from dataclasses import dataclass
from typing import Any, Literal
'''


class Generator:
    """The classes of the schemas, each after those that it refers to."""

    def __init__(self, schemas: dict[str, Any]):
        self.schemas = schemas
        self.classes: dict[str, str] = {}
        self.named_by_fields: dict[str, str] = {}

    def type_of(self, schema: dict[str, Any], place: str) -> tuple[str, bool]:
        """The Python type of a schema, and whether null is allowed."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self.type_of(self.schemas[name], name)
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                (other,) = [part for part in schema[choice] if part.get("type") != "null"]
                return self.type_of(other, place)[0], len(schema[choice]) > 1
        if "const" in schema:
            return f"Literal[{json.dumps(schema['const'])}]", False
        if "enum" in schema:
            words = ", ".join(json.dumps(word) for word in schema["enum"] if word is not None)
            return f"Literal[{words}]", None in schema["enum"]
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        (kind,) = [kind for kind in kinds if kind != "null"]
        return self.of_kind(kind, schema, place), "null" in kinds

    def of_kind(self, kind: str, schema: dict[str, Any], place: str) -> str:
        """The Python type of a schema with one type of JSON."""
        if kind == "array":
            item, nullable = self.type_of(schema["items"], f"{place}[]")
            item += " | None" if nullable else ""
            count = schema.get("minItems")
            if count and count == schema.get("maxItems"):
                return f"tuple[{', '.join([item] * count)}]"
            return f"list[{item}]"
        if kind == "object":
            if "properties" in schema:
                return self.add_class(schema, place)
            values = schema.get("additionalProperties")
            return f"dict[str, {self.type_of(values, place)[0] if isinstance(values, dict) else 'Any'}]"
        return {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}[kind]

    def add_class(self, schema: dict[str, Any], place: str) -> str:
        """Adds the class of an object, and returns its name."""
        fields = []
        for name, field in schema["properties"].items():
            hint, nullable = self.type_of(field, f"{place}.{name}")
            is_optional = nullable or name not in schema.get("required", [])
            fields.append((name, f"{hint} | None = None" if is_optional else hint, field.get("description")))
        key = json.dumps([field[:2] for field in fields])
        if key not in self.named_by_fields:
            name = NAMES.get(place) or "".join(part[:1].upper() + part[1:] for part in place.split("."))
            self.named_by_fields[key] = name
            assert name not in self.classes, f"two schemas are named {name}: add a name for {place}"
            self.classes[name] = class_text(name, fields, schema.get("description"))
        return self.named_by_fields[key]


def class_text(name: str, fields: list[tuple[str, str, str | None]], description: str | None) -> str:
    lines = ["@dataclass(frozen=True, kw_only=True)", f"class {name}:"]
    lines += [*documented(description or f"Schema of the API: `{name}`."), ""]
    for field, hint, text in fields:
        lines += [*field_lines(field, hint), *(documented(text) if text else [])]
    return "\n".join(lines)


def field_lines(field: str, hint: str) -> list[str]:
    """A field with its type, broken as the formatter breaks a line that is too long."""
    line = f"    {field}: {hint}"
    if len(line) <= MAX_LINE:
        return [line]
    kind, has_default, default = hint.partition(" = ")
    return [f"    {field}: (", f"        {kind}", f"    ) = {default}" if has_default else "    )"]


def documented(text: str) -> list[str]:
    """A docstring, in lines of the length that the formatter keeps."""
    text = text.strip()
    if len(text) + 10 <= MAX_LINE:
        return [f'    """{text}"""']
    wrapped = textwrap.wrap(text, MAX_LINE, initial_indent='    """', subsequent_indent="    ")
    return [*wrapped, '    """']


def generated(description: dict[str, Any]) -> str:
    """The text of schemas.py."""
    generator = Generator(description["components"]["schemas"])
    for root in ROOTS:
        generator.type_of({"$ref": f"#/components/schemas/{root}"}, root)
    return HEADER + "\n\n" + "\n\n\n".join(generator.classes.values()) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = generated(json.loads(DESCRIPTION.read_text(encoding="utf-8")))
    if not check:
        TARGET.write_text(text, encoding="utf-8")
    elif text != TARGET.read_text(encoding="utf-8"):
        sys.exit(f"error: {TARGET.name} differs from {DESCRIPTION.name}: run clients/python/generate_schemas.py")


if __name__ == "__main__":
    main()
