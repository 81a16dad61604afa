"""What can go wrong between this machine and a service: it refuses, or it does not answer."""

from lab.core.errors import LabError


class RefusedError(LabError):
    """The service understood and said no; asking again would not help."""

    def __init__(self, message: str, *, status: int = 0, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.said = said


class UnansweredError(LabError):
    """The service did not answer, or answered that it cannot just now.

    `accepted` tells whether it may have done what was asked all the same, `wait` how many seconds it wants to be left
    alone, and `final` that it has been asked again often enough.
    """

    def __init__(self, message: str, *, accepted: bool = True, wait: float | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.accepted = accepted
        self.wait = wait
        self.final = final
