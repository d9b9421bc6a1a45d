/** Checks of arguments that JavaScript would otherwise convert silently. */

import { usage } from "./errors.js";

/** A whole number from 0 to 4294967295. */
export function whole(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff_ffff) {
    usage(name, "not a whole number within 0 to 4294967295");
  }
  return value as number;
}

/** A whole number of bytes. */
export function bytes(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    usage(name, "not a whole number of bytes");
  }
  return value as number;
}

/** Seconds as milliseconds. */
export function milliseconds(name: string, seconds: unknown): number | undefined {
  if (seconds === undefined || seconds === null) return undefined;
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= 4_000_000)) {
    usage(name, "not a number of seconds");
  }
  return Math.round(seconds * 1000);
}

export function text(name: string, value: unknown): string {
  if (typeof value !== "string") usage(name, `not a string (got ${kind(value)})`);
  return value as string;
}

export function optionalText(name: string, value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : text(name, value);
}

export function flag(name: string, value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") usage(name, `not a boolean (got ${kind(value)})`);
  return value as boolean;
}

/** One text or several. */
export function texts(name: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || !(Symbol.iterator in (value as object))) {
    usage(name, `not a list of strings (got ${kind(value)})`);
  }
  return Array.from(value as Iterable<unknown>, (each) => text(name, each));
}

/** A mistyped option would silently have no effect. */
export function known(name: string, options: object | undefined, allowed: readonly string[]): void {
  for (const option of Object.keys(options ?? {})) {
    if (!allowed.includes(option)) usage(`${name}: ${option}`, "no such option");
  }
}

export function kind(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}
