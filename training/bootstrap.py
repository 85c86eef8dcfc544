"""95 % intervals by resampling whole patients: slices of one head are no independent witnesses."""

import numpy as np

from training.figures import Scored


def resamples(patient: np.ndarray, rounds: int, seed: int):
    """Yield `rounds` times the rows of as many patients as there are, drawn with replacement.

    A patient drawn twice counts twice, as two patients.
    """
    names = np.unique(patient)
    rows = {name: np.flatnonzero(patient == name) for name in names}
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.concatenate([rows[name] for name in rng.choice(names, len(names))])


def with_intervals(whole: dict[str, float], drawn: list[dict[str, float]]) -> dict[str, dict]:
    """Every figure with the 2.5th and 97.5th percentile of those drawn.

    A resample in which a figure is not defined is left out of that figure's interval.
    """
    result = {}
    for key, value in whole.items():
        values = [one[key] for one in drawn if np.isfinite(one[key])]
        low, high = np.percentile(values, [2.5, 97.5]) if values else (np.nan, np.nan)
        result[key] = {"value": value, "low": float(low), "high": float(high)}
    return result


def intervals(scored: Scored, measures, rounds: int = 500, seed: int = 0) -> dict[str, dict]:
    """`measures(scored)` with percentile intervals."""
    drawn = [measures(scored.take(index)) for index in resamples(scored.patient, rounds, seed)]
    return with_intervals(measures(scored), drawn)


def differences(one: Scored, other: Scored, measures, rounds: int = 500, seed: int = 0) -> dict[str, dict]:
    """`measures(one) - measures(other)` of two models on the same slices, with percentile intervals.

    Both are resampled alike, so that what makes a patient hard for both falls out of the interval.
    Raises ValueError when they are not the same slices in the same order.
    """
    if not (np.array_equal(one.patient, other.patient) and np.array_equal(one.number, other.number)):
        raise ValueError("differences need the same slices in the same order")

    def difference(left: Scored, right: Scored) -> dict[str, float]:
        subtrahend = measures(right)
        return {key: value - subtrahend[key] for key, value in measures(left).items()}

    drawn = [difference(one.take(index), other.take(index)) for index in resamples(one.patient, rounds, seed)]
    return with_intervals(difference(one, other), drawn)
