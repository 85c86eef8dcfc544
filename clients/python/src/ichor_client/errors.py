"""Errors of the client. All of them are `IchorError`."""

from .schemas import Problem


class IchorError(Exception):
    """Base of all errors of the client."""


class InputError(IchorError, ValueError):
    """The input cannot be sent as it is. Nothing was sent."""


class MissingPackageError(IchorError, ImportError):
    """A function needs a package that is not installed. The message names the extra that installs it."""


class GeometryError(IchorError, ValueError):
    """The answer lacks the positions or sizes that the requested file needs."""


class ConnectionFailedError(IchorError):
    """The server cannot be reached, or the connection ended early."""


class DeadlineError(IchorError, TimeoutError):
    """The answer was not complete within `timeout` seconds."""


class AnswerError(IchorError):
    """The answer does not follow the description of the API, or is larger than the client accepts."""


class ProblemError(IchorError):
    """The server refused the request (RFC 9457). Subclasses say what to do next.

    `code` is stable. It is None where the answer is not a problem document, as from a proxy in between.
    """

    def __init__(self, status: int, code: str | None, title: str, detail: str, request_id: str | None = None):
        super().__init__(f"{status} {title} ({code}): {detail}" if code else f"{status} {title}: {detail}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.request_id = request_id


class InvalidRequestError(ProblemError):
    """The input or a parameter is wrong. The same request fails again."""


class NotFoundError(ProblemError):
    """There is no such model, job or route (404)."""


class TooLargeError(ProblemError):
    """The input or the answer is above a limit (413)."""


class BusyError(ProblemError):
    """The server is busy (429, 503), also after repeated requests. Send it again later."""

    # Seconds of Retry-After; None without that header.
    retry_after_s: float | None = None


class JobError(IchorError):
    """The job has expired, or was deleted before it was done."""


_CLASSES = {404: NotFoundError, 413: TooLargeError, 429: BusyError, 503: BusyError}
# Longest text of a server that is quoted.
_MAX_QUOTED = 500


def printable(text: str) -> str:
    """A text of the server without control characters, shortened."""
    clean = "".join(char if char.isprintable() else " " for char in text[: _MAX_QUOTED + 1])
    return clean if len(clean) <= _MAX_QUOTED else clean[:_MAX_QUOTED] + "…"


def problem_error(problem: Problem) -> ProblemError:
    """The error of a problem document."""
    default = InvalidRequestError if 400 <= problem.status < 500 else ProblemError
    texts = (printable(text) for text in (problem.code, problem.title, problem.detail, problem.request_id))
    return _CLASSES.get(problem.status, default)(problem.status, *texts)


def status_error(status: int, title: str) -> ProblemError:
    """The error of an answer that is not a problem document."""
    detail = "The answer is not from Ichor. Check the address, and what lies between it and this program."
    return _CLASSES.get(status, ProblemError)(status, None, printable(title) or "Error", detail)
