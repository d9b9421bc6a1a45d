"""The client of torii's backend API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ctypes import byref
from functools import partial
from typing import TYPE_CHECKING, Any, Union
from urllib.parse import urlencode
from uuid import UUID

from torii_backend import _native
from torii_backend._native import blocking, quick
from torii_backend.types import (
    Metadata,
    ToriiAllowedOrigins,
    ToriiCreateInvitationInput,
    ToriiCreateUserInput,
    ToriiImpersonationInput,
    ToriiImpersonationToken,
    ToriiInvitation,
    ToriiMetadataInput,
    ToriiOrganization,
    ToriiOrganizationMember,
    ToriiPage,
    ToriiSession,
    ToriiUpdateUserInput,
    ToriiUser,
    ToriiUserFilter,
    ToriiUserMetadataInput,
    ToriiUserOrganization,
    body,
    read_list,
    read_page,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

Id = Union[str, UUID]


class ToriiClient:
    """Calls torii's backend API for the environment of a secret key.

    Create one at startup, for all threads: it keeps connections open between calls.

    :param secret_key: ``sk_live_…`` or ``sk_test_…``.
    :param api_url: the base URL of the API, by default ``https://api.torii.so``.
    :param timeout: the timeout of a call in seconds, including retries.
    :param connect_timeout: the timeout of connecting, in seconds.
    :param max_retries: how often an idempotent call is retried.
    :param ca_file: a PEM file of the certificate authorities to trust, instead of the platform's.
    :param proxy: an http or https proxy, such as ``http://user:password@proxy.example:3128``.
    :param user_agent_suffix: the name of your program for ``User-Agent``, such as ``shop/1.2``.
    :param allow_http: allows plain http to other hosts, where anyone on the path reads the key.
    :raises ToriiUsageError: if an option is invalid.
    """

    users: Users
    """Operations on users."""

    sessions: Sessions
    """Operations on sessions."""

    organizations: Organizations
    """Operations on organizations and their members."""

    invitations: Invitations
    """Operations on invitations."""

    impersonation: Impersonation
    """Signs in as another user."""

    allowed_origins: AllowedOrigins
    """The origins from which browsers may call torii."""

    def __init__(
        self,
        secret_key: str,
        *,
        api_url: str | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_retries: int | None = None,
        ca_file: str | None = None,
        proxy: str | None = None,
        user_agent_suffix: str | None = None,
        allow_http: bool = False,
    ) -> None:
        options = _native.ClientOptions(quick.torii_client_options_new())
        set_text = partial(_native.set_text, options)
        set_number = partial(_native.set_number, options)
        suffix = user_agent_suffix
        set_text(quick.torii_client_options_set_api_url, "api_url", api_url)
        set_text(quick.torii_client_options_set_ca_file, "ca_file", ca_file)
        set_text(quick.torii_client_options_set_proxy, "proxy", proxy)
        set_text(quick.torii_client_options_set_user_agent_suffix, "user_agent_suffix", suffix)
        set_number(quick.torii_client_options_set_timeout_ms, "timeout", timeout, 1000)
        set_number(
            quick.torii_client_options_set_connect_timeout_ms,
            "connect_timeout",
            connect_timeout,
            1000,
        )
        set_number(quick.torii_client_options_set_max_retries, "max_retries", max_retries)
        _native.call(quick.torii_client_options_set_allow_http, options, allow_http)

        handle = _native.Client()
        encoded = _native.encode("secret_key", secret_key)
        _native.call(quick.torii_client_new, encoded, len(encoded), options, byref(handle))

        self._connection = connection = _Connection(handle)
        self.users = Users(connection)
        self.sessions = Sessions(connection)
        self.organizations = Organizations(connection)
        self.invitations = Invitations(connection)
        self.impersonation = Impersonation(connection)
        self.allowed_origins = AllowedOrigins(connection)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: str | Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Calls an operation newer than this release, and returns the answer, parsed.

        :param path: the whole path, such as ``/api/server/v1/users``.
        :param body: the JSON object to send; its keys stay as they are.
        """
        if query is not None and not isinstance(query, str):
            query = urlencode(query, doseq=True)
        content = None if body is None else json.dumps(body, allow_nan=False)
        return self._connection.ask("request_json", method, path, query, content)

    def close(self) -> None:
        """Closes the connections; calls in progress on other threads still end normally. Optional:
        an unreferenced client is closed."""
        self._connection.close()

    def __enter__(self) -> ToriiClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create_torii_client(
    *,
    secret_key: str,
    api_url: str | None = None,
    timeout: float | None = None,
    connect_timeout: float | None = None,
    max_retries: int | None = None,
    ca_file: str | None = None,
    proxy: str | None = None,
    user_agent_suffix: str | None = None,
    allow_http: bool = False,
) -> ToriiClient:
    """Creates a :class:`ToriiClient`, which describes the parameters."""
    return ToriiClient(
        secret_key,
        api_url=api_url,
        timeout=timeout,
        connect_timeout=connect_timeout,
        max_retries=max_retries,
        ca_file=ca_file,
        proxy=proxy,
        user_agent_suffix=user_agent_suffix,
        allow_http=allow_http,
    )


class _Connection:
    """The handle that a client and its resources share. They do not refer to each other, so the
    last reference to a client frees it at once."""

    def __init__(self, handle: _native.Client) -> None:
        self._handle: _native.Client | None = handle

    def ask(self, operation: str, *arguments: object) -> Any:
        """Makes a call whose answer is JSON."""
        answer = _native.Json()
        self.do(operation, *arguments, byref(answer))
        return json.loads(_native.read(quick.torii_json_text, answer) or "null")

    def do(self, operation: str, *arguments: object) -> None:
        """Makes a call. None, a text or an id is two arguments in C, a number one."""
        handle = _native.opened(self._handle, "client")
        passed: list[Any] = []
        for argument in arguments:
            if argument is None:
                passed += (None, 0)
            elif isinstance(argument, (str, bytes, UUID)):
                text = str(argument) if isinstance(argument, UUID) else argument
                encoded = _native.encode(operation, text)
                passed += (encoded, len(encoded))
            else:
                passed.append(argument)
        _native.call(getattr(blocking, f"torii_client_{operation}"), handle, *passed)

    def close(self) -> None:
        self._handle = None


class _Resource:
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection


class Users(_Resource):
    """``client.users``"""

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: Id | None = None,
        **filters: Unpack[ToriiUserFilter],
    ) -> ToriiPage[ToriiUser]:
        """Returns a page of the users that match all filters."""
        wanted = body(filters) if filters else None
        answer = self._connection.ask("users_list_json", _limit(limit), cursor, wanted)
        following = partial(self.list, limit=limit, **filters)
        return read_page(ToriiUser, answer, following)

    def get(self, user_id: Id) -> ToriiUser:
        """Returns a user."""
        return ToriiUser.read(self._connection.ask("users_get_json", user_id))

    def create(
        self, user: Mapping[str, object] | None = None, **fields: Unpack[ToriiCreateUserInput]
    ) -> ToriiUser:
        """Creates a user. Never retried once sent: after a lost answer the user may exist."""
        content = body({**(user or {}), **fields})
        return ToriiUser.read(self._connection.ask("users_create_json", content))

    def update(
        self,
        user_id: Id,
        changes: Mapping[str, object] | None = None,
        **fields: Unpack[ToriiUpdateUserInput],
    ) -> ToriiUser:
        """Updates a user: an absent field stays as it is, None clears it, a value sets it.

        :param changes: further fields, such as a :class:`ToriiUpdateUserInput`; their names may
            be those on the wire, such as ``firstName``.
        """
        content = body({**(changes or {}), **fields})
        return ToriiUser.read(self._connection.ask("users_update_json", user_id, content))

    def update_metadata(self, user_id: Id, **bags: Unpack[ToriiUserMetadataInput]) -> ToriiUser:
        """Merges into a user's metadata. None removes a key."""
        answer = self._connection.ask("users_update_metadata_json", user_id, body(bags))
        return ToriiUser.read(answer)

    def delete(self, user_id: Id) -> None:
        """Deletes a user."""
        self._connection.do("users_delete", user_id)

    def ban(self, user_id: Id) -> ToriiUser:
        """Bans a user and ends all sessions. Issued tokens stay valid until they expire."""
        return ToriiUser.read(self._connection.ask("users_ban_json", user_id))

    def unban(self, user_id: Id) -> ToriiUser:
        """Unbans a user."""
        return ToriiUser.read(self._connection.ask("users_unban_json", user_id))

    def list_organizations(
        self, user_id: Id, *, limit: int | None = None, cursor: Id | None = None
    ) -> ToriiPage[ToriiUserOrganization]:
        """Returns a page of a user's organizations."""
        answer = self._connection.ask(
            "users_list_organizations_json", user_id, _limit(limit), cursor
        )
        following = partial(self.list_organizations, user_id, limit=limit)
        return read_page(ToriiUserOrganization, answer, following)


class Sessions(_Resource):
    """``client.sessions``"""

    def list_for_user(self, user_id: Id) -> list[ToriiSession]:
        """Returns a user's active sessions, the last used first."""
        answer = self._connection.ask("sessions_list_for_user_json", user_id)
        return read_list(ToriiSession, answer)

    def revoke_all_for_user(self, user_id: Id) -> None:
        """Ends all sessions of a user."""
        self._connection.do("sessions_revoke_all_for_user", user_id)

    def revoke(self, user_id: Id, session_id: Id) -> None:
        """Ends one session of a user."""
        self._connection.do("sessions_revoke", user_id, session_id)


class Organizations(_Resource):
    """``client.organizations``"""

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: Id | None = None,
        name: str | None = None,
    ) -> ToriiPage[ToriiOrganization]:
        """Returns a page of the organizations whose name contains ``name``, or of all."""
        answer = self._connection.ask("organizations_list_json", _limit(limit), cursor, name)
        following = partial(self.list, limit=limit, name=name)
        return read_page(ToriiOrganization, answer, following)

    def get(self, organization_id: Id) -> ToriiOrganization:
        """Returns an organization."""
        answer = self._connection.ask("organizations_get_json", organization_id)
        return ToriiOrganization.read(answer)

    def list_members(
        self, organization_id: Id, *, limit: int | None = None, cursor: Id | None = None
    ) -> ToriiPage[ToriiOrganizationMember]:
        """Returns a page of an organization's members."""
        answer = self._connection.ask(
            "organizations_list_members_json", organization_id, _limit(limit), cursor
        )
        following = partial(self.list_members, organization_id, limit=limit)
        return read_page(ToriiOrganizationMember, answer, following)

    def update_metadata(
        self, organization_id: Id, **bags: Unpack[ToriiMetadataInput]
    ) -> ToriiOrganization:
        """Merges into an organization's metadata. None removes a key."""
        answer = self._connection.ask(
            "organizations_update_metadata_json", organization_id, body(bags)
        )
        return ToriiOrganization.read(answer)

    def update_member_metadata(
        self, organization_id: Id, user_id: Id, **bags: Unpack[ToriiMetadataInput]
    ) -> ToriiOrganizationMember:
        """Merges into a membership's metadata. None removes a key."""
        answer = self._connection.ask(
            "organizations_update_member_metadata_json", organization_id, user_id, body(bags)
        )
        return ToriiOrganizationMember.read(answer)


class Invitations(_Resource):
    """``client.invitations``"""

    def create(
        self,
        invitation: Mapping[str, object] | None = None,
        **fields: Unpack[ToriiCreateInvitationInput],
    ) -> ToriiInvitation:
        """Creates an invitation and sends its email. Never retried once sent."""
        # torii requires both, even if they are empty.
        bags: Metadata = {"public_metadata": {}, "private_metadata": {}}
        content = body({**bags, **(invitation or {}), **fields})
        return ToriiInvitation.read(self._connection.ask("invitations_create_json", content))

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: Id | None = None,
        statuses: Sequence[str] | None = None,
        search: str | None = None,
    ) -> ToriiPage[ToriiInvitation]:
        """Returns a page of the invitations in one of these states."""
        states = None if statuses is None else json.dumps(statuses)
        answer = self._connection.ask(
            "invitations_list_json", _limit(limit), cursor, states, search
        )
        following = partial(self.list, limit=limit, statuses=statuses, search=search)
        return read_page(ToriiInvitation, answer, following)

    def get(self, invitation_id: Id) -> ToriiInvitation:
        """Returns an invitation, with its metadata."""
        answer = self._connection.ask("invitations_get_json", invitation_id)
        return ToriiInvitation.read(answer)

    def resend(self, invitation_id: Id) -> ToriiInvitation:
        """Sends an invitation again, with a new link."""
        answer = self._connection.ask("invitations_resend_json", invitation_id)
        return ToriiInvitation.read(answer)

    def revoke(self, invitation_id: Id) -> None:
        """Revokes an invitation."""
        self._connection.do("invitations_revoke", invitation_id)

    def update_metadata(
        self, invitation_id: Id, **bags: Unpack[ToriiMetadataInput]
    ) -> ToriiInvitation:
        """Merges into the metadata of a pending invitation. None removes a key."""
        answer = self._connection.ask("invitations_update_metadata_json", invitation_id, body(bags))
        return ToriiInvitation.read(answer)


class Impersonation(_Resource):
    """``client.impersonation``"""

    def create_token(
        self, user_id: Id, **wish: Unpack[ToriiImpersonationInput]
    ) -> ToriiImpersonationToken:
        """Creates a single-use token to sign in as the user. Counts toward a quota."""
        answer = self._connection.ask("impersonation_create_token_json", user_id, body(wish))
        return ToriiImpersonationToken.read(answer)


class AllowedOrigins(_Resource):
    """``client.allowed_origins``"""

    def get(self) -> ToriiAllowedOrigins:
        """Returns the origins from which browsers may call torii."""
        return ToriiAllowedOrigins.read(self._connection.ask("allowed_origins_get_json"))

    def set(self, origins: Sequence[str]) -> ToriiAllowedOrigins:
        """Replaces all origins, and returns them."""
        answer = self._connection.ask("allowed_origins_set_json", body({"origins": origins}))
        return ToriiAllowedOrigins.read(answer)


def _limit(limit: int | None) -> int:
    return _native.whole("limit", limit or 0)
