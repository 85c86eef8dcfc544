"""JSON of the server into the dataclasses of `schemas`."""

import json
import math
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import AnswerError

T = TypeVar("T")


def parse_json(body: bytes, schema: type[T]) -> T:
    """A body as an object of `schema`.

    Raises AnswerError if it is not JSON or lacks what the schema requires.
    """
    return parse_value(decode(body), schema, "answer")


def decode(body: bytes) -> Any:
    """A body of JSON, without NaN and infinite numbers, which JSON does not have.

    Raises AnswerError.
    """
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"The answer is not JSON: {_short(str(error))}. Check the address of the server.") from error


def parse_value(value: Any, schema: type[T], place: str) -> T:
    """A value of JSON as an object of the dataclass `schema`. `place` is where it lies, for the message.

    Raises AnswerError.
    """
    parsed: T = _parse(value, schema, place)
    return parsed


def _parse(value: Any, hint: Any, place: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (other,) = [argument for argument in arguments if argument is not NoneType]
        return None if value is None else _parse(value, other, place)
    if is_dataclass(hint):
        return _parse_object(value, hint, place)
    if origin is list:
        items = _require(value, list, "a list", place)
        return [_parse(item, arguments[0], f"{place}[{index}]") for index, item in enumerate(items)]
    if origin is tuple:
        items = _require(value, list, "a list", place)
        if len(items) != len(arguments):
            raise AnswerError(f"{place} has {len(items)} items instead of {len(arguments)}.")
        return tuple(_parse(item, arguments[0], f"{place}[{index}]") for index, item in enumerate(items))
    if origin is dict:
        items = _require(value, dict, "an object", place)
        return {key: _parse(item, arguments[1], f"{place}.{_short(key)}") for key, item in items.items()}
    # A newer server may add a word to an enumeration.
    if origin is Literal or hint is str:
        return _require(value, str, "a text", place)
    if hint is bool:
        return _require(value, bool, "true or false", place)
    if hint in (int, float):
        return _parse_number(value, hint, place)
    return value


def _parse_object(value: Any, schema: Any, place: str) -> Any:
    given = _require(value, dict, "an object", place)
    values = {}
    for name, (hint, is_required) in _fields_of(schema).items():
        if name in given:
            values[name] = _parse(given[name], hint, f"{place}.{name}")
        elif is_required:
            raise AnswerError(f"{place}.{name} is missing.")
    return schema(**values)


@cache
def _fields_of(schema: Any) -> dict[str, tuple[Any, bool]]:
    """Type of each field, and whether it is required."""
    hints = get_type_hints(schema)
    return {field.name: (hints[field.name], field.default is MISSING) for field in fields(schema)}


def _parse_number(value: Any, hint: Any, place: str) -> Any:
    is_number = isinstance(value, int if hint is int else (int, float)) and not isinstance(value, bool)
    if not is_number:
        raise AnswerError(f"{place} is not {'an integer' if hint is int else 'a number'}.")
    try:
        # An integer of hundreds of digits does not fit a float.
        is_finite = math.isfinite(value)
    except OverflowError:
        is_finite = False
    if not is_finite:
        raise AnswerError(f"{place} is too large.")
    return hint(value)


def _require(value: Any, kind: Any, expected: str, place: str) -> Any:
    if not isinstance(value, kind):
        raise AnswerError(f"{place} is not {expected}.")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it has the number {name}")


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
