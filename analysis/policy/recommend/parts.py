"""Lists that are longer than a policy's field takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_parts(values: Sequence[T], most: int) -> Iterator[list[T]]:
    return (list(values[start : start + most]) for start in range(0, len(values), most))
