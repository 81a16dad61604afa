"""What ends the play before its end."""

from lab.core.errors import LabError


class PlayError(LabError):
    """Something went another way than production goes."""
