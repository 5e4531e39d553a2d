"""Values from strangers, made safe for a terminal."""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from analysis.printable import printable
from cli.times import rfc3339


def cell(value: object) -> str:
    """One value of a table; NULL is empty."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping) and not any(isinstance(part, list | Mapping) for part in value.values()):
        return printable(" ".join(f"{key}={part}" for key, part in value.items()))
    if isinstance(value, list | Mapping):
        return json_text(value)
    return printable(str(value))


def json_text(value: object) -> str:
    """JSON in ASCII: nothing in it can move a cursor or turn the direction of writing."""
    return json.dumps(json_value(value), allow_nan=False)


def json_value(value: object) -> object:
    """The same with JSON's own types: times in RFC 3339, numbers plain, what is no number NULL."""
    simple = _simple(value)
    if isinstance(simple, Mapping):
        return {str(key): json_value(part) for key, part in simple.items()}
    if isinstance(simple, list):
        return [json_value(part) for part in simple]
    if simple is None or isinstance(simple, str | int | float):
        return simple
    return str(simple)


def _simple(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.hex()
    return value
