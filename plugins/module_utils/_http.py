# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP session for all requests of a task, which may come from several threads.

Sent again: GET and DELETE after lost connections, time-outs, 429, 500, 502, 503, 504; POST when no connection was made,
or after 429; all once after 401 and a new sign-in. Redirects are never followed. 429 slows all threads down.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import re
import signal
import sys
import threading
import time
import types
import typing as t
import warnings
import zlib
from urllib.parse import quote, quote_plus, unquote_to_bytes, urlsplit

from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import is_identifier
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    RETRYABLE_STATUSES,
    SENTENCE_MOST,
    AnswerError,
    ApiError,
    ConfigError,
    MaintenanceError,
    MissingLibraryError,
    NetworkError,
    describe_defect,
    hint_for,
    is_retryable,
    one_line,
    read_error_body,
    shown,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._foreign import read_json, without_secrets

if t.TYPE_CHECKING:
    from requests import Response, Session

_USER_AGENT = "ansible-hwcloud.maintenance/1.0.0"
_BACKOFF_FIRST = 0.5  # seconds
_BACKOFF_MOST = 30.0  # seconds
_TURN = 0.02  # seconds between two looks whether the service bears one more request
_DEFECT_MOST = 500  # characters
_CHUNK = 256 * 1024  # bytes
#: Bytes of an answer's body, before and after decompression, whatever its status; 1000 tasks have about 1 MB.
_BODY_MOST = 16 * 1024 * 1024
#: What an answer may be compressed with, and how zlib is told so: with a header of gzip or zlib.
_WINDOW_OF_ENCODING = {"gzip": 32 + zlib.MAX_WBITS, "x-gzip": 32 + zlib.MAX_WBITS, "deflate": 32 + zlib.MAX_WBITS}

#: The signature of a request, where an error message shows the request's C(Authorization) header.
_SIGNATURE = re.compile(r"(signature.{1,12}?)[0-9a-f]{32,}", re.IGNORECASE)

#: urllib3's exceptions before anything was sent, by name: old versions of requests carry their own.
_NOT_SENT = frozenset(("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError"))

#: Alerts of TLS by which a server refuses a client's certificate, or the lack of one.
_REFUSED_CLIENT = re.compile("ALERT_(HANDSHAKE_FAILURE|UNKNOWN_CA|ACCESS_DENIED|[A-Z_]*CERTIFICATE)")

#: Seconds by which a service's clock may seem to be ahead of this machine's, and behind it: what it says is data.
_AHEAD_MOST = 15 * 60
_BEHIND_MOST = 10 * 365 * 86400

_SHORTEST_TOKEN = 16  # characters; see is_secret() in _signer.py

#: What may be a secret in an answer of signing in: longer than words are, and shorter than keys, which have 40 characters.
_MAYBE_SECRET = re.compile(r"[^\s<>]{25,}")

_Error = t.TypeVar("_Error", bound=MaintenanceError)


class _Stop(BaseException):
    """Ends what blocks; not an Exception, which a library might swallow."""


class Operation(t.NamedTuple):
    """One operation, as the API's documentation names it (contract 2.1 and 3.1)."""

    name: str
    service: str
    method: str
    path: str
    action: str | None = None
    #: Its answer holds a secret, so that nothing of it may be quoted.
    secret: bool = False

    def path_with(self, values: t.Mapping[str, str]) -> str:
        """The path for these identifiers; AnswerError for a value that is none, such as C(..) from a service's listing."""
        for name, value in values.items():
            if not is_identifier(value):
                raise self.error(
                    AnswerError,
                    f"{self.name} was not sent: its {name} would be {shown(value)}, which is no identifier.",
                    retryable=False,
                    stops_all=False,
                )
        return self.path.format_map(values)

    def error(self, kind: type[_Error], message: str, **details: t.Any) -> _Error:
        """An error that names this operation."""
        return kind(message, service=self.service, operation=self.name, **details)


class Answer(t.NamedTuple):
    """A successful answer; C(uncertain) when an earlier attempt may have been carried out."""

    status: int
    headers: t.Mapping[str, str]
    data: t.Any
    uncertain: bool


class HttpOptions(t.NamedTuple):
    """How to talk; times in seconds."""

    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    no_proxy: str | None = None
    connect_timeout: float = 10
    read_timeout: float = 60
    retries: int = 4
    deadline: float = 900
    #: Requests at the same time.
    max_concurrency: int = 8


class Client:
    """Sends the requests of a task."""

    def __init__(
        self,
        options: HttpOptions,
        *,
        monotonic: t.Callable[[], float] = time.monotonic,
        wait: t.Callable[[float], object] | None = None,
    ) -> None:
        self._options = options
        self._monotonic = monotonic
        self._stopped = threading.Event()
        self._wait = wait
        self._lock = threading.Lock()
        self._end = monotonic() + options.deadline
        self._session: Session | None = None
        self._blocked = False
        self._interrupted_by: str | None = None
        self._secrets: set[str] = set()
        self._words: set[str] = set()
        # No request leaves before this moment, after 429.
        self._opens = 0.0
        self._slowed = 0.0
        self._under_way = 0
        #: How many requests the service bears at the same time, as far as known.
        self.width = float(options.max_concurrency)
        #: Whether credentials were accepted; until then one request at a time, as five bad signatures lock a key.
        self.accepted = False
        #: Seconds by which the service's clock is ahead of this machine's, by the C(Date) of its latest answer.
        self.service_ahead = 0.0
        # Counted without a lock, which a signal could leave locked.
        self._sent: list[str] = []
        self.retried: list[str] = []

    def keep_secret(self, value: str | None) -> None:
        """Never let a message show this text, however it is escaped."""
        if value:
            self._secrets.update(_spellings(value))

    def keep_word(self, value: str) -> None:
        """Never quote an answer of signing in that has this word, which is too short to be replaced wherever it occurs."""
        self._words.update(_spellings(value))

    def redact(self, text: str) -> str:
        """The text with every known secret replaced by asterisks."""
        return _SIGNATURE.sub(r"\1********", without_secrets(text, self._secrets))

    @property
    def max_concurrency(self) -> int:
        """How many requests may be under way at the same time."""
        return self._options.max_concurrency

    def remaining(self) -> float:
        """Seconds left until the deadline."""
        return self._end - self._monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep, but never beyond the deadline."""
        # A signal may leave an event in disorder, so the main thread never waits for one.
        wait = self._wait or (time.sleep if _in_main_thread() else self._stopped.wait)
        with contextlib.suppress(_Stop), self._interruptible():
            wait(max(0.0, min(seconds, self.remaining())))

    def wait_for(self, latch: threading.Lock) -> bool:
        """Wait until other threads release this; False when the deadline, or a signal, comes first."""
        with contextlib.suppress(_Stop), self._interruptible():
            return latch.acquire(timeout=max(0.0, self.remaining()))
        # Not in the signal's handler, which may run while this thread holds the event's own lock.
        self._stopped.set()
        return False

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return len(self._sent)

    def interrupt(self, name: str) -> None:
        """Let the deadline pass now, as the signal C(name) came; the task then says what was done."""
        self._interrupted_by = name
        self._end = self._monotonic()
        if self._blocked:
            self._blocked = False
            raise _Stop

    @contextlib.contextmanager
    def _interruptible(self, seconds: float | None = None) -> t.Iterator[None]:
        """Let signals end what blocks, and an alarm what takes longer: a socket's time-out begins anew with each byte."""
        if not _in_main_thread():
            # The main thread waits for this one, and goes on without it.
            yield
            return
        alarm = seconds is not None and hasattr(signal, "SIGALRM")

        def ring(_number: int, _frame: object) -> None:
            raise _Stop

        before = signal.signal(signal.SIGALRM, ring) if alarm else None
        try:
            self._blocked = True
            if self._interrupted_by:
                raise _Stop
            if alarm and seconds is not None:
                # Late, as a time-out of the socket tells more.
                signal.setitimer(signal.ITIMER_REAL, seconds + 0.5)
            yield
        finally:
            self._blocked = False
            if alarm:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)

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
        as_text: bool = False,
        patience: float | None = None,
    ) -> Answer:
        """Send a request, and again where that is safe; return the successful answer, or raise.

        C(renew) is called once after a 401, and says whether signing in anew may help. With C(patience), in seconds,
        nothing takes longer, and no time-out is tried again.
        """
        url = base_url + operation.path_with(path or {})
        parameters = sorted((name, str(value)) for name, value in (query or {}).items() if value is not None)
        if parameters:
            url += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters)
        payload = None if body is None else json.dumps(body).encode()
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        idempotent = operation.method in ("GET", "DELETE")
        error: MaintenanceError
        uncertain = False
        failures = 0
        while True:
            retry_after = None
            try:
                response, raw = self._attempt(operation, url, patience, data=payload, headers=all_headers, auth=auth)
            except NetworkError as lost:
                error = lost
                uncertain = uncertain or lost.uncertain
                may_repeat = lost.retryable and (idempotent or not uncertain) and patience is None
            else:
                status, answer_headers = response.status_code, response.headers
                if 200 <= status < 300 and as_text:
                    return Answer(status, answer_headers, raw.decode("utf-8", "replace"), uncertain)
                if 200 <= status < 300:
                    data = self._decode(operation, status, answer_headers, raw) if read_body or raw.strip() else {}
                    # A body is not needed (C8), but one of somebody else is no word of the service.
                    if not read_body and not (isinstance(data, dict) and data.keys() <= {"message"}):
                        raise self._not_the_service(operation, status, answer_headers, raw, "a confirmation")
                    return Answer(status, answer_headers, data, uncertain)
                error = self._api_error(operation, response, raw)
                if status == 401 and renew is not None:
                    renewed, renew = self._renewed(operation, renew, uncertain), None
                    if renewed:
                        continue
                # A refusal says that nothing was done.
                uncertain = uncertain or status >= 500
                may_repeat = status in RETRYABLE_STATUSES and (idempotent or status == 429)
                retry_after = answer_headers.get("Retry-After")
            error.uncertain = uncertain
            failures += 1
            may_repeat = may_repeat and failures <= self._options.retries
            if not self._goes_on(operation, failures, error, retry_after, may_repeat=may_repeat):
                raise error

    def _renewed(self, operation: Operation, renew: t.Callable[[], bool], uncertain: bool) -> bool:
        try:
            renewed = renew()
        except MaintenanceError as refused:
            # What counts is whether this request was carried out, not whether the sign-in was.
            refused.uncertain = uncertain
            raise
        if renewed:
            self._note(f"{operation.name} was sent again after a new sign-in.")
        return renewed

    def _note(self, repetition: str) -> None:
        with self._lock:
            self.retried.append(one_line(repetition, SENTENCE_MOST))

    def _attempt(
        self, operation: Operation, url: str, patience: float | None, **arguments: t.Any
    ) -> tuple[Response, bytes]:
        session = self._opened()
        if not self._take_turn():
            raise self.ended(operation, uncertain=False)
        try:
            return self._send(session, operation, url, patience, **arguments)
        finally:
            with self._lock:
                self._under_way -= 1

    def _take_turn(self) -> bool:
        """Wait until the service bears one more request; False when the time is over before."""
        while self.remaining() > 0:
            with self._lock:
                closed = self._opens - self._monotonic()
                if closed <= 0 and self._under_way < int(self.width):
                    self._under_way += 1
                    return True
            self.pause(closed if closed > 0 else _TURN)
        return False

    def _send(
        self, session: Session, operation: Operation, url: str, patience: float | None, **arguments: t.Any
    ) -> tuple[Response, bytes]:
        import http.client

        import requests

        remaining = max(self.remaining(), 0.001)
        limits = [
            min(limit, patience or limit) for limit in (self._options.connect_timeout, self._options.read_timeout)
        ]
        timeouts = (min(limits[0], remaining), min(limits[1], remaining))
        proxies = self._proxies(url)
        sent = self._monotonic()
        try:
            with self._interruptible(min(remaining, patience or remaining)):
                self._sent.append(operation.name)
                response = session.request(
                    operation.method,
                    url,
                    timeout=timeouts,
                    proxies=proxies,
                    allow_redirects=False,
                    stream=True,
                    **arguments,
                )
                with response:
                    raw = self._read(operation, response)
        except MaintenanceError:
            raise
        except _Stop:
            if patience and self.remaining() > 0:
                raise self._network_error(operation, f"The answer took longer than {patience:g} seconds.") from None
            raise self.ended(operation, uncertain=True) from None
        except (
            requests.exceptions.RequestException,
            requests.exceptions.BaseHTTPError,  # type: ignore[attr-defined]  # urllib3's own, wherever requests has it from
            http.client.HTTPException,
            OSError,
            # What libraries raise for a header or an address that they cannot read.
            ValueError,
            LookupError,
        ) as error:
            host = url.split("/", 3)[2]
            proxy = proxies["https"].rpartition("@")[2].rpartition("/")[2] if proxies else None
            raise self._failed_attempt(operation, host, proxy, error, limits, timeouts) from None
        self._learn(response.status_code, sent)
        ahead = _seconds_until(response.headers.get("Date"))
        if ahead is not None:
            # A date has whole seconds, and the answer was on its way for a while: within that, the clocks agree.
            agree = ahead <= 0 <= ahead + 1 + self._monotonic() - sent
            self.service_ahead = 0.0 if agree else max(-_BEHIND_MOST, min(ahead, _AHEAD_MOST))
        token = response.headers.get("X-Subject-Token", "")
        if operation.secret and len(token) >= _SHORTEST_TOKEN:
            # Also of an answer that is not used.
            self.keep_secret(token)
        return response, raw

    def _learn(self, status: int, sent: float) -> None:
        """Half as many requests at the same time after 429, for all that were sent before it; then slowly more again."""
        self.accepted = self.accepted or status not in (401, 403)
        with self._lock:
            if status != 429:
                self.width = min(self._options.max_concurrency, self.width + 1 / self.width)
            elif sent >= self._slowed:
                self.width = max(1.0, self.width / 2)
                self._slowed = self._monotonic()

    def _proxies(self, url: str) -> dict[str, str]:
        """The proxy for a URL; plain HTTP never leaves this machine, so it needs none."""
        if not self._options.proxy or not url.startswith("https:"):
            return {}
        from requests.utils import should_bypass_proxies

        bypass = should_bypass_proxies(url, no_proxy=self._options.no_proxy or "")
        return {} if bypass else {"https": self._options.proxy}

    def _failed_attempt(
        self,
        operation: Operation,
        host: str,
        proxy: str | None,
        error: Exception,
        limits: t.Sequence[float],
        timeouts: t.Sequence[float],
    ) -> NetworkError:
        causes = {type(cause).__name__ for cause in _causes(error)}
        at_proxy = proxy is not None and ("ProxyError" in causes or _was_in(error, "_tunnel"))
        if not causes.isdisjoint(("SSLCertVerificationError", "CertificateError")):
            who = proxy if at_proxy else host
            failed = self._network_error(operation, f"The certificate of {who} is not accepted: {_reason(error)}.")
            failed.retryable = False
            failed.hint = "Check the endpoint, and ca_path or validate_certs."
            return failed
        if any(_REFUSED_CLIENT.search(str(getattr(cause, "reason", ""))) for cause in _causes(error)):
            failed = self._network_error(operation, f"{host} does not accept this client: {_reason(error)}.")
            failed.retryable = False
            failed.hint = "Check client_cert and client_key: the server wants a certificate of an authority it trusts."
            return failed
        connecting = "ConnectTimeoutError" in causes
        reading = "ReadTimeoutError" in causes
        if (connecting and timeouts[0] < limits[0]) or (reading and timeouts[1] < limits[1]):
            return self.ended(operation, uncertain=reading and not at_proxy)
        if at_proxy:
            said = next((str(cause) for cause in _causes(error) if "Tunnel connection failed" in str(cause)), "")
            status = re.search(r"failed: ([345]\d\d)\b", said)
            reason = f"HTTP {status.group(1)}" if status else _reason(error)
            failed = self._network_error(operation, f"The proxy {proxy} makes no connection to {host}: {reason}.")
            failed.hint = "Check proxy, its user and password, and no_proxy."
            failed.retryable = not status or int(status.group(1)) in RETRYABLE_STATUSES
            return failed
        if connecting:
            return self._network_error(operation, f"No connection to {host} within {timeouts[0]:g} seconds.")
        if reading:
            return self._network_error(
                operation, f"{host} sent no answer within {timeouts[1]:g} seconds.", uncertain=True
            )
        in_handshake = _was_in(error, "do_handshake")
        sent = not in_handshake and causes.isdisjoint(_NOT_SENT)
        kind = "TLS connection" if in_handshake else "connection"
        what = "was lost before the answer was complete" if sent else "could not be made"
        return self._network_error(operation, f"The {kind} to {host} {what}: {_reason(error)}.", uncertain=sent)

    def _opened(self) -> Session:
        if self._session is None:
            try:
                _load_requests()
                import requests
            except ImportError as error:
                raise MissingLibraryError(error.name or "requests") from error
            session = _session(requests)
            session.headers["User-Agent"] = _USER_AGENT
            # What _decompress() knows, whatever else is installed.
            session.headers["Accept-Encoding"] = "gzip, deflate"
            session.verify = (self._options.ca_path or True) if self._options.validate_certs else False
            session.mount("https://", _adapter(self._options))
            session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=self._options.max_concurrency))
            self._session = session
        return self._session

    def _read(self, operation: Operation, response: Response) -> bytes:
        """The body, decompressed, of any status; AnswerError when it is larger than this process should hold."""
        parts = []
        size = 0
        # Not decompressed by urllib3, whose old versions do that without a limit.
        for part in response.raw.stream(_CHUNK, decode_content=False):
            size += len(part)
            if size > _BODY_MOST:
                raise self._too_large(operation, response.status_code)
            if self.remaining() <= 0:
                raise self.ended(operation, uncertain=True)
            parts.append(part)
        announced = _number(response.headers.get("Content-Length"))
        received = response.raw.tell()
        # Old versions of urllib3 take a body that ends too early for a complete one.
        if announced is not None and received is not None and received < announced and response.status_code != 204:
            raise self._network_error(
                operation, f"The answer ended after {received} of {announced} bytes.", uncertain=True
            )
        return self._decompress(operation, response, b"".join(parts))

    def _decompress(self, operation: Operation, response: Response, raw: bytes) -> bytes:
        encodings = [word.strip().lower() for word in response.headers.get("Content-Encoding", "").split(",")]
        encodings = [word for word in encodings if word not in ("", "identity")]
        if not encodings or not raw:
            return raw
        if len(encodings) > 1 or encodings[0] not in _WINDOW_OF_ENCODING:
            raise operation.error(
                AnswerError,
                f"{operation.name} was answered with HTTP {response.status_code} in the encoding"
                f" {shown(', '.join(encodings))}, which was not asked for.",
                retryable=False,
                http_status=response.status_code,
                uncertain=True,
            )
        try:
            text = _inflated(raw, _WINDOW_OF_ENCODING[encodings[0]])
        except zlib.error:
            raise self._network_error(operation, "The answer cannot be decompressed.", uncertain=True) from None
        if len(text) > _BODY_MOST:
            raise self._too_large(operation, response.status_code)
        return text

    def _too_large(self, operation: Operation, status: int) -> AnswerError:
        return operation.error(
            AnswerError,
            f"{operation.name} was answered with HTTP {status} and more than {_BODY_MOST // 2**20} MiB.",
            retryable=False,
            http_status=status,
            uncertain=True,
        )

    def _decode(self, operation: Operation, status: int, headers: t.Mapping[str, str], raw: bytes) -> t.Any:
        try:
            data = read_json(raw)
        except ValueError:
            raise self._not_the_service(operation, status, headers, raw) from None
        if operation.secret or not self._is_secret_in(raw, data):
            return data
        # Here, before a message cuts a text of it: half a secret would not be recognised any more.
        return without_secrets(data, self._secrets, _is_id)

    def _is_secret_in(self, raw: bytes, data: t.Any) -> bool:
        """Whether an answer shows a known secret, also where it is written with escapes of JSON."""
        if any(secret.encode("utf-8", "replace") in raw for secret in self._secrets):
            return True
        # To look for one character is a hundred times quicker than for two.
        text = json.dumps(data, ensure_ascii=False) if b"\\" in raw and b"\\u" in raw else ""
        return any(secret in text for secret in self._secrets)

    def _not_the_service(
        self, operation: Operation, status: int, headers: t.Mapping[str, str], raw: bytes, expected: str = "JSON"
    ) -> AnswerError:
        return operation.error(
            AnswerError,
            f"{operation.name} was answered with HTTP {status} and something that is not {expected}:"
            f" {self._excerpt(operation, raw) or '(empty)'}",
            http_status=status,
            request_id=self._request_id(headers),
            hint="Check that the endpoint is the service itself, no proxy or portal.",
            uncertain=True,
        )

    def _api_error(self, operation: Operation, response: Response, raw: bytes) -> ApiError:
        status, headers = response.status_code, response.headers
        in_code, in_message, in_id = read_error_body(raw)
        code = one_line(self._quotable(operation, in_code or ""), 100)
        said = one_line(self._quotable(operation, in_message or "")) or self._excerpt(operation, raw, refusal=True)
        said = said or "no explanation"
        if 300 <= status < 400:
            said = "a redirect, which is never followed"
        error = operation.error(
            ApiError,
            f"{operation.name} failed with HTTP {status}{f' and code {code}' if code else ''}: {said}",
            code=code or str(status),
            http_status=status,
            request_id=self._request_id(headers, in_id),
            retryable=is_retryable(status, code),
        )
        skew = -(_seconds_until(headers.get("Date")) or 0.0)
        signed = "Authorization" in response.request.headers
        error.hint = hint_for(error, operation.action, skew if signed else 0)
        return error

    def _excerpt(self, operation: Operation, raw: bytes, *, refusal: bool = False) -> str:
        text = raw.decode("utf-8", "replace")
        # Of what holds a secret, only a refusal in plain words is quoted.
        if operation.secret and raw and not (refusal and '"' not in text and self._quotable(operation, text)):
            return f"({len(raw)} bytes that are not shown)"
        # Redacted before it is cut.
        return one_line(self._quotable(operation, text))

    def _quotable(self, operation: Operation, text: str) -> str:
        """The text without known secrets; of an answer of signing in, without what may be an unknown one, or nothing at all."""
        text = self.redact(text)
        if not operation.secret:
            return text
        words = "|".join(map(re.escape, self._words))
        if words and re.search(rf"(?<![0-9A-Za-z])(?:{words})(?![0-9A-Za-z])", text):
            return ""
        return _MAYBE_SECRET.sub("********", text)

    def _request_id(self, headers: t.Mapping[str, str], in_body: str | None = None) -> str | None:
        found = headers.get("X-Request-Id") or headers.get("X-IAM-Trace-Id") or in_body
        return one_line(self.redact(found), 100) if found else None

    def _goes_on(
        self, operation: Operation, failures: int, error: MaintenanceError, retry_after: str | None, *, may_repeat: bool
    ) -> bool:
        """Sleep before the next attempt; False, without sleeping, when there is none, or the deadline is too near.

        After 429, or where the service says how long, all requests of the task wait, also when this one is given up.
        """
        throttled = error.http_status == 429 or retry_after is not None
        seconds = _retry_after_seconds(retry_after)
        if not may_repeat:
            # A time that the task does not have is not waited for.
            if throttled and seconds is not None and seconds < self.remaining():
                self._close_for(seconds)
            return False
        if seconds is None:
            # Full jitter, as many tasks may have failed together.
            seconds = random.uniform(0, min(_BACKOFF_MOST, _BACKOFF_FIRST * 2 ** (failures - 1)))  # noqa: S311
        if seconds >= self.remaining():
            return False
        self._note(f"{operation.name} was repeated after {seconds:.1f} s: {error.message}")
        if throttled:
            self._close_for(seconds)
        self.pause(seconds)
        return True

    def _close_for(self, seconds: float) -> None:
        """Let no request of any thread leave for so long."""
        with self._lock:
            self._opens = max(self._opens, self._monotonic() + seconds)

    def _network_error(self, operation: Operation, message: str, *, uncertain: bool = False) -> NetworkError:
        return operation.error(
            NetworkError,
            f"{operation.name}: {self.redact(message)}",
            retryable=True,
            uncertain=uncertain,
            hint="Check the network, the region and the endpoint; the task can be run again.",
        )

    def unexpected(self, operation: Operation, defect: Exception) -> MaintenanceError:
        """The error for an exception that can only be a mistake of this collection; the service may have acted."""
        return operation.error(
            MaintenanceError,
            one_line(
                self.redact(
                    f"{operation.name} ended with an unexpected error, please report it: {describe_defect(defect)}"
                ),
                _DEFECT_MOST,
            ),
            code="InternalError",
            uncertain=True,
            # It may be due to what the service says of one thing.
            stops_all=False,
        )

    def ended(self, operation: Operation, *, uncertain: bool) -> NetworkError:
        """The error that says why there was no time for more: the deadline, or a signal."""
        if self._interrupted_by:
            return operation.error(
                NetworkError,
                f"The task was ended by {self._interrupted_by} during {operation.name}.",
                code="Interrupted",
                retryable=True,
                uncertain=uncertain,
                hint="Run the task again: it does what is left.",
            )
        return operation.error(
            NetworkError,
            f"The task's deadline of {self._options.deadline:g} seconds passed during {operation.name}.",
            code="DeadlineExceeded",
            retryable=True,
            uncertain=uncertain,
            hint="Run the task again, or raise deadline.",
        )


def _is_id(name: str, value: t.Any) -> bool:
    """Whether this is the id of a record, with which requests are made, and which no message cuts."""
    return name in ("id", "job_id", "instance_id") and is_identifier(value)


def _spellings(secret: str) -> set[str]:
    """The secret as it is, and as JSON (also inside JSON), URLs and HTML write it."""
    in_json = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    # PHP, Go and Gson, in this order, escape more than JSON asks for.
    in_json.append(in_json[0].replace("/", "\\/"))
    in_json += [re.sub(f"[{more}]", lambda found: f"\\u{ord(found[0]):04x}", in_json[0]) for more in ("&<>", "&<>='")]
    in_urls = [quote(secret), quote(secret, safe=""), quote_plus(secret)]
    in_urls += [re.sub("%..", lambda found: found[0].lower(), url) for url in in_urls]
    in_html = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    in_htmls = [in_html, *(in_html.replace("'", apostrophe) for apostrophe in ("&#x27;", "&#39;"))]
    return {secret, *in_json, *in_urls, *in_htmls, *(json.dumps(text)[1:-1] for text in in_json)}


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _load_requests() -> None:
    """Import requests without what guesses encodings, which nobody asks for and takes time.

    requests 2.32 and newer does without it, and warns; older versions are then imported as usual. Names that are not
    ASCII, which idna is for, are imported when there is one.
    """
    unneeded = [name for name in ("chardet", "charset_normalizer", "simplejson", "idna") if name not in sys.modules]
    # The way to say that a module cannot be imported.
    sys.modules.update(dict.fromkeys(unneeded))  # type: ignore[arg-type]
    if "idna" in unneeded:
        sys.modules["idna"] = types.ModuleType("idna")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("requests")
    except ImportError:
        pass
    finally:
        for name in unneeded:
            del sys.modules[name]


def _session(requests: t.Any) -> Session:
    """A session that keeps nothing of what a service says, and does not even read where a redirect leads."""
    from http.cookiejar import DefaultCookiePolicy

    class OneWaySession(requests.Session):  # type: ignore[misc]  # the class is loaded late
        def get_redirect_target(self, resp: Response) -> None:  # noqa: ARG002  # requests calls it so
            # requests would read the whole body, and parse the address, also of redirects that are not followed.
            return None

    session: Session = OneWaySession()
    # No credentials of ~/.netrc.
    session.trust_env = False
    # A cookie would be signed, and a balancer that removes it would make the signature a bad one.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _inflated(raw: bytes, window: int) -> bytes:
    """Decompressed, but only until it is known to be too large; zlib.error for what is no such data, or not all of it."""
    parts: list[bytes] = []
    size = 0
    while raw:
        inflate = zlib.decompressobj(window)
        try:
            part = inflate.decompress(raw, _BODY_MOST + 1 - size)
        except zlib.error:
            if parts or window < 0:
                raise
            # Some servers send deflate without zlib's header.
            return _inflated(raw, -zlib.MAX_WBITS)
        parts.append(part)
        size += len(part)
        if size > _BODY_MOST:
            break
        if not inflate.eof:
            raise zlib.error("the data end too early")
        raw = inflate.unused_data
    return b"".join(parts)


def _number(text: str | None) -> int | None:
    """A number in a header, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None


def _adapter(options: HttpOptions) -> t.Any:
    """TLS 1.2 at least, and the client's certificate; ConfigError when a file does not hold what it should."""
    import ssl
    from base64 import b64encode

    from requests.adapters import HTTPAdapter

    context = _tls_context_class()(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A certificate names its hosts in subjectAltName; its common name may be anything.
    context.hostname_checks_common_name = False
    if not options.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_path:
        folder = os.path.isdir(options.ca_path)
        try:
            context.load_verify_locations(None if folder else options.ca_path, options.ca_path if folder else None)
        except (OSError, ValueError):
            raise ConfigError(
                f"ca_path must be a file or folder with CA certificates in PEM form; {options.ca_path!r} is none."
            ) from None
    if options.client_cert:
        try:
            # Never a question for a passphrase on a terminal.
            context.load_cert_chain(options.client_cert, options.client_key, password=lambda: b"")
        except (OSError, ValueError):
            raise ConfigError(
                "client_cert and client_key must be a certificate and its key, not encrypted, in PEM form;"
                f" {options.client_cert!r} and {options.client_key or options.client_cert!r} are not."
            ) from None

    if _urllib3_is_old():
        # It compares names itself, and leaves out addresses when the context does.
        context.check_hostname = False

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: t.Any, **more: t.Any) -> None:
            super().init_poolmanager(*args, **more, ssl_context=context)

        def proxy_manager_for(self, proxy: t.Any, **more: t.Any) -> t.Any:
            return super().proxy_manager_for(proxy, **more, ssl_context=context)

        def proxy_headers(self, proxy: t.Any) -> dict[str, str]:
            # The bytes as they were written; requests knows Latin-1 only.
            user, _colon, password = urlsplit(proxy).netloc.rpartition("@")[0].partition(":")
            login = b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password)).decode()
            return {"Proxy-Authorization": f"Basic {login}"} if user else {}

    return Adapter(pool_maxsize=options.max_concurrency)


def _urllib3_is_old() -> bool:
    return bool(importlib.import_module("urllib3").__version__.startswith("1."))


def _tls_context_class() -> t.Any:
    """The class of the context; with urllib3 before 2 one that refuses certificates whose only name is the common name."""
    import ssl

    class NamesInSubjectAltName(ssl.SSLContext):
        def wrap_socket(self, *arguments: t.Any, **more: t.Any) -> ssl.SSLSocket:
            wrapped = super().wrap_socket(*arguments, **more)
            names: t.Any = (wrapped.getpeercert() or {}).get("subjectAltName", ())
            kinds = {kind for kind, _name in names}
            if self.verify_mode != ssl.CERT_NONE and kinds.isdisjoint(("DNS", "IP Address")):
                wrapped.close()
                raise ssl.SSLCertVerificationError(1, "it names no host in subjectAltName")
            return wrapped

    # urllib3 before 2 would compare the common name where there is no such name.
    return NamesInSubjectAltName if _urllib3_is_old() else ssl.SSLContext


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """urllib3 keeps causes in many places."""
    todo: list[t.Any] = [error]
    seen: set[int] = set()
    while todo:
        cause = todo.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            todo += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _was_in(error: BaseException, function: str) -> bool:
    """What was being done: only the place where the error was raised tells."""
    for cause in _causes(error):
        place = cause.__traceback__
        while place is not None:
            if place.tb_frame.f_code.co_name == function:
                return True
            place = place.tb_next
    return False


def _reason(error: BaseException) -> str:
    """urllib3's own texts name objects in memory."""
    causes = list(_causes(error))
    for cause in reversed(causes):
        text = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None)
        if isinstance(text, str) and text:
            return text.split(" (_ssl", 1)[0].rstrip(".")
    return type(causes[-1]).__name__


def _retry_after_seconds(value: str | None) -> float | None:
    value = (value or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    seconds = _seconds_until(value)
    return None if seconds is None else max(0.0, seconds)


def _seconds_until(date: str | None) -> float | None:
    """From now to a date of HTTP, or None."""
    from email.utils import mktime_tz, parsedate_tz

    try:
        parsed = parsedate_tz(date or "")
        return None if parsed is None else mktime_tz(parsed) - time.time()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
