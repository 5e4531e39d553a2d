"""Addresses: CIDR, CIDRSet with except, and the groups that CiliumCIDRGroup gives a name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.policy.cilium.labels import K8S, selector
from analysis.policy.endpoints import Network
from analysis.policy.kubernetes import METADATA
from analysis.policy.parts import Part
from analysis.policy.selectors import Block, LabelSelector, Operator


@dataclass(frozen=True)
class Group:
    labels: Mapping[str, str]
    networks: Sequence[Network]


Groups = Mapping[str, Group]


def groups(documents: Iterable[Part]) -> Groups:
    return dict(_group(document) for document in documents)


def _group(document: Part) -> tuple[str, Group]:
    document.fields(("apiVersion", "kind", "metadata", "spec", "status"))
    metadata = document.needed("metadata")
    metadata.fields(METADATA)
    labels = metadata.get("labels")
    spec = document.needed("spec")
    spec.fields(("externalCIDRs",))
    spec.needed("externalCIDRs")
    networks = [one.network for one in spec.items("externalCIDRs")]
    return metadata.needed("name").text, Group(dict(labels.texts()) if labels else {}, networks)


def blocks(part: Part, known: Groups) -> Iterator[Block]:
    """Of one entry of fromCIDRSet or toCIDRSet."""
    part.fields(("cidr", "cidrGroupRef", "cidrGroupSelector", "except"))
    told = [key for key in ("cidr", "cidrGroupRef", "cidrGroupSelector") if part.get(key) is not None]
    if len(told) != 1:
        raise part.wrong("needs either a cidr, a cidrGroupRef or a cidrGroupSelector", "write one of them")
    excepted = tuple(one.network for one in part.items("except"))
    if told[0] == "cidr":
        whole = part.needed("cidr").network
        _refuse_outside(part, whole)
        yield Block(whole, excepted)
        return
    for group in _named(part, known):
        yield from (Block(one, excepted) for one in group.networks)


def _refuse_outside(part: Part, whole: Network) -> None:
    for one in part.items("except"):
        inner = one.network
        if inner.network_address not in whole or inner.prefixlen < whole.prefixlen:
            raise one.wrong(f"{inner} is no part of {whole}", "leave it out or correct cidr")


def _named(part: Part, known: Groups) -> list[Group]:
    ref = part.get("cidrGroupRef")
    if ref is not None:
        if ref.text not in known:
            raise ref.wrong(f"{ref.text!r:.80} is no CiliumCIDRGroup of these files", "add it to them")
        return [known[ref.text]]
    wanted = selector(part.needed("cidrGroupSelector"))
    if not known:
        raise part.wrong("selects from CiliumCIDRGroups, and these files have none", "add them")
    return [group for group in known.values() if _meets(group.labels, wanted)]


def _meets(labels: Mapping[str, str], wanted: LabelSelector) -> bool:
    return all(_holds(labels.get(one.key.removeprefix(K8S)), one.operator, one.values) for one in wanted)


def _holds(value: str | None, operator: Operator, values: Sequence[str]) -> bool:
    match operator:
        case Operator.IN:
            return value in values
        case Operator.NOT_IN:
            return value not in values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None
