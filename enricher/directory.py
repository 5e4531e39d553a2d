"""What the enricher knows of a cluster: who held which address, where its Services stand, which ranges are its own."""

from dataclasses import dataclass, field

import pyarrow as pa

from contract.assignments import ASSIGNMENTS
from contract.columns import COUNT, FLAG, TEXT
from contract.objects import OBJECTS

# One row per Service port, and one with port NULL for the Service as such. The row number is what ``port_id`` means.
PORTS = pa.schema(
    [
        ("namespace", TEXT),
        ("service", TEXT),
        ("port_name", TEXT),
        ("protocol", pa.int16()),
        ("port", pa.int32()),
        ("node_port", pa.int32()),
    ]
)
# Addresses of the Service itself: cluster, external and load balancer addresses.
FRONTS = pa.schema([("port_id", COUNT), ("ip", TEXT)])
ENDPOINTS = pa.schema([("port_id", COUNT), ("ip", TEXT), ("port", pa.int32()), ("ready", FLAG), ("pod_uid", TEXT)])


@dataclass(frozen=True)
class Directory:
    """One reading of a cluster; ``ranges`` are its networks in CIDR notation."""

    cluster: str | None
    assignments: pa.Table
    ports: pa.Table
    fronts: pa.Table
    endpoints: pa.Table
    ranges: tuple[str, ...]
    objects: pa.Table = field(default_factory=OBJECTS.schema.empty_table)

    @classmethod
    def empty(cls, cluster: str | None = None) -> "Directory":
        """No Kubernetes objects were given."""
        return cls(
            cluster=cluster,
            assignments=ASSIGNMENTS.schema.empty_table(),
            ports=PORTS.empty_table(),
            fronts=FRONTS.empty_table(),
            endpoints=ENDPOINTS.empty_table(),
            ranges=(),
        )

    @property
    def is_empty(self) -> bool:
        return self.assignments.num_rows == 0 and not self.ranges
