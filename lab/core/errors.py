"""The mistakes a user can make, each with one message: what was found, what was expected, where, and the cure."""


class LabError(ValueError):
    """A mistake of the user's: the command line prints its message and exits 2."""


class ParamsError(LabError):
    """params.yaml, a task file or champion.yaml says something that cannot be."""


class SourceError(LabError):
    """A source is missing, unreadable, empty or unlike its description."""


class ContractError(LabError):
    """The data breaks the contract in the task file."""


class ModelError(LabError):
    """A model folder is damaged, or holds what its manifest does not name."""
