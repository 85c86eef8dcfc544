"""95 % bootstrap intervals over patients, because the slices of one head are not independent."""

import numpy as np

from training.figures import Scored


def resample_patients(patient: np.ndarray, rounds: int, seed: int):
    """Yield `rounds` times the rows of as many patients as there are, drawn with replacement.

    A patient drawn twice counts twice, as two patients.
    """
    names = np.unique(patient)
    rows = {name: np.flatnonzero(patient == name) for name in names}
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.concatenate([rows[name] for name in rng.choice(names, len(names))])


def add_intervals(figures: dict[str, float], resampled: list[dict[str, float]]) -> dict[str, dict]:
    """{figure: {"value", "low", "high"}} with the 2.5th and 97.5th percentile over the resamples.

    A resample in which a figure is not defined is left out of that figure's interval.
    """
    result = {}
    for key, value in figures.items():
        values = [sample[key] for sample in resampled if np.isfinite(sample[key])]
        low, high = np.percentile(values, [2.5, 97.5]) if values else (np.nan, np.nan)
        result[key] = {"value": value, "low": float(low), "high": float(high)}
    return result


def intervals(scored: Scored, measures, rounds: int = 500, seed: int = 0) -> dict[str, dict]:
    """`measures(scored)` with percentile intervals."""
    resampled = [measures(scored.take(index)) for index in resample_patients(scored.patient, rounds, seed)]
    return add_intervals(measures(scored), resampled)


def differences(first: Scored, second: Scored, measures, rounds: int = 500, seed: int = 0) -> dict[str, dict]:
    """`measures(first) - measures(second)` of two models on the same slices, with percentile intervals.

    Both are resampled alike, so that the difficulty of a patient for both models is not part of the interval.
    Raises ValueError if they are not the same slices in the same order.
    """
    if not (np.array_equal(first.patient, second.patient) and np.array_equal(first.number, second.number)):
        raise ValueError("differences need the same slices in the same order")

    def difference(left: Scored, right: Scored) -> dict[str, float]:
        subtrahend = measures(right)
        return {key: value - subtrahend[key] for key, value in measures(left).items()}

    resampled = [difference(first.take(index), second.take(index)) for index in resample_patients(first.patient, rounds, seed)]
    return add_intervals(difference(first, second), resampled)
