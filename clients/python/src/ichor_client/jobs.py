"""A job: a series that the server segments while the client waits or does something else."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .analysis import Analysis
from .errors import AnswerError, JobError, NotFoundError, problem_error
from .parsing import decode, parse_json, parse_value
from .request import Request
from .schemas import Job as JobStatus
from .schemas import PartialReport, Progress, SeriesReport, SliceReport
from .transport import Deadline, Transport, retry_after_s

# Bounds of the seconds between two requests for the state of a job.
_MIN_POLL_S, _MAX_POLL_S = 0.2, 10.0


class Job:
    """A job of the server. Anyone who knows its `url` can read and delete it: treat it as a password.

    As a context manager it is deleted at the end, whatever happens.
    """

    def __init__(self, transport: Transport, url: str, timeout: float, request: Request | None = None):
        self._transport = transport
        self._timeout = timeout
        self._request = request
        self.url = url

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            self.delete()
        except Exception:
            # The job ends by itself after a day; an error on the way here says more than this one.
            if error is None:
                raise

    def status(self) -> JobStatus:
        """State, progress and finished slices, without waiting.

        Raises NotFoundError for a job that was deleted or has expired.
        """
        return self._status(Deadline(self._timeout))[0]

    def slices(self, after: int = 0) -> Iterator[PartialReport]:
        """Reports of the slices that are finished, from index `after` on. They do not know their neighbours yet: a mask
        whose slice has no area in the result is to be discarded.
        """
        deadline = Deadline(self._timeout)
        for link in self._status(deadline, after)[0].slices:
            yield parse_json(self._transport.send("GET", link.url, deadline).body, PartialReport)

    def wait(self, timeout: float | None = None, progress: Callable[[Progress], object] | None = None) -> Analysis:
        """Waits until the job is done, and returns its result with the pictures that were ordered.

        `progress` is called with the number of finished slices whenever it has changed.

        Raises ProblemError as `Ichor.segment` if the job failed, JobError if it has expired, and DeadlineError after
        `timeout` seconds, after which the job still runs.
        """
        deadline = Deadline(self._timeout if timeout is None else timeout)
        shown = None
        while True:
            status, wait_s = self._status(deadline)
            if progress and status.progress and status.progress != shown:
                shown = status.progress
                progress(shown)
            if status.state not in ("queued", "running"):
                return self._result(status, deadline)
            deadline.sleep(wait_s)

    def delete(self) -> None:
        """Deletes the job with its results, and stops it if it runs."""
        with suppress(NotFoundError):
            self._transport.send("DELETE", self.url, Deadline(self._timeout))

    def _status(self, deadline: Deadline, after: int = 0) -> tuple[JobStatus, float]:
        """The status, and the seconds after which to ask again."""
        params = {"after": str(after)} if after else None
        answer = self._transport.send("GET", self.url, deadline, params=params)
        wait_s = retry_after_s(answer.headers)
        return parse_json(answer.body, JobStatus), min(max(wait_s or 1.0, _MIN_POLL_S), _MAX_POLL_S)

    def _result(self, status: JobStatus, deadline: Deadline) -> Analysis:
        if status.error:
            raise problem_error(status.error)
        if status.state != "done" or status.result_url is None:
            raise JobError("The job has expired. Send the series again.")
        raw = decode(self._transport.send("GET", status.result_url, deadline).body)
        report = parse_value(raw, SeriesReport, "result")
        if len(status.slices) > len(report.slices):
            raise AnswerError("The job lists more slices than its result has.")
        finished = self._pictures(status, deadline) if self._request is None or self._request.include else {}
        slices = [_with_pictures(part, finished.get(part.index)) for part in report.slices]
        return Analysis(replace(report, slices=slices), raw, self._transport, self._request)

    def _pictures(self, status: JobStatus, deadline: Deadline) -> dict[int, PartialReport]:
        """The finished slices by index, written again with the neighbours known."""
        found = {}
        for link in status.slices:
            body: bytes = self._transport.send("GET", link.url, deadline).body
            found[link.index] = parse_json(body, PartialReport)
        return found


def _with_pictures(part: SliceReport, finished: PartialReport | None) -> SliceReport:
    """A slice of the result with its pictures."""
    if finished is None:
        return part
    pictures: dict[str, Any] = {
        "mask": finished.mask if part.area_px else None,
        "overlay": finished.overlay,
        "probabilities": finished.probabilities,
    }
    return replace(part, **pictures)
