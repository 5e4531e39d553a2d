"""Every metric that is served, by who it is read from. docs/settings.md lists them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from cli.metrics import Metric
from cli.tally import Tally
from collector.coverage import GIVEN_UP


class Captured(Protocol):
    """Which interfaces are captured."""

    captured: int | None


class Published(Protocol):
    """What a publisher counts."""

    published: int
    published_rows: int
    published_bytes: int
    in_flight_bytes: int
    spooled: int
    spooled_bytes: int
    given_up: int
    given_up_rows: int
    failures: int


class Consumed(Protocol):
    """What a consumer counts."""

    messages: int
    rows: int
    bytes: int
    doubles: int
    dead: int
    missed: int
    corrupt: int
    restarted: int
    begun_again: int
    partitions: int
    behind: int


class Kind(Protocol):
    @property
    def kind(self) -> str: ...


class Followed(Protocol):
    """One kind of the Kubernetes API."""

    @property
    def resource(self) -> Kind: ...

    @property
    def errors(self) -> Mapping[str, int]: ...

    is_synced: bool
    lists: int
    events: int
    malformed: int


class Watched(Protocol):
    @property
    def followers(self) -> Sequence[Followed]: ...

    def ages(self) -> Mapping[str, float | None]: ...

    def counts(self) -> Mapping[str, int]: ...


class Rounds(Protocol):
    """What an enricher did."""

    rounds: int
    seconds: float
    lag_seconds: float | None

    @property
    def records(self) -> Mapping[str, int]: ...


COLLECTED = (
    Metric[Tally](
        "tailrace_collector_packets_total",
        "packets that came through an interface",
        lambda tally: tally.by_interface["packets"](),
        ("interface",),
    ),
    Metric[Tally](
        "tailrace_collector_bytes_total",
        "their bytes on the wire, link header included",
        lambda tally: tally.by_interface["bytes"](),
        ("interface",),
    ),
    Metric[Tally](
        "tailrace_collector_kernel_drops_total",
        "packets for which the ring had no room",
        lambda tally: tally.of_node["kernel_drops"],
    ),
    Metric[Tally](
        "tailrace_collector_discarded_total",
        "packets in no flow, by reason",
        lambda tally: tally.discarded,
        ("reason",),
    ),
    Metric[Tally](
        "tailrace_collector_ring_freezes_total",
        "times that the ring was full, and capture stood still",
        lambda tally: tally.of_node.get("ring_freezes"),
    ),
    Metric[Tally](
        "tailrace_collector_dns_malformed_total",
        "messages on a DNS port that are no DNS message",
        lambda tally: tally.of_node["dns_malformed"],
    ),
    Metric[Tally](
        "tailrace_collector_given_up_total",
        "what was ended or left out because a table was full, by the column of `coverage` that counts it",
        lambda tally: {name: tally.of_node[name] for name in GIVEN_UP},
        ("what",),
    ),
    Metric[Tally](
        "tailrace_collector_records_total", "records handed on, by table", lambda tally: tally.records, ("table",)
    ),
)
CAPTURED = (
    Metric[Captured](
        "tailrace_collector_interfaces", "interfaces that are captured now, by the patterns", lambda seen: seen.captured
    ),
)
PUBLISHED = (
    Metric[Published](
        "tailrace_publisher_messages_total", "messages that Kafka has acknowledged", lambda seen: seen.published
    ),
    Metric[Published]("tailrace_publisher_records_total", "the records in them", lambda seen: seen.published_rows),
    Metric[Published]("tailrace_publisher_bytes_total", "their bytes", lambda seen: seen.published_bytes),
    Metric[Published](
        "tailrace_publisher_in_flight_bytes", "sent and not acknowledged yet", lambda seen: seen.in_flight_bytes
    ),
    Metric[Published](
        "tailrace_publisher_failures_total",
        "attempts at sending that failed; the messages are kept",
        lambda seen: seen.failures,
    ),
    Metric[Published]("tailrace_spool_messages", "messages that wait on disk", lambda seen: seen.spooled),
    Metric[Published]("tailrace_spool_bytes", "the room they take", lambda seen: seen.spooled_bytes),
    Metric[Published](
        "tailrace_spool_given_up_messages_total",
        "messages that are lost: the spool was full",
        lambda seen: seen.given_up,
    ),
    Metric[Published]("tailrace_spool_given_up_records_total", "the records in them", lambda seen: seen.given_up_rows),
)
CONSUMED = (
    Metric[Consumed]("tailrace_consumer_messages_total", "messages read", lambda seen: seen.messages),
    Metric[Consumed]("tailrace_consumer_records_total", "the records in them", lambda seen: seen.rows),
    Metric[Consumed]("tailrace_consumer_bytes_total", "their bytes", lambda seen: seen.bytes),
    Metric[Consumed](
        "tailrace_consumer_doubles_total", "messages that had been read before, left out", lambda seen: seen.doubles
    ),
    Metric[Consumed](
        "tailrace_consumer_dead_letters_total",
        "messages that cannot be read, in the topic for these",
        lambda seen: seen.dead,
    ),
    Metric[Consumed](
        "tailrace_consumer_missed_total", "messages that Kafka gave up before they were read", lambda seen: seen.missed
    ),
    Metric[Consumed](
        "tailrace_consumer_corrupt_total",
        "messages that were passed over, as what Kafka gave of them is no record batch",
        lambda seen: seen.corrupt,
    ),
    Metric[Consumed](
        "tailrace_consumer_restarted_total",
        "partitions that ended before where the lake was",
        lambda seen: seen.restarted,
    ),
    Metric[Consumed](
        "tailrace_consumer_begun_again_total",
        "times that another had gone on with its partitions, and it read them again from there",
        lambda seen: seen.begun_again,
    ),
    Metric[Consumed]("tailrace_consumer_partitions", "partitions that it reads", lambda seen: seen.partitions),
    Metric[Consumed](
        "tailrace_consumer_behind_messages", "messages in them that it has not read yet", lambda seen: seen.behind
    ),
)
ENRICHED = (
    Metric[Rounds]("tailrace_enricher_rounds_total", "rounds put together and written", lambda seen: seen.rounds),
    Metric[Rounds]("tailrace_enricher_round_seconds_total", "the time they took", lambda seen: seen.seconds),
    Metric[Rounds](
        "tailrace_enricher_records_total",
        "records written to the lake, by table",
        lambda seen: seen.records,
        ("table",),
    ),
    Metric[Rounds](
        "tailrace_enricher_lag_seconds",
        "of the last round, age of the newest record of the node that is furthest behind; none where it had no flow",
        lambda seen: seen.lag_seconds,
    ),
)
WATCHED = (
    Metric[Watched](
        "tailrace_watch_events_total",
        "changes of objects, by kind",
        lambda seen: {one.resource.kind: one.events for one in seen.followers},
        ("kind",),
    ),
    Metric[Watched](
        "tailrace_watch_lists_total",
        "times that a kind was listed from the beginning",
        lambda seen: {one.resource.kind: one.lists for one in seen.followers},
        ("kind",),
    ),
    Metric[Watched](
        "tailrace_watch_errors_total",
        "refusals and broken connections of the API, by kind and reason",
        lambda seen: {
            (one.resource.kind, why): count for one in seen.followers for why, count in [*one.errors.items()]
        },
        ("kind", "reason"),
    ),
    Metric[Watched](
        "tailrace_watch_malformed_total",
        "events that made no sense, by kind",
        lambda seen: {one.resource.kind: one.malformed for one in seen.followers},
        ("kind",),
    ),
    Metric[Watched](
        "tailrace_watch_silence_seconds",
        "since a kind was heard of last, a bookmark included",
        lambda seen: seen.ages(),
        ("kind",),
    ),
    Metric[Watched](
        "tailrace_watch_synced",
        "1 where a kind has been listed, so that its names are known",
        lambda seen: {one.resource.kind: int(one.is_synced) for one in seen.followers},
        ("kind",),
    ),
    Metric[Watched](
        "tailrace_watch_held",
        "what the watcher has in memory, and gave up, by what it is",
        lambda seen: seen.counts(),
        ("what",),
    ),
)
EVERY = (*COLLECTED, *CAPTURED, *PUBLISHED, *CONSUMED, *ENRICHED, *WATCHED)
