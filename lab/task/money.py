"""The `money` section of a task file: values of decisions in integer cents."""

from pydantic import Field

from lab.core.params import Params

LARGEST = 10**12  # cents; the sum over millions of rows still fits into 64 bits


class Money(Params):
    """Cents per true positive, false positive and false negative; a true negative is 0."""

    currency: str = Field(default="EUR", min_length=1)
    benefit_of_true_positive: int = Field(default=0, ge=0, le=LARGEST)
    cost_of_false_positive: int = Field(default=0, ge=0, le=LARGEST)
    cost_of_false_negative: int = Field(default=0, ge=0, le=LARGEST)

    @property
    def is_set(self) -> bool:
        """Whether any value is not 0."""
        return bool(self.benefit_of_true_positive or self.cost_of_false_positive or self.cost_of_false_negative)


class MoneySection(Params):
    """The `money` section of a task file."""

    money: Money
