import { known, text, texts, whole } from "./arguments.js";
import { ToriiUsageError, attempt, usage } from "./errors.js";
import { type NativeWebhook, native } from "./native.js";
import { type RequestLike, headerOf } from "./headers.js";

/** A body as received, before any parsing. */
export type ToriiPayload = string | Uint8Array;

/** A verified webhook. */
export interface ToriiWebhook {
  /** The id, the same at each delivery of a webhook. */
  readonly id: string;
  readonly sentAt: Date;
}

/** Options of {@link ToriiWebhookVerifier}. */
export interface ToriiWebhookOptions {
  /** The seconds by which a webhook's timestamp may differ from now; by default 300. */
  tolerance?: number;
}

const NAMES = ["id", "timestamp", "signature"] as const;

/** Verifies webhooks by Standard Webhooks 1.0.0. */
export class ToriiWebhookVerifier {
  readonly #native: NativeWebhook;

  /**
   * @param secrets `whsec_…`, or several while secrets are being rotated.
   * @throws {ToriiUsageError} if a secret is invalid; the message has its number, not its value.
   */
  constructor(secrets: string | Iterable<string>, options: ToriiWebhookOptions = {}) {
    known("options", options, ["tolerance"]);
    const several = texts("secrets", secrets);
    if (several.length === 0) {
      usage("secrets", "empty (expected at least one)", "TORII_ERR_INVALID_CONFIG");
    }
    let webhook: NativeWebhook | undefined;
    for (const [index, secret] of several.entries()) {
      try {
        if (webhook === undefined) webhook = attempt(() => new native.Webhook(secret));
        else attempt(() => webhook?.addSecret(secret));
      } catch (error) {
        if (!(error instanceof ToriiUsageError)) throw error;
        const problem = error.message.replace(/^secret: /, "");
      usage(`secrets: number ${index + 1}`, problem, error.reason);
      }
    }
    this.#native = webhook as NativeWebhook;
    const tolerance = whole("tolerance", options.tolerance);
    if (tolerance !== undefined) attempt(() => this.#native.setTolerance(tolerance));
  }

  /**
   * Verifies a webhook. It may be delivered more than once, with the same id: ignore ids you have
   * processed.
   *
   * @param headers of the request: `webhook-id`, `webhook-timestamp` and `webhook-signature` or, if none
   *   of these is present, `svix-id` and so on.
   * @param options `now`: the time, or Unix seconds, instead of the system's time.
   * @throws {ToriiWebhookError} if the webhook is invalid; its `status` is 400.
   */
  verify(
    payload: ToriiPayload,
    headers: RequestLike["headers"],
    options: { now?: number | Date } = {},
  ): ToriiWebhook {
    const body = bodyOf(payload);
    const [id, timestamp, signature] = find(headers);
    const { now = new Date() } = options;
    const seconds = Math.floor(now instanceof Date ? now.getTime() / 1000 : now);
    if (!Number.isSafeInteger(seconds)) usage("now", "not a time (expected Unix seconds or a Date)");
    const sent = attempt(() => this.#native.verify(id, timestamp, signature, body, seconds));
    return { id, sentAt: new Date(sent * 1000) };
  }
}

/** The members that torii announced. The library only checks that the body is an object. */
export type WebhookEvent = {
  type: string;
  id: string;
  created_at: string;
  data: Record<string, unknown>;
};

/** Options of {@link verifyWebhook}. */
export type VerifyWebhookOptions = {
  /** `whsec_…`, or several while secrets are being rotated. */
  secret: string | Iterable<string>;
  /** The headers of the request. */
  headers: RequestLike["headers"];
  /** The body as received. A body that was parsed and serialized again is refused. */
  payload: ToriiPayload;
  /** As in {@link ToriiWebhookOptions}. */
  tolerance?: number;
  /** As for {@link ToriiWebhookVerifier.verify}. */
  now?: number | Date;
};

/**
 * Verifies a webhook and returns its parsed body.
 *
 * @throws {ToriiWebhookError} if the webhook is invalid; its `status` is 400.
 */
export async function verifyWebhook(options: VerifyWebhookOptions): Promise<WebhookEvent> {
  const { secret, headers, payload, tolerance, now } = options;
  const body = bodyOf(payload);
  new ToriiWebhookVerifier(secret, { tolerance }).verify(body, headers, { now });
  const event = parse(body);
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    usage("payload", "not a JSON object");
  }
  return event as WebhookEvent;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** A copy of the body, since its bytes may be shared with another thread. */
function bodyOf(payload: ToriiPayload): Buffer {
  if (typeof payload !== "string" && !(payload instanceof Uint8Array)) {
    usage("payload", "not the body as received (expected a string or bytes)");
  }
  return Buffer.from(payload as Uint8Array);
}

function find(headers: RequestLike["headers"]): [string, string, string] {
  if (typeof headers !== "object" || headers === null) usage("headers", "not an object");
  const of = (prefix: string) => NAMES.map((name) => headerOf({ headers }, `${prefix}-${name}`));
  const ours = of("webhook");
  const values = ours.some((value) => value) ? ours : of("svix");
  const [id = "", timestamp = "", signature = ""] = values.map((value) => text("headers", value ?? ""));
  return [id, timestamp, signature];
}
