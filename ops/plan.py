"""`python -m ops plan`: how many units and days an experiment needs, and what so many would see."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import math
from dataclasses import asdict
from typing import Any

import click

from lab.core.errors import ParamsError
from lab.core.result_files import json_bytes
from lab.stats.experiments.group_sequential import Bounds, inflation, spending_bounds
from lab.stats.experiments.plans import Design, Plan, plan_means, plan_proportions, plan_ratios
from lab.stats.experiments.power_of_means import mean_power, smallest_mean_effect
from lab.stats.experiments.power_of_proportions import proportion_power, smallest_proportion
from lab.stats.experiments.spending import spending_named

FORMULAS = ("pooled_null", "unpooled", "arcsine")


@click.command()
@click.option("--from", "base", type=float, help="The control's share, such as 0.10.")
@click.option("--to", "goal", type=float, help="The share that the treatment is to reach, such as 0.12.")
@click.option("--difference", type=float, help="The difference of means, or of ratios, that is to be seen.")
@click.option("--spread", type=float, help="The standard deviation of a unit's value, for means.")
@click.option("--variance", type=float, help="A unit's part in the variance of a ratio (delta method), for ratios.")
@click.option("--power", type=float, default=0.8, show_default=True, help="The chance to see it.")
@click.option("--level", type=float, default=0.05, show_default=True, help="The chance of a false alarm.")
@click.option(
    "--weights",
    type=(float, float),
    default=(0.5, 0.5),
    show_default=True,
    help="Shares of traffic: control, treatment.",
)
@click.option("--per-day", type=float, help="Units that come in a day, of all traffic.")
@click.option("--looks", type=int, default=1, show_default=True, help="How often to look, the last time included.")
@click.option(
    "--spending", default="obrien_fleming", show_default=True, help="How the level is spent over the looks; or pocock."
)
@click.option("--formula", type=click.Choice(FORMULAS), default="pooled_null", show_default=True, help="For shares.")
@click.option("--at-most-days", type=int, help="Exit 1 where it would take longer.")
@click.option("--units", type=int, help="Also say what so many units in all would see.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(**said: Any) -> None:
    r"""Plan an experiment: units in each arm, days, and the price of looking at it before its end.

    \b
    From 10 % to 12 %, looked at five times, with 1,000 units a day:
      python -m ops plan --from 0.10 --to 0.12 --looks 5 --per-day 1000
    A mean to rise by 2, where values spread by 30:
      python -m ops plan --difference 2 --spread 30
    What 5,000 units would see:
      python -m ops plan --from 0.10 --to 0.12 --units 5000

    Choose the smallest difference that would change what you do, not the one you hope for: half the difference needs
    four times the units. Looking costs a few per cent when the level is spent over the looks; without that, twenty
    looks turn 5 % of false alarms into 25 %.

    Exit 0, 1 where it takes more than --at-most-days, 2 on a mistake.
    """
    bounds = _bounds(said)
    design = _design(said, bounds)
    found = _plan(said, design)
    seen = _seen(said, bounds) if said["units"] else None
    document = {"plan": asdict(found), "bounds": asdict(bounds), "seen": seen}
    click.echo(json_bytes(document).decode().rstrip() if said["as_json"] else _told(found, bounds, seen))
    too_long = said["at_most_days"] is not None and (found.days or math.inf) > said["at_most_days"]
    raise SystemExit(1 if too_long else 0)


def _bounds(said: dict[str, Any]) -> Bounds:
    if said["looks"] < 1:
        raise ParamsError(f"--looks {said['looks']}: expected 1 or more.")
    try:
        shares = [look / said["looks"] for look in range(1, said["looks"] + 1)]
        return spending_bounds(shares, level=said["level"], spending=spending_named(said["spending"]))
    except ValueError as error:
        raise ParamsError(f"{error}. Cure: see python -m ops plan --help") from error


def _design(said: dict[str, Any], bounds: Bounds) -> Design:
    if not 0 < said["level"] < said["power"] < 1:
        raise ParamsError(f"--level {said['level']} --power {said['power']}: expected 0 < level < power < 1.")
    if said["at_most_days"] is not None and not said["per_day"]:
        raise ParamsError("--at-most-days needs --per-day: how many units come in a day?")
    price = max(1.0, inflation(bounds, level=said["level"], power=said["power"]))
    return Design(said["level"], said["power"], said["weights"], price, said["per_day"])


def _plan(said: dict[str, Any], design: Design) -> Plan:
    kinds = {
        "shares": (said["base"], said["goal"]),
        "means": (said["difference"], said["spread"]),
        "ratios": (said["difference"], said["variance"]),
    }
    asked = [kind for kind, numbers in kinds.items() if all(number is not None for number in numbers)]
    if len(asked) != 1:
        raise ParamsError(
            "expected one question: --from and --to for shares, --difference and --spread for means, or --difference "
            "and --variance for ratios. Cure: see python -m ops plan --help"
        )
    first, second = kinds[asked[0]]
    try:
        if asked == ["shares"]:
            return plan_proportions(first, second, design=design, formula=said["formula"])
        return (plan_means if asked == ["means"] else plan_ratios)(first, second, design=design)
    except ValueError as error:
        raise ParamsError(f"{error}. Cure: see python -m ops plan --help") from error


def _seen(said: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """Return the power of so many units, and the smallest difference they call; looks cost some."""
    control, treatment = (said["units"] * weight / sum(said["weights"]) for weight in said["weights"])
    price = max(1.0, inflation(bounds, level=said["level"], power=said["power"]))
    treated, ratio = treatment / price, control / treatment
    rule: dict[str, Any] = {"level": said["level"]}
    if said["base"] is not None:
        more = {**rule, "control_per_treatment": ratio, "formula": said["formula"]}
        power = proportion_power(said["base"], said["goal"], treated, **more)
        smallest = smallest_proportion(said["base"], treated, power=said["power"], **more)
        smallest = None if smallest is None else smallest - said["base"]
    else:
        spread = said["spread"] if said["spread"] is not None else math.sqrt(said["variance"])
        power = mean_power(said["difference"] / spread, treated=treated, control=treated * ratio, **rule)
        smallest = spread * smallest_mean_effect(treated=treated, control=treated * ratio, power=said["power"], **rule)
    return {"units": said["units"], "power": power, "smallest_difference": smallest, "wanted_power": said["power"]}


def _told(found: Plan, bounds: Bounds, seen: dict[str, Any] | None) -> str:
    days = "" if found.days is None else f", {found.days:,} days"
    lines = [
        f"{found.total:,} units{days}: {found.control:,} in the control arm, {found.treatment:,} in the treatment arm.",
        f"By the formula: {found.formula.replace('_', ' ')}.",
    ]
    if len(bounds.z) > 1:
        price = 100 * (found.inflation - 1)
        lines.append(f"Looking {len(bounds.z)} times costs {price:.1f} % more units. Stop when |z| exceeds:")
        lines += [
            f"  look {look} at {math.ceil(share * found.total):>9,} units: {'never' if z is None else format(z, '.3f')}"
            for look, (share, z) in enumerate(zip(bounds.information, bounds.z, strict=True), start=1)
        ]
    if seen is not None:
        smallest = "none" if seen["smallest_difference"] is None else f"{seen['smallest_difference']:.4g}"
        lines.append(
            f"{seen['units']:,} units in all: power {seen['power']:.3f}; the smallest difference that they "
            f"see with power {seen['wanted_power']:g} is {smallest}."
        )
    return "\n".join(lines)
