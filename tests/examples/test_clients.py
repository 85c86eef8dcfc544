"""The clients in Swift and Kotlin: their syntax, and every field against the API description of the running server.

They are also compiled where swiftc or kotlinc is installed; without them that part is skipped.
"""

import re
import shutil
from pathlib import Path

import pytest
import tree_sitter_kotlin
import tree_sitter_swift
from example_run import EXAMPLES, run
from tree_sitter import Language, Node, Parser

SWIFT = EXAMPLES / "swift" / "IchorClient.swift"
KOTLIN = EXAMPLES / "kotlin" / "IchorClient.kt"
LANGUAGES = {SWIFT: tree_sitter_swift.language, KOTLIN: tree_sitter_kotlin.language}
# Types of the languages, and the types of JSON that they read.
TYPES = {
    **{"String": "string", "Int": "integer", "Double": "number", "Bool": "boolean"},
    **{"getString": "string", "getInt": "integer", "getDouble": "number", "getBoolean": "boolean"},
    **{"getJSONObject": "object", "getJSONArray": "array"},
}


def resolved(description: dict, schema: dict) -> tuple[dict, bool]:
    """The schema behind references and `oneOf` with null, and whether null is allowed."""
    nullable = False
    while True:
        if "$ref" in schema:
            schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        elif "oneOf" in schema:
            (schema, *others) = [part for part in schema["oneOf"] if part.get("type") != "null"]
            assert not others
            nullable = True
        else:
            kinds = schema.get("type", [])
            return schema, nullable or "null" in (kinds if isinstance(kinds, list) else [kinds])


def schema_at(description: dict, path: str) -> dict:
    """A schema by a path such as `Report.warnings[]`."""
    name, *parts = re.split(r"\.|(?=\[\])", path)
    schema = description["components"]["schemas"][name]
    for part in parts:
        schema, _ = resolved(description, schema)
        schema = schema["items"] if part == "[]" else schema["properties"][part]
    return resolved(description, schema)[0]


def kinds_of(schema: dict) -> set[str]:
    """Types of JSON that a schema allows, without null."""
    if "enum" in schema or "const" in schema:
        return {"string"}
    kinds = schema["type"]
    return set(kinds if isinstance(kinds, list) else [kinds]) - {"null"}


def swift_fields(text: str) -> list[tuple[str, str, str, bool]]:
    """Schema, field, type and whether it may be absent, of each property of the structs with a schema."""
    fields = []
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if found := re.search(r"/// Schema `(.+)`\.", line):
            path = [(at, name) for at, name in path if at < indent] + [(indent, found[1])]
        elif re.match(r"\S", line) and line.startswith("struct IchorClient"):
            break
        elif found := re.match(r"\s*let (\w+): (\S+?)(\??)$", line.replace(": [", ":[").replace(":[", ": [")):
            owner = [name for at, name in path if at < indent][-1]
            fields.append((owner, found[1], found[2], bool(found[3])))
    return fields


def kotlin_fields(text: str) -> list[tuple[str, str, str, bool]]:
    """Schema, field, accessor and whether null is handled, of each accessor of the classes with a schema."""
    fields = []
    for found in re.finditer(r"/\*\* Schema `(.+?)`\. \*/\nclass .*?(?=\n/\*\*|\nclass IchorClient)", text, re.DOTALL):
        for line in found[0].splitlines():
            for accessor, field in re.findall(r'json\.(get\w+)\("(\w+)"\)', line):
                fields.append((found[1], field, accessor, f'isNull("{field}")' in line))
    return fields


def check(description: dict, fields: list[tuple[str, str, str, bool]]) -> None:
    for path, field, kind, optional in fields:
        schema = schema_at(description, path)
        assert field in schema["properties"], f"{path} has no field {field}"
        described, nullable = resolved(description, schema["properties"][field])
        absent = nullable or field not in schema["required"]
        assert optional == absent, f"{path}.{field}: optional {optional}, in the description {absent}"
        if kind in TYPES:
            assert TYPES[kind] in kinds_of(described), f"{path}.{field}: {kind}, in the description {described}"
        else:
            expected = "array" if kind.startswith("[") and ":" not in kind else "object"
            assert expected in kinds_of(described), f"{path}.{field}: {kind}, in the description {described}"


def errors(node: Node) -> list[Node]:
    """Nodes that the grammar does not know, or misses."""
    here = [node] if node.is_error or node.is_missing else []
    return here + [error for child in node.children for error in errors(child)]


@pytest.mark.parametrize("file", LANGUAGES, ids=["swift", "kotlin"])
def test_the_syntax_is_right(file: Path):
    parser = Parser(Language(LANGUAGES[file]()))
    text = file.read_bytes()
    found = errors(parser.parse(text).root_node)
    assert not found, [f"line {node.start_point.row + 1}" for node in found]
    # The parser must be able to find an error.
    assert errors(parser.parse(text.replace(b"{", b"(", 1)).root_node)


def test_every_field_of_the_swift_client_is_in_the_description(description: dict):
    fields = swift_fields(SWIFT.read_text())
    assert len(fields) >= 25 and {path for path, *_ in fields} >= {
        "Report",
        "Report.warnings[]",
        "Job",
        "Upload.upload",
    }
    check(description, fields)


def test_every_field_of_the_kotlin_client_is_in_the_description(description: dict):
    fields = kotlin_fields(KOTLIN.read_text())
    assert len(fields) >= 20 and {path for path, *_ in fields} >= {
        "Report",
        "Report.warnings[]",
        "Job",
        "Upload.upload",
    }
    check(description, fields)


@pytest.mark.parametrize(
    ("path", "field", "kind", "optional", "message"),
    [
        ("Report", "lesion", "[Lesion]", False, "has no field"),
        ("Lesion", "area_mm2", "Double", False, "optional"),
        ("Lesion", "area_px", "String", False, "in the description"),
        ("Job", "state", "Int", False, "in the description"),
    ],
)
def test_the_check_finds_a_wrong_field(
    description: dict, path: str, field: str, kind: str, optional: bool, message: str
):
    with pytest.raises(AssertionError, match=message):
        check(description, [(path, field, kind, optional)])


def test_routes_and_parameters_of_the_clients_are_in_the_description(description: dict):
    order = description["components"]["schemas"]["UploadOrder"]["properties"]
    segment = {parameter["name"] for parameter in description["paths"]["/v1/segment"]["post"]["parameters"]}
    for file in (SWIFT, KOTLIN):
        text = file.read_text()
        routes = re.findall(r'"(/v1/[^"?]+)(?:\?(\w+)=[^"]*)?"', text)
        assert len(routes) >= 2
        for route, parameter in routes:
            assert route in description["paths"], route
            assert not parameter or parameter in segment, parameter
        assert all(f'"{field}"' in text and field in order for field in ("content_type", "size_bytes"))


@pytest.mark.skipif(not shutil.which("swiftc"), reason="NO SWIFT COMPILER HERE: the Swift client is not compiled")
def test_the_swift_client_compiles():
    run(["swiftc", "-typecheck", SWIFT])


# The members of Android's org.json that the client uses.
ORG_JSON = """package org.json
class JSONObject(text: String = "") {
    fun getString(name: String): String = TODO()
    fun getInt(name: String): Int = TODO()
    fun getDouble(name: String): Double = TODO()
    fun getBoolean(name: String): Boolean = TODO()
    fun getJSONObject(name: String): JSONObject = TODO()
    fun getJSONArray(name: String): JSONArray = TODO()
    fun isNull(name: String): Boolean = TODO()
    fun keys(): Iterator<String> = TODO()
    fun put(name: String, value: Any): JSONObject = TODO()
}
class JSONArray {
    fun length(): Int = TODO()
    fun getJSONObject(index: Int): JSONObject = TODO()
}
"""


@pytest.mark.skipif(not shutil.which("kotlinc"), reason="NO KOTLIN COMPILER HERE: the Kotlin client is not compiled")
def test_the_kotlin_client_compiles(tmp_path: Path):
    (tmp_path / "OrgJson.kt").write_text(ORG_JSON)
    run(["kotlinc", KOTLIN, tmp_path / "OrgJson.kt", "-d", tmp_path / "classes"])
