"""The packet path: plain loops over arrays, compiled by numba.

Positions and counts are int64 inside a kernel; an index is made unsigned, so that a negative one is out of bounds instead of
counted from the end. Kernels never allocate and never raise on purpose: they return a code of
``layout`` and are called again with the same state.
"""
