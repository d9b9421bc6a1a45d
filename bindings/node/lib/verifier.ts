import { bytes, flag, kind, known, milliseconds, optionalText, text, texts, whole } from "./arguments.js";
import { type Facts, Identity, type ToriiAuth, facts } from "./auth.js";
import { call } from "./calls.js";
import { ToriiAuthError, ToriiKeysPendingError, attempt, failed, usage } from "./errors.js";
import { type RequestLike, headerOf } from "./headers.js";
import { type CheckFunction, type NativeVerifier, native } from "./native.js";
import { ToriiRequirements, type ToriiRequirementsInit } from "./requirements.js";

/** A token or a header's value, as text or in bytes. Bytes are copied before they are read. */
export type ToriiText = string | Uint8Array | null | undefined;

/** A JWK Set (RFC 7517), as JSON or parsed. */
export type ToriiKeySet = string | { readonly keys: readonly unknown[] };

/** Options of {@link ToriiVerifier}. Durations are in seconds. */
export interface ToriiVerifierOptions {
  /** Further issuers to trust; an object or a map gives the keys of each, null to fetch them. */
  issuers?: Iterable<string> | Record<string, ToriiKeySet | null> | Map<string, ToriiKeySet | null>;
  /** The audience that `aud` must name, or several, of which it must name one. Without one, a token with `aud` is refused. */
  audience?: string | Iterable<string>;
  /** Whether `aud` is ignored. */
  ignoreAudience?: boolean;
  /** The clock difference to allow, 0 to 300; by default 30. */
  leeway?: number;
  /** The keys of the issuer, instead of fetching them. */
  jwks?: ToriiKeySet;
  /** {@link ToriiRequire} flags that every token must meet. */
  require?: number;
  /** Further requirements of every token. */
  requirements?: ToriiRequirements | ToriiRequirementsInit;
  /** The longest time from `iat` to `exp`; 0, the default: unlimited. */
  maxLifetime?: number;
  /** Whether `org_id` and `org_role` are read where a token has no `o`. A template may fill these names with a user's own text. */
  legacyOrganization?: boolean;
  /** The `realm` of `WWW-Authenticate`, by default `torii`. */
  realm?: string;
  /** The `resource_metadata` of `WWW-Authenticate`, a URL (RFC 9728). */
  resourceMetadata?: string;
  /** The lifetime of fetched keys; by default the issuer says. */
  keyLifetime?: number;
  /** The time for which keys stay in use while the issuer is unreachable; by default a day. */
  maxStale?: number;
  /** The timeout of fetching keys; by default 5. */
  fetchTimeout?: number;
  /** Whether a short-lived thread may fetch keys before they expire; true by default. */
  backgroundRefresh?: boolean;
  /** The size of the verified token cache; 0 turns it off. */
  tokenCacheBytes?: number;
  /** Whether tokens are verified with tables made of each key: faster, for more memory. */
  fixedBase?: boolean;
  /** A directory for fetched keys, which the next process uses. Anyone who can write there can log in as any user. */
  keyCacheDir?: string;
  /** A file that lists revoked users, read again when it changes. */
  revocationsFile?: string;
  /** Whether {@link ToriiVerifier.metrics} names issuers by their URL. */
  metricsIssuerLabel?: boolean;
  /** A PEM file of the certificate authorities to trust, instead of the platform's. */
  caFile?: string;
  /** An http or https proxy for fetching keys, such as `http://proxy.example:3128`. */
  proxy?: string;
  /** Allows plain http to other hosts, where anyone on the path can forge tokens. */
  allowHttp?: boolean;
  /** Returns Unix seconds, instead of the system's clock. */
  clock?: () => number;
}

/** Options of one call. */
export interface ToriiVerifyOptions {
  /** Requirements of this call, in addition to the verifier's. */
  requirements?: ToriiRequirements;
}

/** Options of one call that may wait for keys. */
export interface ToriiWaitOptions extends ToriiVerifyOptions {
  /** Ends the wait for keys. */
  signal?: AbortSignal;
}

/** The result of {@link ToriiVerifier.stats}. Fetches are counted for the process. */
export interface ToriiStats {
  accepted: number;
  /** Of the accepted tokens, those in the verified token cache. */
  hits: number;
  /** By {@link ToriiError.reason}. Calls of `verify` that waited for keys count as `TORII_ERR_KEYS_PENDING`, too. */
  refused: Record<string, number>;
  cached_tokens: number;
  cache_bytes: number;
  issuers: {
    issuer: string;
    keys: number | null;
    skipped: number | null;
    key_age: number | null;
    due_in_ms: number | null;
    fetches: number;
    failures: number;
    last_success: number | null;
    last_error: string | null;
  }[];
}

const OPTIONS = [
  "issuers",
  "audience",
  "ignoreAudience",
  "leeway",
  "jwks",
  "require",
  "requirements",
  "maxLifetime",
  "legacyOrganization",
  "realm",
  "resourceMetadata",
  "keyLifetime",
  "maxStale",
  "fetchTimeout",
  "backgroundRefresh",
  "tokenCacheBytes",
  "fixedBase",
  "keyCacheDir",
  "revocationsFile",
  "metricsIssuerLabel",
  "caFile",
  "proxy",
  "allowHttp",
  "clock",
] as const satisfies readonly (keyof ToriiVerifierOptions)[];

/** Bits of the native function's `how`. The rest is the number of the requirements. */
const HEADER = 1;
const AGAIN = 2;
const REQUIREMENTS = 4;

/** A result's number, modulo this, is its place. */
const PLACES = 2048;

/** The key fetches of one call: keys may be dropped while it waits. */
const FETCHES = 3;

/** The numbers of a new result, written by the native function. */
const record = new Float64Array(12);

/** Verifies tokens of one or several issuers. Create one at startup. */
export class ToriiVerifier {
  readonly #clock: (() => number) | undefined;
  #native: NativeVerifier | undefined;
  #check: CheckFunction;
  /** Earlier results, at their places, with their numbers. */
  #known: (readonly [number, Facts])[] = [];
  /** Key fetches under way, by issuer. */
  readonly #fetches = new Map<string, Promise<void>>();

  /**
   * Fetches nothing yet.
   *
   * @param issuer such as `https://acme.torii.so`.
   * @throws {ToriiUsageError} if an option is invalid.
   */
  constructor(issuer: string, options: ToriiVerifierOptions = {}) {
    known("options", options, OPTIONS);
    const { clock, requirements } = options;
    if (clock !== undefined && typeof clock !== "function") {
      usage("clock", `not a function (got ${kind(clock)})`);
    }
    const required = requirements && ToriiRequirements.from(requirements);
    const settings = {
      jwks: keySet("jwks", options.jwks),
      issuers: further(options.issuers),
      audiences: audiences(options.audience),
      ignoreAudience: flag("ignoreAudience", options.ignoreAudience),
      leeway: whole("leeway", options.leeway),
      maxLifetime: whole("maxLifetime", options.maxLifetime),
      legacyOrganization: flag("legacyOrganization", options.legacyOrganization),
      require: whole("require", options.require) || undefined,
      requirements: required && ToriiRequirements.number(required),
      realm: optionalText("realm", options.realm),
      resourceMetadata: optionalText("resourceMetadata", options.resourceMetadata),
      keyLifetime: whole("keyLifetime", options.keyLifetime),
      maxStale: whole("maxStale", options.maxStale),
      fetchTimeoutMs: milliseconds("fetchTimeout", options.fetchTimeout),
      backgroundRefresh: flag("backgroundRefresh", options.backgroundRefresh),
      tokenCacheBytes: bytes("tokenCacheBytes", options.tokenCacheBytes),
      fixedBase: flag("fixedBase", options.fixedBase),
      keyCacheDir: optionalText("keyCacheDir", options.keyCacheDir),
      revocationsFile: optionalText("revocationsFile", options.revocationsFile),
      metricsIssuerLabel: flag("metricsIssuerLabel", options.metricsIssuerLabel),
      caFile: optionalText("caFile", options.caFile),
      proxy: optionalText("proxy", options.proxy),
      allowHttp: flag("allowHttp", options.allowHttp),
      now: clock && seconds(clock()),
    };
    const name = text("issuer", issuer);
    this.#clock = clock;
    this.#native = attempt(() => new native.Verifier(name, settings));
    this.#check = this.#native.checkFunction();
  }

  /**
   * Verifies a token. If the keys are at hand, this happens within the call; else they are fetched on
   * another thread.
   *
   * @throws {ToriiAuthError} if the token is missing or invalid, or could not be verified.
   * @throws {ToriiPolicyError} if it is valid but does not meet a requirement.
   */
  verify(token: ToriiText, options?: ToriiWaitOptions): Promise<ToriiAuth> {
    return this.#verify(token, 0, options);
  }

  /**
   * Verifies the token in the value of an `Authorization` header, `Bearer <token>`. Join the values of
   * a repeated header with `", "`; they are refused.
   *
   * @throws as {@link verify}.
   */
  authenticate(header: ToriiText, options?: ToriiWaitOptions): Promise<ToriiAuth> {
    return this.#verify(header, HEADER, options);
  }

  /**
   * Verifies a token without I/O, and returns the result itself.
   *
   * @throws {ToriiKeysPendingError} if keys must be fetched first: await {@link refreshDue}, then try
   *   again.
   * @throws as {@link verify}.
   */
  verifyNow(token: ToriiText, options?: ToriiVerifyOptions): ToriiAuth {
    return this.#attempt(textOf(token), 0, options?.requirements) ?? this.#refuse();
  }

  /** As {@link authenticate}, in the manner of {@link verifyNow}. */
  authenticateNow(header: ToriiText, options?: ToriiVerifyOptions): ToriiAuth {
    return this.#attempt(textOf(header), HEADER, options?.requirements) ?? this.#refuse();
  }

  /**
   * Fetches the keys of every issuer now, for example at startup.
   *
   * @throws {ToriiKeysUnavailableError} if that fails.
   */
  async refresh(options?: { signal?: AbortSignal }): Promise<void> {
    const verifier = this.#openNow();
    await call((calls, number) => calls.refresh(number, verifier, false), options?.signal);
  }

  /**
   * Fetches keys if a fetch is due, and waits for a fetch in flight. Returns at once if none is due, or
   * if the backoff after a failure is not over.
   *
   * @param issuer usually {@link ToriiKeysUnavailableError.issuer}; by default every issuer.
   * @throws {ToriiKeysUnavailableError} if that fails.
   */
  async refreshDue(issuer?: string, options?: { signal?: AbortSignal }): Promise<void> {
    const verifier = this.#openNow();
    const name = optionalText("issuer", issuer);
    await call((calls, number) => calls.refresh(number, verifier, true, name), options?.signal);
  }

  /** Returns the seconds until a key fetch is due; null if all keys were given. */
  dueIn(): number | null {
    const due = this.#open().dueInMs();
    return typeof due === "number" ? due / 1000 : null;
  }

  /**
   * Refuses the tokens of a user that were issued at or before a time, also where the user is the
   * actor.
   *
   * @param issuedBefore Unix seconds or a date, at most a day ahead; `"all"`: every token, future ones included.
   */
  revoke(userId: string, issuedBefore: number | Date | "all"): void {
    const verifier = this.#openNow();
    const id = text("userId", userId);
    if (issuedBefore === "all") {
      attempt(() => verifier.revoke(id));
      return;
    }
    const seconds =
      issuedBefore instanceof Date ? Math.floor(issuedBefore.getTime() / 1000) : issuedBefore;
    if (!Number.isSafeInteger(seconds)) {
      usage("issuedBefore", 'not a time (expected Unix seconds, a Date or "all")');
    }
    attempt(() => verifier.revoke(id, seconds));
  }

  /**
   * Replaces the list of revocations that an earlier call set.
   *
   * @param list `{"revoked":[{"sub":"…","before":1732550000}]}`, as JSON or as an object; `before` may be
   *   `"all"`.
   */
  setRevocations(
    list: string | { revoked: readonly { sub: string; before: number | "all" }[] },
  ): void {
    const verifier = this.#openNow();
    const json = typeof list === "string" ? list : text("list", JSON.stringify(list));
    attempt(() => verifier.setRevocations(json));
  }

  /** Returns metrics in the OpenMetrics text format, version 1.0.0. */
  metrics(): string {
    return this.#openNow().metrics();
  }

  /** Returns statistics. */
  stats(): ToriiStats {
    const verifier = this.#openNow();
    return JSON.parse(attempt(() => verifier.stats())) as ToriiStats;
  }

  /**
   * Frees memory; calls that wait for keys are refused. Optional: an unreferenced verifier is freed,
   * too.
   */
  close(): void {
    this.#native = undefined;
    this.#check = () => usage("verifier", "closed");
    this.#known = [];
  }

  #open(): NativeVerifier {
    return this.#native ?? usage("verifier", "closed");
  }

  /** The native verifier, with the time of the clock. */
  #openNow(): NativeVerifier {
    const verifier = this.#open();
    if (this.#clock !== undefined) verifier.setNow(seconds(this.#clock()));
    return verifier;
  }

  #verify(value: ToriiText, kindOfText: number, options?: ToriiWaitOptions): Promise<ToriiAuth> {
    try {
      const text = textOf(value);
      const requirements = options?.requirements;
      const auth = this.#attempt(text, kindOfText, requirements);
      if (auth !== undefined) return Promise.resolve(auth);
      const failure = this.#failure();
      if (!(failure instanceof ToriiKeysPendingError)) return Promise.reject(failure);
      return this.#fetchAndVerify(text, kindOfText, requirements, failure, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #fetchAndVerify(
    text: string,
    kindOfText: number,
    // The object, not its number: that is given to others when the object is no longer used.
    requirements: ToriiRequirements | undefined,
    pending: ToriiKeysPendingError,
    signal: AbortSignal | undefined,
  ): Promise<ToriiAuth> {
    let failure: ToriiKeysPendingError = pending;
    for (let fetches = 0; fetches < FETCHES; fetches += 1) {
      await this.#fetch(failure.issuer, signal);
      const auth = this.#attempt(text, kindOfText, requirements);
      if (auth !== undefined) return auth;
      const refused = this.#failure();
      if (!(refused instanceof ToriiKeysPendingError)) throw refused;
      failure = refused;
    }
    throw failure;
  }

  /** Waits for a key fetch, one for all calls. Whether it succeeds shows when the token is verified. */
  #fetch(issuer: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const name = issuer ?? "";
    let fetch = this.#fetches.get(name);
    if (fetch === undefined) {
      fetch = this.refreshDue(issuer)
        .catch(() => {})
        .finally(() => this.#fetches.delete(name));
      this.#fetches.set(name, fetch);
    }
    return signal ? orAborted(fetch, signal) : fetch;
  }

  /** Verifies; undefined if that failed, for a reason that {@link #failure} has. */
  #attempt(
    text: string,
    kindOfText: number,
    requirements: ToriiRequirements | null | undefined,
  ): Identity | undefined {
    const how = kindOfText + REQUIREMENTS * numberOf(requirements);
    const now = this.#clock === undefined ? undefined : seconds(this.#clock());
    let answer = this.#check(text, how, record, now);
    if (typeof answer === "number") {
      if (answer < 0) return undefined;
      const known = this.#known[answer % PLACES];
      if (known !== undefined && known[0] === answer) return new Identity(known[1]);
      // An exception came between the result and its place here.
      answer = this.#check(text, how + AGAIN, record, now);
      if (typeof answer === "number") return undefined;
    }
    const number = record[0] as number;
    const learned = facts(this.#open().result(number), answer, record);
    this.#known[number % PLACES] = [number, learned];
    return new Identity(learned);
  }

  #failure(): Error {
    return failed(this.#open().takeFailure() as string);
  }

  #refuse(): never {
    throw this.#failure();
  }
}

function numberOf(requirements: ToriiRequirements | null | undefined): number {
  if (requirements === undefined || requirements === null) return 0;
  return ToriiRequirements.number(requirements);
}

function textOf(value: ToriiText): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  if (value instanceof Uint8Array) {
    // A copy: the bytes may be shared with another thread. Those above 127 are in no token.
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
  }
  // Input of clients may get here: `?token=a&token=b` is an array.
  throw new ToriiAuthError(`token: ${kind(value)} (expected a string or bytes)`);
}

/** Of a clock that fails no token is valid. */
function seconds(now: number): number {
  if (!Number.isFinite(now)) usage("clock", "returned no time (expected Unix seconds)");
  return Math.floor(now);
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function keySet(name: string, keys: ToriiKeySet | null | undefined): string | undefined {
  if (keys === undefined || keys === null) return undefined;
  return text(name, typeof keys === "object" ? JSON.stringify(keys) : keys);
}

function further(issuers: ToriiVerifierOptions["issuers"]): { url: string; jwks?: string }[] {
  if (issuers === undefined || issuers === null) return [];
  if (typeof issuers === "object" && !(Symbol.iterator in issuers)) {
    return further(new Map(Object.entries(issuers)));
  }
  if (issuers instanceof Map) {
    return Array.from(issuers as Map<string, ToriiKeySet | null>, ([url, keys]) => ({
      url: text("issuers", url),
      jwks: keySet("jwks", keys),
    }));
  }
  return texts("issuers", issuers).map((url) => ({ url }));
}

function audiences(audience: ToriiVerifierOptions["audience"]): string[] {
  if (audience === undefined || audience === null) return [];
  const names = texts("audience", audience);
  if (names.length === 0) usage("audience", "empty (expected at least one)");
  return names;
}

const LONGEST_KEPT = 256;
const shared = new Map<string, ToriiVerifier>();

/** Options of {@link verifyToken}. */
export interface VerifyTokenOptions {
  /** The issuer, such as `https://acme.torii.so`. */
  issuer: string;
  /** The audience that `aud` must name, or several, of which it must name one. */
  audience?: string | string[];
  /** The clock difference to allow, in seconds; by default 30. */
  clockTolerance?: number;
}

/** Returns the verifier that {@link verifyToken} keeps. */
export function sharedVerifier(options: VerifyTokenOptions): ToriiVerifier {
  const { issuer, audience, clockTolerance } = options ?? {};
  // The usual options need no key made of them.
  const usual = audience === undefined && clockTolerance === undefined;
  const names = audience === undefined ? undefined : audiences(audience);
  const key =
    usual && typeof issuer === "string"
      ? issuer
      : JSON.stringify([issuer, names, clockTolerance]);
  const found = shared.get(key);
  if (found !== undefined) return found;
  const verifier = new ToriiVerifier(issuer, { audience: names, leeway: clockTolerance });
  if (shared.size >= LONGEST_KEPT) shared.delete(shared.keys().next().value as string);
  shared.set(key, verifier);
  return verifier;
}

/**
 * Verifies a token of an issuer, with a verifier that is kept for later calls.
 *
 * @throws {ToriiAuthError} if the token is missing or invalid, or could not be verified.
 */
export function verifyToken(token: string, options: VerifyTokenOptions): Promise<ToriiAuth> {
  try {
    return sharedVerifier(options).verify(token);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Options of {@link authenticateRequest}. */
export type AuthenticateRequestOptions = VerifyTokenOptions & {
  /** The header that holds `Bearer <token>`, by default `authorization`. */
  header?: string;
};

/**
 * Verifies the token in the headers of a request. Several values of the header are refused.
 *
 * @throws {ToriiAuthError} if the token is missing or invalid, or could not be verified.
 */
export function authenticateRequest(
  req: RequestLike,
  options: AuthenticateRequestOptions,
): Promise<ToriiAuth> {
  try {
    const { header = "authorization", ...others } = options;
    return sharedVerifier(others).authenticate(headerOf(req, header));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Drops the keys of every issuer, in all verifiers of the process, for tests. */
export function clearJwksCache(): void {
  native.clearJwksCache();
}

export { clearJwksCache as _clearJwksCacheForTests };
