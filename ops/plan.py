"""`python -m ops plan`: sample size, duration and power of an experiment."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import math
from dataclasses import asdict
from typing import Any

import click

from lab.core.errors import LabError, ParamsError
from lab.core.result_files import json_bytes
from lab.stats.experiments.group_sequential import Bounds, inflation, spending_bounds
from lab.stats.experiments.plans import Design, Plan, plan_means, plan_proportions, plan_ratios
from lab.stats.experiments.power_of_means import mean_power, smallest_mean_effect
from lab.stats.experiments.power_of_proportions import proportion_power, smallest_proportion
from lab.stats.experiments.spending import spending_named

MOST_LOOKS = 100  # as many as a design has; the time grows with the square
FORMULAS = ("pooled_null", "unpooled", "arcsine")


@click.command()
@click.option("--from", "base", type=float, help="The share of the control, such as 0.10.")
@click.option("--to", "goal", type=float, help="The share of the treatment to detect, such as 0.12.")
@click.option("--difference", type=float, help="The difference of means or ratios to detect.")
@click.option("--spread", type=float, help="For means: the standard deviation of a unit's value.")
@click.option("--variance", type=float, help="For ratios: the variance per unit (delta method).")
@click.option("--power", type=float, default=0.8, show_default=True, help="The power.")
@click.option("--level", type=float, default=0.05, show_default=True, help="The significance level.")
@click.option(
    "--weights",
    type=(float, float),
    default=(0.5, 0.5),
    show_default=True,
    help="Shares of traffic: control, treatment.",
)
@click.option("--per-day", type=float, help="Units per day, of all traffic.")
@click.option(
    "--looks",
    type=click.IntRange(1, MOST_LOOKS),
    default=1,
    show_default=True,
    help="The number of looks, including the last one.",
)
@click.option("--spending", default="obrien_fleming", show_default=True, help="The alpha spending function; or pocock.")
@click.option("--formula", type=click.Choice(FORMULAS), default="pooled_null", show_default=True, help="For shares.")
@click.option("--at-most-days", type=click.IntRange(min=1), help="Exit 1 if the experiment takes longer.")
@click.option(
    "--units",
    type=click.IntRange(min=2),
    help="Also print the power and the minimum detectable effect of this many units.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(**options: Any) -> None:
    r"""Plan an experiment: units in each arm, days, and the cost of interim looks.

    \b
    From 10 % to 12 %, five looks, 1,000 units a day:
      python -m ops plan --from 0.10 --to 0.12 --looks 5 --per-day 1000
    A difference of 2 between means, with a standard deviation of 30:
      python -m ops plan --difference 2 --spread 30
    The power of 5,000 units:
      python -m ops plan --from 0.10 --to 0.12 --units 5000

    Choose the smallest difference that would change your decision, not the expected one. Half the difference needs four
    times the units. Interim looks cost a few per cent more units with alpha spending; without it, twenty looks raise
    the false positive rate from 5 % to 25 %.

    Exit 0, 1 if it takes more than --at-most-days, 2 for a usage error.
    """
    try:
        bounds = _bounds(options)
        found = _plan(options, _design(options, bounds))
        power = _power(options, bounds) if options["units"] else None
    except LabError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise ParamsError(f"these options give no plan: {error}. Cure: see python -m ops plan --help") from error
    document = {"plan": asdict(found), "bounds": asdict(bounds), "seen": power}
    click.echo(json_bytes(document).decode().rstrip() if options["as_json"] else _to_text(found, bounds, power))
    too_long = options["at_most_days"] is not None and (found.days or math.inf) > options["at_most_days"]
    raise SystemExit(1 if too_long else 0)


def _bounds(options: dict[str, Any]) -> Bounds:
    shares = [look / options["looks"] for look in range(1, options["looks"] + 1)]
    return spending_bounds(shares, level=options["level"], spending=spending_named(options["spending"]))


def _design(options: dict[str, Any], bounds: Bounds) -> Design:
    if not 0 < options["level"] < options["power"] < 1:
        raise ParamsError(f"--level {options['level']} --power {options['power']}: expected 0 < level < power < 1.")
    if options["at_most_days"] is not None and not options["per_day"]:
        raise ParamsError("--at-most-days needs --per-day, the number of units per day.")
    price = max(1.0, inflation(bounds, level=options["level"], power=options["power"]))
    return Design(options["level"], options["power"], options["weights"], price, options["per_day"])


def _plan(options: dict[str, Any], design: Design) -> Plan:
    kinds = {
        "shares": (options["base"], options["goal"]),
        "means": (options["difference"], options["spread"]),
        "ratios": (options["difference"], options["variance"]),
    }
    given = [kind for kind, numbers in kinds.items() if all(number is not None for number in numbers)]
    if len(given) != 1:
        raise ParamsError(
            "expected one pair of options: --from and --to for shares, --difference and --spread for means, or "
            "--difference and --variance for ratios. Cure: see python -m ops plan --help"
        )
    first, second = kinds[given[0]]
    if given == ["shares"]:
        return plan_proportions(first, second, design=design, formula=options["formula"])
    return (plan_means if given == ["means"] else plan_ratios)(first, second, design=design)


def _power(options: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """Return the power and the minimum detectable effect of --units, after the cost of interim looks."""
    control, treatment = (options["units"] * weight / sum(options["weights"]) for weight in options["weights"])
    price = max(1.0, inflation(bounds, level=options["level"], power=options["power"]))
    treated, ratio = treatment / price, control / treatment
    rule: dict[str, Any] = {"level": options["level"]}
    if options["base"] is not None:
        more = {**rule, "control_per_treatment": ratio, "formula": options["formula"]}
        power = proportion_power(options["base"], options["goal"], treated, **more)
        upwards = options["goal"] > options["base"]
        smallest = smallest_proportion(options["base"], treated, power=options["power"], upwards=upwards, **more)
        smallest = None if smallest is None else smallest - options["base"]
    else:
        spread = options["spread"] if options["spread"] is not None else math.sqrt(options["variance"])
        arms = {"treated": treated, "control": treated * ratio}
        power = mean_power(options["difference"] / spread, **arms, **rule)
        effect = smallest_mean_effect(power=options["power"], **arms, **rule)
        smallest = math.copysign(spread * effect, options["difference"])
    return {
        "units": options["units"],
        "power": power,
        "smallest_difference": smallest,
        "wanted_power": options["power"],
    }


def _to_text(found: Plan, bounds: Bounds, power: dict[str, Any] | None) -> str:
    days = "" if found.days is None else f", {found.days:,} days"
    lines = [
        f"{found.total:,} units{days}: {found.control:,} in the control arm, {found.treatment:,} in the treatment arm.",
        f"Formula: {found.formula.replace('_', ' ')}.",
    ]
    if len(bounds.z) > 1:
        price = 100 * (found.inflation - 1)
        lines.append(f"{len(bounds.z)} looks cost {price:.1f} % more units. Stop when |z| exceeds:")
        lines += [
            f"  look {look} at {math.ceil(share * found.total):>9,} units: {'never' if z is None else format(z, '.3f')}"
            for look, (share, z) in enumerate(zip(bounds.information, bounds.z, strict=True), start=1)
        ]
    if power is not None:
        smallest = "none" if power["smallest_difference"] is None else f"{power['smallest_difference']:.4g}"
        lines.append(
            f"{power['units']:,} units in total: power {power['power']:.3f}; minimum detectable effect {smallest} "
            f"(power {power['wanted_power']:g})."
        )
    return "\n".join(lines)
