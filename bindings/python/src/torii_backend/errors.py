"""What can go wrong.

.. code-block:: text

    ToriiError
    ├── ToriiUsageError (also a ValueError)    an argument or an option is wrong: mend the program
    ├── ToriiAuthError                         the token is bad: 401
    │   ├── ToriiPolicyError                   the token is good, but refused by a requirement: 403
    │   └── ToriiKeysUnavailableError          nothing can be said, since the keys are missing: 503
    │       └── ToriiKeysPendingError          … and a call that does no I/O cannot fetch them
    ├── ToriiApiError                          a call to torii's backend API failed
    └── ToriiWebhookError                      the webhook is not genuine: 400
"""

from __future__ import annotations

from enum import IntEnum


class ToriiStatus(IntEnum):
    """Why exactly something failed: :attr:`ToriiError.reason`."""

    OK = 0
    INVALID_ARGUMENT = 1
    INVALID_CONFIG = 2
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
        """The status of that number, or the number when a later release has added it."""
        try:
            return ToriiStatus(number)
        except ValueError:
            return number


class ToriiError(Exception):
    """Any failure. The text never holds a token, a key or a secret, so it can be logged."""

    reason: int = ToriiStatus.INTERNAL
    """A :class:`ToriiStatus`, or a number newer than this release."""

    retry_after: int | None = None
    """Seconds after which trying again can help, if known."""


class ToriiUsageError(ToriiError, ValueError):
    """An argument or an option is wrong; the text names it. Or the object is closed."""

    reason = ToriiStatus.INVALID_ARGUMENT


class ToriiAuthError(ToriiError):
    """The token is not to be trusted."""

    reason = ToriiStatus.TOKEN_MALFORMED

    http_status: int = 401
    """With what to answer the client: 401, 403 or 503."""


class ToriiPolicyError(ToriiAuthError):
    """The token is good, but does not meet what the verifier requires."""

    reason = ToriiStatus.POLICY
    http_status = 403


class ToriiKeysUnavailableError(ToriiAuthError):
    """The issuer's keys cannot be had, so nothing can be said about the token."""

    reason = ToriiStatus.KEYS_UNAVAILABLE
    http_status = 503


class ToriiKeysPendingError(ToriiKeysUnavailableError):
    """The issuer's keys have to be fetched first, and this call does no I/O."""

    reason = ToriiStatus.KEYS_PENDING


class ToriiApiError(ToriiError):
    """A call to torii's backend API failed: :attr:`reason` is ``API`` when it was answered,
    ``TRANSPORT``, ``TIMEOUT`` or ``RESPONSE`` when it was not, or with what makes no sense."""

    reason = ToriiStatus.API

    http_status: int = 0
    """What the API answered; 0 when it did not."""

    code: str | None = None
    """torii's name for the problem, as in ``invitation_not_pending``."""

    support_id: str | None = None
    """What torii's support asks for."""

    body: str | None = None
    """The answer as it came."""

    @property
    def status(self) -> int:
        """The same as :attr:`http_status`."""
        return self.http_status


class ToriiWebhookError(ToriiError):
    """The webhook is not genuine; :attr:`reason` tells what is wrong about it."""

    reason = ToriiStatus.WEBHOOK_SIGNATURE

    http_status: int = 400
    """With what to answer the sender."""
