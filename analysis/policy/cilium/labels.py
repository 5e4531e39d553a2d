"""Labels as Cilium knows them: each with its source, without those that make no identity.

The label ``app`` of a pod is ``k8s:app`` here; what a node or an address outside is called stands under ``reserved:``.
"""

import re
from dataclasses import dataclass

import numpy as np

from analysis.policy.endpoints import ABSENT, Columns, Mask, Values
from analysis.policy.label_selectors import label_selector
from analysis.policy.parts import Part
from analysis.policy.selectors import LabelSelector

K8S, RESERVED = "k8s:", "reserved:"
NAMESPACE = f"{K8S}io.kubernetes.pod.namespace"
NAMESPACE_LABELS = f"{K8S}io.cilium.k8s.namespace.labels."
SERVICE_ACCOUNT = f"{K8S}io.cilium.k8s.policy.serviceaccount"
CLUSTER = f"{K8S}io.cilium.k8s.policy.cluster"

# What a node or an address outside may be called; nothing that flow records know is called by the others.
HOST, REMOTE_NODE, WORLD, API_SERVER = "host", "remote-node", "world", "kube-apiserver"
NOBODY = frozenset({"init", "health", "ingress", "unmanaged", "none"})
NAMES = frozenset({HOST, REMOTE_NODE, WORLD, API_SERVER, *NOBODY})

# Labels that are no part of an identity unless somebody says so (docs.cilium.io, *Limiting Identity-Relevant Labels*).
LEFT_OUT = re.compile(
    r"io\.kubernetes|kubernetes\.io|statefulset\.kubernetes\.io/pod-name|apps\.kubernetes\.io/pod-index"
    r"|batch\.kubernetes\.io/(job-completion-index|controller-uid)|.*beta\.kubernetes\.io|k8s\.io"
    r"|pod-template-generation|pod-template-hash|controller-revision-hash|annotation|controller-uid|etcd_node"
)

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
KEY = re.compile(rf"(?![^/]{{254}})({SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
LONGEST_KEY = 253 + 1 + 63
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
LONGEST_VALUE = 63


@dataclass(frozen=True)
class Identity:
    """Those whose labels meet every requirement; ``nodes`` is what every node is called, if they are asked about."""

    requirements: LabelSelector
    nodes: str | None = None

    def mask(self, columns: Columns) -> Mask:
        found = columns.pods | ~columns.nodes if self.nodes is None else columns.nodes.copy()
        for one in self.requirements:
            found &= one.mask(lambda key: _values(columns, key, self.nodes))
        return np.asarray(found)


def _values(columns: Columns, key: str, nodes: str | None) -> Values:
    if key.startswith(RESERVED):
        return _reserved(columns, key.removeprefix(RESERVED), nodes)
    if key == NAMESPACE:
        values = columns.namespaces
    elif key == SERVICE_ACCOUNT:
        values = columns.service_accounts
    elif key.startswith(NAMESPACE_LABELS):
        values = columns.namespace_label(key.removeprefix(NAMESPACE_LABELS))
    elif LEFT_OUT.match(key.removeprefix(K8S)):
        return Values(np.full(len(columns), ABSENT), {})
    else:
        values = columns.label(key.removeprefix(K8S))
    return Values(np.where(columns.pods, values.codes, ABSENT), values.numbers)


def _reserved(columns: Columns, name: str, nodes: str | None) -> Values:
    """Reserved labels have no value."""
    named = ~(columns.pods | columns.nodes) if name == WORLD else columns.nodes & (name == nodes)
    return Values(np.where(named, 0, ABSENT), {"": 0})


def selector(part: Part) -> LabelSelector:
    """Every key with its source."""
    return label_selector(part, label_key, _value)


def _value(where: Part, text: str) -> str:
    if len(text) > LONGEST_VALUE or not VALUE.fullmatch(text):
        raise where.wrong(
            f"{text!r:.80} is no value of a label", f"it has letters, digits, '-', '_' and '.', at most {LONGEST_VALUE}"
        )
    return text


def label_key(where: Part, text: str) -> str:
    """``k8s:app``, ``any:app`` and ``app`` are the same label of a pod."""
    source, name = _source(text)
    if len(text) > LONGEST_KEY or not KEY.fullmatch(f"{source}.{name}"):
        raise where.wrong(f"{text!r:.80} is no key of a label", "write it as k8s:app, any:app or app")
    if source == "reserved":
        if name not in NAMES:
            raise where.wrong(
                f"{text!r:.80} is no reserved label that can be judged", f"known are {', '.join(sorted(NAMES))}"
            )
        return f"{RESERVED}{name}"
    if source not in ("k8s", "any"):
        raise where.wrong(f"labels of the source {source!r:.60} cannot be judged", "write k8s:, any: or reserved:")
    return f"{K8S}{name}"


def _source(text: str) -> tuple[str, str]:
    if text.startswith("$"):
        return "reserved", text[1:]
    source, colon, name = text.partition(":")
    if colon:
        return source or "any", name
    return ("reserved", text.removeprefix("reserved.")) if text.startswith("reserved.") else ("any", text)
