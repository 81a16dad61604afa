"""Define the errors of a request: the service refuses it, or does not respond."""

from lab.core.errors import LabError


class RefusedError(LabError):
    """The service refused the request; a retry would not help."""

    def __init__(self, message: str, *, status: int = 0, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.said = said


class UnansweredError(LabError):
    """The service did not respond, or is temporarily unavailable.

    `accepted` says whether it may have executed the request, `wait` after how many seconds it allows a retry, and
    `final` that the retries are exhausted.
    """

    def __init__(self, message: str, *, accepted: bool = True, wait: float | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.accepted = accepted
        self.wait = wait
        self.final = final
