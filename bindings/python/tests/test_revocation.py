"""Tokens refused before they expire."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from torii_backend import ToriiAuthError, ToriiStatus, ToriiUsageError, ToriiVerifier
from torii_backend.testing import LocalTorii


def status_of(verifier: ToriiVerifier, token: str) -> int:
    try:
        verifier.verify(token)
    except ToriiAuthError as error:
        assert error.http_status == 401
        return error.reason
    return ToriiStatus.OK


def banned(user: str) -> dict[str, Any]:
    return {"revoked": [{"sub": user, "before": "all"}]}


@pytest.mark.parametrize("before", [time.time, lambda: datetime.now(timezone.utc)])
def test_the_next_call_refuses_a_cached_token(
    emulator: LocalTorii, verifier: ToriiVerifier, before: Any
) -> None:
    token, other = (emulator.token({"sub": user}) for user in ("user-1", "user-2"))
    acting = emulator.token({"sub": "user-2", "act": {"sub": "user-1"}})
    assert {status_of(verifier, each) for each in (token, token, other, acting)} == {ToriiStatus.OK}
    assert verifier.stats()["hits"] == 1
    verifier.revoke("user-1", before())
    assert status_of(verifier, token) == status_of(verifier, acting) == ToriiStatus.TOKEN_REVOKED
    assert status_of(verifier, other) == ToriiStatus.OK
    # Issued later than the leeway after the ban.
    later = emulator.token({"sub": "user-1"}, now_offset=31)
    assert status_of(ToriiVerifier(emulator.issuer, leeway=60), later) == ToriiStatus.OK
    verifier.revoke("user-1", 0)
    assert status_of(verifier, token) == ToriiStatus.TOKEN_REVOKED, "the later time counts"


def test_a_time_includes_its_second(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(emulator.issuer, leeway=0)
    token = emulator.token({"sub": "user-1"})
    issued_at = verifier.verify(token).issued_at
    verifier.revoke("user-1", issued_at - 1)
    assert status_of(verifier, token) == ToriiStatus.OK
    moment = datetime.fromtimestamp(issued_at, timezone.utc) - timedelta(microseconds=1)
    verifier.revoke("user-1", moment)
    assert status_of(verifier, token) == ToriiStatus.TOKEN_REVOKED


def test_every_token_of_a_user(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    verifier.revoke_all("user-1")
    token = emulator.token({"sub": "user-1"}, now_offset=20)
    assert status_of(verifier, token) == ToriiStatus.TOKEN_REVOKED


def test_a_list_is_replaced_only_by_itself(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    tokens = {user: emulator.token({"sub": user}) for user in ("user-1", "user-2")}
    verifier.revoke_all("user-2")
    for form in (
        banned("user-1"),
        json.dumps(banned("user-1")),
        json.dumps(banned("user-1")).encode(),
    ):
        verifier.set_revocations(form)
        assert status_of(verifier, tokens["user-1"]) == ToriiStatus.TOKEN_REVOKED
        with pytest.raises(ToriiUsageError):
            verifier.set_revocations({"revoked": [{"sub": "user-3"}]})
        assert status_of(verifier, tokens["user-1"]) == ToriiStatus.TOKEN_REVOKED, "the list stays"
        verifier.set_revocations({"revoked": []})
        assert status_of(verifier, tokens["user-1"]) == ToriiStatus.OK, "the ban is lifted"
    assert status_of(verifier, tokens["user-2"]) == ToriiStatus.TOKEN_REVOKED


def test_a_file(emulator: LocalTorii, tmp_path: Path) -> None:
    file = tmp_path / "revocations.json"
    file.write_text(json.dumps({"revoked": []}))
    verifier = ToriiVerifier(emulator.issuer, revocations_file=file)
    token = emulator.token({"sub": "user-1"})
    for content, expected in (
        ({"revoked": []}, ToriiStatus.OK),
        (banned("user-1"), ToriiStatus.TOKEN_REVOKED),
        ({"revoked": []}, ToriiStatus.OK),
    ):
        file.write_text(json.dumps(content))
        deadline = time.monotonic() + 120
        while status_of(verifier, token) != expected:
            assert time.monotonic() < deadline
    with pytest.raises(ToriiUsageError, match="revocations"):
        ToriiVerifier(emulator.issuer, revocations_file=tmp_path / "missing.json")


@pytest.mark.parametrize(
    "before", [datetime(2026, 1, 1), float("nan"), float("inf"), 2**63, time.time() + 3 * 86400]
)
def test_wrong_times(verifier: ToriiVerifier, before: Any) -> None:
    with pytest.raises(ToriiUsageError):
        verifier.revoke("user-1", before)


def test_wrong_users(verifier: ToriiVerifier) -> None:
    with pytest.raises(ToriiUsageError, match="user_id"):
        verifier.revoke("", 0)
    with pytest.raises(TypeError, match="user_id"):
        verifier.revoke_all(None)  # type: ignore[arg-type]
