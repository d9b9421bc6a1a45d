/**
 * Shared by all adapters: the credentials of a request, its identity, and the answer to a refused one.
 */

import { known, text, texts } from "./arguments.js";
import type { ToriiAuth } from "./auth.js";
import { ToriiAuthError, usage } from "./errors.js";
import { headerOf } from "./headers.js";
import { ToriiRequirements, type ToriiRequirementsInit } from "./requirements.js";
import { ToriiVerifier } from "./verifier.js";

/** Options of every adapter: a verifier, or the issuer and options for one. */
export interface ToriiGuardOptions {
  /** A verifier of yours. It may serve several routes. */
  verifier?: ToriiVerifier;
  /** The issuer, such as `https://acme.torii.so`. */
  issuer?: string;
  /** The audience that `aud` must name, or several, of which it must name one. */
  audience?: string | string[];
  /** The clock difference to allow, in seconds; by default 30. */
  clockTolerance?: number;
  /** The `realm` of `WWW-Authenticate`, by default `torii`. */
  realm?: string;
  /** The `resource_metadata` of `WWW-Authenticate`, a URL (RFC 9728). */
  resourceMetadata?: string;
  /**
   * Lets a request without credentials pass, without an identity. With `requirements` it is refused
   * nevertheless.
   */
  optional?: boolean;
  /** Requirements of these routes, in addition to the verifier's. */
  requirements?: ToriiRequirements | ToriiRequirementsInit;
  /** The header that holds `Bearer <token>`, by default `authorization`. */
  header?: string;
  /**
   * A cookie of your application that holds the token, read if the header is absent. Browsers also send
   * cookies with requests that other sites cause: protect state-changing routes against that (CSRF).
   */
  cookie?: string;
  /** Paths, compared exactly, on which requests pass without an identity. */
  skip?: Iterable<string>;
}

/** The parts of a request that a guard reads. */
export interface Asked {
  /** The path, without the query. */
  path(): string;
  /** The values of a header, joined with `, `. */
  header(name: string): string | undefined;
  /** The values of `Cookie`, joined with `; `. */
  cookies(): string | undefined;
}

/** The answer to a refused request. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const OPTIONS = [
  "verifier",
  "issuer",
  "audience",
  "clockTolerance",
  "realm",
  "resourceMetadata",
  "optional",
  "requirements",
  "header",
  "cookie",
  "skip",
] as const satisfies readonly (keyof ToriiGuardOptions)[];

const OF_THE_VERIFIER = [
  "issuer",
  "audience",
  "clockTolerance",
  "realm",
  "resourceMetadata",
] as const satisfies readonly (keyof ToriiGuardOptions)[];

export class Guard {
  readonly #verifier: ToriiVerifier;
  readonly #requirements: ToriiRequirements | undefined;
  readonly #optional: boolean;
  readonly #header: string;
  readonly #cookie: string | undefined;
  readonly #skip: ReadonlySet<string>;

  constructor(options: ToriiGuardOptions) {
    known("options", options, OPTIONS);
    this.#verifier = verifierOf(options);
    const { requirements } = options;
    this.#requirements = requirements && ToriiRequirements.from(requirements);
    this.#optional = options.optional === true && requirements === undefined;
    this.#header = text("header", options.header ?? "authorization").toLowerCase();
    this.#cookie = options.cookie === undefined ? undefined : text("cookie", options.cookie);
    if (typeof options.skip === "string") usage("skip", "a string (expected a list of paths)");
    this.#skip = new Set(texts("skip", options.skip));
  }

  /**
   * Returns the identity behind a request; null for an anonymous one.
   *
   * @throws {ToriiAuthError} if the request has to be refused: see {@link refusal}.
   */
  async identify(asked: Asked): Promise<ToriiAuth | null> {
    if (this.#skip.size > 0 && this.#skip.has(asked.path())) return null;
    const options = { requirements: this.#requirements };
    const header = asked.header(this.#header);
    if (!isBlank(header)) return this.#verifier.authenticate(header, options);
    if (this.#cookie !== undefined) {
      const token = cookieOf(asked.cookies() ?? "", this.#cookie);
      if (!isBlank(token)) return this.#verifier.verify(token, options);
    }
    if (this.#optional) return null;
    return this.#verifier.authenticate(header, options);
  }
}

function verifierOf(options: ToriiGuardOptions): ToriiVerifier {
  const { verifier, issuer, audience, clockTolerance, realm, resourceMetadata } = options;
  if (verifier !== undefined) {
    for (const name of OF_THE_VERIFIER) {
      if (options[name] !== undefined) usage(name, "an option of the verifier (set it there)");
    }
    if (!(verifier instanceof ToriiVerifier)) usage("verifier", "not a ToriiVerifier");
    return verifier;
  }
  if (issuer === undefined) usage("options", "neither `issuer` nor `verifier`");
  return new ToriiVerifier(issuer, { audience, leeway: clockTolerance, realm, resourceMetadata });
}

/** Whether a header or a cookie carries no credentials. */
function isBlank(value: string | undefined): boolean {
  return value === undefined || /^[ \t]*$/.test(value);
}

/** The value of a cookie; a name that occurs twice gives text that is not a token. */
function cookieOf(cookies: string, wanted: string): string {
  const values: string[] = [];
  for (const pair of cookies.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || trimmed(pair, 0, equals, "start") !== wanted) continue;
    const value = trimmed(pair, equals + 1, pair.length, "end");
    // RFC 6265 §4.1.1.
    const quoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
    values.push(quoted ? value.slice(1, -1) : value);
  }
  return values.length === 1 ? (values[0] as string) : values.join(", ");
}

/** A part of a text, without the blanks at one end. In linear time for any input. */
function trimmed(text: string, start: number, end: number, at: "start" | "end"): string {
  const isBlankAt = (index: number) => text[index] === " " || text[index] === "\t";
  if (at === "start") while (start < end && isBlankAt(start)) start += 1;
  else while (end > start && isBlankAt(end - 1)) end -= 1;
  return text.slice(start, end);
}

/** The answer to a request that is refused with this error. */
export function refusal(error: ToriiAuthError): Refusal {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "cache-control": "no-store",
  };
  if (error.wwwAuthenticate !== undefined) headers["www-authenticate"] = error.wwwAuthenticate;
  if (error.status === 503) headers["retry-after"] = String(Math.max(error.retryAfter ?? 1, 1));
  const { publicCode: code, publicMessage: message } = error;
  return { status: error.status, headers, body: JSON.stringify({ error: { code, message } }) };
}

/** A request of Node's `http`, or a test's stand-in. */
export interface NodeRequest {
  url?: string;
  headers: Record<string, string | string[] | undefined>;
  rawHeaders?: string[];
}

/** Adapts a request of Node's `http`. `url` is as the client sent it. */
export function askedOfNode(request: NodeRequest, url: string | undefined): Asked {
  return {
    path: () => (url ?? "/").split("?", 1)[0] as string,
    header: (name) => headerOf(request, name),
    cookies: () => headerOf(request, "cookie", "; "),
  };
}
