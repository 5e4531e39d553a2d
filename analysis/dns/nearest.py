"""The Service that somebody meant who asked for a name that does not exist."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

from analysis.dns.finding import Context, Service

# A letter too many, too few or wrong, or two in the wrong order, is one edit. A short label two edits away is another word
# (auth, path), and of two letters any is one edit from many.
MOST_EDITS = 2
ONE_EDIT_FROM = 3
TWO_EDITS_FROM = 6

# Where more namespaces than that have a Service of the name, nobody can tell which was meant.
MOST_ELSEWHERE = 3


@dataclass(frozen=True)
class Meant:
    """``name`` is what to write instead; not ``sure`` where the name may as well be one outside the cluster."""

    name: str
    service: Service
    other_namespace: bool = False
    sure: bool = True


@dataclass(frozen=True)
class Nearest:
    """Compares what was asked for with all Services of a cluster, as they are written in the same form."""

    context: Context

    def meant(self, asked: str, namespace: str | None) -> list[Meant]:
        """Nothing where the name is a Service's as it stands, or near to none; several of several namespaces."""
        name = _without_port(asked)
        if "." not in name:
            return self._in_own_namespace(name, namespace)
        forms = [form for form in self._forms if len(form.split(".")) == name.count(".")]
        if any(name in self._written[form] for form in forms if form != self._no_form):
            return []
        near = [one for form in forms for one in self._near(name, form)]
        return near[:1] or _few([one for form in forms for one in self._elsewhere(name, form)])

    def gone(self, asked: str, namespace: str | None) -> tuple[str, str] | None:
        """Namespace and name of the Service that only earlier readings of the cluster have."""
        labels = _without_port(asked).split(".")
        behind = "." + ".".join(labels[2:]) if len(labels) > 2 else ""
        key = (labels[1] if len(labels) > 1 else namespace or "", labels[0])
        return key if key in self.context.gone and behind in self._forms else None

    @cached_property
    def _no_form(self) -> str:
        """What people write who leave out ``svc``."""
        return f".{self.context.cluster_domain}"

    @cached_property
    def _forms(self) -> Sequence[str]:
        """What stands behind Service and namespace."""
        return ("", ".svc", f".svc.{self.context.cluster_domain}", self._no_form)

    @cached_property
    def _written(self) -> Mapping[str, Mapping[str, Service]]:
        services = self.context.services or ()
        return {form: {f"{one.name}.{one.namespace}{form}": one for one in services} for form in self._forms}

    @cached_property
    def _by_length(self) -> Mapping[tuple[str, int], Sequence[str]]:
        """What differs by more letters than there are edits need not be compared."""
        found: dict[tuple[str, int], list[str]] = {}
        for form, names in self._written.items():
            for name in names:
                found.setdefault((form, len(name)), []).append(name)
        return found

    @cached_property
    def _of_name(self) -> Mapping[str, Sequence[Service]]:
        found: dict[str, list[Service]] = {}
        for service in self.context.services or ():
            found.setdefault(service.name, []).append(service)
        return found

    @cached_property
    def _namespaces(self) -> Mapping[str, Mapping[str, Service]]:
        found: dict[str, dict[str, Service]] = {}
        for service in self.context.services or ():
            found.setdefault(service.namespace, {})[service.name] = service
        return found

    def _in_own_namespace(self, name: str, namespace: str | None) -> list[Meant]:
        own = self._namespaces.get(namespace or "", {})
        if name in own:
            return []
        near = [Meant(one, own[one]) for one in _nearest(name, own.keys()) if _alike(name, one)]
        others = self._of_name.get(name, ())
        return near[:1] or _few([Meant(f"{one.name}.{one.namespace}", one, True) for one in others])

    def _near(self, name: str, form: str) -> Iterator[Meant]:
        service_label, namespace_label = name.split(".")[:2]
        lengths = range(len(name) - MOST_EDITS, len(name) + MOST_EDITS + 1)
        known = [one for length in lengths for one in self._by_length.get((form, length), ())]
        for written in _nearest(name, known):
            service = self._written[form][written]
            if _alike(service_label, service.name) and _alike(namespace_label, service.namespace):
                yield Meant(self._right(service, form), service)

    def _elsewhere(self, name: str, form: str) -> Iterator[Meant]:
        """The right Service behind a wrong namespace; where that is none of the cluster's, it may be a name outside."""
        service_label, namespace_label = name.split(".")[:2]
        if name == f"{service_label}.{namespace_label}{form}":
            for service in self._of_name.get(service_label, ()):
                sure = bool(form) or namespace_label in self._namespaces
                yield Meant(self._right(service, form), service, other_namespace=True, sure=sure)

    def _right(self, service: Service, form: str) -> str:
        behind = f".svc.{self.context.cluster_domain}" if form == self._no_form else form
        return f"{service.name}.{service.namespace}{behind}"


def _without_port(asked: str) -> str:
    """``_http._tcp.api.shop`` asks for a port of ``api.shop``."""
    labels = asked.split(".")
    return ".".join(labels[2:]) if len(labels) > 2 and labels[0][:1] == labels[1][:1] == "_" else asked


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """The nearest first, those equally near in the order of the alphabet."""
    found = process.extract(name, list(known), scorer=OSA.distance, score_cutoff=MOST_EDITS, limit=None)
    return [written for written, _, _ in sorted(found, key=lambda one: (one[1], one[0]))]


def _alike(label: str, right: str) -> bool:
    most = MOST_EDITS if len(right) >= TWO_EDITS_FROM else 1 if len(right) >= ONE_EDIT_FROM else 0
    return int(OSA.distance(label, right)) <= most


def _few(found: list[Meant]) -> list[Meant]:
    return sorted(found, key=lambda one: one.name) if len(found) <= MOST_ELSEWHERE else []
