import { inspect } from "node:util";
import { failed } from "./errors.js";
import { type NativeAuth, native } from "./native.js";
import { ToriiRequirements } from "./requirements.js";

/** The identity in a verified token. */
export interface ToriiAuth {
  /** The user id: claim `sub`. */
  readonly userId: string;
  /** The id of the user's environment: claim `pid`. */
  readonly environmentId: string;
  /** The configured issuer that signed the token, without trailing slashes. */
  readonly issuer: string;
  /**
   * Whether the user has a verified email address. torii stamps this claim only through the
   * environment's default JWT template.
   */
  readonly emailVerified: boolean;
  /** Whether all required profile fields are set. */
  readonly profileComplete: boolean;
  /** Whether another party acts as the user: claim `impersonating` or `act`. */
  readonly impersonating: boolean;
  /** The user's preferred locale. */
  readonly locale: string | null;
  /** The id of the active organization: claim `o`. */
  readonly organizationId: string | null;
  /**
   * The user's role in the active organization. An organization's owner assigns roles: check them
   * together with `organizationId`.
   */
  readonly organizationRole: string | null;
  /** The id of the party that acts as the user: claim `act`. Null does not mean that there is no such party. */
  readonly actorId: string | null;
  /** The {@link ToriiRequire} flags that this login meets. */
  readonly flags: number;
  /** `iat` in Unix seconds, rounded down. */
  readonly issuedAt: number;
  /** `exp` in Unix seconds, rounded down. */
  readonly expiresAt: number;
  /** All claims exactly as signed. */
  readonly claimsJson: string;
  /** All claims, parsed when they are first read. */
  readonly raw: Record<string, unknown>;
  /**
   * Checks requirements of a route after the token was verified. Neither `exp` nor a revocation is checked
   * again.
   *
   * @throws {ToriiPolicyError} if one of them is not met.
   */
  require(requirements: ToriiRequirements): void;
}

/** The values of an {@link Identity}, kept for further calls with the same token. */
export type Facts = Omit<ToriiAuth, "raw" | "require"> & { readonly native: NativeAuth };

/** A result: the caller's own, so that it may be changed. */
export class Identity implements ToriiAuth {
  readonly userId: string;
  readonly environmentId: string;
  readonly issuer: string;
  readonly emailVerified: boolean;
  readonly profileComplete: boolean;
  readonly impersonating: boolean;
  readonly locale: string | null;
  readonly organizationId: string | null;
  readonly organizationRole: string | null;
  readonly actorId: string | null;
  readonly flags: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly #facts: Facts;
  #raw: Record<string, unknown> | undefined;

  constructor(facts: Facts) {
    this.userId = facts.userId;
    this.environmentId = facts.environmentId;
    this.issuer = facts.issuer;
    this.emailVerified = facts.emailVerified;
    this.profileComplete = facts.profileComplete;
    this.impersonating = facts.impersonating;
    this.locale = facts.locale;
    this.organizationId = facts.organizationId;
    this.organizationRole = facts.organizationRole;
    this.actorId = facts.actorId;
    this.flags = facts.flags;
    this.issuedAt = facts.issuedAt;
    this.expiresAt = facts.expiresAt;
    this.#facts = facts;
  }

  get claimsJson(): string {
    return this.#facts.claimsJson;
  }

  get raw(): Record<string, unknown> {
    this.#raw ??= JSON.parse(this.claimsJson) as Record<string, unknown>;
    return this.#raw;
  }

  require(requirements: ToriiRequirements): void {
    const number = ToriiRequirements.number(requirements);
    const failure = native.unmet(this.#facts.native, number);
    if (failure !== null) throw failed(failure);
  }

  toJSON(): object {
    return { ...this, raw: this.raw };
  }

  [inspect.custom](): object {
    return { ...this, raw: this.raw };
  }
}

/** Reads a new result of the native module, with its texts, one after the other. */
export function facts(auth: NativeAuth, texts: string, record: Float64Array): Facts {
  let start = 0;
  const next = (index: number): string | null => {
    const length = record[index] as number;
    if (length < 0) return null;
    start += length;
    return texts.slice(start - length, start);
  };
  const flags = record[1] as number;
  return {
    userId: next(4) as string,
    environmentId: next(5) as string,
    issuer: next(6) as string,
    locale: next(7),
    organizationId: next(8),
    organizationRole: next(9),
    actorId: next(10),
    claimsJson: next(11) as string,
    emailVerified: (flags & 1) !== 0,
    profileComplete: (flags & 2) !== 0,
    impersonating: (flags & 4) === 0,
    flags,
    issuedAt: record[2] as number,
    expiresAt: record[3] as number,
    native: auth,
  };
}
