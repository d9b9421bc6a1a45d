/**
 * Errors.
 *
 * ```text
 * ToriiError
 * ├── ToriiUsageError                 an argument or an option is invalid: fix the program
 * ├── ToriiAuthError                  the token is invalid: 401
 * │   ├── ToriiPolicyError            valid, but it does not meet a requirement: 403
 * │   └── ToriiKeysUnavailableError   signing keys unavailable, could not verify: 503
 * │       └── ToriiKeysPendingError   keys must be fetched, and this call performs no I/O
 * ├── ToriiApiError                   a call of torii's backend API failed
 * └── ToriiWebhookError               the webhook is invalid: 400
 * ```
 */

/** The exact cause of a failure. Later releases may add some. */
export type ToriiReason =
  | "TORII_ERR_INVALID_ARGUMENT"
  | "TORII_ERR_INVALID_CONFIG"
  | "TORII_ERR_TOKEN_MISSING"
  | "TORII_ERR_TOKEN_SCHEME"
  | "TORII_ERR_TOKEN_MALFORMED"
  | "TORII_ERR_TOKEN_TOO_LARGE"
  | "TORII_ERR_TOKEN_ALGORITHM"
  | "TORII_ERR_TOKEN_KEY_UNKNOWN"
  | "TORII_ERR_TOKEN_SIGNATURE"
  | "TORII_ERR_TOKEN_EXPIRED"
  | "TORII_ERR_TOKEN_NOT_YET_VALID"
  | "TORII_ERR_TOKEN_ISSUER"
  | "TORII_ERR_TOKEN_AUDIENCE"
  | "TORII_ERR_TOKEN_CLAIM"
  | "TORII_ERR_TOKEN_REVOKED"
  | "TORII_ERR_TOKEN_LIFETIME"
  | "TORII_ERR_POLICY"
  | "TORII_ERR_KEYS_UNAVAILABLE"
  | "TORII_ERR_KEYS_PENDING"
  | "TORII_ERR_API"
  | "TORII_ERR_TRANSPORT"
  | "TORII_ERR_TIMEOUT"
  | "TORII_ERR_RESPONSE"
  | "TORII_ERR_WEBHOOK_HEADER"
  | "TORII_ERR_WEBHOOK_SIGNATURE"
  | "TORII_ERR_WEBHOOK_TIMESTAMP"
  | "TORII_ERR_INTERNAL"
  | (string & {});

/**
 * Any failure. The message is for your log: it names the cause and never contains a token, a key or a
 * secret. `publicCode` and `publicMessage` are for your client.
 */
export class ToriiError extends Error {
  /** The exact cause, such as `TORII_ERR_TOKEN_EXPIRED`. */
  readonly reason: ToriiReason = "TORII_ERR_INTERNAL";

  /** The same as `reason`; of a {@link ToriiApiError}, the API's own code. */
  declare readonly code: string | undefined;

  /** The error code to send to a client, such as `authentication_failed`. */
  readonly publicCode: string = "internal_error";

  /** The message to send to a client: a constant for each status, without a claim or a URL. */
  readonly publicMessage: string = "Authentication failed because of a server error";

  /** Seconds after which a retry can help, if known. */
  readonly retryAfter: number | undefined = undefined;
}

/** An argument or an option is invalid, and the message names it; or the object is closed. */
export class ToriiUsageError extends ToriiError {
  override readonly reason: ToriiReason = "TORII_ERR_INVALID_ARGUMENT";
}

/** The token is invalid, or could not be verified. */
export class ToriiAuthError extends ToriiError {
  override readonly reason: ToriiReason = "TORII_ERR_TOKEN_MALFORMED";
  override readonly publicCode: string = "authentication_failed";
  override readonly publicMessage: string = "The access token is invalid";

  /** The HTTP status for your client: 401, 403 or 503. */
  readonly status: number = 401;

  /** The value of the `WWW-Authenticate` header (RFC 6750) for a 401 or a 403. */
  readonly wwwAuthenticate: string | undefined = 'Bearer realm="torii", error="invalid_token"';

  /** Creates an error for tests: `message` is the reason, for your log. */
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** The token is valid but does not meet a requirement. */
export class ToriiPolicyError extends ToriiAuthError {}

/** Signing keys unavailable; the token could not be verified. */
export class ToriiKeysUnavailableError extends ToriiAuthError {
  /** The issuer whose keys are missing. */
  readonly issuer: string | undefined = undefined;
}

/** The issuer's keys must be fetched first, and this call performs no I/O. */
export class ToriiKeysPendingError extends ToriiKeysUnavailableError {}

/**
 * A call of torii's backend API failed. `reason` is `TORII_ERR_API` if the API answered with an error,
 * `TORII_ERR_TRANSPORT` or `TORII_ERR_TIMEOUT` if it did not answer, `TORII_ERR_RESPONSE` if its answer
 * is unusable.
 */
export class ToriiApiError extends ToriiError {
  override readonly reason: ToriiReason = "TORII_ERR_API";

  /** The HTTP status of the API's answer; 0 without one. */
  readonly status: number;

  /** The id to name to torii's support. */
  readonly supportId?: string;

  /** The API's answer, parsed if it is JSON. Unlike the message it may contain personal data. */
  readonly body?: unknown;

  /** Whether nothing of the request left this host, so that repeating it is safe. */
  readonly unsent: boolean = false;

  /** Creates an error for tests: `status` and `body` are of the API's answer. */
  constructor(message: string, status: number, body?: unknown) {
    super(message);
    this.status = status;
    this.body = body;
    const members = typeof body === "object" && body !== null ? body : {};
    const { code, supportId } = members as { code?: unknown; supportId?: unknown };
    setCode(this, typeof code === "string" ? code : undefined);
    if (typeof supportId === "string") this.supportId = supportId;
  }
}

/** The webhook is invalid. */
export class ToriiWebhookError extends ToriiError {
  override readonly reason: ToriiReason = "TORII_ERR_WEBHOOK_SIGNATURE";

  /** The HTTP status for the sender. */
  readonly status: number = 400;
}

for (const [name, type] of Object.entries({
  ToriiError,
  ToriiUsageError,
  ToriiAuthError,
  ToriiPolicyError,
  ToriiKeysUnavailableError,
  ToriiKeysPendingError,
  ToriiApiError,
  ToriiWebhookError,
})) {
  // Not enumerable, as in Node's own errors.
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
}
Object.defineProperty(ToriiError.prototype, "code", {
  configurable: true,
  get(this: ToriiError) {
    return this.reason;
  },
});

/** A failure, as the native module describes it. */
interface Failure {
  reason: string;
  message: string;
  http: number;
  publicCode: string;
  publicMessage: string;
  wwwAuthenticate?: string | null;
  retryAfter?: number | null;
  issuer?: string | null;
  status?: number | null;
  code?: string | null;
  supportId?: string | null;
  body?: string | null;
  unsent: boolean;
}

/** In place of the code that {@link ToriiError} gets from its reason. */
function setCode(error: ToriiApiError, value: string | undefined): void {
  const shown = { configurable: true, enumerable: true, writable: true };
  Object.defineProperty(error, "code", { value, ...shown });
}

/** Makes the error of a failure, given as JSON. */
export function failed(json: string): ToriiError {
  const failure = JSON.parse(json) as Failure;
  const error = create(failure);
  Object.assign(error, {
    reason: failure.reason,
    publicCode: failure.publicCode,
    publicMessage: failure.publicMessage,
    retryAfter: failure.retryAfter ?? undefined,
  });
  return error;
}

function create(failure: Failure): ToriiError {
  const { reason, message } = failure;
  if (reason.startsWith("TORII_ERR_TOKEN_")) return authError(new ToriiAuthError(message), failure);
  switch (reason) {
    case "TORII_ERR_POLICY":
      return authError(new ToriiPolicyError(message), failure);
    case "TORII_ERR_KEYS_UNAVAILABLE":
      return keysError(new ToriiKeysUnavailableError(message), failure);
    case "TORII_ERR_KEYS_PENDING":
      return keysError(new ToriiKeysPendingError(message), failure);
    case "TORII_ERR_API":
    case "TORII_ERR_TRANSPORT":
    case "TORII_ERR_TIMEOUT":
    case "TORII_ERR_RESPONSE":
      return apiError(failure);
    case "TORII_ERR_INVALID_ARGUMENT":
    case "TORII_ERR_INVALID_CONFIG":
      return new ToriiUsageError(message);
  }
  if (reason.startsWith("TORII_ERR_WEBHOOK_")) return new ToriiWebhookError(message);
  return new ToriiError(message);
}

function authError(error: ToriiAuthError, failure: Failure): ToriiAuthError {
  Object.assign(error, {
    status: failure.http,
    wwwAuthenticate: failure.wwwAuthenticate ?? undefined,
  });
  return error;
}

function keysError(error: ToriiKeysUnavailableError, failure: Failure): ToriiAuthError {
  Object.assign(error, { issuer: failure.issuer ?? undefined });
  return authError(error, failure);
}

function apiError(failure: Failure): ToriiApiError {
  const error = new ToriiApiError(failure.message, failure.status ?? 0, parsed(failure.body));
  setCode(error, failure.code ?? undefined);
  Object.assign(error, { unsent: failure.unsent });
  if (failure.supportId) Object.assign(error, { supportId: failure.supportId });
  return error;
}

function parsed(body: string | null | undefined): unknown {
  if (!body) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** Runs a native function; its exceptions carry failures. */
export function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('{"')) throw failed(error.message);
    throw error;
  }
}

/** Throws for an argument that cannot be passed on. */
export function usage(
  name: string,
  problem: string,
  reason: ToriiReason = "TORII_ERR_INVALID_ARGUMENT",
): never {
  const error = new ToriiUsageError(`${name}: ${problem}`);
  Object.assign(error, { reason });
  throw error;
}
