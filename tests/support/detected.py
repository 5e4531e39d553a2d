"""What a detection finds in a lake of nothing but these rows."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from analysis.detect.detections import detect
from analysis.dns.finding import Finding
from tests.support.names import Row, make_names, resolution


def detected(folder: Path, name: str, resolutions: Sequence[Row], **tables: list[Row]) -> Sequence[Finding]:
    return detect(make_names(folder / "lake", resolutions=list(resolutions), **tables), {}, [name]).findings


def asked(names: Sequence[str], domain: str, **more: Any) -> list[Row]:
    """Each name once, in order, a tenth of a second apart."""
    return [resolution(number, name, registered_domain=domain, **more) for number, name in enumerate(names)]


def digits(number: int, count: int) -> str:
    """Hexadecimal digits that nothing foretells, the same for a number."""
    return sha256(str(number).encode()).hexdigest()[:count]
