"""Exceptions.

.. code-block:: text

    ToriiError
    ├── ToriiUsageError (also a ValueError)    invalid argument or option: fix the program
    ├── ToriiAuthError                         the token is invalid: 401
    │   ├── ToriiPolicyError                   valid, but it does not meet a requirement: 403
    │   └── ToriiKeysUnavailableError          signing keys unavailable, could not verify: 503
    │       └── ToriiKeysPendingError          keys must be fetched, and this call does no I/O
    ├── ToriiApiError                          a call of torii's backend API failed
    └── ToriiWebhookError                      the webhook is invalid: 400
"""

from __future__ import annotations

from enum import IntEnum


class ToriiStatus(IntEnum):
    """The exact cause of a failure: :attr:`ToriiError.reason`."""

    OK = 0
    INVALID_ARGUMENT = 1
    INVALID_CONFIG = 2
    BUFFER_TOO_SMALL = 3
    TOKEN_MISSING = 100
    TOKEN_SCHEME = 101
    TOKEN_MALFORMED = 102
    TOKEN_TOO_LARGE = 103
    TOKEN_ALGORITHM = 104
    TOKEN_KEY_UNKNOWN = 105
    TOKEN_SIGNATURE = 106
    TOKEN_EXPIRED = 107
    TOKEN_NOT_YET_VALID = 108
    TOKEN_ISSUER = 109
    TOKEN_AUDIENCE = 110
    TOKEN_CLAIM = 111
    TOKEN_REVOKED = 112
    TOKEN_LIFETIME = 113
    POLICY = 150
    KEYS_UNAVAILABLE = 200
    KEYS_PENDING = 201
    API = 300
    TRANSPORT = 301
    TIMEOUT = 302
    RESPONSE = 303
    WEBHOOK_HEADER = 350
    WEBHOOK_SIGNATURE = 351
    WEBHOOK_TIMESTAMP = 352
    INTERNAL = 900

    @staticmethod
    def of(number: int) -> int:
        """Returns the status, or the number itself if a later release added it."""
        try:
            return ToriiStatus(number)
        except ValueError:
            return number


class ToriiError(Exception):
    """Any failure. Its text is for your log: it names the cause, and never contains a token, a key
    or a secret. :attr:`public_code` and :attr:`public_message` are for your client."""

    reason: int = ToriiStatus.INTERNAL
    """A :class:`ToriiStatus`, or a number newer than this release."""

    retry_after: int | None = None
    """Seconds after which a retry can help, if known."""

    public_code: str = "internal_error"
    """The error code to send to a client, such as ``authentication_failed``."""

    public_message: str = "Authentication failed because of a server error"
    """The message to send to a client: a constant for each status, without a claim or a URL."""


class ToriiUsageError(ToriiError, ValueError):
    """An argument or an option is invalid, and the text names it; or the object is closed."""

    reason = ToriiStatus.INVALID_ARGUMENT


class ToriiAuthError(ToriiError):
    """The token is invalid, or could not be verified."""

    reason = ToriiStatus.TOKEN_MALFORMED

    http_status: int = 401
    """The HTTP status for your client: 401, 403 or 503."""

    www_authenticate: str | None = None
    """The value of the ``WWW-Authenticate`` header (RFC 6750) for a 401 or a 403."""


class ToriiPolicyError(ToriiAuthError):
    """The token is valid but does not meet a requirement."""

    reason = ToriiStatus.POLICY
    http_status = 403


class ToriiKeysUnavailableError(ToriiAuthError):
    """Signing keys unavailable; the token could not be verified."""

    reason = ToriiStatus.KEYS_UNAVAILABLE
    http_status = 503

    issuer: str | None = None
    """The issuer whose keys are missing."""


class ToriiKeysPendingError(ToriiKeysUnavailableError):
    """The issuer's keys must be fetched first, and this call performs no I/O."""

    reason = ToriiStatus.KEYS_PENDING


class ToriiApiError(ToriiError):
    """A call of torii's backend API failed. :attr:`reason` is ``API`` if the API answered with an
    error, ``TRANSPORT`` or ``TIMEOUT`` if it did not answer, ``RESPONSE`` if its answer is
    unusable."""

    reason = ToriiStatus.API

    http_status: int = 0
    """The HTTP status of the API's answer; 0 without one."""

    code: str | None = None
    """The API's error code, such as ``invitation_not_pending``."""

    support_id: str | None = None
    """The id to name to torii's support."""

    body: str | None = None
    """The API's answer. Unlike the text of the exception it may contain personal data."""

    unsent: bool = False
    """Whether nothing of the request left this host, so that repeating it is safe."""

    @property
    def status(self) -> int:
        """The same as :attr:`http_status`."""
        return self.http_status


class ToriiWebhookError(ToriiError):
    """The webhook is invalid; :attr:`reason` is one of the ``WEBHOOK_`` statuses."""

    reason = ToriiStatus.WEBHOOK_SIGNATURE

    http_status: int = 400
    """The HTTP status for the sender."""
