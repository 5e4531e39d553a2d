"""Every table of the lake, by name."""

from contract.assignments import ASSIGNMENTS
from contract.coverage import COVERAGE
from contract.dns import DNS
from contract.flows import FLOWS
from contract.objects import OBJECTS
from contract.resolutions import RESOLUTIONS

TABLES = {table.name: table for table in (FLOWS, DNS, RESOLUTIONS, ASSIGNMENTS, OBJECTS, COVERAGE)}
