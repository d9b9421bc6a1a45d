"""The official Python client, unmodified: its facade where it has one, else its generated classes."""

import json
from uuid import UUID

import urllib3
from client import Failed, Refused
from torii_backend import create_torii_client
from torii_backend.errors import ToriiApiError
from torii_backend.generated import ApiClient, ApiException, Configuration, api, models

FILTERS = {
    "name": "name",
    "userIds": "user_ids",
    "emailAddresses": "email_addresses",
    "email": "email",
    "statuses": "statuses",
    "createdAfter": "created_after",
    "createdBefore": "created_before",
    "organizationId": "organization_id",
}


class Official:
    # It writes bodies itself.
    written = None

    def __init__(self, url, secret_key):
        self._facade = create_torii_client(secret_key=secret_key, api_url=url)
        configuration = Configuration(host=url)
        configuration.access_token = secret_key
        self._calls = calls = ApiClient(configuration)
        users, sessions = self._facade.users, self._facade.sessions
        more_users, organizations = api.ServerUsersApi(calls), api.ServerOrganizationsApi(calls)
        invitations, origins = api.InvitationsApi(calls), api.AllowedOriginsApi(calls)
        impersonation = api.ServerImpersonationApi(calls)
        bags = models.UpdateOrganizationMetadataRequest.model_validate
        self._operations = {
            "users_create": users.create,
            "users_get": users.get,
            "users_update": users.update,
            "users_delete": users.delete,
            "users_ban": users.ban,
            "users_unban": users.unban,
            "users_search": lambda limit, cursor, filters: users.list(
                limit=limit or None,
                cursor=cursor,
                **{FILTERS[name]: value for name, value in (filters or {}).items()},
            ),
            "users_update_metadata": lambda user_id, body: more_users.update_user_metadata(
                UUID(user_id), models.UpdateUserMetadataRequest.model_validate(body)
            ),
            "users_list_organizations": lambda user_id, limit, cursor: more_users.list_user_organizations(
                UUID(user_id), limit=limit or None, cursor=uuid(cursor)
            ),
            "sessions_list": sessions.list_for_user,
            "sessions_revoke_all": sessions.revoke_all_for_user,
            "sessions_revoke": sessions.revoke,
            "organizations_list": lambda limit, cursor, name: organizations.list_organizations(
                limit=limit or None, cursor=uuid(cursor), name=name
            ),
            "organizations_get": lambda organization_id: organizations.get_organization(UUID(organization_id)),
            "organizations_list_members": lambda organization_id, limit, cursor: organizations.list_members(
                UUID(organization_id), limit=limit or None, cursor=uuid(cursor)
            ),
            "organizations_update_metadata": lambda organization_id, body: (
                organizations.update_organization_metadata(UUID(organization_id), bags(body))
            ),
            "organizations_update_member_metadata": lambda organization_id, user_id, body: (
                organizations.update_member_metadata(UUID(organization_id), UUID(user_id), bags(body))
            ),
            "invitations_create": lambda body: invitations.create(
                models.CreateEnvironmentInvitationServerRequest.model_validate(body)
            ),
            "invitations_list": lambda limit, cursor, statuses, search: invitations.list1(
                limit=limit or None, cursor=uuid(cursor), status=statuses, search=search
            ),
            "invitations_get": lambda invitation_id: invitations.get(UUID(invitation_id)),
            "invitations_resend": lambda invitation_id: invitations.resend(UUID(invitation_id)),
            "invitations_revoke": lambda invitation_id: invitations.revoke(UUID(invitation_id)),
            "invitations_update_metadata": lambda invitation_id, body: invitations.update_metadata(
                UUID(invitation_id), models.UpdateEnvironmentInvitationMetadataRequest.model_validate(body)
            ),
            "impersonation_create_token": lambda user_id, body: impersonation.mint_impersonation_token(
                UUID(user_id), models.ServerImpersonationTokenRequest.model_validate(body)
            ),
            "allowed_origins_list": origins.list,
            "allowed_origins_set": lambda body: origins.set(models.SetAllowedOriginsRequest.model_validate(body)),
        }

    def close(self):
        """The facade's own close() fails: it calls a method that the generated class lacks."""

    def __getattr__(self, operation):
        return lambda *arguments: self._call(self._operations[operation], arguments)

    def _call(self, function, arguments):
        try:
            return self._calls.sanitize_for_serialization(function(*arguments))
        except ToriiApiError as error:
            body = error.__cause__.body
            raise Refused(error.status, error.code, error.support_id, str(error), body) from error
        except ApiException as error:
            # The facade's result.
            translated = ToriiApiError("", error.status, parsed(error.body))
            message = (translated.body or {}).get("detail") if isinstance(translated.body, dict) else None
            raise Refused(
                error.status, translated.code, translated.support_id, message, error.body
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise Failed("transport") from error
        except ValueError as error:
            raise Failed("answer") from error


def uuid(text):
    return None if text is None else UUID(text)


def parsed(body):
    try:
        return json.loads(body)
    except (TypeError, ValueError):
        return body
