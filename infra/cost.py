"""The cost of 1,000 slices and of 1,000 series on AWS by memory size, from measured durations and dated prices.

    make measure && make cost

The formula: a request costs
    duration_s * memory_GB * price of a GB-second  +  requests * price of a request  (Lambda)
  + price of an API request  +  S3 requests  +  queue messages.
Durations come from `make measure` (CPU ms per slice on this machine) and are divided by the share of a core that
Lambda gives: memory / 1769 MB, at most the number of threads that a slice uses. The free tier and CloudFront are left
out. Outgoing traffic is listed separately, because it depends on the requested pictures.
"""

import argparse
import json
from pathlib import Path

# USD, US East (N. Virginia), first tier, from the price pages of AWS Lambda, Amazon API Gateway, Amazon S3 and
# Amazon SQS. Other regions differ by 10 to 20 %. Check them before you quote a price.
PRICES_OF = "2025-05"
GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
LAMBDA_REQUEST = 0.20 / 1e6
HTTP_API_REQUEST = 1.00 / 1e6
S3_PUT = 0.005 / 1e3
S3_GET = 0.0004 / 1e3
SQS_REQUEST = 0.40 / 1e6
TRAFFIC_GB = 0.09

FULL_CORE_MB = 1769
MEMORY_MB = (1024, 1769, 3008, 5308, 10240)
SERIES_SLICES = 32
POLLS = 10
# Requests that an instance serves; they share the cost of its start.
REQUESTS_PER_INSTANCE = 100
# The platform's start of a sandbox, which is billed since August 2025. An assumption, not measured.
PLATFORM_START_S = 0.15
# Assumed size of an answer with mask and overlay.
ANSWER_MB = 0.35


def cores(memory_mb: int) -> float:
    return memory_mb / FULL_CORE_MB


def slice_s(cpu_ms: float, memory_mb: int) -> float:
    """Seconds of one slice. It runs on one thread, so that more than one core does not shorten it."""
    return cpu_ms / 1e3 / min(1.0, cores(memory_mb))


def series_s(cpu_ms: float, memory_mb: int) -> float:
    """Seconds of one series. Its slices run in parallel on all cores."""
    return SERIES_SLICES * cpu_ms / 1e3 / max(min(1.0, cores(memory_mb)), cores(memory_mb))


def compute(seconds: float, memory_mb: int, arch: str) -> float:
    return seconds * memory_mb / 1024 * GB_SECOND[arch] + LAMBDA_REQUEST


def start(ready_ms: float, memory_mb: int, arch: str) -> float:
    seconds = PLATFORM_START_S + ready_ms / 1e3 / min(1.0, cores(memory_mb))
    return seconds * memory_mb / 1024 * GB_SECOND[arch] / REQUESTS_PER_INSTANCE


def slice_usd(figures: dict, model: str, memory_mb: int, arch: str) -> float:
    seconds = slice_s(figures["slice_512x512"][model]["cpu_ms"], memory_mb)
    return compute(seconds, memory_mb, arch) + start(figures["ready_cpu_ms"], memory_mb, arch) + HTTP_API_REQUEST


def series_usd(figures: dict, model: str, memory_mb: int, arch: str) -> float:
    """USD of order, upload, work, polls and the download of every slice.

    The worker writes two objects per slice and checks once.
    """
    worker = compute(series_s(figures["slice_512x512"][model]["cpu_ms"], memory_mb), memory_mb, arch)
    worker += start(figures["ready_cpu_ms"], memory_mb, arch)
    api = (1 + POLLS) * (compute(0.02, FULL_CORE_MB, arch) + HTTP_API_REQUEST)
    puts = 2 * SERIES_SLICES + 5 + POLLS  # a listing costs as much as a put
    gets = 2 * SERIES_SLICES + 3 * POLLS + 4
    return worker + api + puts * S3_PUT + gets * S3_GET + 3 * SQS_REQUEST


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, required=True, help="the file that make measure writes")
    args = parser.parse_args()
    if not args.measured.is_file():
        raise SystemExit(f"{args.measured} is missing: run make measure first")
    figures = json.loads(args.measured.read_text())

    print(f"USD, US East (N. Virginia), prices of {PRICES_OF}, no free tier; a series has {SERIES_SLICES} slices\n")
    print(
        f"{'model':12} {'arch':7} {'MB':>6} {'s/slice':>10} {'1,000 slices':>13} {'s/series':>11} {'1,000 series':>13}"
    )
    for model, measured in figures["slice_512x512"].items():
        for arch in GB_SECOND:
            for memory_mb in MEMORY_MB:
                print(
                    f"{model:12} {arch:7} {memory_mb:6} {slice_s(measured['cpu_ms'], memory_mb):10.2f} "
                    f"{1000 * slice_usd(figures, model, memory_mb, arch):13.3f} "
                    f"{series_s(measured['cpu_ms'], memory_mb):11.1f} "
                    f"{1000 * series_usd(figures, model, memory_mb, arch):13.2f}"
                )
    traffic = 1000 * ANSWER_MB / 1024 * TRAFFIC_GB
    print(f"\ntraffic to clients, in addition: {traffic:.3f} for 1,000 answers of {ANSWER_MB} MB")
    print("arm64 assumes the same CPU time as here; measure on arm64 before you choose it.")
    print("\nseconds = CPU ms / share of a core; share = MB / 1769, for one slice at most 1")
    print("USD = seconds * MB/1024 * GB-second + request + API request (+ S3 and SQS requests of a series)")
    print(f"    + start of an instance / {REQUESTS_PER_INSTANCE}")


if __name__ == "__main__":
    main()
