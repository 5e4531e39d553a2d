"""A list by age through the records of a table (``older``, ``newer``), whose ends its control has (``oldest``, ``newest``)."""

import numpy as np

from collector.kernels.jit import inline


@inline
def link_newest(control, records, position):
    record = records[np.uint64(position)]
    record.newer = -1
    record.older = control.newest
    if control.newest >= 0:
        records[np.uint64(control.newest)].newer = position
    else:
        control.oldest = position
    control.newest = position


@inline
def unlink(control, records, position):
    record = records[np.uint64(position)]
    if record.older >= 0:
        records[np.uint64(record.older)].newer = record.newer
    else:
        control.oldest = record.newer
    if record.newer >= 0:
        records[np.uint64(record.newer)].older = record.older
    else:
        control.newest = record.older
