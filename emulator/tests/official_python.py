"""The official Python client, unmodified, against the local torii.

    pip install torii-backend==0.0.13
    python official_python.py path/to/torii-emulator

Its models are strict: a wrong status, a missing member or a foreign enum value ends in an exception or
in None. All 26 operations are called, those outside the facade through the generated classes.
"""

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

from torii_backend import clear_jwks_cache_for_tests, create_torii_client, verify_token
from torii_backend.errors import ToriiApiError, ToriiAuthError
from torii_backend.generated import ApiClient, ApiException, Configuration, api, models


@contextmanager
def local_torii(program):
    process = subprocess.Popen(
        [program, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        assert process.wait(timeout=120) == 0


def request(url, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@contextmanager
def refused(status, kind=ToriiApiError):
    try:
        yield
    except kind as error:
        assert error.status == status, error
    else:
        raise AssertionError(f"expected {status}")


def facade(torii, client, acme):
    users, sessions = client.users, client.sessions
    user = users.create({"email": "ada@example.com", "firstName": "Ada", "publicMetadata": {"a": 1}})
    assert (user.email, user.first_name, user.name, user.status) == ("ada@example.com", "Ada", "Ada", "active")
    assert user.public_metadata == {"a": 1} and user.unsafe_metadata == {}
    assert str(user.environment_id) == torii["environment_id"]
    with refused(409):
        users.create({"email": "ADA@example.com"})
    with refused(400):
        users.create({"email": "nobody"})

    assert users.get(user.id) == user
    with refused(404):
        users.get("00000000-0000-7000-8000-000000000000")
    changed = users.update(user.id, {"lastName": "Lovelace", "firstName": None, "locale": "en"})
    assert (changed.first_name, changed.last_name, changed.locale) == (None, "Lovelace", "en")
    assert users.update(user.id, {}).last_name == "Lovelace"
    assert users.update(user.id, {"unsafeMetadata": {"x": {"y": 1}}}).unsafe_metadata == {"x": {"y": 1}}

    nameless = users.create({})
    assert nameless.email is None
    assert [found.id for found in users.list(name=None).items] == [nameless.id]
    assert [found.id for found in users.list(email_addresses=["Ada@Example.com"]).items] == [user.id]
    first = users.list(limit=1)
    assert first.has_more and [found.id for found in first.items] == [user.id]
    second = users.list(limit=1, cursor=first.next_cursor)
    assert not second.has_more and second.next_cursor is None
    assert [found.id for found in second.items] == [nameless.id]
    assert users.list(user_ids=[]).items == []

    request(f"{acme}/users/{user.id}", {"email_verified": True, "profile_complete": False}, "PATCH")
    signed_in = [request(f"{acme}/sessions", {"user_id": str(user.id), "ip_address": "::1"}) for _ in range(3)]
    auth = verify_token(signed_in[0]["token"], issuer=torii["issuer"])
    assert auth.user_id == str(user.id) and auth.environment_id == torii["environment_id"]
    assert (auth.email_verified, auth.profile_complete, auth.locale) == (True, False, "en")
    forged = request(f"{acme}/tokens", {"signer": "forged"})["token"]
    try:
        verify_token(forged, issuer=torii["issuer"])
    except ToriiAuthError:
        pass
    else:
        raise AssertionError("a forged token passed")
    request(f"{acme}/keys", {})
    clear_jwks_cache_for_tests()  # it asks for unknown keys once in 30 seconds at most
    assert verify_token(request(f"{acme}/tokens", {})["token"], issuer=torii["issuer"]).email_verified

    assert len(sessions.list_for_user(user.id)) == 3
    sessions.revoke(user.id, signed_in[0]["session"]["id"])
    sessions.revoke(user.id, signed_in[0]["session"]["id"])
    assert len(sessions.list_for_user(user.id)) == 2
    sessions.revoke_all_for_user(user.id)
    assert sessions.list_for_user(user.id) == []

    request(f"{acme}/sessions", {"user_id": str(user.id)})
    assert users.ban(user.id).status == "banned"
    assert sessions.list_for_user(user.id) == []
    assert users.unban(user.id).status == "active"
    users.delete(user.id)
    with refused(403):
        users.delete(user.id)
    gone = users.list(statuses=["deleted"]).items
    assert [found.id for found in gone] == [user.id] and gone[0].deleted_at is not None
    with refused(401):
        create_torii_client(secret_key="sk_test_none", api_url=torii["url"]).users.get(user.id)
    return nameless


def generated(torii, client, acme, user):
    configuration = Configuration(host=torii["url"])
    configuration.access_token = torii["secret_key"]
    calls = ApiClient(configuration)

    origins = api.AllowedOriginsApi(calls)
    assert origins.list().origins == []
    wanted = models.SetAllowedOriginsRequest(origins=["https://app.example.com", "myapp://"])
    assert origins.set(wanted).origins == origins.list().origins == wanted.origins

    users = api.ServerUsersApi(calls)
    bags = models.UpdateUserMetadataRequest(private_metadata={"plan": "pro"})
    assert users.update_user_metadata(user.id, bags).private_metadata == {"plan": "pro"}

    organization = request(f"{acme}/organizations", {"name": "Analytical Engines", "slug": "ae"})
    request(f"{acme}/organizations/{organization['id']}/members", {"user_id": str(user.id), "role": "org:administrator"})
    organizations = api.ServerOrganizationsApi(calls)
    found = organizations.list_organizations(name="engine", limit=1000)
    assert [str(one.id) for one in found.items] == [organization["id"]] and not found.has_more
    assert organizations.get_organization(organization["id"]).slug == "ae"
    bags = models.UpdateOrganizationMetadataRequest(public_metadata={"size": 2})
    assert organizations.update_organization_metadata(organization["id"], bags).public_metadata == {"size": 2}
    member = organizations.update_member_metadata(organization["id"], user.id, bags)
    assert member.public_metadata == {"size": 2} and member.role == "org:administrator"
    assert [one.user_id for one in organizations.list_members(organization["id"]).items] == [user.id]
    assert [str(one.organization_id) for one in users.list_user_organizations(user.id).items] == [organization["id"]]

    invitations = api.InvitationsApi(calls)
    new = models.CreateEnvironmentInvitationServerRequest(
        email="eve@example.com", public_metadata={}, private_metadata={"team": 1}
    )
    invitation = invitations.create(new)
    assert invitation.status == "PENDING"
    assert invitations.get(invitation.id).private_metadata == {"team": 1}
    bags = models.UpdateEnvironmentInvitationMetadataRequest(public_metadata={"seat": 4})
    assert invitations.update_metadata(invitation.id, bags).public_metadata == {"seat": 4}
    assert invitations.resend(invitation.id).id == invitation.id
    assert invitations.list1(status=["PENDING", "ACCEPTED"], search="EVE").items[0].id == invitation.id
    invitations.revoke(invitation.id)
    assert invitations.get(invitation.id).status == "REVOKED"
    with refused(409, ApiException):
        invitations.update_metadata(invitation.id, bags)

    actor = client.users.create({"email": "support@example.com"})
    impersonation = api.ServerImpersonationApi(calls)
    wanted = models.ServerImpersonationTokenRequest(
        actor_user_id=actor.id, reason="ticket 7", redirect_url="https://app.example.com/home#top"
    )
    granted = impersonation.mint_impersonation_token(user.id, wanted)
    assert granted.expires_in_seconds == 600 and granted.url
    redeemed = request(f"{acme}/impersonations", {"token": granted.token})
    assert verify_token(redeemed["token"], issuer=torii["issuer"]).impersonating
    request(f"{acme}/settings", {"impersonation_quota": 0}, "PUT")
    with refused(402, ApiException):
        impersonation.mint_impersonation_token(user.id, wanted)


def main():
    with local_torii(sys.argv[1]) as torii:
        client = create_torii_client(secret_key=torii["secret_key"], api_url=torii["url"])
        acme = f"{torii['control']}/issuers/acme"
        generated(torii, client, acme, facade(torii, client, acme))
        violations = request(f"{torii['control']}/violations")
        assert violations == [], violations
        print("the official client works against the local torii")


if __name__ == "__main__":
    main()
