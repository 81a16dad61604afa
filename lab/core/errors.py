"""Exceptions for users' mistakes; messages say what was found and expected, where, and the cure."""


class LabError(ValueError):
    """A user's mistake: the command line prints the message and exits with 2."""


class ParamsError(LabError):
    """params.yaml, a task file or champion.yaml is invalid."""


class SourceError(LabError):
    """A source is missing, unreadable, empty, or differs from its description."""


class ContractError(LabError):
    """The data breaks the contract in the task file."""


class ModelError(LabError):
    """A model folder is damaged, or contains files that its manifest does not list."""
