"""The part of a name that a registrar sells, or that a provider hands out below a suffix of its own (public suffix list)."""

import re
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from publicsuffixlist import PublicSuffixList

CLUSTER_DOMAIN = "cluster.local"

_LABEL = re.compile(r"(?:\\.|[^.\\])+")  # as RFC 1035 §5.1 writes them: the dot of ``\.`` parts no labels


def registered_domains(names: pa.ChunkedArray, cluster_domain: str = CLUSTER_DOMAIN) -> pa.ChunkedArray:
    """In lower case; NULL of an address, a single label, a public suffix itself, or a name inside the cluster's domain.

    A last label that the list does not have counts as a suffix, as the list's own default rule has it.
    """
    encoded = names.combine_chunks().dictionary_encode()
    inside = ("." + cluster_domain, "." + cluster_domain + ".")
    found = [
        None if f".{name}".lower().endswith(inside) else _registered(name) for name in encoded.dictionary.to_pylist()
    ]
    return pa.chunked_array([pc.take(pa.array(found, pa.string()), encoded.indices)])


def _registered(name: str) -> str | None:
    if "\\" in name:
        parts = _suffixes().privatesuffix([label.encode() for label in _LABEL.findall(name)])
        found = b".".join(parts).decode() if parts else None
    else:
        found = _suffixes().privatesuffix(name)
    # No top-level label is a number (RFC 1123 §2.1): that is an IPv4 address.
    return None if found is None or found.rpartition(".")[2].isdigit() else found


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
