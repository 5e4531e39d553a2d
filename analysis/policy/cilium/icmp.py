"""Entries of icmps: which of the two protocols. Of the type flow records say nothing; it has to be right all the same."""

from analysis.policy.parts import Part

FAMILIES = {"IPv4": 1, "IPv6": 58}
MOST_TYPE = 255
NUMBERS = frozenset(map(str, range(MOST_TYPE + 1)))
NAMES = frozenset(
    {
        "EchoReply",
        "DestinationUnreachable",
        "Redirect",
        "Echo",
        "RouterAdvertisement",
        "RouterSelection",
        "TimeExceeded",
        "ParameterProblem",
        "Timestamp",
        "TimestampReply",
        "Photuris",
        "ExtendedEchoRequest",
        "PacketTooBig",
        "EchoRequest",
        "MulticastListenerQuery",
        "MulticastListenerReport",
        "MulticastListenerDone",
        "RouterSolicitation",
        "NeighborSolicitation",
        "NeighborAdvertisement",
        "RedirectMessage",
        "RouterRenumbering",
        "ICMPNodeInformationQuery",
        "ICMPNodeInformationResponse",
        "InverseNeighborDiscoverySolicitation",
        "InverseNeighborDiscoveryAdvertisement",
        "HomeAgentAddressDiscoveryRequest",
        "HomeAgentAddressDiscoveryReply",
        "MobilePrefixSolicitation",
        "MobilePrefixAdvertisement",
        "DuplicateAddressRequestCodeSuffix",
        "DuplicateAddressConfirmationCodeSuffix",
        "ExtendedEcho Reply",
    }
)


def protocol(part: Part) -> int:
    part.fields(("family", "type"))
    family, kind = part.get("family"), part.needed("type")
    known = isinstance(kind.value, int | str) and (str(kind.value) in NUMBERS or kind.value in NAMES)
    if not known or isinstance(kind.value, bool):
        raise kind.wrong(f"{kind.value!r:.60} is no ICMP type", f"write 0 to {MOST_TYPE}, or a name as EchoRequest")
    if family is not None and family.text not in FAMILIES:
        raise family.wrong(f"{family.text!r:.60} is no family", f"write {' or '.join(FAMILIES)}")
    return FAMILIES[family.text if family is not None else "IPv4"]
