"""A request for a segmentation: the input and its parameters, as the API names them."""

import json
from dataclasses import dataclass, field
from io import BytesIO

from .errors import InputError, TooLargeError
from .inputs import Payload
from .parsing import parse_json
from .schemas import Upload
from .transport import Answer, Deadline, Transport


@dataclass(frozen=True)
class Request:
    """What is sent, and what is wanted of it."""

    payload: Payload
    # Parameters of the query, without `include`.
    parameters: dict[str, str | float | int | bool] = field(default_factory=dict)
    include: tuple[str, ...] = ()
    # Seconds for a later request with the same input.
    timeout: float = 300.0

    def send(self, transport: Transport, deadline: Deadline, accept: str = "application/json") -> Answer:
        """Sends it to /v1/segment, which answers with the result."""
        params = {name: _query_text(value) for name, value in self.parameters.items()}
        # Of a series the pictures of every slice, not only of the key slice. Without `include` the API sends some.
        include = (*self.include, "every_slice") if self.include else ("contours",)
        return transport.send(
            "POST",
            "/v1/segment",
            deadline,
            open_body=self.payload.open,
            size=self.payload.size,
            headers={"content-type": self.payload.media_type},
            params=params | {"include": ",".join(include)},
            accept=accept,
        )

    def upload(self, transport: Transport, deadline: Deadline) -> str:
        """Orders a job, sends the input, and returns the address of the job."""
        order = {"content_type": self.payload.media_type, "size_bytes": self.payload.size, **self.parameters}
        body = json.dumps(order | ({"include": ",".join(self.include)} if self.include else {})).encode()
        # A repeated order leaves an order without an upload behind, which expires after minutes.
        answer = transport.send(
            "POST",
            "/v1/uploads",
            deadline,
            open_body=lambda: BytesIO(body),
            size=len(body),
            headers={"content-type": "application/json"},
        )
        placed = parse_json(answer.body, Upload)
        transport.send(
            "PUT",
            placed.upload.url,
            deadline,
            open_body=self.payload.open,
            size=self.payload.size,
            # They belong to the signature of the address: sent as they are.
            headers=placed.upload.headers,
            accept="*/*",
        )
        return placed.job_url

    def segmentation(self, transport: Transport) -> bytes:
        """The result as a DICOM segmentation, which the server computes again from the same input."""
        try:
            return self.send(transport, Deadline(self.timeout), "application/dicom").body
        except TooLargeError as error:
            error.add_note(
                "A job has no DICOM segmentation. Run `ichor segment FOLDER --format dicom-seg,dicom-sr` in its place."
            )
            raise


def parameters_of(
    *,
    model: str | None,
    threshold: float | None,
    window: str | tuple[float, float] | None,
    as_series: bool | None,
    series: int | None,
    patterns: bool | None,
) -> dict[str, str | float | int | bool]:
    """The parameters that are given, by their names in the API.

    Raises InputError for a window that is neither a name nor a centre and a width.
    """
    if isinstance(window, tuple):
        if len(window) != 2:
            raise InputError("A window is a name, such as 'subdural', or its centre and width in HU.")
        window = ",".join(f"{float(value):g}" for value in window)
    given = {
        "model": model,
        "threshold": threshold,
        "window": window,
        "as_series": as_series,
        "series": series,
        "patterns": patterns,
    }
    return {name: value for name, value in given.items() if value is not None}


def _query_text(value: str | float | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
