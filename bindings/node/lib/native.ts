/**
 * The native module and its exports; `src` is the other side. Only this file loads it.
 *
 * It is in a package of its own for each platform, of which npm installs the one that fits
 * (`optionalDependencies`).
 */

import { readFileSync } from "node:fs";

/** The number of a result told before, or -1; or the texts of a new one. */
export type CheckFunction = (
  text: string,
  how: number,
  record: Float64Array,
  now?: number,
) => number | string;

export interface VerifierSettings {
  jwks?: string;
  issuers: { url: string; jwks?: string }[];
  audiences: string[];
  ignoreAudience?: boolean;
  leeway?: number;
  maxLifetime?: number;
  legacyOrganization?: boolean;
  require?: number;
  requirements?: number;
  realm?: string;
  resourceMetadata?: string;
  keyLifetime?: number;
  maxStale?: number;
  fetchTimeoutMs?: number;
  backgroundRefresh?: boolean;
  tokenCacheBytes?: number;
  fixedBase?: boolean;
  keyCacheDir?: string;
  revocationsFile?: string;
  metricsIssuerLabel?: boolean;
  caFile?: string;
  proxy?: string;
  allowHttp?: boolean;
  /** The time at the start, if each call passes the time. */
  now?: number;
}

/** A result. Has no methods. */
export type NativeAuth = object;

export interface NativeVerifier {
  checkFunction(): CheckFunction;
  /** The result with this number, the last one that was verified. */
  result(number: number): NativeAuth;
  takeFailure(): string | null;
  setNow(now: number): void;
  dueInMs(): number | null;
  stats(): string;
  metrics(): string;
  revoke(userId: string, issuedBefore?: number): void;
  setRevocations(json: string): void;
}

export interface ClientSettings {
  apiUrl?: string;
  timeoutMs?: number;
  connectTimeoutMs?: number;
  maxRetries?: number;
  caFile?: string;
  proxy?: string;
  userAgentSuffix?: string;
  allowHttp?: boolean;
}

export interface NativeRequest {
  ids: string[];
  body?: string;
  limit?: number;
  cursor?: string;
  text?: string;
  statuses?: string[];
  method?: string;
  path?: string;
  query?: string;
}

/** Has no methods: {@link NativeCalls} makes its calls. */
export type NativeClient = object;

export interface NativeCalls {
  request(call: number, client: NativeClient, operation: string, request: NativeRequest): void;
  refresh(call: number, verifier: NativeVerifier, due: boolean, issuer?: string): void;
  cancel(call: number): boolean;
}

export interface NativeWebhook {
  addSecret(secret: string): void;
  setTolerance(seconds: number): void;
  verify(id: string, timestamp: string, signature: string, body: Buffer, now: number): number;
}

interface Native {
  Verifier: new (issuer: string, settings: VerifierSettings) => NativeVerifier;
  Client: new (secretKey: string, settings: ClientSettings) => NativeClient;
  Calls: new (
    settle: (call: number, failure: string | null, text: string | null) => void,
  ) => NativeCalls;
  Webhook: new (secret: string) => NativeWebhook;
  makeRequirements(
    flags: number,
    claims: { pointer: string; json: string }[],
    organizations: { id: string; role?: string }[],
  ): number;
  dropRequirements(number: number): void;
  unmet(auth: NativeAuth, requirements: number): string | null;
  clearJwksCache(): void;
  version(): string;
}

/** The C library of this process, as package names have it; "" if the system does not say. */
function libc(): string {
  try {
    // musl's file is its loader, too, and distributions link one name to the other. That of glibc is libc.so.6.
    const maps = readFileSync("/proc/self/maps", "utf8");
    return /\/(ld-musl-[^/\s]+|libc\.so)$/m.test(maps) ? "musl" : "gnu";
  } catch {
    return "";
  }
}

/** The packages that may fit. Other systems than Linux have none, and another owner may take their names. */
function packages(): string[] {
  const { platform, arch } = process;
  if (platform !== "linux") return [];
  const host = `libtorii-linux-${arch}`;
  const name = libc();
  return name ? [`${host}-${name}`] : [`${host}-gnu`, `${host}-musl`];
}

function load(): [Native, string] {
  const names = packages();
  const failed: string[] = [];
  for (const name of names) {
    try {
      return [require(name) as Native, require.resolve(name)];
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
    }
  }
  const published = Object.keys(require("../package.json").optionalDependencies);
  const expected = names.some((name) => published.includes(name))
    ? `the package ${names.join(" or ")}; npm installs it as an optional dependency`
    : published.map((name) => name.replace("libtorii-", "")).join(", ");
  throw new Error(
    [`libtorii: no native module for ${process.platform}-${process.arch} (expected ${expected})`, ...failed].join("\n"),
  );
}

/** The version of this package. */
export const version = "0.1.0";

const [loaded, path] = load();

export const native: Native = loaded;

/** The path of the loaded native module. */
export const libraryPath: string = path;

if (native.version() !== version) {
  throw new Error(
    `libtorii: version ${version} with a native module of version ${native.version()} ` +
      "(expected the same; reinstall the package)",
  );
}
