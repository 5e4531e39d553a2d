"""What all of Calico's documents have in common."""

from collections.abc import Mapping

from analysis.policy import kubernetes
from analysis.policy.parts import Part

MOST_ANNOTATION_BYTES = 256 << 10


def read(document: Part) -> Mapping[str, str]:
    """The labels."""
    document.fields(kubernetes.OBJECT)
    metadata = document.needed("metadata")
    metadata.fields(kubernetes.METADATA)
    check_annotations(metadata)
    labels = metadata.get("labels")
    return dict(labels.texts()) if labels else {}


def check_annotations(part: Part) -> None:
    annotations = part.get("annotations")
    size = sum(_bytes(key) + _bytes(value) for key, value in annotations.texts()) if annotations else 0
    if size > MOST_ANNOTATION_BYTES:
        raise part.wrong(f"has {size:,} bytes of annotations, more than {MOST_ANNOTATION_BYTES:,}")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def name_of(document: Part, dots: bool = True) -> str:
    part = document.needed("metadata").needed("name")
    name = kubernetes.policy_name(part)
    if "." in name and not dots:
        raise part.wrong(f"{name!r:.90} has a dot", "the name of a tier is the prefix of its policies' names")
    return name


def namespace_of(document: Part) -> str:
    part = document.needed("metadata").get("namespace")
    return kubernetes.policy_name(part) if part and part.text else "default"


def refuse_namespace(document: Part) -> None:
    part = document.needed("metadata").get("namespace")
    if part and part.text:
        raise part.wrong(f"{part.text!r:.70} is given to an object of no namespace", "leave it out")
