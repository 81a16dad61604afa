"""Where a task keeps the log of its traffic experiment, if it runs one."""

from lab.params import Params


class Experiment(Params):
    """The log of who was in which arm, below data/source/TASK; None where no experiment runs."""

    log: str | None = None


class ExperimentSection(Params):
    """The `experiment` section of a task file."""

    experiment: Experiment
