"""The bars: limits that the measured figures are compared with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A figure and its upper or lower bound."""

    name: str
    value: float | None
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def as_json(self) -> dict:
        return vars(self) | {"met": self.met}

    def line(self) -> str:
        sign, verdict = (">=" if self.at_least else "<="), ("met" if self.met else "MISSED")
        return f"{verdict:6}  {self.name}: {self.value} ({sign} {self.bound:.4g})"


def from_figures(figures: dict) -> list[Bar]:
    """The bars of every part that was measured."""
    bars = []
    one_thread = figures.get("networks", {}).get("1", {})
    slices, starts = figures.get("slices", {}), figures.get("starts", {})
    if figures.get("assessment"):
        bars.append(Bar("input assessment of a slice of 512 x 512 px, CPU ms", figures["assessment"]["cpu_ms"], 1.0))
    for model in figures["models"]:
        if one_thread:
            ratio = one_thread[model]["ichor"]["cpu_ratio"]
            bars.append(Bar(f"network alone, {model}, 1 thread, CPU time relative to onnxruntime", ratio, 1.3))
        if slices:
            http = slices[model]["ichor"]
            bars.append(Bar(f"slice over HTTP, {model}, CPU time relative to Flask", http["cpu_ratio"], 0.8))
            agreement = slices[model]["agreement"]
            bars.append(
                Bar(f"masks, {model}, Dice with the masks of onnxruntime", agreement["dice"], 0.999, at_least=True)
            )
            around = slices[model]["around_network"]
            bars.append(Bar(f"decode, preprocess, postprocess and encode, {model}, share of a slice", around, 0.1))
    if starts:
        warm = starts["warm"]["ichor"]
        bars.append(Bar("start to first answer, relative to Flask", warm["wall_ratio"], 1 / 15))
        disk = starts["from_disk"]["ichor"]
        bars.append(
            Bar("start to first answer with files read from disk, relative to Flask", disk["wall_ratio"], 1 / 15)
        )
        bars.append(Bar("start to ready with both models, CPU ms", warm["ready_cpu_ms"], 60))
    if slices:
        bars.append(Bar("peak memory of the server, MB", slices["peak_mb"]["ichor"], 150))
    if figures.get("sizes"):
        bars.append(Bar("Lambda zip without models, MB", figures["sizes"]["lambda_zip"], 10))
    if figures.get("series"):
        bars.append(
            Bar("speed of a series on two cores, relative to one", figures["series"]["speedup"], 1.8, at_least=True)
        )
    return bars
