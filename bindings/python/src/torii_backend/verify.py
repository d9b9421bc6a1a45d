"""Judging tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from ctypes import byref
from enum import IntFlag
from functools import lru_cache, partial
from threading import local
from typing import Any, Callable, Union

from torii_backend import _native
from torii_backend._native import blocking, quick
from torii_backend.errors import ToriiUsageError
from torii_backend.types import ToriiAuth

Text = Union[str, bytes]
KeySet = Union[str, bytes, Mapping[str, Any]]
"""A JWK Set (RFC 7517), as JSON or parsed."""


class ToriiRequire(IntFlag):
    """What can be asked of every token beyond its being good."""

    EMAIL_VERIFIED = 1
    PROFILE_COMPLETE = 2
    NOT_IMPERSONATED = 4


class _Clock:
    """Lends a clock to the library, which an exception cannot pass through."""

    # Nothing is valid at this time.
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
        """Raises what the clock raised on this thread."""
        raised = self._thread.__dict__.pop("raised", None)
        if raised is not None:
            raise raised


class ToriiVerifier:
    """Judges tokens of one or several issuers. Any number of threads may use one at once.

    :param issuer: the issuer, as in ``https://acme.torii.so``.
    :param issuers: further issuers; a mapping gives the keys of each, or None to have them fetched.
    :param audience: what ``aud`` has to name, or several of which it has to name one.
    :param leeway: by how many whole seconds clocks may differ, 0 to 300.
    :param jwks: the keys of ``issuer``; they are never fetched then.
    :param require: what a good token has to meet as well.
    :param key_lifetime: how many seconds keys last; by default the issuer says.
    :param max_stale: how many seconds keys stay in use when they can no longer be fetched.
    :param fetch_timeout: how many seconds fetching keys may take.
    :param ca_file: a PEM file of the authorities to trust, instead of the platform's.
    :param background_refresh: whether a thread may fetch keys before they are needed.
    :param verdict_cache_bytes: how much memory verdicts on good tokens may take.
    :param allow_http: allows plain http to other hosts, where anyone on the way can forge logins.
    :param clock: gives Unix seconds instead of the system's clock.
    :raises ToriiUsageError: if one of them is wrong.
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
        key_lifetime: int | None = None,
        max_stale: int | None = None,
        fetch_timeout: float | None = None,
        ca_file: str | None = None,
        background_refresh: bool = True,
        verdict_cache_bytes: int | None = None,
        allow_http: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._handle: _native.Verifier | None = None
        self._clock = None if clock is None else _Clock(clock)
        options = _native.VerifierOptions(quick.torii_verifier_options_new())

        set_text = partial(_native.set_text, options)
        set_number = partial(_native.set_number, options)
        set_keys = partial(set_text, quick.torii_verifier_options_set_jwks_json)

        set_keys("jwks", _json(jwks))
        further = issuers if isinstance(issuers, Mapping) else dict.fromkeys(_several(issuers))
        for name, key_set in further.items():
            set_text(quick.torii_verifier_options_add_issuer, "issuers", name)
            set_keys("issuers", _json(key_set))
        for name in _audiences(audience):
            set_text(quick.torii_verifier_options_add_audience, "audience", name)
        set_number(quick.torii_verifier_options_set_leeway, "leeway", leeway)
        set_number(quick.torii_verifier_options_require, "require", require or None)
        set_number(quick.torii_verifier_options_set_key_lifetime, "key_lifetime", key_lifetime)
        set_number(quick.torii_verifier_options_set_max_stale, "max_stale", max_stale)
        set_number(
            quick.torii_verifier_options_set_fetch_timeout_ms, "fetch_timeout", fetch_timeout, 1000
        )
        set_text(quick.torii_verifier_options_set_ca_file, "ca_file", ca_file)
        quick.torii_verifier_options_set_background_refresh(options, background_refresh)
        if verdict_cache_bytes is not None:
            size = _native.whole("verdict_cache_bytes", verdict_cache_bytes, 2**63)
            quick.torii_verifier_options_set_verdict_cache_bytes(options, size)
        quick.torii_verifier_options_set_allow_http(options, allow_http)

        handle = _native.Verifier()
        if self._clock is not None:
            handle.clock = callback = _native.Clock(self._clock.tell)
            quick.torii_verifier_options_set_clock(options, callback, None)
        encoded = _native.encode("issuer", issuer)
        _native.call(quick.torii_verifier_new, encoded, len(encoded), options, byref(handle))
        self._handle = handle
        # A clock takes the GIL: no thread that has it may wait inside the library meanwhile.
        at_once = quick if clock is None else blocking
        self._verify_nowait = at_once.torii_verify_token_nowait
        self._authenticate_nowait = at_once.torii_verifier_authenticate_nowait

    def verify(self, token: Text | None) -> ToriiAuth:
        """Judges a token. Fetches the issuer's keys first if they are missing or too old.

        :raises ToriiAuthError: if the token is bad, missing, or cannot be judged.
        """
        return self._judge(self._verify_nowait, blocking.torii_verify_token, token)

    def verify_nowait(self, token: Text | None) -> ToriiAuth:
        """As :meth:`verify`, but never does I/O: for event loops.

        :raises ToriiKeysPendingError: if keys have to be fetched first, as :meth:`verify` and
            :meth:`refresh` do on another thread.
        """
        return self._judge(self._verify_nowait, None, token)

    def authenticate(self, header: Text | None) -> ToriiAuth:
        """Judges the token in the value of an ``Authorization`` header, ``Bearer <token>``.

        :raises ToriiAuthError: as :meth:`verify`.
        """
        return self._judge(self._authenticate_nowait, blocking.torii_verifier_authenticate, header)

    def authenticate_nowait(self, header: Text | None) -> ToriiAuth:
        """As :meth:`authenticate`, but never does I/O, as :meth:`verify_nowait`."""
        return self._judge(self._authenticate_nowait, None, header)

    def refresh(self) -> None:
        """Fetches the keys of every issuer now, to warm up.

        :raises ToriiKeysUnavailableError: if that fails.
        """
        _native.call(blocking.torii_verifier_refresh, _native.opened(self._handle, "verifier"))

    def stats(self) -> dict[str, Any]:
        """What the verifier has done so far: ``accepted``, ``hits``, ``refused`` by status,
        ``verdicts``, ``verdict_bytes``, and for each of ``issuers`` its keys and fetches.

        ``TORII_ERR_KEYS_PENDING`` among ``refused`` also counts what :meth:`verify` had keys
        fetched for."""
        answer = _native.Json()
        handle = _native.opened(self._handle, "verifier")
        _native.call(quick.torii_verifier_stats_json, handle, byref(answer))
        stats: dict[str, Any] = json.loads(_native.read(quick.torii_json_text, answer) or "")
        return stats

    def close(self) -> None:
        """Gives up memory; calls under way on other threads are not disturbed. Not needed: a
        verifier nobody refers to is closed."""
        self._handle = None

    def __enter__(self) -> ToriiVerifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _judge(
        self,
        attempt: Callable[..., int],
        fetching: Callable[..., int] | None,
        value: Text | None,
    ) -> ToriiAuth:
        handle = self._handle
        if handle is None:
            handle = _native.opened(handle, "verifier")
        text = b"" if value is None else _native.encode("token", value)
        auth, error = _native.Auth(), _native.Error()
        status = attempt(handle, text, len(text), byref(auth), byref(error))
        if status == _native.KEYS_PENDING and fetching is not None:
            auth, error = _native.Auth(), _native.Error()
            status = fetching(handle, text, len(text), byref(auth), byref(error))
        if status != _native.OK:
            if self._clock is not None:
                self._clock.check()
            raise _native.failure(error)
        return ToriiAuth(auth)


def verify_token(
    token: Text | None,
    *,
    issuer: str,
    audience: str | Iterable[str] | None = None,
    leeway: float = 30,
) -> ToriiAuth:
    """Judges a token of an issuer. The verifier behind it is kept, as are its keys.

    :param token: a compact JWS, as received from the frontend.
    :param issuer: the issuer, as in ``https://acme.torii.so``.
    :param audience: what ``aud`` has to name, or several of which it has to name one.
    :param leeway: by how many whole seconds clocks may differ.
    :raises ToriiAuthError: if the token is bad, missing, or cannot be judged.
    """
    return shared_verifier(issuer, _audiences(audience), leeway).verify(token)


def authenticate_request(
    headers: Mapping[str, Any],
    *,
    issuer: str,
    audience: str | Iterable[str] | None = None,
    leeway: float = 30,
    header: str = "authorization",
) -> ToriiAuth:
    """Judges the token in the headers of a request, of whatever framework; case does not matter.

    :param header: the name of the header that holds ``Bearer <token>``.
    :raises ToriiAuthError: if the token is bad, missing, or cannot be judged.
    """
    wanted = header.lower()
    value = next((value for name, value in headers.items() if str(name).lower() == wanted), None)
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return shared_verifier(issuer, _audiences(audience), leeway).authenticate(value)


@lru_cache(maxsize=256)
def shared_verifier(issuer: str, audience: tuple[str, ...], leeway: float) -> ToriiVerifier:
    """The verifier that :func:`verify_token` uses."""
    return ToriiVerifier(issuer, audience=audience or None, leeway=leeway)


def clear_jwks_cache_for_tests() -> None:
    """Forgets the keys of every issuer, in all verifiers of the process."""
    quick.torii_jwks_cache_clear()


def _audiences(audience: str | Iterable[str] | None) -> tuple[str, ...]:
    if audience is None:
        return ()
    names = _several(audience)
    if not names:
        # To the library, none at all means that any will do.
        raise ToriiUsageError("audience: empty")
    return names


def _several(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _json(keys: KeySet | None) -> Text | None:
    return json.dumps(keys) if isinstance(keys, Mapping) else keys
