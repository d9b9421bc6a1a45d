import { flag, kind, known, milliseconds, optionalText, text, texts, whole } from "./arguments.js";
import { call } from "./calls.js";
import { attempt, usage } from "./errors.js";
import { type NativeClient, type NativeRequest, native } from "./native.js";
import { pages } from "./pages.js";
import type {
  ToriiAllowedOrigins,
  ToriiCreateInvitationInput,
  ToriiCreateUserInput,
  ToriiImpersonationInput,
  ToriiImpersonationToken,
  ToriiInvitation,
  ToriiInvitationDetail,
  ToriiMetadataInput,
  ToriiOrganization,
  ToriiOrganizationMember,
  ToriiPagePromise,
  ToriiSession,
  ToriiUpdateUserInput,
  ToriiUser,
  ToriiUserMetadataInput,
  ToriiUserOrganization,
  ToriiUserSearchFilter,
} from "./types.js";

/** Options of {@link createToriiClient}. Durations are in seconds. */
export interface ToriiClientOptions {
  /** The secret key of an environment: `sk_live_…` or `sk_test_…`. */
  secretKey: string;
  /** The base URL of the API, by default `https://api.torii.so`. */
  apiUrl?: string;
  /** The timeout of a call, including retries; by default 30. */
  timeout?: number;
  /** The timeout of connecting; by default 5. */
  connectTimeout?: number;
  /** The number of retries of an idempotent call; by default 2. */
  maxRetries?: number;
  /** A PEM file of the certificate authorities to trust, instead of the platform's. */
  caFile?: string;
  /** An http or https proxy, such as `http://user:password@proxy.example:3128`. */
  proxy?: string;
  /** The name of your program for `User-Agent`, such as `shop/1.2`. */
  userAgentSuffix?: string;
  /** Allows plain http to other hosts, where anyone on the path reads the key. */
  allowHttp?: boolean;
}

/** Options of one call. */
export interface ToriiCallOptions {
  /**
   * Ends the wait for the answer. A call that was sent can have its effect nevertheless.
   */
  signal?: AbortSignal;
}

/** A page of a list. */
export interface ToriiPageOptions extends ToriiCallOptions {
  /** 1 to 100; by default the API's own. */
  limit?: number;
  /** `nextCursor` of the previous page. */
  cursor?: string;
}

export interface ListUsersOptions extends ToriiPageOptions {
  /** Filters, which must all match. */
  filter?: ToriiUserSearchFilter;
}

export interface ListOrganizationsOptions extends ToriiPageOptions {
  /** A part of the name. */
  name?: string;
}

export interface ListInvitationsOptions extends ToriiPageOptions {
  /** One of these, such as `PENDING`. */
  statuses?: string[];
  /** A part of the invitation. */
  search?: string;
}

const OPTIONS = [
  "secretKey",
  "apiUrl",
  "timeout",
  "connectTimeout",
  "maxRetries",
  "caFile",
  "proxy",
  "userAgentSuffix",
  "allowHttp",
] as const satisfies readonly (keyof ToriiClientOptions)[];

const PAGE = ["limit", "cursor", "signal"];

/** The members of answers that are instants. */
const INSTANTS = [
  "createdAt",
  "updatedAt",
  "emailVerifiedAt",
  "deletedAt",
  "expiresAt",
  "lastUsedAt",
  "acceptedAt",
  "revokedAt",
  "joinedAt",
];

type Ask = <T>(
  operation: string,
  request: Omit<NativeRequest, "ids"> & { ids?: unknown[] },
  options: ToriiCallOptions | undefined,
) => Promise<T>;

/** Users. Ids are UUIDs. */
export class UsersClient {
  readonly #ask: Ask;

  /** @internal */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Returns a page of the users that match all filters. */
  list(options: ListUsersOptions = {}): ToriiPagePromise<ToriiUser> {
    const { limit, cursor, filter, signal } = options;
    return pages(cursor, async (cursor) => {
      known("options", options, [...PAGE, "filter"]);
      const body = filter && json("filter", filter);
      return this.#ask("users.list", { limit, cursor, body }, { signal });
    });
  }

  /** Returns a user. */
  get(userId: string, options?: ToriiCallOptions): Promise<ToriiUser> {
    return this.#ask("users.get", { ids: [userId] }, options);
  }

  /** Creates a user. Never retried once sent: after a lost answer the user may exist. */
  async create(input: ToriiCreateUserInput, options?: ToriiCallOptions): Promise<ToriiUser> {
    return this.#ask("users.create", { body: json("input", input) }, options);
  }

  /** Updates a user: undefined leaves a field as it is, null clears it, a value sets it. */
  async update(
    userId: string,
    input: ToriiUpdateUserInput,
    options?: ToriiCallOptions,
  ): Promise<ToriiUser> {
    return this.#ask("users.update", { ids: [userId], body: json("input", input) }, options);
  }

  /** Merges into a user's metadata. Null removes a key. */
  async updateMetadata(
    userId: string,
    input: ToriiUserMetadataInput,
    options?: ToriiCallOptions,
  ): Promise<ToriiUser> {
    const body = json("input", input);
    return this.#ask("users.updateMetadata", { ids: [userId], body }, options);
  }

  /** Deletes a user. */
  delete(userId: string, options?: ToriiCallOptions): Promise<void> {
    return this.#ask("users.delete", { ids: [userId] }, options);
  }

  /** Bans a user and ends all sessions. Issued tokens stay valid until they expire. */
  ban(userId: string, options?: ToriiCallOptions): Promise<ToriiUser> {
    return this.#ask("users.ban", { ids: [userId] }, options);
  }

  /** Lifts a ban and returns the user. */
  unban(userId: string, options?: ToriiCallOptions): Promise<ToriiUser> {
    return this.#ask("users.unban", { ids: [userId] }, options);
  }

  /** Returns a page of a user's organizations. */
  listOrganizations(
    userId: string,
    options: ToriiPageOptions = {},
  ): ToriiPagePromise<ToriiUserOrganization> {
    const { limit, cursor, signal } = options;
    return pages(cursor, (cursor) =>
      this.#ask("users.listOrganizations", { ids: [userId], limit, cursor }, { signal }),
    );
  }
}

/** Sessions of users. */
export class SessionsClient {
  readonly #ask: Ask;

  /** @internal */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Returns a user's active sessions, the last used first. */
  listForUser(userId: string, options?: ToriiCallOptions): Promise<ToriiSession[]> {
    return this.#ask("sessions.listForUser", { ids: [userId] }, options);
  }

  /** Ends all sessions of a user. */
  revokeAllForUser(userId: string, options?: ToriiCallOptions): Promise<void> {
    return this.#ask("sessions.revokeAllForUser", { ids: [userId] }, options);
  }

  /** Ends one session of a user. Succeeds if it has already ended. */
  revoke(userId: string, sessionId: string, options?: ToriiCallOptions): Promise<void> {
    return this.#ask("sessions.revoke", { ids: [userId, sessionId] }, options);
  }
}

/** Organizations and their members. */
export class OrganizationsClient {
  readonly #ask: Ask;

  /** @internal */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Returns a page of the organizations whose name contains `name`, or of all. */
  list(options: ListOrganizationsOptions = {}): ToriiPagePromise<ToriiOrganization> {
    const { limit, cursor, signal } = options;
    return pages(cursor, async (cursor) => {
      known("options", options, [...PAGE, "name"]);
      const name = optionalText("name", options.name);
      return this.#ask("organizations.list", { limit, cursor, text: name }, { signal });
    });
  }

  /** Returns an organization. */
  get(organizationId: string, options?: ToriiCallOptions): Promise<ToriiOrganization> {
    return this.#ask("organizations.get", { ids: [organizationId] }, options);
  }

  /** Returns a page of an organization's members. */
  listMembers(
    organizationId: string,
    options: ToriiPageOptions = {},
  ): ToriiPagePromise<ToriiOrganizationMember> {
    const { limit, cursor, signal } = options;
    return pages(cursor, (cursor) =>
      this.#ask("organizations.listMembers", { ids: [organizationId], limit, cursor }, { signal }),
    );
  }

  /** Merges into an organization's metadata. Null removes a key. */
  async updateMetadata(
    organizationId: string,
    input: ToriiMetadataInput,
    options?: ToriiCallOptions,
  ): Promise<ToriiOrganization> {
    const request = { ids: [organizationId], body: json("input", input) };
    return this.#ask("organizations.updateMetadata", request, options);
  }

  /** Merges into a membership's metadata. Null removes a key. */
  async updateMemberMetadata(
    organizationId: string,
    userId: string,
    input: ToriiMetadataInput,
    options?: ToriiCallOptions,
  ): Promise<ToriiOrganizationMember> {
    const request = { ids: [organizationId, userId], body: json("input", input) };
    return this.#ask("organizations.updateMemberMetadata", request, options);
  }
}

/** Invitations to sign up. */
export class InvitationsClient {
  readonly #ask: Ask;

  /** @internal */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Invites a person by email. Never retried once sent. */
  async create(
    input: ToriiCreateInvitationInput,
    options?: ToriiCallOptions,
  ): Promise<ToriiInvitation> {
    // The API requires both.
    const body = json("input", { publicMetadata: {}, privateMetadata: {}, ...input });
    return this.#ask("invitations.create", { body }, options);
  }

  /** Returns a page of invitations. */
  list(options: ListInvitationsOptions = {}): ToriiPagePromise<ToriiInvitation> {
    const { limit, cursor, signal } = options;
    return pages(cursor, async (cursor) => {
      known("options", options, [...PAGE, "statuses", "search"]);
      const statuses = texts("statuses", options.statuses);
      const search = optionalText("search", options.search);
      return this.#ask("invitations.list", { limit, cursor, statuses, text: search }, { signal });
    });
  }

  /** Returns an invitation, with its metadata. */
  get(invitationId: string, options?: ToriiCallOptions): Promise<ToriiInvitationDetail> {
    return this.#ask("invitations.get", { ids: [invitationId] }, options);
  }

  /** Sends an invitation again, with a new link. Never retried once sent. */
  resend(invitationId: string, options?: ToriiCallOptions): Promise<ToriiInvitation> {
    return this.#ask("invitations.resend", { ids: [invitationId] }, options);
  }

  /** Revokes an invitation. Never retried once sent. */
  revoke(invitationId: string, options?: ToriiCallOptions): Promise<void> {
    return this.#ask("invitations.revoke", { ids: [invitationId] }, options);
  }

  /** Merges into the metadata of a pending invitation. Null removes a key. */
  async updateMetadata(
    invitationId: string,
    input: ToriiMetadataInput,
    options?: ToriiCallOptions,
  ): Promise<ToriiInvitationDetail> {
    const request = { ids: [invitationId], body: json("input", input) };
    return this.#ask("invitations.updateMetadata", request, options);
  }
}

/** Impersonation of users. */
export class ImpersonationClient {
  readonly #ask: Ask;

  /** @internal */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Creates a token that signs in as the user, once. It counts toward a quota; never retried once sent. */
  async createToken(
    userId: string,
    input: ToriiImpersonationInput,
    options?: ToriiCallOptions,
  ): Promise<ToriiImpersonationToken> {
    const request = { ids: [userId], body: json("input", input) };
    return this.#ask("impersonation.createToken", request, options);
  }
}

/** The origins from which browsers may call torii. */
export class AllowedOriginsClient {
  readonly #ask: Ask;

  /** @internal */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Returns all origins. */
  get(options?: ToriiCallOptions): Promise<ToriiAllowedOrigins> {
    return this.#ask("allowedOrigins.get", {}, options);
  }

  /** Replaces all origins. */
  async set(
    origins: Iterable<string>,
    options?: ToriiCallOptions,
  ): Promise<ToriiAllowedOrigins> {
    const body = json("origins", { origins: texts("origins", origins) });
    return this.#ask("allowedOrigins.set", { body }, options);
  }
}

/** Calls torii's backend API for the environment of a secret key. Create one at startup. */
export class ToriiClient {
  readonly #ask: Ask;
  readonly users: UsersClient;
  readonly sessions: SessionsClient;
  readonly organizations: OrganizationsClient;
  readonly invitations: InvitationsClient;
  readonly impersonation: ImpersonationClient;
  readonly allowedOrigins: AllowedOriginsClient;

  /** @throws {ToriiUsageError} if an option is invalid. */
  constructor(options: ToriiClientOptions) {
    known("options", options, OPTIONS);
    const secretKey = text("secretKey", options?.secretKey);
    const settings = {
      apiUrl: optionalText("apiUrl", options.apiUrl),
      timeoutMs: milliseconds("timeout", options.timeout),
      connectTimeoutMs: milliseconds("connectTimeout", options.connectTimeout),
      maxRetries: whole("maxRetries", options.maxRetries),
      caFile: optionalText("caFile", options.caFile),
      proxy: optionalText("proxy", options.proxy),
      userAgentSuffix: optionalText("userAgentSuffix", options.userAgentSuffix),
      allowHttp: flag("allowHttp", options.allowHttp),
    };
    const client = attempt(() => new native.Client(secretKey, settings));
    const ask: Ask = (operation, request, options) => make(client, operation, request, options);
    this.#ask = ask;
    this.users = new UsersClient(ask);
    this.sessions = new SessionsClient(ask);
    this.organizations = new OrganizationsClient(ask);
    this.invitations = new InvitationsClient(ask);
    this.impersonation = new ImpersonationClient(ask);
    this.allowedOrigins = new AllowedOriginsClient(ask);
  }

  /**
   * Calls an operation newer than this release, and returns the answer, parsed; null without a body.
   *
   * @param path the whole path, such as `/api/server/v1/users`.
   */
  async request(
    method: string,
    path: string,
    options: ToriiCallOptions & {
      query?: string | Record<string, string> | URLSearchParams;
      body?: object;
    } = {},
  ): Promise<unknown> {
    const { query, body } = options;
    const request = {
      method: text("method", method),
      path: text("path", path),
      query: query === undefined ? undefined : new URLSearchParams(query).toString(),
      body: body === undefined ? undefined : json("body", body),
    };
    return this.#ask("request", request, options);
  }
}

/** Creates a {@link ToriiClient}. */
export function createToriiClient(options: ToriiClientOptions): ToriiClient {
  return new ToriiClient(options);
}

async function make<T>(
  client: NativeClient,
  operation: string,
  request: Omit<NativeRequest, "ids"> & { ids?: unknown[] },
  options: ToriiCallOptions | undefined,
): Promise<T> {
  const passed: NativeRequest = {
    ...request,
    ids: (request.ids ?? []).map((id) => text("id", id)),
    limit: whole("limit", request.limit),
    cursor: optionalText("cursor", request.cursor),
  };
  const answer = await call(
    (calls, number) => calls.request(number, client, operation, passed),
    options?.signal,
  );
  if (answer === null) return undefined as T;
  const parsed: unknown = JSON.parse(answer);
  return (operation === "request" ? parsed : withDates(parsed)) as T;
}

/** Makes dates of the instants in an answer, and of each item of a list. */
function withDates(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(withDates);
  if (typeof answer !== "object" || answer === null) return answer;
  const record = answer as Record<string, unknown>;
  if (Array.isArray(record.items)) record.items = record.items.map(withDates);
  for (const name of INSTANTS) {
    if (typeof record[name] === "string") record[name] = new Date(record[name] as string);
  }
  return record;
}

/** The JSON object to send: undefined members are left out, null ones are sent. */
function json(name: string, value: object): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    usage(name, `not an object (got ${kind(value)})`);
  }
  try {
    return JSON.stringify(value);
  } catch (error) {
    return usage(name, `not JSON (${error instanceof Error ? error.message.split("\n")[0] : error})`);
  }
}
