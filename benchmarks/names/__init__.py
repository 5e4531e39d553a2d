"""A day's names of made-up workloads, benign and not, the same for a seed."""
