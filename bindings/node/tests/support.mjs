/** The local torii, started once for each file, and other helpers. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, beforeEach } from "node:test";
import { LocalTorii } from "libtorii/testing";

export const repository = process.env.TORII_REPOSITORY;

export function corpus(name) {
  return JSON.parse(readFileSync(`${repository}/tests/behaviour/${name}`, "utf8"));
}

/** A text of tests/behaviour: a string, or pieces and how often each is repeated. */
export function textOf(value) {
  if (typeof value === "string") return value;
  return value.repeat.map(([piece, times]) => piece.repeat(times)).join("");
}

/** Starts a local torii for the tests of a file. Each begins with a fresh one, and breaks no contract. */
export async function localTorii() {
  const torii = await LocalTorii.start();
  beforeEach(() => torii.reset());
  afterEach(async () => assert.deepEqual(await torii.control("GET", "/violations"), []));
  after(() => torii.stop());
  return torii;
}

/** Waits until the local torii got this number of requests with this prefix of the path. */
export async function requested(torii, path, count) {
  const query = `path=${encodeURIComponent(path)}&at_least=${count}&timeout_ms=600000`;
  await torii.control("GET", `/requests?${query}`);
}

/** Lets the requests go that the fault `hold` holds, and ends the fault. */
export async function release(torii, path) {
  await torii.control("POST", "/faults/release", { path });
  await torii.control("DELETE", "/faults");
}
