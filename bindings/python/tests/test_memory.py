"""Nothing is kept that is not needed."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Callable

import pytest
from sender import SECRET, signed

from torii_backend import (
    ToriiApiError,
    ToriiAuthError,
    ToriiClient,
    ToriiRequirements,
    ToriiUsageError,
    ToriiVerifier,
    ToriiWebhookError,
    webhooks,
)
from torii_backend.testing import LocalTorii

NOBODY = "0198c5d2-0000-7000-8000-000000000000"


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def growth(work: Callable[[], object], times: int) -> int:
    """By how much memory grows, once the work has been done for a while."""
    for _ in range(times // 5):
        work()
    gc.collect()
    before = resident()
    for _ in range(times):
        work()
    gc.collect()
    return resident() - before


def test_100_000_verifications(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    valid, forged = emulator.token(), emulator.token(signer="forged")
    verifier.verify(valid)

    def accept() -> None:
        auth = verifier.verify(valid)
        assert auth.user_id
        assert auth.raw["sub"] == auth.user_id

    def refuse() -> None:
        with pytest.raises(ToriiAuthError):
            verifier.verify("not a token")

    assert growth(accept, 100_000) < 1 << 20
    assert growth(refuse, 50_000) < 1 << 20
    with pytest.raises(ToriiAuthError):
        verifier.verify(forged)


def test_1_000_calls(emulator: LocalTorii, client: ToriiClient) -> None:
    user = client.users.create(email="ada@example.com", public_metadata={"x": "x" * 4000})

    def work() -> None:
        assert client.users.get(user.id).email
        with pytest.raises(ToriiApiError):
            client.users.get(NOBODY)

    assert growth(work, 500) < 1 << 20


def test_verifiers_and_clients(emulator: LocalTorii) -> None:
    token, long = emulator.token(), "x" * 4000

    def work() -> None:
        requirements = ToriiRequirements(1, claims={"/x": long}, organizations=[(long, "a")])
        ToriiVerifier(
            emulator.issuer, audience=["a", long], requirements=requirements, clock=lambda: 0.0
        ).close()
        with pytest.raises(ToriiUsageError):
            ToriiRequirements(claims={long: "x"})
        with pytest.raises(ToriiAuthError):
            ToriiVerifier(emulator.issuer, audience="app").verify(token)
        ToriiClient(emulator.secret_key, api_url=f"{emulator.url}/{long[:2000]}").close()

    assert growth(work, 1_000) < 1 << 20


def test_webhooks() -> None:
    headers = signed(b"{}")

    def work() -> None:
        assert webhooks.verify(b"{}", headers, secrets=SECRET).id
        with pytest.raises(ToriiWebhookError):
            webhooks.verify(b"", headers, secrets=SECRET)

    assert growth(work, 20_000) < 1 << 20
