"""The functions of libtorii, declared as in ``torii.h``, and the handles they return.

``quick`` keeps the GIL during a call, ``blocking`` releases it. Verifying a cached token takes
about a microsecond: releasing the GIL for it costs more than other threads gain.
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
    c_char,
    c_char_p,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
    string_at,
)
from pathlib import Path
from typing import Any, Callable, ClassVar, NamedTuple, TypeVar

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
"""``TORII_ABI_VERSION`` of the ``torii.h`` that this package is written for."""

OK = int(ToriiStatus.OK)
BUFFER_TOO_SMALL = int(ToriiStatus.BUFFER_TOO_SMALL)
KEYS_PENDING = int(ToriiStatus.KEYS_PENDING)
VERIFY_HEADER = 1
VERIFY_NOWAIT = 2
RECORD_MAX = 32768
REVOKE_ALL = 2**63 - 1

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
    "torii_error_public_code": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_public_message": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_www_authenticate": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_issuer": (c_void_p, _HANDLE, _ADDRESS),
    "torii_error_unsent": (c_bool, _HANDLE),
    "torii_error_retry_after": (c_int64, _HANDLE),
    "torii_error_free": (None, _HANDLE),
    "torii_verifier_options_new": (_HANDLE,),
    "torii_verifier_options_add_issuer": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_add_issuer_jwks": (_STATUS, _HANDLE, *_TEXT, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_jwks_json": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_add_audience": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_ignore_audience": (_STATUS, _HANDLE, c_bool, _ADDRESS),
    "torii_verifier_options_set_leeway_seconds": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_max_lifetime_seconds": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_require": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_requirements": (_STATUS, _HANDLE, _HANDLE, _ADDRESS),
    "torii_verifier_options_set_legacy_organization": (_STATUS, _HANDLE, c_bool, _ADDRESS),
    "torii_verifier_options_set_realm": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_resource_metadata": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_key_lifetime_seconds": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_max_stale_seconds": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_fetch_timeout_ms": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_verifier_options_set_background_refresh": (_STATUS, _HANDLE, c_bool, _ADDRESS),
    "torii_verifier_options_set_ca_file": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_proxy": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_allow_http": (_STATUS, _HANDLE, c_bool, _ADDRESS),
    "torii_verifier_options_set_token_cache_bytes": (_STATUS, _HANDLE, c_size_t, _ADDRESS),
    "torii_verifier_options_set_fixed_base": (_STATUS, _HANDLE, c_bool, _ADDRESS),
    "torii_verifier_options_set_key_cache_dir": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_revocations_file": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_options_set_metrics_issuer_label": (_STATUS, _HANDLE, c_bool, _ADDRESS),
    "torii_verifier_options_set_clock": (_STATUS, _HANDLE, Clock, c_void_p, _ADDRESS),
    "torii_verifier_options_free": (None, _HANDLE),
    "torii_requirements_new": (_HANDLE,),
    "torii_requirements_add_flags": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_requirements_add_claim": (_STATUS, _HANDLE, *_TEXT, *_TEXT, _ADDRESS),
    "torii_requirements_add_organization": (_STATUS, _HANDLE, *_TEXT, *_TEXT, _ADDRESS),
    "torii_requirements_free": (None, _HANDLE),
    "torii_verifier_new": (_STATUS, *_TEXT, _HANDLE, _ADDRESS, _ADDRESS),
    "torii_verifier_due_in_ms": (c_int64, _HANDLE),
    "torii_verifier_stats_json": (_STATUS, _HANDLE, _ADDRESS, _ADDRESS),
    "torii_verifier_free": (None, _HANDLE),
    "torii_jwks_cache_clear": (None,),
    "torii_webhook_new": (_STATUS, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_webhook_add_secret": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_webhook_set_tolerance_seconds": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_webhook_free": (None, _HANDLE),
    "torii_client_options_new": (_HANDLE,),
    "torii_client_options_set_api_url": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_timeout_ms": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_client_options_set_connect_timeout_ms": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_client_options_set_max_retries": (_STATUS, _HANDLE, c_uint32, _ADDRESS),
    "torii_client_options_set_ca_file": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_proxy": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_user_agent_suffix": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_client_options_set_allow_http": (_STATUS, _HANDLE, c_bool, _ADDRESS),
    "torii_client_options_free": (None, _HANDLE),
    "torii_client_new": (_STATUS, *_TEXT, _HANDLE, _ADDRESS, _ADDRESS),
    "torii_client_free": (None, _HANDLE),
    "torii_json_text": (c_void_p, _HANDLE, _ADDRESS),
    "torii_json_free": (None, _HANDLE),
}

_BLOCKING = {
    "torii_verifier_refresh": (_STATUS, _HANDLE, _ADDRESS),
    "torii_verifier_refresh_due": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_revoke": (_STATUS, _HANDLE, *_TEXT, c_int64, _ADDRESS),
    "torii_verifier_set_revocations_json": (_STATUS, _HANDLE, *_TEXT, _ADDRESS),
    "torii_verifier_metrics": (_STATUS, _HANDLE, *_TEXT, _ADDRESS, _ADDRESS),
    "torii_client_request_json": (_STATUS, _HANDLE, *_TEXT * 4, _ADDRESS, _ADDRESS),
    "torii_webhook_verify": (_STATUS, _HANDLE, *_TEXT * 4, c_int64, _ADDRESS, _ADDRESS),
}

# Called through both libraries, without `argtypes`: converting nine arguments by their types takes
# as long as the call itself. The caller passes objects of these types.
_UNCONVERTED = {
    "torii_verify_into": (
        _STATUS,
        *(_HANDLE, *_TEXT, c_uint32, _HANDLE),
        *(_ADDRESS, c_size_t, _ADDRESS, _ADDRESS),
    ),
}

# The arguments of each operation, a letter each: text or number. Names in `_json` return JSON.
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
    """Loads the library that TORII_LIBRARY names, else that of the wheel, else the loader's."""
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
        f"torii_backend needs libtorii. Tried: {'; '.join(tried)}. "
        "Install libtorii where the loader finds it (on Linux, run ldconfig afterwards), "
        "install a wheel for this platform, or set TORII_LIBRARY to the full path of the library."
    )


def _load() -> tuple[str, PyDLL, CDLL]:
    path, quick, blocking = _find()
    try:
        quick.torii_abi_version.restype = c_uint32
        found = quick.torii_abi_version()
    except AttributeError as error:
        raise ImportError(f"{path} is not libtorii: {error}") from error
    if found != ABI_VERSION:
        raise ImportError(
            f"{path} has ABI version {found} (expected {ABI_VERSION}): "
            "install matching releases of libtorii and torii-backend."
        )
    _declare(quick, _QUICK)
    _declare(blocking, _BLOCKING)
    for library in (quick, blocking):
        for name, (result, *_) in _UNCONVERTED.items():
            getattr(library, name).restype = result
    return path, quick, blocking


path, quick, blocking = _load()


class Handle(c_void_p):
    """A handle of the library, freed with the last reference to it.

    A caller holds a reference during a call, so closing an object never frees the handle of a call
    on another thread.
    """

    _free: ClassVar[Any]

    def __del__(self) -> None:
        if self:
            self._free(self)

    def __reduce__(self) -> Any:
        # A copy would be freed twice.
        raise TypeError("a handle of libtorii can be neither copied nor pickled")

    def parameter(self) -> Any:
        """Converts the handle once, to pass it to many calls. Keep the handle meanwhile."""
        return c_void_p.from_param(self.value)


class Error(Handle):
    _free = quick.torii_error_free


class Json(Handle):
    _free = quick.torii_json_free


class Requirements(Handle):
    _free = quick.torii_requirements_free


class Webhook(Handle):
    _free = quick.torii_webhook_free


class VerifierOptions(Handle):
    _free = quick.torii_verifier_options_free


class Verifier(Handle):
    _free = quick.torii_verifier_free
    clock: object


class ClientOptions(Handle):
    _free = quick.torii_client_options_free


class Client(Handle):
    _free = quick.torii_client_free


class Frame(NamedTuple):
    """The buffer and the out-parameters of ``torii_verify_into``, for one call at a time."""

    record: Any
    size: c_size_t
    error: c_void_p
    arguments: tuple[Any, Any, Any, Any]
    """``buf``, ``cap``, ``size`` and ``err``."""


def frame(capacity: int = 2048) -> Frame:
    # `c_uint64` aligns the buffer; a slice of a `c_char` array is `bytes`.
    record = (c_char * capacity).from_buffer((c_uint64 * (capacity // 8))())
    size, error = c_size_t(), c_void_p()
    arguments = byref(record), size_argument(capacity), byref(size), byref(error)
    return Frame(record, size, error, arguments)


def size_argument(size: int) -> Any:
    """Converts a ``size_t`` once, to pass it to many calls."""
    return c_size_t.from_param(size)


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function whose last parameter is ``err``, and raises its error."""
    error = Error()
    if function(*arguments, byref(error)) != OK:
        raise failure(error)


def read(function: Callable[..., int | None], handle: Handle) -> str | None:
    """Reads a text that may contain U+0000."""
    length = c_size_t()
    address = function(handle, byref(length))
    return None if address is None else string_at(address, length.value).decode("utf-8", "replace")


def encode(name: str, value: str | bytes) -> bytes:
    """Encodes text. Lone surrogates become invalid UTF-8, which the library refuses."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    raise TypeError(f"{name} must be a str, not {type(value).__name__}")


def whole(name: str, value: float, limit: int = 2**32) -> int:
    """Checks a number for C: ctypes would truncate it silently."""
    number = int(value)
    if not 0 <= number < limit:
        raise ToriiUsageError(f"{name}: out of range")
    return number


def set_text(
    options: Handle, setter: Callable[..., int], name: str, value: str | bytes | None
) -> None:
    """Sets an option, unless it is None, the library's default."""
    if value is not None:
        text = encode(name, value)
        call(setter, options, text, len(text))


def set_number(
    options: Handle, setter: Callable[..., int], name: str, value: float | None, times: int = 1
) -> None:
    """As :func:`set_text`; ``times`` converts the unit."""
    if value is not None:
        call(setter, options, whole(name, value * times))


def failure(error: Error) -> ToriiError:
    """Makes the exception for an error of the library."""
    status = quick.torii_error_status(error)
    retry_after = quick.torii_error_retry_after(error)
    raised = _exception(status)(_text(error, "message") or "")
    raised.reason = ToriiStatus.of(status)
    raised.retry_after = None if retry_after < 0 else retry_after
    raised.public_code = _text(error, "public_code") or raised.public_code
    raised.public_message = _text(error, "public_message") or raised.public_message
    if isinstance(raised, (ToriiAuthError, ToriiWebhookError)):
        raised.http_status = quick.torii_status_http(status)
    if isinstance(raised, ToriiAuthError):
        raised.www_authenticate = _text(error, "www_authenticate")
    if isinstance(raised, ToriiKeysUnavailableError):
        raised.issuer = _text(error, "issuer")
    if isinstance(raised, ToriiApiError):
        raised.http_status = quick.torii_error_http_status(error)
        raised.code = _text(error, "code")
        raised.support_id = _text(error, "support_id")
        raised.body = _text(error, "body")
        raised.unsent = quick.torii_error_unsent(error)
    return raised


def _text(error: Error, part: str) -> str | None:
    return read(getattr(quick, f"torii_error_{part}"), error)


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
    """Selects the class by range: a status newer than this package has one too."""
    return next((kind for first, last, kind in _RANGES if first <= status <= last), ToriiError)


T = TypeVar("T")


def opened(handle: T | None, what: str) -> T:
    """Returns the handle of an object that is not closed."""
    if handle is None:
        raise ToriiUsageError(f"the {what} is closed")
    return handle
