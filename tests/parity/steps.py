"""The calls that both clients make, in this order."""

from dataclasses import dataclass, field

NOBODY = "0191d3c0-0000-7000-8000-000000000000"
ACME = "/issuers/acme"
API = "/api/server/v1"


@dataclass
class Step:
    name: str
    operation: str
    arguments: list = field(default_factory=list)
    # Keeps the `id` of the answer under this name; `$name` then stands for it.
    keep: str = None
    # Control requests to send first: method, path and body. `keep_before` keeps an id of the answer.
    before: list = field(default_factory=list)
    keep_before: str = None
    member: str = None


def fault(kind, times=1, **about):
    """Returns a fault for the next requests."""
    return ("POST", "/faults", {"path": API, "times": times, "fault": {"kind": kind, **about}})


def call(name, *arguments, **about):
    return Step(name, name.split(" ")[0], list(arguments), **about)


STEPS = [
    # Users: the bodies of the official wire fixtures are among these.
    call("users_create", {"email": "ada@example.com", "firstName": "Augusta", "lastName": "Byron"}, keep="ada"),
    call("users_create minimal", {}, keep="nameless"),
    call(
        "users_create with metadata",
        {"email": "bob@example.com", "publicMetadata": {"a": 1}, "privateMetadata": {"b": [1, "x"]}, "unsafeMetadata": {}},
        keep="bob",
    ),
    call("users_create taken", {"email": "ada@example.com"}),
    call("users_create invalid", {"email": "nobody"}),
    call("users_get", "$ada"),
    call("users_get unknown", NOBODY),
    call("users_get malformed", "../../admin"),
    call("users_update set", "$ada", {"firstName": "Ada"}),
    call("users_update clear", "$ada", {"lastName": None}),
    call("users_update set and clear", "$ada", {"firstName": None, "lastName": "Lovelace", "locale": "en"}),
    call("users_update nothing", "$ada", {}),
    call("users_update merges metadata", "$ada", {"unsafeMetadata": {"x": {"y": 1}, "z": 2}}),
    call("users_update deletes a key", "$ada", {"unsafeMetadata": {"z": None}}),
    call("users_update unknown", NOBODY, {}),
    call("users_update_metadata", "$ada", {"publicMetadata": {"plan": "pro", "n": 12345678901234567}}),
    call("users_update_metadata deletes a key", "$ada", {"publicMetadata": {"n": None}, "privateMetadata": {}}),
    call("users_search unfiltered", 0, None, None),
    call("users_search unfiltered page", 1, None, None),
    call("users_search unfiltered next page", 2, "$ada", None),
    call("users_search name", 0, None, {"name": "ada"}),
    call("users_search no name", 0, None, {"name": None}),
    call("users_search statuses", 0, None, {"statuses": ["active", "banned"]}),
    call("users_search nobody", 0, None, {"userIds": []}),
    call("users_search addresses", 0, None, {"emailAddresses": ["Bob@Example.com"], "email": "bob"}),
    call("users_search malformed cursor", 0, "x", None),
    # Sessions.
    call("sessions_list none", "$ada"),
    Step(
        "sessions_list",
        "sessions_list",
        ["$ada"],
        before=[("POST", f"{ACME}/sessions", {"user_id": "$ada", "ip_address": "::1"})],
        keep_before="session",
        member="session",
    ),
    call("sessions_revoke", "$ada", "$session"),
    call("sessions_revoke again", "$ada", "$session"),
    call("sessions_revoke_all", "$ada"),
    call("sessions_list unknown", NOBODY),
    call("users_ban", "$bob"),
    call("users_unban", "$bob"),
    call("users_ban unknown", NOBODY),
    # Organizations.
    Step(
        "organizations_list",
        "organizations_list",
        [0, None, None],
        before=[("POST", f"{ACME}/organizations", {"name": "Engines & more", "slug": "e"})],
        keep_before="engines",
    ),
    call("organizations_list by name", 5, None, "s & m"),
    call("organizations_get", "$engines"),
    call("organizations_get unknown", NOBODY),
    call("organizations_update_metadata", "$engines", {"publicMetadata": {"size": 2, "x": None}}),
    call("organizations_update_metadata nothing", "$engines", {}),
    Step(
        "organizations_list_members",
        "organizations_list_members",
        ["$engines", 10, None],
        before=[("POST", f"{ACME}/organizations/{{engines}}/members", {"user_id": "$ada", "role": "org:x"})],
    ),
    call("organizations_update_member_metadata", "$engines", "$ada", {"privateMetadata": {"seat": 1}}),
    call("users_list_organizations", "$ada", 1, None),
    call("users_list_organizations unknown", NOBODY, 0, None),
    # Invitations.
    call(
        "invitations_create",
        {"email": "eve@example.com", "publicMetadata": {}, "privateMetadata": {"team": 1}},
        keep="invitation",
    ),
    call("invitations_create taken", {"email": "ada@example.com", "publicMetadata": {}, "privateMetadata": {}}),
    call("invitations_list", 0, None, None, None),
    call("invitations_list filtered", 3, None, ["PENDING", "EXPIRED"], "EVE"),
    call("invitations_get", "$invitation"),
    call("invitations_update_metadata", "$invitation", {"publicMetadata": {"seat": 4}}),
    call("invitations_resend", "$invitation"),
    call("invitations_revoke", "$invitation"),
    call("invitations_update_metadata too late", "$invitation", {"publicMetadata": {"seat": 5}}),
    Step(
        "invitations_create limited",
        "invitations_create",
        [{"email": "x@example.com", "publicMetadata": {}, "privateMetadata": {}}],
        before=[("PUT", f"{ACME}/settings", {"invitation_quota": 0})],
    ),
    # The rest.
    call("allowed_origins_set", {"origins": ["https://app.example.com", "myapp://"]}),
    call("allowed_origins_list"),
    call(
        "impersonation_create_token",
        "$bob",
        {"actorUserId": "$ada", "reason": "ticket 7", "redirectUrl": "https://app.example.com/home#top"},
    ),
    call("impersonation_create_token short", "$bob", {"actorUserId": "$ada", "reason": "", "expiresInSeconds": 60}),
    call("impersonation_create_token too short", "$bob", {"actorUserId": "$ada", "reason": "", "expiresInSeconds": 1}),
    # Faults.
    call("users_get detail is empty", "$ada", before=[fault("status", status=404, body='{"detail":"","title":"No"}')]),
    call("users_get properties", "$ada", before=[fault("status", status=403, body='{"properties":{"code":"c"}}')]),
    call("users_get is busy", "$ada", before=[fault("status", status=503)]),
    call(
        "users_get is busy and says when",
        "$ada",
        before=[fault("status", status=503, headers={"retry-after": "0"})],
    ),
    call("users_update is busy", "$ada", {}, before=[fault("status", status=503)]),
    call("users_create is busy", {}, before=[fault("status", status=503)]),
    call("users_update is lost", "$ada", {}, before=[fault("close", handled=True)]),
    call("users_create is lost", {}, before=[fault("close")]),
    call("users_get is moved", "$ada", before=[fault("status", status=302, headers={"location": "/elsewhere"})]),
    call("users_get is not JSON", "$ada", before=[fault("replace", body="<html>")]),
    call(
        "users_get has a new status",
        "$ada",
        before=[fault("replace", body='{"id":"%s","status":"frozen"}' % NOBODY)],
    ),
    call("users_create is 200", {}, before=[fault("status", status=200, body='{"id":"%s"}' % NOBODY)]),
    call("users_delete is lost", "$nameless", before=[fault("close", handled=True)]),
    call("users_update older fields", "$bob", {"name": "Bob", "phone": None}),
    call("users_delete", "$bob"),
    call("users_delete again", "$bob"),
    call("users_get deleted", "$bob"),
]
