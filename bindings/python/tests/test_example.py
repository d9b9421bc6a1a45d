"""The example runs."""

from __future__ import annotations

import runpy
from pathlib import Path

import httpx
import pytest
from serving import bearer, serving

from torii_backend import ToriiClient
from torii_backend.testing import LocalTorii

APP = Path(__file__).parents[1] / "example/app.py"


def test_the_example(
    emulator: LocalTorii,
    client: ToriiClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TORII_ISSUER", emulator.issuer)
    monkeypatch.setenv("TORII_SECRET_KEY", emulator.secret_key)
    monkeypatch.setenv("TORII_API_URL", emulator.url)
    user = client.users.create(first_name="Augusta", last_name="King")
    login = bearer(emulator.token(claims={"sub": user.id, "locale": "en"}))
    with serving(runpy.run_path(str(APP))["app"]) as url:
        assert httpx.get(f"{url}/me").status_code == 401
        assert httpx.get(f"{url}/me", headers=login).json() == {
            "id": user.id,
            "locale": "en",
            "first_name": "Augusta",
        }
        changes = {"firstName": "Ada", "isAdmin": True}
        answer = httpx.patch(f"{url}/me", headers=login, json=changes)
        assert answer.json() == {"first_name": "Ada", "last_name": "King"}
        client.users.delete(user.id)
        assert httpx.get(f"{url}/me", headers=login).status_code == 502
    assert "torii: " in capsys.readouterr().out
