"""What a server says of why it failed: the extended errors of RFC 8914 §4, and those registered since, in words."""

_PURPOSES = (
    "other",
    "unsupported DNSKEY algorithm",
    "unsupported DS digest type",
    "stale answer",
    "forged answer",
    "DNSSEC indeterminate",
    "DNSSEC bogus",
    "signature expired",
    "signature not yet valid",
    "DNSKEY missing",
    "RRSIGs missing",
    "no zone key bit set",
    "NSEC missing",
    "cached error",
    "not ready",
    "blocked",
    "censored",
    "filtered",
    "prohibited",
    "stale NXDOMAIN answer",
    "not authoritative",
    "not supported",
    "no reachable authority",
    "network error",
    "invalid data",
    "signature expired before valid",
    "too early",
    "unsupported NSEC3 iterations value",
    "unable to conform to policy",
    "synthesized",
    "invalid query type",
)


def purpose(code: int) -> str:
    return _PURPOSES[code] if 0 <= code < len(_PURPOSES) else f"extended error {code}"
