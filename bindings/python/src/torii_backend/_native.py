"""libtorii, declared as in ``torii.h``. Elsewhere in this package there is no ctypes but ``byref``,
and the numbers it points to.

``quick`` keeps the GIL over a call, ``blocking`` gives it up; each has what suits it. Judging a
token seen before takes so little that threads lose more by waiting for the GIL again than others
gain.
"""

from __future__ import annotations

import os
import sys
from ctypes import (
    CDLL,
    CFUNCTYPE,
    PyDLL,
    byref,
    c_bool,
    c_char_p,
    c_int64,
    c_size_t,
    c_uint32,
    c_void_p,
    string_at,
)
from pathlib import Path
from typing import Any, Callable, ClassVar, TypeVar

from torii_backend.errors import (
    ToriiApiError,
    ToriiAuthError,
    ToriiError,
    ToriiKeysPendingError,
    ToriiKeysUnavailableError,
    ToriiPolicyError,
    ToriiStatus,
    ToriiUsageError,
    ToriiWebhookError,
)

ABI_VERSION = 0
"""The number this package is made for: that of ``torii.h``, and of ``libtorii.so.0``."""

OK = int(ToriiStatus.OK)
KEYS_PENDING = int(ToriiStatus.KEYS_PENDING)

Clock = CFUNCTYPE(c_int64, c_void_p)

_HANDLE = _ADDRESS = c_void_p
_STATUS = c_uint32
_TEXT = (c_char_p, c_size_t)

_QUICK = {
    "torii_version": (c_char_p,),
    "torii_status_name": (c_char_p, c_uint32),
    "torii_status_http": (c_uint32, c_uint32),
    "torii_error_status": (_STATUS, _HANDLE),
    "torii_error_message": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_http_status": (c_uint32, _HANDLE),
    "torii_error_code": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_support_id": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_body": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_retry_after": (c_int64, _HANDLE),
    "torii_error_free": (None, _HANDLE),
    "torii_verifier_options_new": (_HANDLE,),
    "torii_verifier_options_add_issuer": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_add_audience": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_leeway": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_jwks_json": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_key_lifetime": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_max_stale": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_fetch_timeout_ms": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_ca_file": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_require": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_background_refresh": (_STATUS, _HANDLE, c_bool),
    "torii_verifier_options_set_verdict_cache_bytes": (_STATUS, _HANDLE, c_size_t),
    "torii_verifier_options_set_allow_http": (_STATUS, _HANDLE, c_bool),
    "torii_verifier_options_set_clock": (_STATUS, _HANDLE, Clock, c_void_p),
    "torii_verifier_options_free": (None, _HANDLE),
    "torii_verifier_new": (_STATUS, *_TEXT, _HANDLE, _ADDRESS, _ADDRESS),
    "torii_verify_token_nowait": (_STATUS, _HANDLE, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_verifier_authenticate_nowait": (_STATUS, _HANDLE, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_verifier_stats_json": (_STATUS, _HANDLE, _ADDRESS, _ADDRESS),
    "torii_verifier_free": (None, _HANDLE),
    "torii_jwks_cache_clear": (None,),
    # No text that an auth handle lends holds U+0000, so its length need not be asked for.
    "torii_auth_user_id": (c_char_p, _HANDLE, _ADDRESS),
    "torii_auth_environment_id": (c_char_p, _HANDLE, _ADDRESS),
    "torii_auth_issuer": (c_char_p, _HANDLE, _ADDRESS),
    "torii_auth_locale": (c_char_p, _HANDLE, _ADDRESS),
    "torii_auth_claims_json": (c_char_p, _HANDLE, _ADDRESS),
    "torii_auth_email_verified": (c_bool, _HANDLE),
    "torii_auth_profile_complete": (c_bool, _HANDLE),
    "torii_auth_impersonating": (c_bool, _HANDLE),
    "torii_auth_issued_at": (c_int64, _HANDLE),
    "torii_auth_expires_at": (c_int64, _HANDLE),
    "torii_auth_free": (None, _HANDLE),
    "torii_client_options_new": (_HANDLE,),
    "torii_client_options_set_api_url": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_timeout_ms": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_client_options_set_connect_timeout_ms": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_client_options_set_max_retries": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_client_options_set_ca_file": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_proxy": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_user_agent_suffix": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_allow_http": (_STATUS, _HANDLE, c_bool),
    "torii_client_options_free": (None, _HANDLE),
    "torii_client_new": (_STATUS, *_TEXT, _HANDLE, _ADDRESS, _ADDRESS),
    "torii_client_free": (None, _HANDLE),
    "torii_json_text": (c_void_p, _HANDLE, _ADDRESS),
    "torii_json_free": (None, _HANDLE),
}

_BLOCKING = {
    "torii_verify_token_nowait": (_STATUS, _HANDLE, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_verifier_authenticate_nowait": (_STATUS, _HANDLE, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_verify_token": (_STATUS, _HANDLE, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_verifier_authenticate": (_STATUS, _HANDLE, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_verifier_refresh": (_STATUS, _HANDLE, _ADDRESS),
    "torii_client_request_json": (_STATUS, _HANDLE, *_TEXT * 4, _ADDRESS, _ADDRESS),
    "torii_webhook_verify_standard": (_STATUS, *_TEXT * 5, c_int64, c_int64, *(_ADDRESS,) * 3),
}

# What each operation takes, a letter an argument: a text or a number. Those that end in `_json`
# answer JSON.
_OPERATIONS = {
    "users_list_json": "ntt",
    "users_get_json": "t",
    "users_create_json": "t",
    "users_update_json": "tt",
    "users_update_metadata_json": "tt",
    "users_delete": "t",
    "users_ban_json": "t",
    "users_unban_json": "t",
    "users_list_organizations_json": "tnt",
    "sessions_list_for_user_json": "t",
    "sessions_revoke_all_for_user": "t",
    "sessions_revoke": "tt",
    "organizations_list_json": "ntt",
    "organizations_get_json": "t",
    "organizations_list_members_json": "tnt",
    "organizations_update_metadata_json": "tt",
    "organizations_update_member_metadata_json": "ttt",
    "invitations_create_json": "t",
    "invitations_list_json": "nttt",
    "invitations_get_json": "t",
    "invitations_resend_json": "t",
    "invitations_revoke": "t",
    "invitations_update_metadata_json": "tt",
    "impersonation_create_token_json": "tt",
    "allowed_origins_get_json": "",
    "allowed_origins_set_json": "t",
}


def _signature(name: str, arguments: str) -> tuple[Any, ...]:
    inputs = [part for kind in arguments for part in (_TEXT if kind == "t" else (c_uint32,))]
    out = [_ADDRESS] if name.endswith("_json") else []
    return (_STATUS, _HANDLE, *inputs, *out, _ADDRESS)


for _name, _arguments in _OPERATIONS.items():
    _BLOCKING["torii_client_" + _name] = _signature(_name, _arguments)


def _declare(library: CDLL, signatures: dict[str, tuple[Any, ...]]) -> None:
    for name, (result, *arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


def _file_name() -> str:
    if sys.platform == "darwin":
        return f"libtorii.{ABI_VERSION}.dylib"
    if sys.platform == "win32":
        return "torii.dll"
    return f"libtorii.so.{ABI_VERSION}"


def _find() -> tuple[str, PyDLL, CDLL]:
    """The one TORII_LIBRARY names, or else that of the wheel, or else what the loader finds."""
    places = [(_file_name(), "in the loader's directories")]
    bundled = Path(__file__).with_name(_file_name())
    if bundled.exists():
        places.insert(0, (str(bundled), "in this package"))
    if named := os.environ.get("TORII_LIBRARY"):
        places = [(named, "as TORII_LIBRARY says")]
    tried = []
    for path, where in places:
        try:
            return path, PyDLL(path), CDLL(path)
        except OSError as error:
            tried.append(f"{path} {where}: {error}")
    raise ImportError(
        f"torii_backend needs libtorii, and looked for {'; and for '.join(tried)}. "
        "Install libtorii so that the loader finds it (on Linux, run ldconfig after it), "
        "or a wheel for this platform, or set TORII_LIBRARY to the full path of the library."
    )


def _load() -> tuple[PyDLL, CDLL]:
    path, quick, blocking = _find()
    try:
        quick.torii_abi_version.restype = c_uint32
        found = quick.torii_abi_version()
    except AttributeError as error:
        raise ImportError(f"{path} is not libtorii: {error}") from error
    if found != ABI_VERSION:
        raise ImportError(
            f"{path} has ABI number {found}, and this torii_backend needs {ABI_VERSION}: "
            "install the releases of both that belong together."
        )
    _declare(quick, _QUICK)
    _declare(blocking, _BLOCKING)
    return quick, blocking


quick, blocking = _load()


class Handle(c_void_p):
    """What the library gave away. It is freed with the last reference to it, and only then.

    Whoever makes a call holds a reference, so that closing an object never pulls its handle from
    under a call on another thread.
    """

    _free: ClassVar[Any]

    def __del__(self) -> None:
        if self:
            self._free(self)

    def __reduce__(self) -> Any:
        # A copy would be freed as well.
        raise TypeError("what libtorii gave away can be neither copied nor pickled")


class Error(Handle):
    _free = quick.torii_error_free


class Json(Handle):
    _free = quick.torii_json_free


class Auth(Handle):
    _free = quick.torii_auth_free


class VerifierOptions(Handle):
    _free = quick.torii_verifier_options_free


class Verifier(Handle):
    _free = quick.torii_verifier_free
    clock: object


class ClientOptions(Handle):
    _free = quick.torii_client_options_free


class Client(Handle):
    _free = quick.torii_client_free


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls what takes an error's address last."""
    error = Error()
    if function(*arguments, byref(error)) != OK:
        raise failure(error)


def read(function: Callable[..., int | None], handle: Handle) -> str | None:
    """A text that may hold U+0000."""
    length = c_size_t()
    address = function(handle, byref(length))
    return None if address is None else string_at(address, length.value).decode("utf-8", "replace")


def encode(name: str, value: str | bytes) -> bytes:
    """Lone surrogates become bytes that are not UTF-8: the library refuses those as it should."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    raise TypeError(f"{name} must be a str, not {type(value).__name__}")


def whole(name: str, value: float, limit: int = 2**32) -> int:
    """A number that C can hold: ctypes would cut off what is too large."""
    number = int(value)
    if not 0 <= number < limit:
        raise ToriiUsageError(f"{name}: out of range")
    return number


def set_text(
    options: Handle, setter: Callable[..., int], name: str, value: str | bytes | None
) -> None:
    """Sets an option, unless it is left to the library."""
    if value is not None:
        text = encode(name, value)
        call(setter, options, text, len(text))


def set_number(
    options: Handle, setter: Callable[..., int], name: str, value: float | None, times: int = 1
) -> None:
    """Sets an option, unless it is left to the library; C may count in ``times`` smaller units."""
    if value is not None:
        call(setter, options, whole(name, value * times))


def failure(error: Error) -> ToriiError:
    """The exception for what went wrong."""
    status = quick.torii_error_status(error)
    message = read(quick.torii_error_message, error) or ""
    retry_after = quick.torii_error_retry_after(error)
    raised = _exception(status)(message)
    raised.reason = ToriiStatus.of(status)
    raised.retry_after = None if retry_after < 0 else retry_after
    if isinstance(raised, (ToriiAuthError, ToriiWebhookError)):
        raised.http_status = quick.torii_status_http(status)
    if isinstance(raised, ToriiApiError):
        raised.http_status = quick.torii_error_http_status(error)
        raised.code = read(quick.torii_error_code, error)
        raised.support_id = read(quick.torii_error_support_id, error)
        raised.body = read(quick.torii_error_body, error)
    return raised


_RANGES: list[tuple[int, int, type[ToriiError]]] = [
    (1, 99, ToriiUsageError),
    (100, 149, ToriiAuthError),
    (150, 199, ToriiPolicyError),
    (KEYS_PENDING, KEYS_PENDING, ToriiKeysPendingError),
    (200, 299, ToriiKeysUnavailableError),
    (300, 349, ToriiApiError),
    (350, 399, ToriiWebhookError),
]


def _exception(status: int) -> type[ToriiError]:
    """By range, so that a status newer than this package has its class too."""
    return next((kind for first, last, kind in _RANGES if first <= status <= last), ToriiError)


T = TypeVar("T")


def opened(handle: T | None, what: str) -> T:
    if handle is None:
        raise ToriiUsageError(f"the {what} is closed")
    return handle
