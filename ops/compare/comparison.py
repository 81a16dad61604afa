"""All facts of two revisions side by side."""

from dataclasses import dataclass

from lab.abtest.comparison_settings import ComparisonParams
from ops.compare.changes import Change
from ops.compare.data import DataChange
from ops.compare.differences import Judged, ModelDifferences
from ops.compare.drift import DriftChange
from ops.compare.experiment import Answer
from ops.compare.figures import Figure
from ops.compare.freshness import StaleStage
from ops.compare.gates import GateChange
from ops.compare.graph import Graph
from ops.compare.plots import Plots
from ops.compare.rows import TestRows
from ops.compare.touched import CodeChange
from ops.compare.training import Training
from ops.registry.promotion import Promotion


@dataclass(frozen=True)
class Revision:
    """A revision by the given name; the working tree has no commit."""

    name: str
    commit: str | None
    task: str
    stale: tuple[StaleStage, ...]


@dataclass(frozen=True)
class Inputs:
    """The differences of the inputs."""

    params: tuple[Change, ...]
    task: tuple[Change, ...]
    champion: tuple[Change, ...]
    data: DataChange
    code: CodeChange
    training: Training
    trained_anew: bool


@dataclass(frozen=True)
class Metrics:
    """Both models on the test window; `rows` is None where nothing could be compared, and `untested` says why."""

    rows: TestRows | None
    untested: str
    challenger: ModelDifferences
    champion: ModelDifferences
    figures: tuple[Figure, ...]
    currency: str

    def primary(self, settings: ComparisonParams) -> Judged:
        """Return the challenger's primary metric."""
        return self.challenger.of(settings.primary)


@dataclass(frozen=True)
class Comparison:
    """Two revisions side by side; `base_is_ahead` counts the base's commits with results that the head lacks.

    Where both went on since a `branch_point`, `inputs` are the head's differences from there; results differ from the
    base.
    `promotion` is None where the head has no verdict, and `no_promotion` says why.
    """

    base: Revision
    head: Revision
    base_is_ahead: int
    branch_point: str | None
    settings: ComparisonParams
    inputs: Inputs
    metrics: Metrics
    training: Training
    gates: tuple[GateChange, ...]
    drift: DriftChange
    base_answer: Answer | None
    head_answer: Answer | None
    plots: Plots
    graph: Graph
    promotion: Promotion | None
    no_promotion: str

    @property
    def other_task(self) -> bool:
        return self.base.task != self.head.task

    @property
    def newly_failing(self) -> tuple[str, ...]:
        """The gates that decide at the head and fail there, and did not before."""
        return tuple(each.gate for each in self.gates if each.decides and each.course == "newly fails")

    @property
    def worse(self) -> bool:
        """Say whether the head is worse by the primary metric, newly fails a gate, or changes too many raw rows."""
        primary = self.metrics.primary(self.settings)
        return primary.word == "worse" or bool(self.newly_failing) or bool(self.inputs.data.beyond)
