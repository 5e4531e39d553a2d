"""What a proxy of Cilium's decides beside the ports: HTTP, Kafka, DNS, TLS. Checked, and named where it narrows anything."""

import re
from collections.abc import Callable, Collection, Mapping

from analysis.policy.cilium.domains import EVERY_NAME, domain
from analysis.policy.parts import Part
from analysis.policy.rules import Direction

PARSERS = ("http", "kafka", "dns", "l7proto")
SERVER_NAME = re.compile(r"(\*?\*\.)?[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*\.?")
LONGEST_NAME = 255
MOST_PRIORITY = 100
ENVOY_KINDS = ("CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig")
KAFKA = ("role", "apiKey", "apiVersion", "clientID", "topic")


def narrowing(entry: Part, direction: Direction) -> str:
    """What the traffic to these ports hangs on beside them; empty where everything on them passes."""
    rules = entry.get("rules")
    parser = _parser(rules) if rules is not None else ""
    if rules is not None and parser:
        _refuse_misplaced(entry, rules, parser, direction)
    found = (
        SAID[parser] if rules is not None and parser and _narrows(rules, parser) else "",
        _server_names(entry, parser),
        _listener(entry, parser, direction),
        _tls(entry),
    )
    return " and ".join(one for one in found if one)


def sees_names(spec: Part) -> bool:
    """Whether it has a DNS rule, by which Cilium reads the answers that its pods get."""
    entries = (entry for rule in spec.items("egress") for entry in rule.items("toPorts"))
    return any((rules := entry.get("rules")) is not None and rules.items("dns") for entry in entries)


def _parser(rules: Part) -> str:
    """Which of the four kinds of rules it has; none where their list is empty, as nothing is then narrowed."""
    rules.fields((*PARSERS, "l7"))
    told = [key for key in PARSERS if rules.get(key) is not None]
    if len(told) != 1:
        raise rules.wrong(f"needs one of {', '.join(PARSERS)}", "make an entry of toPorts for each")
    if rules.get("l7") is not None and told != ["l7proto"]:
        raise rules.wrong("has l7 without l7proto", "write l7proto, too")
    if told == ["l7proto"]:
        return "l7proto" if rules.needed("l7proto").text else ""
    return told[0] if rules.items(told[0]) else ""


def _refuse_misplaced(entry: Part, rules: Part, parser: str, direction: Direction) -> None:
    if parser == "dns" and direction is Direction.INGRESS:
        raise rules.wrong("has DNS rules at ingress", "write them at egress")
    if parser == "dns" and not entry.items("ports"):
        raise entry.wrong("has DNS rules without a port", 'write port "53"')
    for port in entry.items("ports"):
        _refuse_port(port, parser)


def _refuse_port(port: Part, parser: str) -> None:
    protocol, last = port.get("protocol"), port.get("endPort")
    if port.needed("port").value == "0":
        raise port.wrong("is every port, and has rules", "name a port")
    if parser == "dns" and last is not None and last.number:
        raise last.wrong("makes a range of ports with DNS rules", "name one port")
    if parser != "dns" and (protocol is None or protocol.value != "TCP"):
        raise port.wrong(f"is not TCP, and has {parser} rules", "write protocol: TCP")


def _narrows(rules: Part, parser: str) -> bool:
    """Of several rules one is enough: one that asks for nothing lets everything pass. All are read, as all have to be right."""
    return all([NARROWS[parser](one) for one in rules.items("l7" if parser == "l7proto" else parser)])


def _http(part: Part) -> bool:
    part.fields(("method", "path", "host", "headers", "headerMatches"))
    headers = [one.text for one in part.items("headers")]
    matches = [_header(one) for one in part.items("headerMatches")]
    return bool(headers or matches or any(_texts(part, ("method", "path", "host")).values()))


def _header(part: Part) -> str:
    part.fields(("name", "value", "mismatch", "secret"))
    mismatch = _texts(part, ("value", "mismatch")).get("mismatch", "LOG")
    if mismatch not in ("LOG", "ADD", "DELETE", "REPLACE"):
        raise part.wrong(f"{mismatch!r:.60} cannot be done", "write LOG, ADD, DELETE or REPLACE")
    secret = part.get("secret")
    if secret is not None:
        _secret(secret)
    return _named(part)


def _kafka(part: Part) -> bool:
    part.fields(KAFKA)
    told = _texts(part, KAFKA)
    if told.get("role", "consume") not in ("produce", "consume"):
        raise part.wrong(f"{told['role']!r:.60} is no role", "write produce or consume")
    if "role" in told and told.get("apiKey"):
        raise part.wrong("has a role and an apiKey", "leave one of them out")
    if len(told.get("topic", "")) > LONGEST_NAME:
        raise part.wrong(f"has a topic of more than {LONGEST_NAME} characters")
    return any(told.values())


def _dns(part: Part) -> bool:
    return not EVERY_NAME.fullmatch(domain(part))


def _l7(part: Part) -> bool:
    return bool(dict(part.texts()))


NARROWS: Mapping[str, Callable[[Part], bool]] = {"http": _http, "kafka": _kafka, "dns": _dns, "l7proto": _l7}
SAID = {
    "http": "what the HTTP requests ask for",
    "kafka": "what the Kafka requests ask for",
    "dns": "which names the DNS queries ask for",
    "l7proto": "what a proxy reads",
}


def _server_names(entry: Part, parser: str) -> str:
    names = entry.items("serverNames")
    if entry.get("serverNames") is not None and not names:
        raise entry.needed("serverNames").wrong("is empty", "leave it out")
    for name in names:
        if len(name.text) > LONGEST_NAME or not SERVER_NAME.fullmatch(name.text):
            raise name.wrong(
                f"{name.text!r:.80} is no name of a server", "write it as www.example.com or *.example.com"
            )
    if names and parser and entry.get("terminatingTLS") is None:
        raise entry.wrong("has serverNames beside rules, without terminatingTLS", "leave one of them out")
    return "the server name of TLS" if names else ""


def _listener(entry: Part, parser: str, direction: Direction) -> str:
    told = entry.get("listener")
    if told is None:
        return ""
    if direction is Direction.INGRESS or parser:
        raise told.wrong("is at ingress, or beside rules", "leave it out")
    told.fields(("envoyConfig", "name", "priority"))
    config, priority = told.needed("envoyConfig"), told.get("priority")
    config.fields(("kind", "name"))
    kind = config.get("kind")
    if kind is not None and kind.text not in ENVOY_KINDS:
        raise kind.wrong(f"{kind.text!r:.60} has no listeners", f"write {' or '.join(ENVOY_KINDS)}")
    if priority is not None and not 1 <= priority.number <= MOST_PRIORITY:
        raise priority.wrong(f"{priority.number} is no priority", f"write 1 to {MOST_PRIORITY}")
    _named(config)
    _named(told)
    return "what a listener of Envoy's does"


def _tls(entry: Part) -> str:
    told = [one for key in ("terminatingTLS", "originatingTLS") if (one := entry.get(key)) is not None]
    for one in told:
        one.fields(("secret", "trustedCA", "certificate", "privateKey"))
        _texts(one, ("trustedCA", "certificate", "privateKey"))
        _secret(one.needed("secret"))
    return "a proxy that ends TLS" if told else ""


def _secret(part: Part) -> None:
    part.fields(("name", "namespace"))
    _texts(part, ("namespace",))
    _ = part.needed("name").text


def _named(part: Part) -> str:
    name = part.needed("name")
    if not name.text:
        raise name.wrong("is empty")
    return name.text


def _texts(part: Part, keys: Collection[str]) -> dict[str, str]:
    return {key: told.text for key in keys if (told := part.get(key)) is not None}
