"""HTTP requests with a deadline, repeated while the server is busy, and answers of bounded size."""

import math
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO
from urllib.parse import urlsplit

import requests
import urllib3

from .connection import BoundedAdapter
from .errors import (
    AnswerError,
    BusyError,
    ConnectionFailedError,
    DeadlineError,
    InputError,
    ProblemError,
    problem_error,
    status_error,
)
from .parsing import parse_json
from .schemas import Problem

MAX_ATTEMPTS = 5
# Statuses that ask to send the request again after Retry-After.
_BUSY = (429, 503)
# Statuses of a proxy whose server did not answer; repeated only where a second run does no harm.
_GATEWAY = (502, 504)
# Longest wait for a connection. A server that computes a series is silent meanwhile, until the deadline.
_CONNECT_S = 10.0
_CHUNK_BYTES = 1 << 16
_MAX_PROBLEM_BYTES = 1 << 16
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Deadline:
    """A moment after which an operation is given up."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, above 0.

        Raises DeadlineError after the moment.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineError(f"The answer was not complete within {self.seconds:g} s. Increase timeout.")
        return left

    def sleep(self, seconds: float) -> None:
        """Waits, at most until the moment."""
        time.sleep(min(seconds, self.remaining()))


@dataclass(frozen=True)
class Answer:
    """A successful answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Body:
    """A file that is sent; reading it ends at the deadline."""

    def __init__(self, file: IO[bytes], size: int, deadline: Deadline):
        self._file, self._size, self._deadline = file, size, deadline

    def __len__(self) -> int:
        return self._size

    def read(self, count: int = -1) -> bytes:
        self._deadline.remaining()
        return self._file.read(count)


class _Bearer(requests.auth.AuthBase):
    """Sends the token. Without one it keeps `requests` from sending a password of ~/.netrc."""

    def __init__(self, token: str | None):
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Sends requests to one server, and to the addresses that it names for uploads and results."""

    def __init__(self, url: str, token: str | None, max_answer_bytes: int, user_agent: str):
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment:
            raise InputError(f"{url!r} is not the address of a server, such as http://127.0.0.1:8080")
        if parts.username is not None:
            raise InputError("The address has a user name. Leave it out, and name a token instead.")
        if token is not None and not re.fullmatch(r"[\x21-\x7e]+", token):
            raise InputError("The token has characters that a header cannot hold.")
        self.url = url.rstrip("/")
        self.max_answer_bytes = max_answer_bytes
        self._origin = _origin(url)
        self._token = token
        self._session = requests.Session()
        for scheme in _DEFAULT_PORTS:
            self._session.mount(f"{scheme}://", BoundedAdapter())
        self._session.headers.update({"user-agent": user_agent, "accept-encoding": "identity"})

    def close(self) -> None:
        self._session.close()

    def send(
        self,
        method: str,
        address: str,
        deadline: Deadline,
        *,
        open_body: Callable[[], IO[bytes]] | None = None,
        size: int = 0,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
        is_repeatable: bool = True,
    ) -> Answer:
        """The answer to a request. `address` begins with / or is absolute, as the API gives it.

        `open_body` opens the body of `size` bytes again for each attempt. A request that is not repeatable is sent
        again only where the server says that it did nothing with it.

        Raises ProblemError, ConnectionFailedError, DeadlineError and AnswerError.
        """
        url = self._absolute(address)
        # A signed address needs no other credentials, and is no place for the token.
        auth = _Bearer(self._token if _origin(url) == self._origin else None)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            file = open_body() if open_body else None
            try:
                with self._session.request(
                    method,
                    url,
                    data=_Body(file, size, deadline) if file else None,
                    headers={"accept": accept, **(headers or {})},
                    params=params,
                    auth=auth,
                    allow_redirects=False,
                    stream=True,
                    timeout=(min(_CONNECT_S, deadline.remaining()), deadline.remaining()),
                ) as response:
                    if 200 <= response.status_code < 300:
                        body = self._read(response, self.max_answer_bytes, deadline)
                        return Answer(response.status_code, response.headers, body)
                    error = self._error_of(response, deadline)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as cause:
                deadline.remaining()
                if isinstance(cause, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
                    raise AnswerError("The server named an address or a header that cannot be sent.") from cause
                if attempt == MAX_ATTEMPTS or not is_repeatable:
                    raise ConnectionFailedError(f"{self._name(url)}: {_reason(cause)}") from cause
                deadline.sleep(_pause_s(attempt))
                continue
            finally:
                if file:
                    file.close()
            self._pause_or_raise(error, attempt, deadline, is_repeatable)
        raise AssertionError("the last attempt returns or raises")

    def _pause_or_raise(self, error: ProblemError, attempt: int, deadline: Deadline, is_repeatable: bool) -> None:
        """Waits until the request may be sent again; raises the error if it may not be, or not before the deadline."""
        may_repeat = error.status in _BUSY or (error.status in _GATEWAY and is_repeatable)
        wanted = error.retry_after_s if isinstance(error, BusyError) else None
        wait_s = _pause_s(attempt) if wanted is None else wanted
        if not may_repeat or attempt == MAX_ATTEMPTS or wait_s >= deadline.remaining():
            raise error
        deadline.sleep(wait_s)

    def _absolute(self, address: str) -> str:
        if address.startswith("/"):
            return self.url + address
        scheme = urlsplit(address).scheme
        if scheme not in _DEFAULT_PORTS or (scheme == "http" and self.url.startswith("https:")):
            raise AnswerError("The server named an address that is neither its own nor https.")
        return address

    def _name(self, url: str) -> str:
        """The server of an address, without its path, which may be a secret."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}"

    def _read(self, response: requests.Response, max_bytes: int, deadline: Deadline) -> bytes:
        """The body, read in parts, so that neither its size nor its slowness is without a limit."""
        parts: list[bytes] = []
        total = 0
        while part := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            deadline.remaining()
            total += len(part)
            if total > max_bytes:
                raise AnswerError(f"The answer is larger than {max_bytes} bytes. Increase max_answer_bytes.")
            parts.append(part)
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and "content-encoding" not in response.headers and int(declared) != total:
            raise ConnectionResetError("the answer ended early")
        return b"".join(parts)

    def _error_of(self, response: requests.Response, deadline: Deadline) -> ProblemError:
        """The error of an answer that is not successful."""
        status = response.status_code
        if not 400 <= status < 600:
            hint = " The address of the server has moved." if 300 <= status < 400 else ""
            raise AnswerError(f"The server answered with status {status}, which the API does not have.{hint}")
        error = status_error(status, response.reason or "")
        if response.headers.get("content-type", "").split(";")[0].strip() == "application/problem+json":
            problem = parse_json(self._read(response, _MAX_PROBLEM_BYTES, deadline), Problem)
            if problem.status != status:
                raise AnswerError(f"The server answered with status {status}, and its problem has {problem.status}.")
            error = problem_error(problem)
        if isinstance(error, BusyError):
            error.retry_after_s = retry_after_s(response.headers)
        return error


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After (RFC 9110 10.2.3), a count or a date; None without it."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _pause_s(attempt: int) -> float:
    """Seconds before the next attempt: doubled each time, and spread so that clients do not return together."""
    return 0.1 * float(2**attempt) * random.uniform(0.5, 1.0)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError as error:
        raise InputError(f"The address has no valid port: {error}") from error


def _reason(cause: BaseException) -> str:
    """Why a request failed, without the address, whose path may be a secret."""
    kinds: Iterable[tuple[type[BaseException], str]] = (
        (requests.exceptions.SSLError, "its certificate cannot be verified, or it does not speak TLS"),
        (requests.exceptions.ConnectTimeout, "no connection in time"),
        (requests.exceptions.ReadTimeout, "it sent nothing for too long"),
        (urllib3.exceptions.ReadTimeoutError, "it sent nothing for too long"),
    )
    texts = [text for kind, text in kinds if isinstance(cause, kind)]
    return texts[0] if texts else "it cannot be reached, or the connection ended early"
