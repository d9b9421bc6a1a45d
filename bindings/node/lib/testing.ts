/**
 * The local torii, for tests of your application: issuers, tokens, the backend API, and failures on
 * demand.
 *
 * ```ts
 * import { LocalTorii } from "libtorii/testing";
 *
 * const torii = await LocalTorii.start();
 * const token = await torii.token({ claims: { sub: "user-1", plan: "pro" } });
 * ```
 *
 * @module libtorii/testing
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type ToriiClient, createToriiClient } from "./client.js";
import type { ToriiCreateUserInput, ToriiUser } from "./types.js";
import { clearJwksCache } from "./verifier.js";

/** Options of {@link LocalTorii.token}. The README of the local torii describes all members. */
export interface TokenOptions {
  /** Claims to set. */
  claims?: Record<string, unknown>;
  /** Claims to leave out. */
  without?: string[];
  /** Seconds from `iat` to `exp`; by default 300. */
  expires_in?: number;
  /** Seconds to add to the clock. */
  now_offset?: number;
  /** By default `"current"`; `"forged"`: an unpublished key. */
  signer?: "current" | "forged" | "none" | { issuer: string } | { kid: string };
  [member: string]: unknown;
}

/** A login: its user, its session, and an access token of it. */
export interface LocalLogin {
  user: ToriiUser;
  session: { id: string } & Record<string, unknown>;
  token: string;
}

/** Options of {@link LocalTorii.start}. */
export interface StartOptions {
  /** The program, by default `$TORII_EMULATOR`, else `torii-emulator` in `$PATH`. */
  program?: string;
}

interface Addresses {
  url: string;
  issuer: string;
  control: string;
  secret_key: string;
  environment_id: string;
}

/** A local torii. It ends with the process that started it. */
export class LocalTorii {
  readonly #process: ChildProcess;
  readonly #control: string;
  /** The base URL, also of the backend API. */
  readonly url: string;
  /** The issuer, for a verifier. */
  readonly issuer: string;
  /** The secret key, for a client. */
  readonly secretKey: string;
  readonly environmentId: string;

  private constructor(process: ChildProcess, addresses: Addresses) {
    this.#process = process;
    this.#control = addresses.control;
    this.url = addresses.url;
    this.issuer = addresses.issuer;
    this.secretKey = addresses.secret_key;
    this.environmentId = addresses.environment_id;
  }

  /** Starts one, on a free port. */
  static async start(options: StartOptions = {}): Promise<LocalTorii> {
    const program = options.program ?? process.env.TORII_EMULATOR ?? "torii-emulator";
    const child = spawn(program, ["--port", "0", "--until-stdin-closes"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const line = await new Promise<string>((resolve, reject) => {
      const ended = (why: unknown) =>
        reject(new Error(`${program}: cannot be started (install torii-emulator): ${why}`));
      child.once("error", ended);
      child.once("exit", (code) => ended(`ended with ${code}`));
      createInterface({ input: child.stdout }).once("line", resolve);
    });
    // A test that forgets to stop it can end.
    child.unref();
    for (const stream of [child.stdin, child.stdout]) {
      (stream as unknown as { unref?(): void }).unref?.();
    }
    return new LocalTorii(child, JSON.parse(line) as Addresses);
  }

  /** Returns a client with its secret key. */
  client(): ToriiClient {
    return createToriiClient({ secretKey: this.secretKey, apiUrl: this.url });
  }

  /** Mints a token: by default a valid one, for a new user. */
  async token(options: TokenOptions = {}): Promise<string> {
    const answer = await this.control("POST", "/issuers/acme/tokens", options);
    return (answer as { token: string }).token;
  }

  /** Signs in an existing or a new user. */
  async signIn(user: { id: string } | ToriiCreateUserInput = {}): Promise<LocalLogin> {
    const { users } = this.client();
    const login = "id" in user ? await users.get(user.id) : await users.create(user);
    const answer = await this.control("POST", "/issuers/acme/sessions", { user_id: login.id });
    return { user: login, ...(answer as Omit<LocalLogin, "user">) };
  }

  /**
   * Makes requests for keys fail until {@link restoreKeys}, and drops the keys that verifiers of this
   * process have.
   */
  async failKeys(status = 503): Promise<void> {
    await this.fault("/acme/_torii/.well-known/jwks.json", { kind: "status", status });
    clearJwksCache();
  }

  /** Ends all faults. */
  async restoreKeys(): Promise<void> {
    await this.control("DELETE", "/faults");
    clearJwksCache();
  }

  /** Publishes a new key, with which further tokens are signed. */
  async rotateKeys(): Promise<void> {
    await this.control("POST", "/issuers/acme/keys");
  }

  /** Makes requests with this prefix of the path fail. The README of the local torii lists the faults. */
  async fault(
    path: string,
    fault: { kind: string } & Record<string, unknown>,
    options: { times?: number; method?: string } = {},
  ): Promise<void> {
    await this.control("POST", "/faults", { path, fault, ...options });
  }

  /** Returns the requests it got with this prefix of the path. */
  async requests(path = "/"): Promise<{ method: string; path: string; body: string }[]> {
    const answer = await this.control("GET", `/requests?path=${encodeURIComponent(path)}`);
    return (answer as { requests: { method: string; path: string; body: string }[] }).requests;
  }

  /** Forgets users, faults and requests, and makes new keys. */
  async reset(): Promise<void> {
    await this.control("POST", "/reset");
    clearJwksCache();
  }

  /** Calls the control API. */
  async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.#control}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return said === "" ? null : JSON.parse(said);
  }

  /** Stops it. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.ref();
    this.#process.stdin?.end();
    await ended;
  }
}
