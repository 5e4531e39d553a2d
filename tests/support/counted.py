"""What the views ``connections`` and ``counted`` say of the same connections."""

from typing import Any

import duckdb

NAMES = (
    "start_time, end_time, cluster, src_ip, dst_ip, dst_port, protocol, failed,"
    " src_kind, src_namespace, src_pod, src_workload_kind, src_workload,"
    " dst_kind, dst_namespace, dst_pod, dst_workload_kind, dst_workload, backend_ip, backend_port,"
    " dst_domain, dst_registered_domain, domain_method, domain_confidence, ambiguous, src_bytes, dst_bytes"
)
GUESSED = "protocol = 6 and opened_by = 'first_packet' as guessed, dst_packets > 0 as answered"
WHOLE = f"select {NAMES}, {GUESSED}, src_bytes + dst_bytes as bytes from connections"
COUNTED = f"select {NAMES}, guessed, answered, bytes from counted"


def differences(connection: duckdb.DuckDBPyConnection) -> tuple[list[Any], list[Any]]:
    """What only ``connections`` says, and what only ``counted`` says."""
    texts = (f"({WHOLE}) except all ({COUNTED})", f"({COUNTED}) except all ({WHOLE})")
    whole, counted = (connection.sql(text).to_arrow_table().to_pylist() for text in texts)
    return whole, counted
