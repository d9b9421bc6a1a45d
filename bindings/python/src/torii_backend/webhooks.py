"""Judging webhooks, as Standard Webhooks 1.0.0 says.

.. code-block:: python

    from torii_backend import webhooks

    webhook = webhooks.verify(body, request.headers, secrets=[secret])
    print(webhook.id)
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from ctypes import byref, c_int64, c_size_t
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from torii_backend import _native
from torii_backend._native import blocking
from torii_backend.errors import ToriiStatus, ToriiUsageError

# In the order in which the library takes them; the second where none of the first is there.
_HEADERS = (
    ("webhook-id", "webhook-timestamp", "webhook-signature"),
    ("svix-id", "svix-timestamp", "svix-signature"),
)
_WHITE_SPACE = b" \t\n\v\f\r"


@dataclass(frozen=True)
class ToriiWebhook:
    """What is known of a webhook that is genuine."""

    id: str
    """The same each time a webhook is delivered."""

    sent_at: datetime
    """When it was sent, in UTC."""

    secret_index: int = 0
    """Which of the secrets it was signed with."""


def verify(
    body: bytes | bytearray | memoryview,
    headers: Mapping[str, Any],
    *,
    secrets: str | Iterable[str],
    tolerance: float = 300,
    now: float | datetime | None = None,
) -> ToriiWebhook:
    """Tells whether a webhook is genuine, as Standard Webhooks 1.0.0 says it: signed with one of
    the secrets, and sent lately. It can be delivered more than once, each time with the same id:
    remember those of the last minutes if that does harm.

    :param body: the body of the request, before anything parsed it.
    :param headers: those of the request, of whatever framework: ``webhook-id``,
        ``webhook-timestamp`` and ``webhook-signature`` or, where there is none of these,
        ``svix-id`` and so on. Case does not matter.
    :param secrets: ``whsec_…``, or several while they are being changed.
    :param tolerance: how many whole seconds before or after ``now`` it may have been sent.
    :param now: the time, or Unix seconds, instead of the system's time.
    :raises ToriiWebhookError: if it is not genuine; its ``http_status`` is 400.
    :raises ToriiUsageError: for a secret that is none, by its number.
    """
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"body must be bytes as they arrived, not {type(body).__name__}")
    values = _find(headers)
    if now is None:
        now = time.time()
    elif isinstance(now, datetime):
        now = now.timestamp()
    index, sent_at = c_size_t(), c_int64()
    texts = [_join(secrets), *values, bytes(body)]
    _native.call(
        blocking.torii_webhook_verify_standard,
        *(argument for text in texts for argument in (text, len(text))),
        _native.whole("now", now),
        _native.whole("tolerance", tolerance),
        byref(index),
        byref(sent_at),
    )
    sent = datetime.fromtimestamp(sent_at.value, timezone.utc)
    return ToriiWebhook(values[0].decode("utf-8", "replace"), sent, index.value)


def _join(secrets: str | Iterable[str]) -> bytes:
    """An empty secret would not count, and a space would be the end of one."""
    texts = []
    # None is what an environment without the variable gives.
    several = [secrets] if isinstance(secrets, str) or secrets is None else secrets
    for number, secret in enumerate(several, 1):
        name = f"secrets: number {number}"
        text = _native.encode(name, secret)
        if not text or any(byte in text for byte in _WHITE_SPACE):
            error = ToriiUsageError(f"{name}: empty, or with white space in it")
            error.reason = ToriiStatus.INVALID_CONFIG
            raise error
        texts.append(text)
    return b" ".join(texts)


def _find(headers: Mapping[str, Any]) -> list[bytes]:
    """Id, timestamp and signature; ``b""`` is one that is missing."""
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
