"""What a right and a wrong decision are worth, in integer cents."""

from pydantic import Field

from lab.core.params import Params


class Money(Params):
    """Cents per outcome: what acting on a true positive earns, what a false alarm and a missed case cost."""

    currency: str = Field(default="EUR", min_length=1)
    benefit_of_true_positive: int = Field(default=0, ge=0)
    cost_of_false_positive: int = Field(default=0, ge=0)
    cost_of_false_negative: int = Field(default=0, ge=0)

    @property
    def names_a_price(self) -> bool:
        """Whether any outcome earns or costs anything: a new task's file has zeros."""
        return bool(self.benefit_of_true_positive or self.cost_of_false_positive or self.cost_of_false_negative)


class MoneySection(Params):
    """The `money` section of a task file."""

    money: Money
