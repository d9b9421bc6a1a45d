"""Verifying webhooks by Standard Webhooks 1.0.0.

.. code-block:: python

    from torii_backend import webhooks

    webhook = webhooks.verify(body, request.headers, secrets=[secret])
    print(webhook.id)
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from ctypes import byref, c_int64
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from torii_backend import _native
from torii_backend._native import blocking, quick
from torii_backend.errors import ToriiStatus, ToriiUsageError

# In the order of the parameters in C. The second set is read if no header of the first is present.
_HEADERS = (
    ("webhook-id", "webhook-timestamp", "webhook-signature"),
    ("svix-id", "svix-timestamp", "svix-signature"),
)


@dataclass(frozen=True)
class ToriiWebhook:
    """A verified webhook."""

    id: str
    """The id, the same at each delivery of a webhook."""

    sent_at: datetime
    """When the webhook was sent, in UTC."""


class ToriiWebhookVerifier:
    """Verifies webhooks. Any number of threads may use one at once.

    :param secrets: ``whsec_…``, or several while secrets are being rotated.
    :param tolerance: how many whole seconds a webhook's timestamp may lie before or after now.
    :raises ToriiUsageError: if a secret is invalid; the text gives its number, not its value.
    """

    def __init__(self, secrets: str | Iterable[str], *, tolerance: float = 300) -> None:
        # None is what an environment without the variable gives.
        several = [secrets] if isinstance(secrets, str) or secrets is None else list(secrets)
        if not several:
            raise _invalid_config("secrets: empty (expected at least one)")
        handle: _native.Webhook = _native.Webhook()
        for number, secret in enumerate(several, 1):
            name = f"secrets: number {number}"
            text = _native.encode(name, secret)
            try:
                if number == 1:
                    _native.call(quick.torii_webhook_new, text, len(text), byref(handle))
                else:
                    _native.call(quick.torii_webhook_add_secret, handle, text, len(text))
            except ToriiUsageError as error:
                reason = str(error).removeprefix("secret: ")
                raise _invalid_config(f"{name}: {reason}") from None
        seconds = _native.whole("tolerance", tolerance)
        _native.call(quick.torii_webhook_set_tolerance_seconds, handle, seconds)
        self._handle = handle

    def verify(
        self,
        body: bytes | bytearray | memoryview,
        headers: Mapping[str, Any],
        *,
        now: float | datetime | None = None,
    ) -> ToriiWebhook:
        """Verifies a webhook. It may be delivered more than once, with the same id: ignore ids you
        have processed.

        :param body: the body of the request as received, before any parsing.
        :param headers: the headers of the request, of any framework: ``webhook-id``,
            ``webhook-timestamp`` and ``webhook-signature`` or, if none of these is present,
            ``svix-id`` and so on. Case does not matter.
        :param now: the time, or Unix seconds, instead of the system's time.
        :raises ToriiWebhookError: if the webhook is invalid; its ``http_status`` is 400.
        """
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise TypeError(f"body must be bytes as received, not {type(body).__name__}")
        values = _find(headers)
        if now is None:
            now = time.time()
        elif isinstance(now, datetime):
            now = now.timestamp()
        sent_at = c_int64()
        _native.call(
            blocking.torii_webhook_verify,
            self._handle,
            *(argument for text in (*values, bytes(body)) for argument in (text, len(text))),
            _native.whole("now", now),
            byref(sent_at),
        )
        sent = datetime.fromtimestamp(sent_at.value, timezone.utc)
        return ToriiWebhook(values[0].decode("utf-8", "replace"), sent)


def verify(
    body: bytes | bytearray | memoryview,
    headers: Mapping[str, Any],
    *,
    secrets: str | Iterable[str],
    tolerance: float = 300,
    now: float | datetime | None = None,
) -> ToriiWebhook:
    """Verifies a webhook as :meth:`ToriiWebhookVerifier.verify` does."""
    return ToriiWebhookVerifier(secrets, tolerance=tolerance).verify(body, headers, now=now)


def _invalid_config(text: str) -> ToriiUsageError:
    error = ToriiUsageError(text)
    error.reason = ToriiStatus.INVALID_CONFIG
    return error


def _find(headers: Mapping[str, Any]) -> list[bytes]:
    """Returns id, timestamp and signature; ``b""`` for a missing header."""
    if not hasattr(headers, "items"):
        raise TypeError(f"headers must be a mapping, not {type(headers).__name__}")
    found: dict[str, list[bytes]] = {}
    for name, value in headers.items():
        name = str(name).lower()
        if value is not None and any(name in names for names in _HEADERS):
            several = value if isinstance(value, (list, tuple)) else [value]
            found.setdefault(name, []).extend(_native.encode(name, each) for each in several)
    ours, others = _HEADERS
    names = ours if any(found.get(name) for name in ours) else others
    return [b", ".join(found.get(name, [])) for name in names]
