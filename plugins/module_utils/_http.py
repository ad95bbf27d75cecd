# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP session for all requests of a task: TLS, time-outs, retries, the deadline, redaction, JSON.

What may be sent twice is decided here and nowhere else:

* GET and DELETE are repeated after connection errors, time-outs and the statuses 429, 500, 502, 503 and 504.
* POST is repeated only when it certainly was not received (no connection was made) or was refused (429).
* 401 and 403 are never repeated, except once after a new sign-in for a token that this task obtained itself.

Redirects are never followed: a credential goes to the host that was checked, and to no other.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import threading
import time
import typing as t
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, quote_plus

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    RETRYABLE_STATUSES,
    AnswerError,
    ApiError,
    MissingLibraryError,
    NetworkError,
    hint_for,
    is_retryable,
    one_line,
    read_error_body,
)

if t.TYPE_CHECKING:
    import requests

_USER_AGENT = "ansible-hwcloud.maintenance/1.0.0"
_BACKOFF_FIRST = 0.5  # seconds
_BACKOFF_MOST = 30.0  # seconds
_CHUNK = 256 * 1024  # bytes
_BODY_MOST = 64 * 1024 * 1024  # bytes, after decompression; a full page of 1000 tasks has about 1 MB

#: Names of urllib3's exceptions that are raised before anything of a request was sent.
#: Compared by name, as old and new requests carry urllib3 in different places.
_NOT_SENT = frozenset(("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError"))


class _DeadlinePassed(BaseException):
    """Ends whatever is under way; no C(except Exception) of a library may swallow it."""


@contextlib.contextmanager
def _alarm(seconds: float) -> t.Iterator[None]:
    """Interrupt what takes longer than this.

    A time-out of a socket begins anew with each byte, so that an answer that drips would never end. Signals reach the
    main thread only; another thread is bounded by its time-outs and by whoever waits for it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_number: int, _frame: object) -> None:
        raise _DeadlinePassed

    before = signal.signal(signal.SIGALRM, ring)
    # A little late, so that a time-out of the socket, which tells more, comes first.
    signal.setitimer(signal.ITIMER_REAL, seconds + 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Operation(t.NamedTuple):
    """One operation of an API, under the name that the API's documentation gives it (contract 2.1 and 3.1).

    :ivar path: a template; each field is filled with one percent-encoded path segment.
    :ivar action: the IAM action that it needs, or None where none is documented.
    """

    name: str
    service: str
    method: str
    path: str
    action: str | None = None


class Answer(t.NamedTuple):
    """A successful answer.

    :ivar data: the decoded JSON body; None where the operation's body is not read.
    :ivar uncertain: whether an earlier attempt may have been carried out although no answer to it arrived.
    """

    status: int
    headers: t.Mapping[str, str]
    data: t.Any
    uncertain: bool


class HttpOptions(t.NamedTuple):
    """How to talk: times in seconds; C(deadline) bounds the whole task, waiting included."""

    validate_certs: bool = True
    ca_path: str | None = None
    connect_timeout: float = 10
    read_timeout: float = 60
    retries: int = 4
    deadline: float = 900


class Client:
    """Sends requests; one object, and one pool of connections, per task.

    :arg wait: called with seconds to sleep.
    :ivar requests: how many requests were sent, repeated ones included.
    :ivar retried: one sentence for each request that was repeated.
    """

    def __init__(
        self,
        options: HttpOptions,
        *,
        monotonic: t.Callable[[], float] = time.monotonic,
        wait: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = options
        self._monotonic = monotonic
        self._wait = wait
        self._end = monotonic() + options.deadline
        self._session: requests.Session | None = None
        self._secrets: set[str] = set()
        self.requests = 0
        self.retried: list[str] = []

    def keep_secret(self, value: str | None) -> None:
        """Never let this text appear in a message that quotes a service or a library, in whatever way it is escaped."""
        if value:
            as_json = [json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
            self._secrets.update((value, quote(value), quote(value, safe=""), quote_plus(value), *as_json))
            self._secrets.update(json.dumps(text)[1:-1] for text in as_json)

    def redact(self, text: str) -> str:
        """The text with every known secret replaced by asterisks."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "********")
        return text

    def remaining(self) -> float:
        """Seconds left until the task's deadline; zero or less when it has passed."""
        return self._end - self._monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep, but never beyond the task's deadline."""
        self._wait(max(0.0, min(seconds, self.remaining())))

    def request(
        self,
        operation: Operation,
        base_url: str,
        *,
        path: t.Mapping[str, str] | None = None,
        query: t.Mapping[str, str | int | None] | None = None,
        body: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
        auth: t.Callable[[t.Any], t.Any] | None = None,
        renew: t.Callable[[], bool] | None = None,
        read_body: bool = True,
    ) -> Answer:
        """Send one request of an operation, repeating it where that is safe, and return its successful answer.

        :arg path: values for the fields of the operation's path.
        :arg query: query parameters; those that are None are left out.
        :arg auth: signs or marks the prepared request, as C(requests.auth.AuthBase) does.
        :arg renew: called once after a 401; returns whether signing in anew may help.
        :arg read_body: whether a successful answer has JSON that matters (C8: that of a DELETE does not).
        :raises ApiError: the service answered with an error.
        :raises NetworkError: no complete answer arrived.
        :raises AnswerError: the answer is not what the API promises.
        """
        url = base_url + operation.path.format_map(
            {name: quote(value, safe="-_.~") for name, value in (path or {}).items()}
        )
        parameters = {name: str(value) for name, value in (query or {}).items() if value is not None}
        if parameters:
            url += "?" + "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
        payload = None if body is None else json.dumps(body).encode("utf-8")
        uncertain = False
        failures = 0
        renewed = False
        while True:
            try:
                status, answer_headers, raw = self._attempt(operation, url, payload, headers, auth)
            except NetworkError as error:
                uncertain = uncertain or error.uncertain
                error.uncertain = uncertain
                may_repeat = error.retryable and (operation.method in ("GET", "DELETE") or not error.uncertain)
                failures += 1
                if not may_repeat or failures > self._options.retries:
                    raise
                if not self._back_off(operation, failures, error.message, None):
                    raise
                continue
            if 200 <= status < 300:
                data = self._decode(operation, status, answer_headers, raw) if read_body else None
                return Answer(status, answer_headers, data, uncertain)
            api_error = self._api_error(operation, status, answer_headers, raw)
            if status == 401 and renew is not None and not renewed:
                renewed = True
                if renew():
                    self.retried.append(f"{operation.name} was sent again after a new sign-in.")
                    continue
            # A refusal says that nothing was done; an error inside the service does not.
            uncertain = uncertain or status >= 500
            api_error.uncertain = uncertain
            may_repeat = status in RETRYABLE_STATUSES and (operation.method in ("GET", "DELETE") or status == 429)
            failures += 1
            if not may_repeat or failures > self._options.retries:
                raise api_error
            if not self._back_off(operation, failures, api_error.message, answer_headers.get("Retry-After")):
                raise api_error

    def _attempt(
        self,
        operation: Operation,
        url: str,
        payload: bytes | None,
        headers: t.Mapping[str, str] | None,
        auth: t.Callable[[t.Any], t.Any] | None,
    ) -> tuple[int, t.Mapping[str, str], bytes]:
        session = self._opened()
        import requests

        remaining = self.remaining()
        if remaining <= 0:
            raise self._deadline_error(operation, uncertain=False)
        connect_timeout = min(self._options.connect_timeout, remaining)
        read_timeout = min(self._options.read_timeout, remaining)
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        self.requests += 1
        try:
            with _alarm(remaining):
                response = session.request(
                    operation.method,
                    url,
                    data=payload,
                    headers=all_headers,
                    auth=auth,
                    timeout=(connect_timeout, read_timeout),
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    return response.status_code, response.headers, self._read(operation, response)
        except _DeadlinePassed:
            raise self._deadline_error(operation, uncertain=True) from None
        except (requests.exceptions.RequestException, OSError) as error:
            raise self._failed_attempt(operation, _host(url), error, connect_timeout, read_timeout) from None

    def _failed_attempt(
        self, operation: Operation, host: str, error: Exception, connect_timeout: float, read_timeout: float
    ) -> NetworkError:
        """Say what an exception of requests means: what failed, and whether the request may have been received."""
        causes = {type(cause).__name__ for cause in _causes(error)}
        if "SSLCertVerificationError" in causes:
            return self._network_error(
                operation,
                f"The certificate of {host} is not accepted: {_reason(error)}.",
                retryable=False,
                uncertain=False,
                hint="Check the endpoint, and ca_path or validate_certs.",
            )
        if "ConnectTimeoutError" in causes:
            if connect_timeout < self._options.connect_timeout:
                return self._deadline_error(operation, uncertain=False)
            return self._network_error(
                operation, f"No connection to {host} within {connect_timeout:g} seconds.", uncertain=False
            )
        if "ReadTimeoutError" in causes:
            if read_timeout < self._options.read_timeout:
                return self._deadline_error(operation, uncertain=True)
            return self._network_error(
                operation, f"{host} sent no answer within {read_timeout:g} seconds.", uncertain=True
            )
        in_handshake = _was_in_handshake(error)
        not_sent = in_handshake or not causes.isdisjoint(_NOT_SENT)
        kind = "TLS connection" if in_handshake else "connection"
        what = "could not be made" if not_sent else "was lost before the answer was complete"
        return self._network_error(operation, f"The {kind} to {host} {what}: {_reason(error)}.", uncertain=not not_sent)

    def _opened(self) -> requests.Session:
        if self._session is None:
            try:
                import requests
            except ImportError as error:
                raise MissingLibraryError(error.name or "requests") from error
            session = requests.Session()
            # Neither ~/.netrc nor anything else may add credentials of its own.
            session.trust_env = False
            session.headers["User-Agent"] = _USER_AGENT
            session.verify = (self._options.ca_path or True) if self._options.validate_certs else False
            self._session = session
        return self._session

    def _read(self, operation: Operation, response: requests.Response) -> bytes:
        """Read a body completely, within the deadline and the limit of size."""
        parts = []
        size = 0
        for part in response.iter_content(_CHUNK):
            size += len(part)
            if size > _BODY_MOST:
                raise AnswerError(
                    f"{operation.name} was answered with more than {_BODY_MOST // 2**20} MiB, which no such answer has.",
                    service=operation.service,
                    operation=operation.name,
                    http_status=response.status_code,
                    uncertain=True,
                )
            if self.remaining() <= 0:
                raise self._deadline_error(operation, uncertain=True)
            parts.append(part)
        announced = response.headers.get("Content-Length", "")
        received = response.raw.tell()
        # Old versions of urllib3 take a body that ends too early for a complete one.
        if announced.isdigit() and received is not None and received < int(announced) and response.status_code != 204:
            raise self._network_error(
                operation, f"The answer ended after {received} of {announced} bytes.", uncertain=True
            )
        return b"".join(parts)

    def _decode(self, operation: Operation, status: int, headers: t.Mapping[str, str], raw: bytes) -> t.Any:
        try:
            return json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError):
            shown = self._excerpt(raw)
            raise AnswerError(
                f"{operation.name} was answered with something that is not JSON: {shown or '(empty)'}",
                service=operation.service,
                operation=operation.name,
                http_status=status,
                request_id=self._request_id(headers),
                hint="Check that the endpoint is the service itself, and no proxy or portal in front of it.",
                uncertain=True,
            ) from None

    def _api_error(self, operation: Operation, status: int, headers: t.Mapping[str, str], raw: bytes) -> ApiError:
        body = read_error_body(raw)
        code = one_line(self.redact(body.code or ""), 100)
        said = one_line(self.redact(body.message or "")) or self._excerpt(raw) or "no explanation"
        if 300 <= status < 400:
            said = "a redirect, which is never followed"
        error = ApiError(
            f"{operation.name} failed with HTTP {status}{f' and code {code}' if code else ''}: {said}",
            code=code or str(status),
            service=operation.service,
            operation=operation.name,
            http_status=status,
            request_id=self._request_id(headers, body.request_id),
            retryable=is_retryable(status, code),
        )
        error.hint = hint_for(error, operation.action)
        return error

    def _excerpt(self, raw: bytes) -> str:
        """The start of a body for a message; redacted before it is cut, so that no part of a secret remains."""
        return one_line(self.redact(raw.decode("utf-8", "replace")), 200)

    def _request_id(self, headers: t.Mapping[str, str], in_body: str | None = None) -> str | None:
        found = headers.get("X-Request-Id") or headers.get("X-IAM-Trace-Id") or in_body
        return one_line(self.redact(found), 100) if found else None

    def _back_off(self, operation: Operation, failures: int, why: str, retry_after: str | None) -> bool:
        """Sleep before the next attempt; False, without sleeping, when the deadline leaves no time for it."""
        asked = _retry_after_seconds(retry_after)
        most = min(_BACKOFF_MOST, _BACKOFF_FIRST * 2 ** (failures - 1))
        # Full jitter: many tasks that failed together must not come back together.
        seconds = asked if asked is not None else random.uniform(0, most)  # noqa: S311  # nothing secret
        if seconds >= self.remaining():
            return False
        self.retried.append(f"{operation.name} was repeated after {seconds:.1f} s: {why}")
        self._wait(seconds)
        return True

    def _network_error(
        self, operation: Operation, message: str, *, uncertain: bool, retryable: bool = True, hint: str | None = None
    ) -> NetworkError:
        return NetworkError(
            self.redact(message),
            service=operation.service,
            operation=operation.name,
            retryable=retryable,
            uncertain=uncertain,
            hint=hint or "Check the network, the region and the endpoint; the task can be run again.",
        )

    def _deadline_error(self, operation: Operation, *, uncertain: bool) -> NetworkError:
        return NetworkError(
            f"The task's deadline of {self._options.deadline:g} seconds passed during {operation.name}.",
            code="DeadlineExceeded",
            service=operation.service,
            operation=operation.name,
            retryable=True,
            uncertain=uncertain,
            hint="Run the task again, or raise deadline.",
        )


def _host(url: str) -> str:
    return url.split("/", 3)[2]


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """An exception of requests and all that it wraps: urllib3 keeps causes in args, reason and __context__."""
    todo: list[t.Any] = [error]
    seen: set[int] = set()
    while todo:
        cause = todo.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            todo += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _was_in_handshake(error: BaseException) -> bool:
    """Whether TLS was still being set up: no exception says so, but the place where it was raised does."""
    for cause in _causes(error):
        place = cause.__traceback__
        while place is not None:
            if place.tb_frame.f_code.co_name == "do_handshake":
                return True
            place = place.tb_next
    return False


def _reason(error: BaseException) -> str:
    """The innermost cause in a few words: urllib3's own texts name objects in memory."""
    causes = list(_causes(error))
    for cause in reversed(causes):
        text = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None)
        if isinstance(text, str) and text:
            return text.split(" (_ssl", 1)[0].rstrip(".")
    return type(causes[-1]).__name__


def _retry_after_seconds(value: str | None) -> float | None:
    """Read C(Retry-After) in either form, seconds or an HTTP date; None when there is none to be read."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
