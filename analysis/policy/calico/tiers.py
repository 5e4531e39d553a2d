"""Tiers: in which order they are judged, and what becomes of whom no rule of theirs decides."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.policy.calico.metadata import name_of, read
from analysis.policy.parts import Part
from analysis.policy.rules import Place


@dataclass(frozen=True)
class Tier:
    order: float
    denies: bool


DEFAULT = Place().tier
# They exist in every cluster, with these orders and actions (docs.tigera.io, *Get started with policy tiers*).
BUILT_IN: Mapping[str, Tier] = {
    DEFAULT: Tier(Place().tier_order, True),
    "kube-admin": Tier(1_000, False),
    "kube-baseline": Tier(10_000_000, False),
    "adminnetworkpolicy": Tier(1_000, False),
    "baselineadminnetworkpolicy": Tier(10_000_000, False),
}
ACTIONS = {"Deny": True, "Pass": False}


def read_tiers(documents: Iterable[Part]) -> Mapping[str, Tier]:
    return {**BUILT_IN, **dict(map(_tier, documents))}


def _tier(document: Part) -> tuple[str, Tier]:
    read(document)
    name = name_of(document, dots=False)
    spec = document.get("spec") or Part({}, document.file, f"{document.path}.spec")
    spec.fields(("order", "defaultAction"))
    order, action = spec.get("order"), spec.get("defaultAction")
    if action is not None and action.text not in ACTIONS:
        raise action.wrong(f"{action.text!r:.60} is no default action", f"write {' or '.join(ACTIONS)}")
    found = Tier(math.inf if order is None else order.decimal, action is None or ACTIONS[action.text])
    known = BUILT_IN.get(name)
    if known is not None and known != found:
        raise spec.wrong(
            f"changes the tier {name}",
            f"order is {known.order:,.0f} and defaultAction {'Deny' if known.denies else 'Pass'}",
        )
    return name, found


def tier_of(spec: Part, name: Part, known: Mapping[str, Tier]) -> tuple[str, Tier]:
    """The tier of a policy; the prefix of the policy's name may not say another."""
    told = spec.get("tier")
    tier = told.text if told and told.text else DEFAULT
    if tier not in known:
        raise (told or spec).wrong(
            f"{tier!r:.70} is a tier of which nothing is known", "give its Tier with the policies: its order decides"
        )
    prefix, dot, _ = name.text.partition(".")
    if dot and prefix != tier and prefix in known:
        raise name.wrong(
            f"{name.text!r:.90} has the prefix of another tier than {tier}", "correct spec.tier or the name"
        )
    return tier, known[tier]
