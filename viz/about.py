"""What the app was started for; `tailrace app` hands it over as arguments of the script that Streamlit runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from contract.errors import UsageError


@dataclass(frozen=True)
class About:
    """``kube`` is where the Kubernetes objects are if not in the lake, ``cluster`` which is meant where it has several."""

    lake: str
    kube: str | None = None
    cluster: str | None = None

    @property
    def arguments(self) -> list[str]:
        return [part for name, value in asdict(self).items() if value is not None for part in (f"--{name}", value)]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "About":
        names = [name.removeprefix("--") for name in arguments[::2]]
        given = dict(zip(names, arguments[1::2], strict=False))
        if "lake" not in given or given.keys() - cls.__dataclass_fields__.keys():
            raise UsageError("the app was started without a lake; use `tailrace app --lake DIR`")
        return cls(**given)
