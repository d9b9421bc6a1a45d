"""Compares libtorii with the reference library of Standard Webhooks.

    python webhooks.py path/to/verify.json path/to/libtorii.so

Both agree on every webhook of tests/behaviour except those in the table of README.md. libtorii accepts the
webhooks that the reference library signs, and refuses them once a byte is changed.
"""

import ctypes
import json
import random
import re
import sys
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from unittest import mock

import standardwebhooks.webhooks as reference
from libtorii import text

TOLERANCE = 300  # the reference library has no other


def expanded(value):
    return value if isinstance(value, str) else "".join(piece * times for piece, times in value["repeat"])


def by_reference(case, body):
    """Returns whether the reference library accepts the webhook with any of the secrets."""
    headers = {f"webhook-{name}": expanded(case[name]) for name in ("id", "timestamp", "signature")}
    with mock.patch.object(reference, "datetime", wraps=datetime) as clock:
        clock.now.return_value = datetime.fromtimestamp(case["now"], timezone.utc)
        for secret in case["secrets"]:
            try:
                reference.Webhook(secret).verify(body, headers, json_parse=False)
                return True
            except Exception:  # Its own, and those of the libraries it leans on.
                pass
    return False


def by_libtorii(library, case, body):
    webhook = ctypes.c_void_p()
    try:
        for number, secret in enumerate(case["secrets"]):
            if number == 0:
                status = library.torii_webhook_new(*text(secret), ctypes.byref(webhook), None)
            else:
                status = library.torii_webhook_add_secret(webhook, *text(secret), None)
            if status != 0:
                return False
        if library.torii_webhook_set_tolerance_seconds(webhook, ctypes.c_uint32(case["tolerance"]), None) != 0:
            return False
        arguments = []
        for name in ("id", "timestamp", "signature"):
            arguments += text(expanded(case[name]))
        arguments += [body, ctypes.c_size_t(len(body)), ctypes.c_int64(case["now"])]
        return library.torii_webhook_verify(webhook, *arguments, None, None) == 0
    finally:
        library.torii_webhook_free(webhook)


def excuses():
    """The rows of the table: a pattern of names, and what the reference library says."""
    readme = (Path(__file__).parent / "README.md").read_text()
    return dict(re.findall(r"^\| `(webhook-[^`]+)` \| (accepted|refused) \|", readme, re.M))


def main(corpus, library):
    library = ctypes.CDLL(library)
    allowed, used, compared = excuses(), set(), 0
    for case in json.loads(Path(corpus).read_text())["webhooks"]:
        if case["tolerance"] != TOLERANCE:
            continue
        body, compared = bytes.fromhex(case["body_hex"]), compared + 1
        theirs, ours = by_reference(case, body), by_libtorii(library, case, body)
        assert ours == (case["expect"]["status"] == "TORII_OK"), case["name"]
        if theirs != ours:
            result = "accepted" if theirs else "refused"
            row = [name for name, said in allowed.items() if said == result and fnmatchcase(case["name"], name)]
            assert row, f"{case['name']}: the reference library says {result}"
            used.update(row)
    assert used == set(allowed), f"no difference any more: {set(allowed) - used}"

    rng = random.Random(1)
    for number in range(200):
        secret = "whsec_" + reference.base64.b64encode(rng.randbytes(rng.randint(24, 64))).decode()
        sent = datetime.fromtimestamp(rng.randint(0, 2**33), timezone.utc)
        body = "".join(chr(rng.choice([rng.randint(0, 0x7F), 0xE9, 0x6F22, 0x1F511])) for _ in range(rng.randint(0, 300)))
        signature = reference.Webhook(secret).sign(f"msg_{number}", sent, body)
        now = int(sent.timestamp())
        case = {"secrets": [secret], "id": f"msg_{number}", "timestamp": str(now), "signature": signature}
        case |= {"now": now, "tolerance": 1}
        raw = body.encode()
        assert by_libtorii(library, case, raw), (number, "a webhook of the reference library is refused")
        assert not by_libtorii(library, case | {"id": f"msg_{number + 1}"}, raw)
        assert not by_libtorii(library, case, raw + b" ")
        if raw:
            at = rng.randrange(len(raw))
            assert not by_libtorii(library, case, raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1 :])
    print(f"{compared} webhooks verified by both, {len(used)} rows of differences, 200 signed and accepted")


if __name__ == "__main__":
    main(*sys.argv[1:])
