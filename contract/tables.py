"""Every table of the lake, by name."""

from contract.assignments import ASSIGNMENTS
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS

TABLES = {table.name: table for table in (FLOWS, DNS, ASSIGNMENTS, COVERAGE)}
