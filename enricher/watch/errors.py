"""What an API server refuses, or what becomes of a connection to it."""

from contract.errors import MachineError


class ApiError(MachineError):
    """``reason`` is what it is counted by; ``status`` is NULL where no HTTP status was told."""

    def __init__(self, reason: str, what: str, status: int | None = None, wait_s: float = 0) -> None:
        super().__init__(f"Kubernetes API: {what}")
        self.reason = reason
        self.status = status
        self.wait_s = wait_s


class ExpiredError(ApiError):
    """The history behind a resourceVersion or a continue token is gone: the kind has to be listed again."""

    def __init__(self, what: str) -> None:
        super().__init__("expired", what, 410)
