"""Verifies torii access tokens locally, and calls torii's backend API.

.. code-block:: python

    from torii_backend import verify_token

    auth = verify_token(token, issuer="https://acme.torii.so")
    print(auth.user_id)

Importing this package loads libtorii. ``ImportError`` if it is missing or of another ABI version.
"""

from torii_backend import webhooks
from torii_backend._native import path as _path
from torii_backend._native import quick as _quick
from torii_backend.client import ToriiClient, create_torii_client
from torii_backend.errors import (
    ToriiApiError,
    ToriiAuthError,
    ToriiError,
    ToriiKeysPendingError,
    ToriiKeysUnavailableError,
    ToriiPolicyError,
    ToriiStatus,
    ToriiUsageError,
    ToriiWebhookError,
)
from torii_backend.requirements import ToriiRequire, ToriiRequirements
from torii_backend.types import (
    ToriiAllowedOrigins,
    ToriiAuth,
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
)
from torii_backend.verify import (
    METRICS_TYPE,
    ToriiVerifier,
    authenticate_request,
    clear_jwks_cache_for_tests,
    verify_token,
)
from torii_backend.webhooks import ToriiWebhook, ToriiWebhookVerifier

__version__ = "0.1.0"

library_version: str = _quick.torii_version().decode()
"""The version of the loaded libtorii."""

library_path: str = _path
"""The path of the loaded libtorii, or the name that the loader was given."""

__all__ = [
    "METRICS_TYPE",
    "ToriiAllowedOrigins",
    "ToriiApiError",
    "ToriiAuth",
    "ToriiAuthError",
    "ToriiClient",
    "ToriiCreateInvitationInput",
    "ToriiCreateUserInput",
    "ToriiError",
    "ToriiImpersonationInput",
    "ToriiImpersonationToken",
    "ToriiInvitation",
    "ToriiKeysPendingError",
    "ToriiKeysUnavailableError",
    "ToriiMetadataInput",
    "ToriiOrganization",
    "ToriiOrganizationMember",
    "ToriiPage",
    "ToriiPolicyError",
    "ToriiRequire",
    "ToriiRequirements",
    "ToriiSession",
    "ToriiStatus",
    "ToriiUpdateUserInput",
    "ToriiUsageError",
    "ToriiUser",
    "ToriiUserFilter",
    "ToriiUserMetadataInput",
    "ToriiUserOrganization",
    "ToriiVerifier",
    "ToriiWebhook",
    "ToriiWebhookError",
    "ToriiWebhookVerifier",
    "authenticate_request",
    "clear_jwks_cache_for_tests",
    "create_torii_client",
    "library_path",
    "library_version",
    "verify_token",
    "webhooks",
]
