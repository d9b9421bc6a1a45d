"""Metrics as a scrape gets them."""

from __future__ import annotations

import pytest

from torii_backend import METRICS_TYPE, ToriiAuthError, ToriiVerifier
from torii_backend.testing import LocalTorii


def test_metrics(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    token = emulator.token()
    for _ in range(3):
        verifier.verify(token)
    with pytest.raises(ToriiAuthError):
        verifier.verify("x")
    text = verifier.metrics()
    assert text.endswith("# EOF\n")
    for status, count in ("TORII_OK", 3), ("TORII_ERR_TOKEN_MALFORMED", 1):
        assert f'\ntorii_tokens_total{{status="{status}"}} {count}\n' in text
    assert emulator.issuer not in text
    assert METRICS_TYPE.startswith("application/openmetrics-text; version=1.0.0")


def test_the_issuer_is_a_label_on_request(emulator: LocalTorii) -> None:
    others = [f"http://127.0.0.1:1/{'x' * 100}{number}" for number in range(60)]
    verifier = ToriiVerifier(emulator.issuer, issuers=others, metrics_issuer_label=True)
    verifier.verify(emulator.token())
    # More than the first buffer holds.
    text = verifier.metrics()
    assert all(issuer in text for issuer in [emulator.issuer, *others])
    assert text.endswith("# EOF\n")
