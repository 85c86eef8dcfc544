"""The client of one server."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, Unpack
from urllib.parse import quote

from .analysis import Analysis
from .errors import InputError, NotFoundError, TooLargeError
from .inputs import payload_of
from .jobs import Job
from .parsing import parse_json
from .request import Request, parameters_of
from .schemas import Limits, ModelInfo, ModelList, Progress
from .transport import Deadline, Transport
from .version import __version__

# A body of this size is below the limit of every server: 4.4 MiB on AWS Lambda, 64 MiB elsewhere.
_ALWAYS_FITS_BYTES = 4_000_000


class Options(TypedDict, total=False):
    """What may be given with an image. Without a value the server decides."""

    model: str | None
    """Name of a model; `Ichor.models` lists them."""
    threshold: float | None
    """Probability at which a pixel enters the mask, in place of the threshold of the model."""
    window: str | tuple[float, float] | None
    """Window of the overlay: a name, such as "subdural", or its centre and width in HU."""
    probabilities: bool
    """Whether the probability map is sent as well."""
    overlay: bool
    """Whether the overlay is sent as well."""
    as_series: bool | None
    """Whether several pictures are slices of one head. An array of several pictures is one without it."""
    series: int | None
    """Which of several series to take: its number in the warning that lists them."""
    patterns: bool | None
    """Whether the report lists what a textbook considers for the types and places of the lesions."""
    spacing_mm: Sequence[float] | None
    """For an array of Hounsfield units: mm between slices, rows and columns."""


class Ichor:
    """A server of Ichor, as `ichor serve` starts one. For research and teaching only, never for diagnosis.

    `token` is sent as a bearer token, for a proxy that asks for one. `timeout` is the time in seconds for one call,
    with its repetitions and the wait for a job. An answer above `max_answer_bytes` is refused.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        token: str | None = None,
        timeout: float = 300.0,
        *,
        max_answer_bytes: int = 256 << 20,
    ):
        if not timeout > 0:
            raise InputError("timeout is a number of seconds above 0.")
        self.timeout = timeout
        self._transport = Transport(url, token, max_answer_bytes, f"ichor-client/{__version__}")
        self._limits: Limits | None = None

    def __repr__(self) -> str:
        return f"Ichor({self._transport.url!r})"

    def __enter__(self) -> "Ichor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def is_ready(self) -> bool:
        """Whether the server answers and has loaded its models."""
        answer = self._transport.send("GET", "/v1/health/ready", self._deadline())
        return answer.status == 200

    def models(self) -> ModelList:
        """The models of the server, its limits and its named windows."""
        return parse_json(self._transport.send("GET", "/v1/models", self._deadline()).body, ModelList)

    def model(self, name: str | None = None) -> ModelInfo:
        """What is known of a model; without a name, of the default one.

        Raises NotFoundError.
        """
        models = self.models()
        wanted = name or models.default
        for model in models.models:
            if model.name == wanted:
                return model
        names = ", ".join(model.name for model in models.models)
        raise NotFoundError(404, "model_not_found", "Not Found", f"There is no model {wanted!r}. Models: {names}.")

    def model_card(self, name: str) -> str:
        """Training, figures, intended use and known errors of a model, as Markdown."""
        address = f"/v1/models/{quote(name, safe='')}/card"
        answer = self._transport.send("GET", address, self._deadline(), accept="text/markdown")
        return answer.body.decode(errors="replace")

    def segment(
        self,
        image: Any,
        *,
        as_job: bool | None = None,
        progress: Callable[[Progress], object] | None = None,
        timeout: float | None = None,
        **options: Unpack[Options],
    ) -> Analysis:
        """Segments a slice or a series, and waits for the result.

        `image` is a path, a folder, bytes of a file, an array (Hounsfield units with `spacing_mm`, or uint8 grey), a
        pydicom Dataset, a nibabel image, or a list of paths or Datasets of one series. An array is a slice (rows,
        columns) or a series (slices, rows, columns) from feet to head, with rows from front to back and columns from
        the patient's right to the left.

        With `as_job` the image is uploaded and a job computes it, which `progress` is called for; the job is deleted
        at the end. Without a value that is done where `progress` is given, or where one request cannot hold it.

        Raises InputError, ProblemError and its subclasses, ConnectionFailedError, DeadlineError, AnswerError.
        """
        deadline = self._deadline(timeout)
        request = self._request(image, options)
        is_job = progress is not None or self._is_too_large(request.payload.size) if as_job is None else as_job
        if not is_job:
            try:
                return Analysis.from_answer(request.send(self._transport, deadline).body, self._transport, request)
            except TooLargeError:
                # A slice too many for one request, or too many pictures for one answer; jobs have larger limits.
                if as_job is False or not self._takes_uploads():
                    raise
        with self._submit(request, deadline) as job:
            return job.wait(deadline.remaining(), progress)

    def submit(self, image: Any, **options: Unpack[Options]) -> Job:
        """Uploads a slice or a series, as in `segment`, and returns the job that segments it, without waiting."""
        return self._submit(self._request(image, options), self._deadline())

    def job(self, name: str) -> Job:
        """A job that was ordered before, by its `url` or identifier."""
        if re.fullmatch(r"[\w-]{1,128}", name, re.ASCII):
            name = f"/v1/jobs/{name}"
        if not re.fullmatch(r"/v1/jobs/[\w-]{1,128}", name, re.ASCII):
            raise InputError("The name of a job is its url, such as /v1/jobs/0123456789abcdef, or its identifier.")
        return Job(self._transport, name, self.timeout)

    def _submit(self, request: Request, deadline: Deadline) -> Job:
        return Job(self._transport, request.upload(self._transport, deadline), self.timeout, request)

    def _deadline(self, timeout: float | None = None) -> Deadline:
        return Deadline(self.timeout if timeout is None else timeout)

    def _is_too_large(self, size: int) -> bool:
        """Whether a body is above the limit of one request, on a server that takes uploads."""
        return size > _ALWAYS_FITS_BYTES and size > self._known_limits().max_body_bytes and self._takes_uploads()

    def _takes_uploads(self) -> bool:
        return self._known_limits().max_upload_bytes is not None

    def _known_limits(self) -> Limits:
        if self._limits is None:
            self._limits = self.models().limits
        return self._limits

    def _request(self, image: Any, options: Options) -> Request:
        unknown = set(options) - set(Options.__annotations__)
        if unknown:
            raise TypeError(f"unknown options: {', '.join(sorted(unknown))}")
        payload = payload_of(image, options.get("spacing_mm"))
        as_series = options.get("as_series")
        parameters = parameters_of(
            model=options.get("model"),
            threshold=options.get("threshold"),
            window=options.get("window"),
            as_series=True if as_series is None and payload.is_stack else as_series,
            series=options.get("series"),
            patterns=options.get("patterns"),
        )
        extra = [name for name in ("probabilities", "overlay") if options.get(name)]
        return Request(payload, parameters, ("mask", "contours", *extra), self.timeout)
