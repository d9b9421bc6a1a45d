"""Signs webhooks without libtorii."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
OTHER = "whsec_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4Q="


def signed(body: bytes, *, id: str = "msg_1", sent: float | None = None) -> dict[str, str]:
    """The headers of a webhook by Standard Webhooks 1.0.0."""
    timestamp = str(int(time.time() if sent is None else sent))
    key = base64.b64decode(SECRET[len("whsec_") :])
    text = b"%b.%b.%b" % (id.encode(), timestamp.encode(), body)
    signature = base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
