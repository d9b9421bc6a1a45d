"""A FastAPI dependency: ``pip install "torii-backend[fastapi]"``."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any, Callable

try:
    from fastapi import HTTPException, Request, Security
    from fastapi.concurrency import run_in_threadpool
    from fastapi.security import APIKeyHeader, HTTPBearer
except ImportError as error:
    raise ImportError(
        'torii_backend.fastapi needs FastAPI: pip install "torii-backend[fastapi]"'
    ) from error

from torii_backend.errors import ToriiAuthError, ToriiKeysPendingError
from torii_backend.requirements import ToriiRequirements
from torii_backend.types import ToriiAuth
from torii_backend.verify import ToriiVerifier

_Verify = Callable[..., ToriiAuth]


def require_auth(
    *,
    issuer: str | None = None,
    audience: str | Iterable[str] | None = None,
    leeway: float | None = None,
    realm: str | None = None,
    resource_metadata: str | None = None,
    verifier: ToriiVerifier | None = None,
    optional: bool = False,
    requirements: ToriiRequirements | None = None,
    header: str = "authorization",
    cookie: str | None = None,
    skip: Iterable[str] = (),
) -> Callable[..., Awaitable[ToriiAuth | None]]:
    """Makes a dependency that returns the :class:`ToriiAuth` of a request, or answers

    - 401 if the request has no token, or an invalid one,
    - 403 if the token is valid but does not meet a requirement,
    - 503 if the issuer's keys are unavailable.

    Example::

        auth_dep = require_auth(issuer="https://acme.torii.so")

        @app.get("/me")
        def me(auth: ToriiAuth = Depends(auth_dep)):
            return {"user_id": auth.user_id}

    :param issuer: the issuer, such as ``https://acme.torii.so``.
    :param audience: as for :class:`ToriiVerifier`, and so are ``leeway``, ``realm`` and
        ``resource_metadata``.
    :param verifier: a verifier instead of these five. It may serve several dependencies.
    :param optional: lets a request without credentials pass; the dependency returns None.
        A dependency with ``requirements`` answers it with 401 nevertheless.
    :param requirements: requirements of this dependency, in addition to the verifier's.
    :param header: the header that holds ``Bearer <token>``.
    :param cookie: a cookie of your application that holds the token, read if the header is absent.
        Browsers also send cookies with requests that other sites cause: protect state-changing
        routes against that (CSRF).
    :param skip: paths, compared exactly, on which the dependency returns None.
    """
    if verifier is None:
        if issuer is None:
            raise TypeError("require_auth needs `issuer` or `verifier`")
        chosen = ToriiVerifier(
            issuer,
            audience=audience,
            leeway=30 if leeway is None else leeway,
            realm=realm,
            resource_metadata=resource_metadata,
        )
    else:
        if any(v is not None for v in (issuer, audience, leeway, realm, resource_metadata)):
            raise TypeError(
                "require_auth: issuer, audience, leeway, realm and resource_metadata are options "
                "of the verifier; set them there"
            )
        chosen = verifier
    if isinstance(skip, str):
        raise TypeError("skip must be a list of paths, not a str")
    skipped = frozenset(skip)
    anonymous_passes = optional and requirements is None

    # Documents the login in OpenAPI; `/docs` then asks for a token.
    scheme: HTTPBearer | APIKeyHeader = HTTPBearer(auto_error=False, bearerFormat="JWT")
    if header.lower() != "authorization":
        scheme = APIKeyHeader(name=header, auto_error=False)

    async def dependency(request: Request, _: Any = Security(scheme)) -> ToriiAuth | None:
        # As the router sees it: decoded, without the query.
        if request.scope["path"] in skipped:
            return None
        # RFC 9110 §5.3. The library refuses what more than one value makes.
        value = ", ".join(request.headers.getlist(header))
        nowait: _Verify = chosen.authenticate_nowait
        blocking: _Verify = chosen.authenticate
        if cookie is not None and _is_blank(value):
            value = _cookie(request.headers.getlist("cookie"), cookie)
            nowait, blocking = chosen.verify_nowait, chosen.verify
        if anonymous_passes and _is_blank(value):
            return None
        try:
            try:
                return nowait(value, requirements=requirements)
            except ToriiKeysPendingError:
                return await run_in_threadpool(blocking, value, requirements=requirements)
        except ToriiAuthError as error:
            raise _answer(error) from error

    return dependency


def _is_blank(value: str) -> bool:
    return not value.strip(" \t")


def _cookie(headers: list[str], wanted: str) -> str:
    """Returns the value of a cookie; a name that occurs twice gives text that is not a token."""
    values = []
    for pair in "; ".join(headers).split(";"):
        name, equals, value = pair.strip(" \t").partition("=")
        if equals and name == wanted:
            # RFC 6265 §4.1.1.
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            values.append(value[1:-1] if quoted else value)
    if len(values) == 1 and _is_blank(values[0]):
        return ""
    return ", ".join(values)


def _answer(error: ToriiAuthError) -> HTTPException:
    headers = {"Cache-Control": "no-store"}
    if error.www_authenticate is not None:
        headers["WWW-Authenticate"] = error.www_authenticate
    if error.http_status == 503:
        headers["Retry-After"] = str(max(error.retry_after or 1, 1))
    detail = {"code": error.public_code, "message": error.public_message}
    return HTTPException(status_code=error.http_status, detail=detail, headers=headers)
