"""Register a commit that was just made, or take it back: what cannot be registered is not left committed either."""

from lab.core.errors import LabError
from ops.registry.deriving import DerivingError, take_back
from ops.registry.lock import LostError
from ops.registry.outcome import Registration
from ops.registry.registering import Place, register_in_turn


def check_can_be_registered(place: Place) -> None:
    """Refuse before the work what could not be registered after it."""
    if place.upstream is not None and place.push is None:
        raise LabError(
            f"A commit that is not on {place.upstream.spoken} cannot be registered, expected a word on how it gets "
            "there. Cure: --push, which pushes commit and tags in one step; or --propose, a pull request, and "
            "`python -m ops promote --register` once it is merged."
        )


def registered_or_taken_back(place: Place, *, stage: str, commit: str) -> Registration:
    """Register a commit of ours; where that fails or is refused, take the commit back."""
    try:
        registration = register_in_turn(place, stage=stage)
    except (LabError, LostError) as error:
        raise type(error)(f"{error} {_taken_back(place, commit)}") from error
    except BaseException:
        take_back(place.root, commit)
        raise
    if not registration.allowed:
        stopping = "; ".join(f"{each.guard}: {each.found}" for each in registration.answers if each.stops)
        raise DerivingError(f"What was committed cannot be registered ({stopping}). {_taken_back(place, commit)}")
    return registration


def _taken_back(place: Place, commit: str) -> str:
    taken = take_back(place.root, commit)
    return f"The commit {commit[:9]} was {'taken back.' if taken else 'left, for it is not the newest one any more.'}"
