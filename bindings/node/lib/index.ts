/**
 * Verifies torii access tokens locally, and calls torii's backend API.
 *
 * ```ts
 * import { verifyToken } from "libtorii";
 *
 * const auth = await verifyToken(token, { issuer: "https://acme.torii.so" });
 * console.log(auth.userId);
 * ```
 *
 * @module libtorii
 */

export type { ToriiAuth } from "./auth.js";
export {
  AllowedOriginsClient,
  ImpersonationClient,
  InvitationsClient,
  type ListInvitationsOptions,
  type ListOrganizationsOptions,
  type ListUsersOptions,
  OrganizationsClient,
  SessionsClient,
  type ToriiCallOptions,
  ToriiClient,
  type ToriiClientOptions,
  type ToriiPageOptions,
  UsersClient,
  createToriiClient,
} from "./client.js";
export {
  ToriiApiError,
  ToriiAuthError,
  ToriiError,
  ToriiKeysPendingError,
  ToriiKeysUnavailableError,
  ToriiPolicyError,
  type ToriiReason,
  ToriiUsageError,
  ToriiWebhookError,
} from "./errors.js";
export type { RequestLike } from "./headers.js";
export { libraryPath, version } from "./native.js";
export {
  ToriiRequire,
  ToriiRequirements,
  type ToriiRequirementsInit,
  type ToriiScalar,
} from "./requirements.js";
export type * from "./types.js";
export {
  type AuthenticateRequestOptions,
  type ToriiKeySet,
  type ToriiStats,
  type ToriiText,
  ToriiVerifier,
  type ToriiVerifierOptions,
  type ToriiVerifyOptions,
  type ToriiWaitOptions,
  type VerifyTokenOptions,
  _clearJwksCacheForTests,
  authenticateRequest,
  verifyToken,
} from "./verifier.js";
export {
  type ToriiPayload,
  type ToriiWebhook,
  type ToriiWebhookOptions,
  ToriiWebhookVerifier,
  type VerifyWebhookOptions,
  type WebhookEvent,
  verifyWebhook,
} from "./webhooks.js";
