"""Verifying tokens."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from ctypes import byref, c_size_t, create_string_buffer
from datetime import datetime
from functools import lru_cache, partial
from threading import local
from typing import Any, Callable, Union

from torii_backend import _native
from torii_backend._native import BUFFER_TOO_SMALL, KEYS_PENDING, OK, Frame, blocking, quick
from torii_backend.errors import ToriiUsageError
from torii_backend.requirements import ToriiRequirements, parameter
from torii_backend.types import ToriiAuth

Text = Union[str, bytes]
KeySet = Union[str, bytes, Mapping[str, Any]]
"""A JWK Set (RFC 7517), as JSON or parsed."""
Path = Union[str, "os.PathLike[str]"]

_HEADER = _native.VERIFY_HEADER
_NOWAIT = _native.VERIFY_NOWAIT

# As many as calls run at once. Not one for each thread: a signal handler that verifies, too, must
# not overwrite the record of the call it interrupts.
_frames: list[Frame] = []

# The lengths of usual tokens as arguments.
_lengths: dict[int, Any] = {}
_LONGEST_USUAL = 4096

_new = object.__new__

METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""The content type of :meth:`ToriiVerifier.metrics`."""


class _Clock:
    """Passes a clock to the library, and its exceptions around it."""

    # No token is valid at this time.
    _NEVER = -(2**62)

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._thread = local()

    def tell(self, _: object) -> int:
        try:
            return int(self._now())
        except BaseException as error:
            self._thread.raised = error
            return self._NEVER

    def check(self) -> None:
        """Raises the exception that the clock raised on this thread."""
        raised = self._thread.__dict__.pop("raised", None)
        if raised is not None:
            raise raised


class ToriiVerifier:
    """Verifies tokens of one or several issuers. Any number of threads may use one at once.

    :param issuer: the issuer, such as ``https://acme.torii.so``.
    :param issuers: further issuers to trust; a mapping gives the keys of each, None to fetch them.
    :param audience: the audience that ``aud`` must name, or several, of which it must name one.
        Without one, a token with ``aud`` is refused.
    :param leeway: the clock difference to allow, 0 to 300 seconds.
    :param jwks: the keys of ``issuer``, instead of fetching them.
    :param require: flags of :class:`ToriiRequire` that every token must meet.
    :param requirements: further requirements of every token.
    :param ignore_audience: whether ``aud`` is ignored.
    :param max_lifetime: the longest time from ``iat`` to ``exp``, in seconds; 0: unlimited.
    :param legacy_organization: whether ``org_id`` and ``org_role`` are read where a token has no
        ``o``. A template may fill these names with what a user wrote.
    :param realm: the ``realm`` of ``WWW-Authenticate``, by default ``torii``.
    :param resource_metadata: the ``resource_metadata`` of ``WWW-Authenticate``, a URL (RFC 9728).
    :param key_lifetime: the lifetime of fetched keys in seconds; by default the issuer says.
    :param max_stale: how many seconds keys stay in use while the issuer is unreachable.
    :param fetch_timeout: the timeout of fetching keys, in seconds.
    :param ca_file: a PEM file of the certificate authorities to trust, instead of the platform's.
    :param proxy: an http or https proxy for fetching keys, such as ``http://proxy.example:3128``.
    :param background_refresh: whether a short-lived thread may fetch keys before they expire.
    :param token_cache_bytes: the size of the verified token cache; 0 turns it off.
    :param fixed_base: whether a table for each key, of about 150 KiB, verifies new tokens in less
        than half of the time.
    :param key_cache_dir: a directory that keeps fetched keys for the next process. Anyone who can
        write there can log in as any user.
    :param revocations_file: a file as :meth:`set_revocations` takes it, read again when it changes.
    :param metrics_issuer_label: whether :meth:`metrics` names issuers, which may be your tenants.
    :param allow_http: allows plain http to other hosts, where anyone on the path can forge tokens.
    :param clock: returns Unix seconds, instead of the system's clock.
    :raises ToriiUsageError: if an option is invalid.
    """

    def __init__(
        self,
        issuer: str,
        *,
        issuers: str | Iterable[str] | Mapping[str, KeySet | None] = (),
        audience: str | Iterable[str] | None = None,
        leeway: float = 30,
        jwks: KeySet | None = None,
        require: int = 0,
        requirements: ToriiRequirements | None = None,
        ignore_audience: bool = False,
        max_lifetime: int | None = None,
        legacy_organization: bool = False,
        realm: str | None = None,
        resource_metadata: str | None = None,
        key_lifetime: int | None = None,
        max_stale: int | None = None,
        fetch_timeout: float | None = None,
        ca_file: str | None = None,
        proxy: str | None = None,
        background_refresh: bool = True,
        token_cache_bytes: int | None = None,
        fixed_base: bool = False,
        key_cache_dir: Path | None = None,
        revocations_file: Path | None = None,
        metrics_issuer_label: bool = False,
        allow_http: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._opened: tuple[_native.Verifier, Any] | None = None
        self._clock = None if clock is None else _Clock(clock)
        options = _native.VerifierOptions(quick.torii_verifier_options_new())

        def set(setter: str, value: Any) -> None:
            _native.call(getattr(quick, f"torii_verifier_options_{setter}"), options, value)

        set_text = partial(_native.set_text, options)
        set_number = partial(_native.set_number, options)

        set_text(quick.torii_verifier_options_set_jwks_json, "jwks", _json(jwks))
        further = issuers if isinstance(issuers, Mapping) else dict.fromkeys(_several(issuers))
        for name, key_set in further.items():
            if key_set is None:
                set_text(quick.torii_verifier_options_add_issuer, "issuers", name)
            else:
                encoded = _native.encode("issuers", name)
                keys = _native.encode("jwks", _json(key_set))
                texts = encoded, len(encoded), keys, len(keys)
                _native.call(quick.torii_verifier_options_add_issuer_jwks, options, *texts)
        for name in _audiences(audience):
            set_text(quick.torii_verifier_options_add_audience, "audience", name)
        set_number(quick.torii_verifier_options_set_leeway_seconds, "leeway", leeway)
        set_number(
            quick.torii_verifier_options_set_max_lifetime_seconds, "max_lifetime", max_lifetime
        )
        if requirements is not None:
            set("set_requirements", parameter(requirements))
        set_number(quick.torii_verifier_options_require, "require", require or None)
        set_text(quick.torii_verifier_options_set_realm, "realm", realm)
        set_text(
            quick.torii_verifier_options_set_resource_metadata,
            "resource_metadata",
            resource_metadata,
        )
        set_number(
            quick.torii_verifier_options_set_key_lifetime_seconds, "key_lifetime", key_lifetime
        )
        set_number(quick.torii_verifier_options_set_max_stale_seconds, "max_stale", max_stale)
        set_number(
            quick.torii_verifier_options_set_fetch_timeout_ms, "fetch_timeout", fetch_timeout, 1000
        )
        set_text(quick.torii_verifier_options_set_ca_file, "ca_file", ca_file)
        set_text(quick.torii_verifier_options_set_proxy, "proxy", proxy)
        set("set_ignore_audience", ignore_audience)
        set("set_legacy_organization", legacy_organization)
        set("set_background_refresh", background_refresh)
        set("set_fixed_base", fixed_base)
        set_text(
            quick.torii_verifier_options_set_key_cache_dir, "key_cache_dir", _path(key_cache_dir)
        )
        set_text(
            quick.torii_verifier_options_set_revocations_file,
            "revocations_file",
            _path(revocations_file),
        )
        set("set_metrics_issuer_label", metrics_issuer_label)
        set("set_allow_http", allow_http)
        if token_cache_bytes is not None:
            set(
                "set_token_cache_bytes",
                _native.whole("token_cache_bytes", token_cache_bytes, 2**63),
            )

        handle = _native.Verifier()
        if self._clock is not None:
            handle.clock = callback = _native.Clock(self._clock.tell)
            _native.call(quick.torii_verifier_options_set_clock, options, callback, None)
        encoded = _native.encode("issuer", issuer)
        _native.call(quick.torii_verifier_new, encoded, len(encoded), options, byref(handle))
        self._opened = handle, handle.parameter()
        # A clock takes the GIL: no thread that holds it may wait inside the library meanwhile.
        self._verify_into = (quick if clock is None else blocking).torii_verify_into

    def verify(
        self, token: Text | None, *, requirements: ToriiRequirements | None = None
    ) -> ToriiAuth:
        """Verifies a token. Fetches the issuer's keys if they are missing or expired.

        :param requirements: requirements of this call, in addition to the verifier's.
        :raises ToriiAuthError: if the token is missing or invalid, or could not be verified.
        :raises ToriiPolicyError: if it is valid but does not meet a requirement.
        """
        return self._verify(self._verify_into, token, _NOWAIT, 0, requirements)

    def verify_nowait(
        self, token: Text | None, *, requirements: ToriiRequirements | None = None
    ) -> ToriiAuth:
        """As :meth:`verify`, without I/O: for event loops.

        :raises ToriiKeysPendingError: if keys must be fetched first. Run :meth:`refresh_due` with
            its ``issuer`` on another thread, then try again.
        """
        return self._verify(self._verify_into, token, _NOWAIT, None, requirements)

    def authenticate(
        self, header: Text | None, *, requirements: ToriiRequirements | None = None
    ) -> ToriiAuth:
        """Verifies the token in the value of an ``Authorization`` header, ``Bearer <token>``. Join
        the values of a repeated header with ``", "``; they are refused.

        :raises ToriiAuthError: as :meth:`verify`.
        """
        return self._verify(self._verify_into, header, _HEADER | _NOWAIT, _HEADER, requirements)

    def authenticate_nowait(
        self, header: Text | None, *, requirements: ToriiRequirements | None = None
    ) -> ToriiAuth:
        """As :meth:`authenticate`, without I/O, as :meth:`verify_nowait`."""
        return self._verify(self._verify_into, header, _HEADER | _NOWAIT, None, requirements)

    def refresh(self) -> None:
        """Fetches the keys of every issuer now, for example at startup.

        :raises ToriiKeysUnavailableError: if that fails.
        """
        _native.call(blocking.torii_verifier_refresh, self._open())

    def refresh_due(self, issuer: str | None = None) -> None:
        """Fetches keys if a fetch is due, and waits for a fetch in flight. Returns at once if none
        is due, or if the backoff after a failure is not over.

        :param issuer: one issuer, usually :attr:`ToriiKeysPendingError.issuer`; by default all.
        :raises ToriiKeysUnavailableError: if that fails.
        """
        handle = self._open()
        text = None if issuer is None else _native.encode("issuer", issuer)
        _native.call(blocking.torii_verifier_refresh_due, handle, text, len(text or b""))

    def due_in(self) -> float | None:
        """Returns the seconds until a key fetch is due, for a timer that runs :meth:`refresh_due`;
        None if all keys were given."""
        due: int = quick.torii_verifier_due_in_ms(self._open())
        return None if due < 0 else due / 1000

    def stats(self) -> dict[str, Any]:
        """Returns statistics: ``accepted``, ``hits`` of the token cache, ``refused`` by status,
        ``cached_tokens``, ``cache_bytes``, and the keys and fetches of each of ``issuers``.

        ``TORII_ERR_KEYS_PENDING`` in ``refused`` includes calls of :meth:`verify` that fetched keys
        and then tried again."""
        answer = _native.Json()
        handle = self._open()
        _native.call(quick.torii_verifier_stats_json, handle, byref(answer))
        stats: dict[str, Any] = json.loads(_native.read(quick.torii_json_text, answer) or "")
        return stats

    def revoke(self, user_id: str, before: datetime | float) -> None:
        """Refuses the tokens of a user that were issued at or before this time, in this process.

        :param user_id: matches ``sub`` and the actor. Of two calls the later time counts.
        :param before: an aware datetime or Unix seconds, at most one day ahead.
        :raises ToriiUsageError: if an argument is invalid, or with more than 100000 entries.
        """
        if isinstance(before, datetime):
            if before.tzinfo is None:
                raise ToriiUsageError("before: a datetime without a time zone")
            before = before.timestamp()
        # A moment within a second includes the tokens of this second.
        self._revoke(user_id, _seconds(before))

    def revoke_all(self, user_id: str) -> None:
        """As :meth:`revoke`, for every token of the user, those of the future included."""
        self._revoke(user_id, _native.REVOKE_ALL)

    def _revoke(self, user_id: str, before: int) -> None:
        user = _native.encode("user_id", user_id)
        _native.call(blocking.torii_verifier_revoke, self._open(), user, len(user), before)

    def set_revocations(self, revocations: str | bytes | Mapping[str, Any]) -> None:
        """Replaces the list of an earlier call, JSON or parsed:
        ``{"revoked": [{"sub": "…", "before": 1732550000}]}``. ``before`` may be ``"all"``. An empty
        list lifts these bans; those of :meth:`revoke` and ``revocations_file`` stay.

        :raises ToriiUsageError: if the list is invalid. The earlier list then stays.
        """
        text = _native.encode("revocations", _json(revocations))
        _native.call(blocking.torii_verifier_set_revocations_json, self._open(), text, len(text))

    def metrics(self) -> str:
        """Returns metrics as OpenMetrics text, of the content type :data:`METRICS_TYPE`."""
        handle, size = self._open(), c_size_t(8192)
        while True:
            # The text can grow between two calls.
            text = create_string_buffer(size.value)
            error = _native.Error()
            arguments = handle, text, len(text), byref(size), byref(error)
            status = blocking.torii_verifier_metrics(*arguments)
            if status == OK:
                return text.raw[: size.value].decode()
            if status != BUFFER_TOO_SMALL:
                raise _native.failure(error)

    def close(self) -> None:
        """Frees memory; calls in progress on other threads still succeed. Optional: an unreferenced
        verifier is closed."""
        self._opened = None

    def __enter__(self) -> ToriiVerifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> _native.Verifier:
        return _native.opened(self._opened, "verifier")[0]

    def _verify(
        self,
        verify_into: Callable[..., int],
        value: Text | None,
        how: int,
        then: int | None,
        requirements: ToriiRequirements | None,
    ) -> ToriiAuth:
        """Verifies without I/O, and on KEYS_PENDING once more with ``then``, unless it is None."""
        # Holds a reference to the handle during the call.
        opened = self._opened
        if opened is None:
            opened = _native.opened(opened, "verifier")
        argument = opened[1]
        if type(value) is str:
            try:
                text = value.encode()
            except UnicodeEncodeError:
                text = _native.encode("token", value)
        else:
            text = b"" if value is None else _native.encode("token", value)
        try:
            length = _lengths[len(text)]
        except KeyError:
            length = _length(len(text))
        required = None if requirements is None else parameter(requirements)
        try:
            frame = _frames.pop()
        except IndexError:
            frame = _native.frame()
        record, size, error, (buffer, capacity, size_at, error_at) = frame
        status = verify_into(
            argument, text, length, how, required, buffer, capacity, size_at, error_at
        )
        if status == OK:
            auth = _new(ToriiAuth)
            auth._record = record[: size.value]
            _frames.append(frame)
            return auth
        failed = _native.Error(error.value)
        if status == BUFFER_TOO_SMALL and size.value > len(record):
            _frames.append(_native.frame(_native.RECORD_MAX))
            return self._verify(verify_into, value, how, then, requirements)
        _frames.append(frame)
        if status == KEYS_PENDING and then is not None:
            return self._verify(blocking.torii_verify_into, value, then, None, requirements)
        if self._clock is not None:
            self._clock.check()
        raise _native.failure(failed)


def verify_token(
    token: Text | None,
    *,
    issuer: str,
    audience: str | Iterable[str] | None = None,
    leeway: float = 30,
) -> ToriiAuth:
    """Verifies a token of an issuer, with a verifier that is kept for later calls.

    :param token: a compact JWS, as received from the frontend.
    :param issuer: the issuer, such as ``https://acme.torii.so``.
    :param audience: the audience that ``aud`` must name, or several, of which it must name one.
    :param leeway: the clock difference to allow, in seconds.
    :raises ToriiAuthError: if the token is missing or invalid, or could not be verified.
    """
    audiences = () if audience is None else _audiences(audience)
    return shared_verifier(issuer, audiences, leeway).verify(token)


def authenticate_request(
    headers: Mapping[str, Any],
    *,
    issuer: str,
    audience: str | Iterable[str] | None = None,
    leeway: float = 30,
    header: str = "authorization",
) -> ToriiAuth:
    """Verifies the token in the headers of a request, of any framework. Case does not matter.

    :param header: the name of the header that holds ``Bearer <token>``.
    :raises ToriiAuthError: if the token is missing or invalid, or could not be verified.
    """
    wanted = header.lower()
    values: list[str] = []
    for name, value in headers.items():
        if str(name).lower() == wanted and value is not None:
            values += value if isinstance(value, (list, tuple)) else [value]
    # A single value of another type has its own error.
    value = values[0] if len(values) == 1 else ", ".join(values)
    return shared_verifier(issuer, _audiences(audience), leeway).authenticate(value)


@lru_cache(maxsize=256)
def shared_verifier(issuer: str, audience: tuple[str, ...], leeway: float) -> ToriiVerifier:
    """Returns the verifier that :func:`verify_token` uses."""
    return ToriiVerifier(issuer, audience=audience or None, leeway=leeway)


def clear_jwks_cache_for_tests() -> None:
    """Drops the keys of every issuer, in all verifiers of the process."""
    quick.torii_jwks_cache_clear()


def _length(length: int) -> Any:
    argument = _native.size_argument(length)
    if length <= _LONGEST_USUAL:
        _lengths[length] = argument
    return argument


def _audiences(audience: str | Iterable[str] | None) -> tuple[str, ...]:
    if audience is None:
        return ()
    names = _several(audience)
    if not names:
        raise ToriiUsageError("audience: empty (expected at least one)")
    return names


def _several(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _json(value: KeySet | None) -> Any:
    return json.dumps(value) if isinstance(value, Mapping) else value


def _path(path: Path | None) -> str | None:
    return None if path is None else os.fspath(path)


def _seconds(time: float) -> int:
    """Rounds up. ctypes would truncate a number that does not fit."""
    if not abs(time) < 2**62:
        raise ToriiUsageError("before: out of range")
    return math.ceil(time)
