"""The error that DVC raises when it refuses something."""

from dvc.exceptions import DvcException

DvcError: type[Exception] = DvcException
