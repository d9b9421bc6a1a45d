"""A FastAPI dependency: ``pip install "torii-backend[fastapi]"``."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any, Callable, Optional

try:
    from fastapi import HTTPException, Request, Security
    from fastapi.concurrency import run_in_threadpool
    from fastapi.security import APIKeyHeader, HTTPBearer
except ImportError as error:
    raise ImportError(
        'torii_backend.fastapi needs FastAPI: pip install "torii-backend[fastapi]"'
    ) from error

from torii_backend.errors import (
    ToriiAuthError,
    ToriiKeysPendingError,
    ToriiKeysUnavailableError,
    ToriiPolicyError,
    ToriiStatus,
)
from torii_backend.types import ToriiAuth
from torii_backend.verify import ToriiVerifier

_Judge = Callable[[Optional[str]], ToriiAuth]
_NO_CREDENTIALS = (ToriiStatus.TOKEN_MISSING, ToriiStatus.TOKEN_SCHEME)


def require_auth(
    *,
    issuer: str | None = None,
    audience: str | Iterable[str] | None = None,
    leeway: float = 30,
    header: str = "authorization",
    cookie: str | None = None,
    verifier: ToriiVerifier | None = None,
) -> Callable[..., Awaitable[ToriiAuth]]:
    """Makes a dependency that gives the :class:`ToriiAuth` of a request, or answers it with

    - 401 and ``WWW-Authenticate`` when its token is bad or missing,
    - 403 when the token is good, but does not meet what the verifier requires,
    - 503 and ``Retry-After`` when the issuer's keys cannot be had.

    Example::

        auth_dep = require_auth(issuer="https://acme.torii.so")

        @app.get("/me")
        def me(auth: ToriiAuth = Depends(auth_dep)):
            return {"user_id": auth.user_id}

    :param issuer: the issuer, as in ``https://acme.torii.so``.
    :param audience: as for :class:`ToriiVerifier`.
    :param leeway: as for :class:`ToriiVerifier`.
    :param header: the header that holds ``Bearer <token>``.
    :param cookie: the cookie that holds the token when that header is absent. Browsers send cookies
        with requests that other sites cause: protect what changes something against that.
    :param verifier: one with options of its own, instead of the three above.
    """
    if verifier is None:
        if issuer is None:
            raise TypeError("require_auth needs `issuer` or `verifier`")
        verifier = ToriiVerifier(issuer, audience=audience, leeway=leeway)
    judge = verifier

    # FastAPI's documentation of the app shows by it that a login is needed, and asks for one.
    scheme: HTTPBearer | APIKeyHeader = HTTPBearer(auto_error=False, bearerFormat="JWT")
    if header.lower() != "authorization":
        scheme = APIKeyHeader(name=header, auto_error=False)

    async def dependency(request: Request, _: Any = Security(scheme)) -> ToriiAuth:
        value = request.headers.get(header)
        at_once: _Judge = judge.authenticate_nowait
        fetching: _Judge = judge.authenticate
        if value is None and cookie is not None:
            value = request.cookies.get(cookie)
            at_once, fetching = judge.verify_nowait, judge.verify
        try:
            try:
                return at_once(value)
            except ToriiKeysPendingError:
                return await run_in_threadpool(fetching, value)
        except ToriiAuthError as error:
            raise _answer(error) from error

    return dependency


def _answer(error: ToriiAuthError) -> HTTPException:
    if isinstance(error, ToriiKeysUnavailableError):
        # Why they are unavailable is the operator's business, not the client's.
        message = "The login cannot be checked at the moment"
        retry_after = str(error.retry_after or 1)
        return _refusal(error, "keys_unavailable", message, {"Retry-After": retry_after})
    if isinstance(error, ToriiPolicyError):
        return _refusal(error, "forbidden", str(error), {})
    challenge = 'Bearer realm="torii"'
    if error.reason not in _NO_CREDENTIALS:
        challenge += ', error="invalid_token"'
    return _refusal(error, "authentication_failed", str(error), {"WWW-Authenticate": challenge})


def _refusal(
    error: ToriiAuthError, code: str, message: str, headers: dict[str, str]
) -> HTTPException:
    detail = {"code": code, "message": message}
    return HTTPException(status_code=error.http_status, detail=detail, headers=headers)
