"""The NetworkPolicy of the shop."""

from samples.cluster.lives import Book
from samples.cluster.objects import Json, made, meta


def ledger(book: Book) -> Json:
    """What the nodes' forward chain enforces for the ledger."""

    def pods(name: str) -> Json:
        return {"matchLabels": {"app.kubernetes.io/name": name}}

    allowed = {"from": [{"podSelector": pods("payments")}], "ports": [{"port": 6379, "protocol": "TCP"}]}
    spec = {"ingress": [allowed], "podSelector": pods("ledger"), "policyTypes": ["Ingress"]}
    return made(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        meta(book.plan, "NetworkPolicy", "payments", "ledger", book.began),
        spec=spec,
    )
