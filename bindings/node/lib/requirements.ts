import { kind, optionalText, text, texts, whole } from "./arguments.js";
import { attempt, usage } from "./errors.js";
import { native } from "./native.js";

/** Flags for {@link ToriiRequirements} and {@link ToriiVerifierOptions.require}. */
export const ToriiRequire = Object.freeze({
  /** `email_verified` is true. */
  EMAIL_VERIFIED: 1,
  /** `profile_complete` is not false. */
  PROFILE_COMPLETE: 2,
  /** Neither `impersonating` nor `act` says that another party acts as the user. */
  NOT_IMPERSONATED: 4,
  /** An organization is active. */
  ORGANIZATION: 8,
} as const);

/** A claim's value. `json` gives a number exactly, such as `{ json: "0.1" }`. */
export type ToriiScalar = string | number | bigint | boolean | { json: string };

/** Requirements of a valid token. All must be met; of several organizations, any one. */
export interface ToriiRequirementsInit {
  /** A combination of {@link ToriiRequire} flags. */
  flags?: number;
  /**
   * Values by RFC 6901 pointers, such as `{ "/plan": "pro" }`. The claim equals the value, or is a list
   * that contains it. Pass pairs to name a pointer twice.
   */
  claims?: Record<string, ToriiScalar> | Iterable<readonly [string, ToriiScalar]>;
  /**
   * Organizations: ids, or an id and a role. Anyone can create an organization and own it, so a role
   * alone cannot be required.
   */
  organizations?: Iterable<string | { id: string; role?: string | null }>;
}

const dropped = new FinalizationRegistry<number>((number) => native.dropRequirements(number));

/**
 * Requirements for a verifier, for one call, or for a route. Create them once.
 *
 * @throws {ToriiUsageError} if one of them is invalid.
 */
export class ToriiRequirements {
  readonly #number: number;

  /** Creates requirements; without `init` every valid token meets them. */
  constructor(init: ToriiRequirementsInit = {}) {
    const flags = whole("flags", init.flags) ?? 0;
    const claims = Array.from(pairs(init.claims), ([pointer, value]) => ({
      pointer: text("pointer", pointer),
      json: scalar(value),
    }));
    const organizations = Array.from(several(init.organizations), (each) => {
      if (typeof each === "string") return { id: each };
      return { id: text("organizations", each?.id), role: optionalText("role", each.role) };
    });
    this.#number = attempt(() => native.makeRequirements(flags, claims, organizations));
    dropped.register(this, this.#number);
  }

  /** @internal */
  static number(requirements: ToriiRequirements): number {
    if (!(requirements instanceof ToriiRequirements)) {
      usage("requirements", `not ToriiRequirements (got ${kind(requirements)})`);
    }
    return requirements.#number;
  }

  /** @internal */
  static from(init: ToriiRequirements | ToriiRequirementsInit): ToriiRequirements {
    return init instanceof ToriiRequirements ? init : new ToriiRequirements(init);
  }
}

function pairs(claims: ToriiRequirementsInit["claims"]): Iterable<readonly [string, ToriiScalar]> {
  if (claims === undefined || claims === null) return [];
  if (typeof claims !== "object") usage("claims", `not an object (got ${kind(claims)})`);
  return Symbol.iterator in claims ? (claims as Iterable<readonly [string, ToriiScalar]>) : Object.entries(claims);
}

function several(
  organizations: ToriiRequirementsInit["organizations"],
): Iterable<string | { id: string; role?: string | null }> {
  if (organizations === undefined || organizations === null) return [];
  // A string is iterable, too.
  return typeof organizations === "string" ? texts("organizations", organizations) : organizations;
}

function scalar(value: ToriiScalar): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "object" && value !== null) return text("json", value.json);
  // A function, a symbol or undefined has no JSON.
  return JSON.stringify(value) ?? usage("claims", `not a scalar (got ${kind(value)})`);
}
