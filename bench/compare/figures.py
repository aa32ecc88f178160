"""Statistics of the samples: what stands in the table and in the plot."""

import dataclasses
import statistics

RESUMED_SHARE_MIN = 0.9  # below it, "resumed" would be a wrong name for the row


@dataclasses.dataclass(frozen=True)
class Spread:
    """Of some numbers: the middle one, the smallest, the largest."""

    median: float
    low: float
    high: float


def spread(values):
    """None of nothing."""
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def ratios(values, base):
    """Round by round, so that a slow minute of the machine counts on both sides. Rounds without both are left out."""
    return [value / reference for value, reference in zip(values, base)
            if value is not None and reference is not None and reference > 0]


@dataclasses.dataclass(frozen=True)
class Row:
    """One proxy in one scenario. `marks` say why its figures are not to be trusted."""

    scenario: object  # scenarios.Scenario
    peer: str
    value: Spread | None
    ratio: Spread | None  # to the base's
    operations: int
    errors: int
    marks: tuple


def marks_of(scenario, samples, errors):
    found = []
    if errors:
        found.append(f"{errors} of {errors + sum(sample.operations for sample in samples)} operations failed")
    if any(sample.value is None for sample in samples):
        found.append(f"nothing measured in {sum(sample.value is None for sample in samples)} of {len(samples)} rounds")
    full = sum(sample.full for sample in samples)
    resumed = sum(sample.resumed for sample in samples)
    if scenario.kind == "resumed" and resumed < RESUMED_SHARE_MIN * (full + resumed):
        found.append(f"only {resumed} of {full + resumed} handshakes resumed")
    if scenario.kind == "full" and resumed:
        found.append(f"{resumed} handshakes resumed")
    whys = sorted({" ".join(sample.why.split()) for sample in samples if sample.why})
    return tuple(found + whys)


def rows(chosen, names, samples, base):
    """The rows of all scenarios; `names` are the proxies in their order, `base` the one that ratios are to."""
    made = []
    for scenario in chosen:
        of_scenario = samples[scenario.key]
        reference = [sample.value for sample in of_scenario.get(base, [])]
        for name in names:
            taken = of_scenario.get(name, [])
            if not taken:
                continue
            values = [sample.value for sample in taken]
            errors = sum(sample.errors for sample in taken)
            made.append(Row(scenario, name, spread([value for value in values if value is not None]),
                            spread(ratios(values, reference)), sum(sample.operations for sample in taken), errors,
                            marks_of(scenario, taken, errors)))
    return made
