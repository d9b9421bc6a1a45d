"""Every operation against the local torii, which holds each request to torii's contract."""

from __future__ import annotations

import json
import re
import socket
import time
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from conftest import REPOSITORY

from torii_backend import (
    ToriiApiError,
    ToriiClient,
    ToriiStatus,
    ToriiUpdateUserInput,
    ToriiUsageError,
    create_torii_client,
)
from torii_backend.testing import LocalTorii

NOBODY = "0198c5d2-0000-7000-8000-000000000000"


def last(emulator: LocalTorii) -> dict[str, Any]:
    return emulator.requests("/api")[-1]


def sent(emulator: LocalTorii) -> Any:
    body = last(emulator)["body"]
    return json.loads(body) if body else None


def make_organization(emulator: LocalTorii, name: str, *members: str) -> str:
    made = emulator.control("POST", "/issuers/acme/organizations", {"name": name})
    for user_id in members:
        member = {"user_id": user_id, "role": "org:member", "role_name": "Member"}
        emulator.control("POST", f"/issuers/acme/organizations/{made['id']}/members", member)
    identity: str = made["id"]
    return identity


def test_users(emulator: LocalTorii, client: ToriiClient) -> None:
    user = client.users.create(
        email="ada@example.com",
        first_name="Ada",
        public_metadata={"snake_case": {"camelCase": None, "a": [1, 2.5, "ü"]}},
    )
    assert sent(emulator) == {
        "email": "ada@example.com",
        "firstName": "Ada",
        "publicMetadata": {"snake_case": {"camelCase": None, "a": [1, 2.5, "ü"]}},
    }
    assert (user.email, user.first_name, user.status) == ("ada@example.com", "Ada", "active")
    assert user.environment_id == emulator.environment_id
    assert abs(user.created_at - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert user.raw["firstName"] == "Ada"
    assert client.users.get(user.id) == user == client.users.get(UUID(user.id))

    assert client.users.ban(user.id).status == "banned"
    assert client.users.unban(user.id).status == "active"

    merged = client.users.update_metadata(
        user.id, public_metadata={"snake_case": None, "b": 1}, private_metadata={"c": 2}
    )
    assert sent(emulator) == {
        "publicMetadata": {"snake_case": None, "b": 1},
        "privateMetadata": {"c": 2},
    }
    assert (merged.public_metadata, merged.private_metadata) == ({"b": 1}, {"c": 2})

    client.users.delete(user.id)
    assert (last(emulator)["method"], sent(emulator)) == ("DELETE", None)
    with pytest.raises(ToriiApiError) as caught:
        client.users.get(user.id)
    assert caught.value.http_status == 403


@pytest.mark.parametrize(
    ("fields", "wire"),
    [
        ({}, {}),
        ({"first_name": "Ada"}, {"firstName": "Ada"}),
        ({"last_name": None}, {"lastName": None}),
        ({"name": "Ada", "phone": None}, {"name": "Ada", "phone": None}),
        ({"unsafe_metadata": {"a_b": None}}, {"unsafeMetadata": {"a_b": None}}),
        ({"date_of_birth": date(1815, 12, 10)}, {"dateOfBirth": "1815-12-10"}),
    ],
)
def test_an_update_sets_clears_or_leaves_alone(
    emulator: LocalTorii, client: ToriiClient, fields: Any, wire: Any
) -> None:
    user = client.users.create(first_name="Augusta", last_name="King")
    client.users.update(user.id, **fields)
    assert sent(emulator) == wire
    client.users.update(user.id, ToriiUpdateUserInput(**fields))
    assert sent(emulator) == wire
    now = client.users.get(user.id)
    assert now.first_name == fields.get("first_name", "Augusta")
    assert now.last_name == fields.get("last_name", "King")


def test_listing_users(emulator: LocalTorii, client: ToriiClient) -> None:
    users = [client.users.create(email=f"u{number}@example.com") for number in range(5)]

    first = client.users.list(limit=2)
    assert (last(emulator)["query"], sent(emulator)) == ("limit=2", None)
    assert [user.id for user in first] == [user.id for user in users[:2]]
    assert (len(first), first.has_more) == (2, True)
    second = first.next_page()
    assert second is not None
    assert second.items == client.users.list(limit=2, cursor=first.next_cursor).items
    assert [user.id for user in first.all()] == [user.id for user in users]

    page = client.users.list(
        email="U3@EXAMPLE",
        user_ids=[user.id for user in users],
        statuses=["active"],
        created_after=users[0].created_at - timedelta(seconds=1),
        created_before=users[0].created_at + timedelta(hours=1),
    )
    assert [user.email for user in page.all()] == ["u3@example.com"]
    assert set(sent(emulator)) == {
        "email",
        "userIds",
        "statuses",
        "createdAfter",
        "createdBefore",
    }
    assert last(emulator)["query"] == ""

    assert len(client.users.list(email_addresses=["u1@example.com", "u2@example.com"])) == 2
    assert len(client.users.list(user_ids=[])) == 0
    assert len(client.users.list(name=None)) == 5
    assert sent(emulator) == {"name": None}

    filtered = client.users.list(limit=1, statuses=["active"])
    assert len(list(filtered.all())) == 5
    assert sent(emulator) == {"statuses": ["active"]}, "filters come with every cursor"


def test_sessions(emulator: LocalTorii, client: ToriiClient) -> None:
    user = client.users.create(email="ada@example.com")
    for agent in ("old", "new"):
        wish = {"user_id": user.id, "user_agent": agent, "ip_address": "192.0.2.1"}
        emulator.control("POST", "/issuers/acme/sessions", wish)
    sessions = client.sessions.list_for_user(user.id)
    assert {session.user_agent for session in sessions} == {"old", "new"}
    assert sessions[0].user_id == user.id
    assert sessions[0].expires_at > sessions[0].created_at
    client.sessions.revoke(user.id, sessions[0].id)
    assert [each.id for each in client.sessions.list_for_user(user.id)] == [sessions[1].id]
    client.sessions.revoke_all_for_user(user.id)
    assert client.sessions.list_for_user(user.id) == []


def test_organizations(emulator: LocalTorii, client: ToriiClient) -> None:
    users = [client.users.create(email=f"u{number}@example.com") for number in range(3)]
    engines = make_organization(emulator, "Analytical Engines", *(user.id for user in users))
    make_organization(emulator, "Difference & Sons", users[0].id)

    assert [each.name for each in client.organizations.list(limit=1).all()] == [
        "Analytical Engines",
        "Difference & Sons",
    ]
    assert len(client.organizations.list(name="nce & s")) == 1
    assert last(emulator)["query"] == "name=nce%20%26%20s"
    organization = client.organizations.get(engines)
    assert (organization.id, organization.name) == (engines, "Analytical Engines")

    members = client.organizations.list_members(engines, limit=2)
    assert [member.user_id for member in members.all()] == sorted(user.id for user in users)
    assert members.items[0].role == "org:member"
    memberships = client.users.list_organizations(users[0].id, limit=1)
    assert [each.name for each in memberships.all()] == [
        "Analytical Engines",
        "Difference & Sons",
    ]

    changed = client.organizations.update_metadata(engines, public_metadata={"a": 1})
    assert (sent(emulator), changed.public_metadata) == ({"publicMetadata": {"a": 1}}, {"a": 1})
    member = client.organizations.update_member_metadata(
        engines, users[0].id, private_metadata={"b": {"c": None, "d": 2}}
    )
    assert sent(emulator) == {"privateMetadata": {"b": {"c": None, "d": 2}}}
    assert (member.user_id, member.private_metadata) == (users[0].id, {"b": {"d": 2}})


def test_invitations(emulator: LocalTorii, client: ToriiClient) -> None:
    invitation = client.invitations.create(email="x@example.com")
    assert sent(emulator) == {
        "email": "x@example.com",
        "publicMetadata": {},
        "privateMetadata": {},
    }
    assert (invitation.status, invitation.public_metadata) == ("PENDING", None)
    other = client.invitations.create(
        email="y@example.com", expires_in_days=3, public_metadata={"team": 1}
    )
    assert sent(emulator)["expiresInDays"] == 3

    assert client.invitations.get(other.id).public_metadata == {"team": 1}
    assert client.invitations.resend(other.id).id == other.id
    changed = client.invitations.update_metadata(other.id, public_metadata={"team": 2})
    assert changed.public_metadata == {"team": 2}
    assert [each.id for each in client.invitations.list(limit=1).all()] == [invitation.id, other.id]

    client.invitations.revoke(other.id)
    page = client.invitations.list(statuses=["REVOKED", "EXPIRED"], search="y@ex")
    assert [each.id for each in page] == [other.id]
    assert last(emulator)["query"] == "status=REVOKED&status=EXPIRED&search=y%40ex"
    with pytest.raises(ToriiApiError) as caught:
        client.invitations.update_metadata(other.id, public_metadata={})
    assert (caught.value.status, caught.value.code) == (409, "invitation_not_pending")
    assert json.loads(caught.value.body or "")["invitationStatus"] == "REVOKED"


def test_impersonation_and_origins(emulator: LocalTorii, client: ToriiClient) -> None:
    ada, bob = (client.users.create(email=f"{name}@example.com") for name in ("ada", "bob"))
    token = client.impersonation.create_token(
        ada.id, actor_user_id=bob.id, reason="support", expires_in_seconds=60
    )
    assert sent(emulator) == {
        "actorUserId": bob.id,
        "reason": "support",
        "expiresInSeconds": 60,
    }
    assert token.expires_in_seconds == 60
    assert token.token not in repr(token)

    origins = ["https://app.example.com", "http://localhost:3000"]
    assert client.allowed_origins.set(origins).origins == origins
    assert client.allowed_origins.get().origins == origins


def test_an_operation_newer_than_this_release(emulator: LocalTorii, client: ToriiClient) -> None:
    user = client.request("POST", "/api/server/v1/users", body={"email": "x@example.com"})
    page = client.request("GET", "/api/server/v1/invitations", query={"status": ["A", "B"]})
    assert page["items"] == []
    assert last(emulator)["query"] == "status=A&status=B"
    assert client.request("DELETE", f"/api/server/v1/users/{user['id']}") is None


def test_this_file_calls_every_operation(emulator: LocalTorii, client: ToriiClient) -> None:
    contract = json.loads((REPOSITORY / "api/server-v1.json").read_text())
    wanted = {
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"))
        for path, item in contract["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    }
    asked: list[tuple[str, str]] = []
    for scenario in (
        test_users,
        test_listing_users,
        test_sessions,
        test_organizations,
        test_invitations,
        test_impersonation_and_origins,
    ):
        emulator.control("POST", "/reset")
        scenario(emulator, client)
        asked += [(each["method"], each["path"]) for each in emulator.requests("/api")]
    user = client.users.create()
    client.users.update(user.id)
    asked += [(each["method"], each["path"]) for each in emulator.requests("/api")]
    called = {(m, p) for m, p in wanted if any(m == am and p.search(ap) for am, ap in asked)}
    assert len(wanted) == 26
    assert wanted - called == set()
    print("26 operations called")


def test_what_an_error_tells(emulator: LocalTorii, client: ToriiClient) -> None:
    with pytest.raises(ToriiApiError) as caught:
        client.users.get(NOBODY)
    error = caught.value
    assert (error.reason, error.http_status, error.status) == (ToriiStatus.API, 404, 404)
    problem = json.loads(error.body or "")
    assert (error.code, error.support_id) == (problem["code"], problem["supportId"])
    assert str(error) == problem["detail"]

    client.users.create(email="x@example.com")
    with pytest.raises(ToriiApiError) as caught:
        client.users.create(email="X@example.com")
    assert caught.value.http_status == 409

    settings = {"invitation_quota": 0, "retry_after": 7}
    emulator.control("PUT", "/issuers/acme/settings", settings)
    with pytest.raises(ToriiApiError) as caught:
        client.invitations.create(email="y@example.com")
    assert (caught.value.http_status, caught.value.retry_after) == (429, 7)


def test_a_wrong_secret_key_is_not_told(emulator: LocalTorii) -> None:
    key = "sk_test_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    with pytest.raises(ToriiApiError) as caught:
        ToriiClient(key, api_url=emulator.url).allowed_origins.get()
    assert caught.value.http_status == 401
    assert key not in f"{caught.value} {caught.value.body}"


def test_failures_without_an_answer(emulator: LocalTorii) -> None:
    for fault, timeout, reason in (
        ({"kind": "close"}, 60, ToriiStatus.TRANSPORT),
        ({"kind": "hang"}, 2, ToriiStatus.TIMEOUT),
        ({"kind": "replace", "body": "<html>"}, 60, ToriiStatus.RESPONSE),
    ):
        client = ToriiClient(
            emulator.secret_key, api_url=emulator.url, timeout=timeout, max_retries=0
        )
        emulator.fault("/api/", **fault)
        with pytest.raises(ToriiApiError) as caught:
            client.allowed_origins.get()
        assert (caught.value.reason, caught.value.code) == (reason, None)
        assert not caught.value.unsent
        emulator.control("DELETE", "/faults")


def test_a_request_that_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = ToriiClient(f"sk_test_{'a' * 32}", api_url=f"http://127.0.0.1:{port}", max_retries=0)
    with pytest.raises(ToriiApiError) as caught:
        client.users.create()
    assert (caught.value.reason, caught.value.unsent) == (ToriiStatus.TRANSPORT, True)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "7",
        "{}",
        '{"id":"x","createdAt":"yesterday"}',
        '{"id":"x","createdAt":"2026-13-01T00:00:00Z"}',
        '{"id":"x","createdAt":5}',
    ],
)
def test_an_answer_that_is_not_a_user(emulator: LocalTorii, client: ToriiClient, body: str) -> None:
    emulator.fault("/api/", kind="status", status=200, body=body)
    with pytest.raises(ToriiApiError, match=r"^answer: ") as caught:
        client.users.get(NOBODY)
    assert caught.value.reason == ToriiStatus.RESPONSE


def test_members_of_later_servers_are_ignored(emulator: LocalTorii, client: ToriiClient) -> None:
    user = client.users.create()
    answer = {
        **user.raw,
        "status": "frozen",
        "nickName": "Countess",
        "createdAt": "2026-01-02T03:04:05.123456789+01:00",
        "updatedAt": "2026-01-02T03:04:05Z",
        "name": None,
    }
    emulator.fault("/api/", kind="replace", body=json.dumps(answer))
    user = client.users.get(user.id)
    assert (user.status, user.raw["nickName"], user.name) == ("frozen", "Countess", None)
    assert user.created_at.isoformat() == "2026-01-02T03:04:05.123456+01:00"
    assert user.updated_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def test_options(emulator: LocalTorii) -> None:
    client = create_torii_client(
        secret_key=emulator.secret_key,
        api_url=emulator.url,
        timeout=5,
        connect_timeout=1.5,
        max_retries=1,
        user_agent_suffix="shop/1.2",
        allow_http=True,
    )
    client.allowed_origins.get()
    assert dict(last(emulator)["headers"])["user-agent"].endswith(" shop/1.2")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"secret_key": ""}, "secret_key"),
        ({"api_url": "api.torii.so"}, "api_url"),
        ({"api_url": "http://api.torii.so"}, "http"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"connect_timeout": 61}, "timeout"),
        ({"max_retries": 11}, "retries"),
        ({"ca_file": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ({"proxy": "ftp://proxy"}, "proxy"),
        ({"user_agent_suffix": "a\nb"}, "user_agent_suffix"),
    ],
)
def test_wrong_options_are_named(options: Any, named: str) -> None:
    key = "sk_test_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    with pytest.raises(ToriiUsageError, match=named):
        create_torii_client(**{"secret_key": key, **options})


@pytest.mark.parametrize("limit", [-1, 101, 2**32])
def test_a_limit_out_of_range(client: ToriiClient, limit: int) -> None:
    with pytest.raises(ToriiUsageError, match="limit"):
        client.users.list(limit=limit)


def test_a_value_without_a_json_form_is_refused(emulator: LocalTorii, client: ToriiClient) -> None:
    with pytest.raises(ValueError, match="JSON"):
        client.users.update_metadata(NOBODY, public_metadata={"a": float("nan")})
    with pytest.raises(TypeError, match="time zone"):
        client.users.list(created_after=datetime(2026, 1, 1))
    with pytest.raises(TypeError, match="object cannot be sent"):
        client.users.create(unsafe_metadata={"a": object()})
    assert emulator.requests("/api") == []


def test_a_closed_client_says_so(emulator: LocalTorii) -> None:
    with ToriiClient(emulator.secret_key, api_url=emulator.url) as client:
        page = client.users.list()
    client.close()
    for use in (client.users.list, client.allowed_origins.get, lambda: client.users.delete("x")):
        with pytest.raises(ToriiUsageError, match="the client is closed"):
            use()
    assert page.items == []


def test_a_forgotten_client_closes_its_connection() -> None:
    with LocalTorii() as torii:

        def connections() -> int:
            count: int = torii.control("GET", "/requests")["connections"]["open"]
            return count

        client = torii.client()
        client.users.list()
        assert connections() == 1
        del client
        deadline = time.monotonic() + 120
        while connections():
            assert time.monotonic() < deadline
