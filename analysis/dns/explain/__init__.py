"""One name, one client: what was asked in which order, of whom, what came back, and what it was good for."""
