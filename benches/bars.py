"""What the figures are held against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A figure and the most or the least that it may be."""

    name: str
    value: float | None
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def line(self) -> str:
        sign, verdict = (">=" if self.at_least else "<="), ("met" if self.met else "MISSED")
        return f"{verdict:6}  {self.name}: {self.value} ({sign} {self.bound:.4g})"


def of(figures: dict) -> list[Bar]:
    """Every bar whose part was measured."""
    bars = []
    one_thread = figures.get("networks", {}).get("1", {})
    slices, starts = figures.get("slices", {}), figures.get("starts", {})
    if figures.get("assessment"):
        bars.append(
            Bar("input assessment of a slice of 512 x 512 px, processor ms", figures["assessment"]["cpu_ms"], 1.0)
        )
    for model in figures["models"]:
        if one_thread:
            ratio = one_thread[model]["ichor"]["cpu_ratio"]
            bars.append(Bar(f"network alone, {model}, 1 thread, processor time against onnxruntime", ratio, 1.3))
        if slices:
            http = slices[model]["ichor"]
            bars.append(Bar(f"slice over HTTP, {model}, processor time against Flask", http["cpu_ratio"], 0.8))
            agreement = slices[model]["agreement"]
            bars.append(Bar(f"masks, {model}, Dice with onnxruntime's", agreement["dice"], 0.999, at_least=True))
            around = slices[model]["around_network"]
            bars.append(Bar(f"decode, preprocess, postprocess and encode, {model}, share of a slice", around, 0.1))
    if starts:
        warm = starts["warm"]["ichor"]
        bars.append(Bar("cold start to first answer against Flask", warm["wall_ratio"], 1 / 15))
        disk = starts["from_disk"]["ichor"]
        bars.append(Bar("the same, files read from disk", disk["wall_ratio"], 1 / 15))
        bars.append(Bar("start to ready with both models, processor ms", warm["ready_cpu_ms"], 60))
    if slices:
        bars.append(Bar("peak memory of the server, MB", slices["peak_mb"]["ichor"], 150))
    if figures.get("sizes"):
        bars.append(Bar("Lambda zip without models, MB", figures["sizes"]["lambda_zip"], 10))
    if figures.get("series"):
        bars.append(Bar("a series on two cores against one, speed", figures["series"]["speedup"], 1.8, at_least=True))
    return bars
