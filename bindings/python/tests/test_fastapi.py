"""The FastAPI dependency, behind a real server."""

from __future__ import annotations

import builtins
import importlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from serving import bearer, serving

from torii_backend import ToriiAuth, ToriiRequire, ToriiRequirements, ToriiVerifier
from torii_backend.fastapi import require_auth
from torii_backend.testing import LocalTorii


def app_with(**options: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    def me(auth: ToriiAuth = Depends(require_auth(**options))) -> dict[str, str]:
        return {"user_id": auth.user_id}

    return app


@pytest.fixture
def url(emulator: LocalTorii) -> Iterator[str]:
    with serving(app_with(issuer=emulator.issuer)) as url:
        yield f"{url}/me"


def test_a_valid_token(emulator: LocalTorii, url: str) -> None:
    token = emulator.token(claims={"sub": "user-1"})
    with httpx.Client() as browser:
        for _ in range(3):
            answer = browser.get(url, headers=bearer(token))
            assert (answer.status_code, answer.json()) == (200, {"user_id": "user-1"})
    assert len(emulator.requests("/acme/")) == 1


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, 'Bearer realm="torii"'),
        ({"Authorization": ""}, 'Bearer realm="torii"'),
        ({"Authorization": "Basic dTpw"}, 'Bearer realm="torii"'),
        (bearer("x.y.z"), 'Bearer realm="torii", error="invalid_token"'),
        ({"Authorization": b"Bearer \xff\xfe"}, 'Bearer realm="torii", error="invalid_token"'),
    ],
)
def test_401(url: str, headers: Any, challenge: str) -> None:
    answer = httpx.get(url, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == challenge
    assert answer.headers["content-type"] == "application/json"
    detail = answer.json()["detail"]
    assert detail["code"] == "authentication_failed"
    assert detail["message"]


def test_401_does_not_repeat_the_token(emulator: LocalTorii, url: str) -> None:
    token = emulator.token(expires_in=-60)
    answer = httpx.get(url, headers=bearer(token))
    assert answer.status_code == 401
    assert answer.json()["detail"]["message"] == "The access token expired"
    assert not any(part in answer.text for part in token.split("."))


def test_403(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(emulator.issuer, require=ToriiRequire.EMAIL_VERIFIED)
    with serving(app_with(verifier=verifier)) as url:
        token = emulator.token(claims={"email_verified": False})
        answer = httpx.get(f"{url}/me", headers=bearer(token))
        assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "forbidden")
        challenge = 'Bearer realm="torii", error="insufficient_scope"'
        assert answer.headers["www-authenticate"] == challenge
        assert "email_verified" not in answer.text
        token = emulator.token(claims={"email_verified": True})
        assert httpx.get(f"{url}/me", headers=bearer(token)).status_code == 200


def test_503(emulator: LocalTorii, url: str) -> None:
    emulator.fault("/acme/", kind="reset")
    answer = httpx.get(url, headers=bearer(emulator.token()))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json() == {
        "detail": {
            "code": "keys_unavailable",
            "message": "Authentication is temporarily unavailable",
        }
    }


def test_fetching_keys_does_not_hold_up_the_event_loop(emulator: LocalTorii) -> None:
    app = app_with(verifier=emulator.verifier(fetch_timeout=60))

    @app.get("/ping")
    async def ping() -> str:
        return "pong"

    emulator.fault("/acme/", kind="hang")
    with serving(app) as url:
        token = emulator.token()
        answers: list[httpx.Response] = []
        waiting = threading.Thread(
            target=lambda: answers.append(
                httpx.get(f"{url}/me", headers=bearer(token), timeout=120)
            )
        )
        waiting.start()
        emulator.control("GET", "/requests?path=/acme/&at_least=1&timeout_ms=120000")
        assert httpx.get(f"{url}/ping", timeout=120).json() == "pong"
        assert waiting.is_alive()
        emulator.control("DELETE", "/faults")
        waiting.join(120)
        assert answers[0].status_code == 503


def test_another_header(emulator: LocalTorii) -> None:
    token = emulator.token()
    with serving(app_with(issuer=emulator.issuer, header="X-Login")) as url:
        assert httpx.get(f"{url}/me", headers=bearer(token)).status_code == 401
        answer = httpx.get(f"{url}/me", headers={"x-login": f"Bearer {token}"})
        assert answer.status_code == 200


def test_a_cookie_is_the_second_source(emulator: LocalTorii) -> None:
    one, two = (emulator.token(claims={"sub": name}) for name in ("one", "two"))
    with serving(app_with(issuer=emulator.issuer, cookie="login")) as url:

        def user(headers: dict[str, str]) -> Any:
            return httpx.get(f"{url}/me", headers=headers).json().get("user_id")

        assert user({"Cookie": f"theme=dark; login={one}"}) == "one"
        assert user({"Cookie": f"login={one}", **bearer(two)}) == "two"
        assert user({"Cookie": f"login={one}", **bearer("x")}) is None
        assert user({"Cookie": f"other={one}"}) is None
    with serving(app_with(issuer=emulator.issuer)) as url:
        assert user({"Cookie": f"login={one}"}) is None


@pytest.mark.parametrize(
    ("options", "scheme"),
    [
        ({}, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
        ({"header": "X-Login"}, {"type": "apiKey", "in": "header", "name": "X-Login"}),
    ],
)
def test_the_documentation_asks_for_a_login(options: Any, scheme: dict[str, str]) -> None:
    document = app_with(issuer="https://acme.torii.so", **options).openapi()
    (name,) = document["paths"]["/me"]["get"]["security"][0]
    assert document["components"]["securitySchemes"][name] == scheme


def test_an_issuer_is_needed() -> None:
    with pytest.raises(TypeError, match="`issuer` or `verifier`"):
        require_auth()


@pytest.mark.parametrize(
    "option",
    [
        {"issuer": "https://acme.torii.so"},
        {"audience": "api"},
        {"leeway": 30},
        {"realm": "x"},
        {"resource_metadata": "https://x.example"},
    ],
)
def test_options_of_the_verifier_are_not_ignored(option: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="options of the verifier"):
        require_auth(verifier=ToriiVerifier("https://acme.torii.so"), **option)


def test_skip_is_a_list() -> None:
    with pytest.raises(TypeError, match="skip must be a list of paths"):
        require_auth(issuer="https://acme.torii.so", skip="/health")


def test_a_path_is_skipped_without_its_query_only(emulator: LocalTorii) -> None:
    app = FastAPI(dependencies=[Depends(require_auth(issuer=emulator.issuer, skip=["/health"]))])

    @app.get("/{path:path}")
    def anything(path: str) -> str:
        return path

    with serving(app) as url:
        for path in ("/health", "/health?x=1", "/%68ealth"):
            assert httpx.get(f"{url}{path}").status_code == 200, path
        # The router sees `/health?x`, `/health#` and `/health/`.
        for path in ("/health%3Fx", "/health%23", "/health/", "/health%2F", "//health", "/"):
            assert httpx.get(f"{url}{path}").status_code == 401, path


def test_the_dependency_returns_none_in_optional_mode(emulator: LocalTorii) -> None:
    app = FastAPI()
    verifier = ToriiVerifier(emulator.issuer, realm="api", resource_metadata="https://x.example/m")
    whoever = require_auth(verifier=verifier, optional=True)
    member = ToriiRequirements(organizations=[("org-1", "admin")])
    admin = require_auth(verifier=verifier, optional=True, requirements=member)

    @app.get("/me")
    def me(auth: Any = Depends(whoever)) -> Any:
        return auth and auth.user_id

    @app.get("/admin")
    def administer(auth: Any = Depends(admin)) -> Any:
        return auth.organization_id

    with serving(app) as url:
        assert httpx.get(f"{url}/me").json() is None
        assert httpx.get(f"{url}/me", headers={"Authorization": "Bearer"}).status_code == 401
        answer = httpx.get(f"{url}/admin")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == (
            'Bearer realm="api", resource_metadata="https://x.example/m"'
        )
        for role, status in (("admin", 200), ("member", 403)):
            token = emulator.token(claims={"sub": "u", "o": {"id": "org-1", "rol": role}})
            assert httpx.get(f"{url}/me", headers=bearer(token)).json() == "u"
            assert httpx.get(f"{url}/admin", headers=bearer(token)).status_code == status


def test_without_fastapi_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "fastapi":
            raise ImportError("No module named 'fastapi'")
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "torii_backend.fastapi")
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"torii-backend\[fastapi\]"):
        importlib.import_module("torii_backend.fastapi")
