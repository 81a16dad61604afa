"""What a person may want of a retraining besides its data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wishes:
    """None of these changes what a retraining on some data and base gives, only whether and how far it goes."""

    even_so: bool = False
    every_days: int | None = None
    dry_run: bool = False
    push: bool = False
    remote: str = "origin"
    into: str = "main"
