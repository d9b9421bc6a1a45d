/** Verifying: key fetches, the event loop, errors, options. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  ToriiAuthError,
  ToriiError,
  ToriiKeysPendingError,
  ToriiKeysUnavailableError,
  ToriiPolicyError,
  ToriiRequire,
  ToriiRequirements,
  ToriiUsageError,
  ToriiVerifier,
  _clearJwksCacheForTests,
  authenticateRequest,
  verifyToken,
} from "libtorii";
import { localTorii, release, requested } from "./support.mjs";

const torii = await localTorii();
const JWKS = "/acme/_torii/.well-known/jwks.json";

async function ready(options) {
  const verifier = new ToriiVerifier(torii.issuer, options);
  await verifier.refresh();
  return verifier;
}

test("verifyNow throws KeysPending, and verify fetches the keys", async () => {
  const verifier = new ToriiVerifier(torii.issuer, { backgroundRefresh: false });
  const token = await torii.token({ claims: { sub: "user-1" } });
  assert.throws(() => verifier.verifyNow(token), (error) => {
    assert.ok(error instanceof ToriiKeysPendingError);
    assert.ok(error instanceof ToriiKeysUnavailableError);
    assert.equal(error.reason, "TORII_ERR_KEYS_PENDING");
    assert.equal(error.issuer, torii.issuer);
    assert.equal(error.status, 503);
    return true;
  });
  assert.throws(() => verifier.authenticateNow(`Bearer ${token}`), ToriiKeysPendingError);
  assert.equal((await verifier.verify(token)).userId, "user-1");
  assert.equal(verifier.verifyNow(token).userId, "user-1");
  assert.equal(verifier.authenticateNow(`bearer ${token}`).userId, "user-1");
  assert.equal((await torii.requests(JWKS)).length, 1);
});

test("refreshDue fetches the keys that are pending", async () => {
  const verifier = new ToriiVerifier(torii.issuer);
  const token = await torii.token();
  await verifier.refreshDue(torii.issuer);
  verifier.verifyNow(token);
  await verifier.refreshDue();
  assert.equal((await torii.requests(JWKS)).length, 1);
  assert.ok(verifier.dueIn() > 0);
  await assert.rejects(verifier.refreshDue("https://other.example"), ToriiUsageError);
});

test("a token whose keys are at hand is verified inside the call", async () => {
  const verifier = await ready();
  const before = verifier.stats().accepted;
  const promise = verifier.verify(await torii.token());
  assert.equal(verifier.stats().accepted, before + 1);
  assert.ok(promise instanceof Promise);
  await promise;
});

test("a key fetch does not stop the event loop, and one serves all calls", async () => {
  const verifier = new ToriiVerifier(torii.issuer, { fetchTimeout: 60 });
  const tokens = await Promise.all(Array.from({ length: 256 }, () => torii.token()));
  await torii.fault(JWKS, { kind: "hold" });
  const all = Promise.all(tokens.map((token) => verifier.verify(token)));
  // Requests of this process are answered meanwhile.
  await requested(torii, JWKS, 1);
  await release(torii, JWKS);
  assert.equal(new Set((await all).map((auth) => auth.userId)).size, 256);
  assert.equal((await torii.requests(JWKS)).length, 1);
});

test("a signal ends the wait for keys", async () => {
  const verifier = new ToriiVerifier(torii.issuer, { fetchTimeout: 60 });
  const token = await torii.token();
  await torii.fault(JWKS, { kind: "hold" });
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = assert.rejects(verifier.verify(token, { signal: controller.signal }), reason);
  const refreshing = assert.rejects(verifier.refresh({ signal: controller.signal }), reason);
  await requested(torii, JWKS, 1);
  controller.abort(reason);
  await Promise.all([waiting, refreshing]);
  await assert.rejects(verifier.verify(token, { signal: controller.signal }), reason);
  await release(torii, JWKS);
  await verifier.verify(token);
});

test("an issuer that is down is a 503, and its token is never accepted", async () => {
  const verifier = new ToriiVerifier(torii.issuer);
  const token = await torii.token();
  await torii.failKeys();
  await assert.rejects(verifier.verify(token), (error) => {
    assert.ok(error instanceof ToriiKeysUnavailableError);
    assert.ok(!(error instanceof ToriiKeysPendingError));
    assert.equal(error.name, "ToriiKeysUnavailableError");
    assert.equal(error.status, 503);
    assert.equal(error.issuer, torii.issuer);
    assert.equal(error.publicCode, "keys_unavailable");
    assert.equal(error.wwwAuthenticate, undefined);
    assert.ok(error.retryAfter >= 1);
    assert.match(error.message, /HTTP status 503/);
    return true;
  });
  await assert.rejects(verifier.refresh(), ToriiKeysUnavailableError);
  await torii.restoreKeys();
  await verifier.verify(token);
});

test("an error has a message for the log and an answer for the client", async () => {
  const verifier = await ready({ realm: "api.example", resourceMetadata: "https://a.example/m" });
  const token = await torii.token({ now_offset: -3600 });
  await assert.rejects(verifier.verify(token), (error) => {
    assert.ok(error instanceof ToriiAuthError && error instanceof ToriiError);
    assert.equal(error.name, "ToriiAuthError");
    assert.match(error.message, /^claim `exp`: expired \d+ s ago$/);
    assert.equal(error.reason, "TORII_ERR_TOKEN_EXPIRED");
    assert.equal(error.code, "TORII_ERR_TOKEN_EXPIRED");
    assert.equal(error.status, 401);
    assert.equal(error.publicCode, "authentication_failed");
    assert.equal(error.publicMessage, "The access token expired");
    assert.equal(
      error.wwwAuthenticate,
      'Bearer realm="api.example", error="invalid_token", resource_metadata="https://a.example/m"',
    );
    assert.equal(error.retryAfter, undefined);
    assert.ok(!inspect(error).includes(token.slice(-40)));
    return true;
  });
  const requirements = new ToriiRequirements({ claims: { "/plan": "pro" } });
  await assert.rejects(verifier.verify(await torii.token(), { requirements }), (error) => {
    assert.ok(error instanceof ToriiPolicyError);
    assert.equal(error.status, 403);
    assert.match(error.wwwAuthenticate, /error="insufficient_scope"/);
    return true;
  });
  for (const nothing of ["", undefined, null]) {
    await assert.rejects(verifier.verify(nothing), { reason: "TORII_ERR_TOKEN_MISSING" });
    assert.throws(() => verifier.authenticateNow(nothing), { reason: "TORII_ERR_TOKEN_MISSING" });
  }
});

test("a value of another type is refused like an invalid token, since clients choose it", async () => {
  const verifier = await ready();
  for (const value of [1, true, {}, [await torii.token()], Symbol("token"), () => ""]) {
    await assert.rejects(verifier.verify(value), { name: "ToriiAuthError", status: 401 });
    assert.throws(() => verifier.verifyNow(value), ToriiAuthError);
    await assert.rejects(verifyToken(value, { issuer: torii.issuer }), ToriiAuthError);
  }
});

test("a result is the caller's own", async () => {
  const verifier = await ready();
  const token = await torii.token({ claims: { sub: "user-1", plan: "free" } });
  // One is new, the others are known.
  for (let call = 0; call < 3; call += 1) {
    const changed = verifier.verifyNow(token);
    changed.raw.plan = "pro";
    changed.raw.sub = "user-2";
    changed.userId = "user-2";
    changed.account = { admin: true };
  }
  const second = verifier.verifyNow(token);
  assert.equal(second.userId, "user-1");
  assert.deepEqual([second.raw.plan, second.raw.sub], ["free", "user-1"]);
  assert.equal(second.account, undefined);
  assert.equal(second.raw, second.raw);
  assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(second))), [
    ...Object.keys({ ...second }),
    "raw",
  ]);
  assert.match(inspect(second), /plan: 'free'/);
  assert.equal(structuredClone(second).userId, "user-1");
});

test("more tokens than JavaScript keeps results of are told apart", async () => {
  // Without a cache each result is new, and gets the memory of one before.
  for (const tokenCacheBytes of [undefined, 0, 20_000]) {
    const verifier = await ready({ tokenCacheBytes });
    const tokens = new Map();
    for (let index = 0; index < 64; index += 1) {
      tokens.set(await torii.token({ claims: { sub: `user-${index}` } }), `user-${index}`);
    }
    for (let round = 0; round < 20; round += 1) {
      for (const [token, user] of tokens) assert.equal(verifier.verifyNow(token).userId, user);
    }
  }
});

test("an exception while a result is told leaves no other user's result in its place", async () => {
  const verifier = await ready();
  // More than there are places: most have a result of another user.
  for (let round = 0; round < 30; round += 1) {
    const some = await Promise.all(Array.from({ length: 100 }, (_, n) => torii.token({ claims: { sub: `${round}-${n}` } })));
    some.forEach((token, n) => assert.equal(verifier.verifyNow(token).userId, `${round}-${n}`));
  }
  const { slice } = String.prototype;
  for (let index = 0; index < 100; index += 1) {
    const token = await torii.token({ claims: { sub: `user-${index}` } });
    String.prototype.slice = () => {
      throw new RangeError("out of stack");
    };
    try {
      assert.throws(() => verifier.verifyNow(token), new RangeError("out of stack"));
    } finally {
      String.prototype.slice = slice;
    }
    assert.equal(verifier.verifyNow(token).userId, `user-${index}`);
  }
});

test("a text of any kind is passed on as it is", async () => {
  const verifier = await ready();
  const sub = "Ä\u0000\u{1f600}\u2028";
  const auth = verifier.verifyNow(await torii.token({ claims: { sub: "ü€😀", locale: "日本", note: sub } }));
  assert.deepEqual([auth.userId, auth.locale, auth.raw.note], ["ü€😀", "日本", sub]);
  const long = await torii.token({ claims: { note: "x".repeat(9000) } });
  assert.equal(verifier.verifyNow(long).raw.note.length, 9000);
  for (const length of [16_300, 16_447, 16_448, 16_449, 100_000, 1_000_000]) {
    for (const letter of ["a", "ä", "€"]) {
      assert.throws(() => verifier.verifyNow(letter.repeat(length)), ToriiAuthError);
    }
  }
  // A character that ends in the byte of another one is not that one.
  const token = await torii.token();
  const shifted = String.fromCharCode(token.charCodeAt(0) + 256) + token.slice(1);
  assert.throws(() => verifier.verifyNow(shifted), { reason: "TORII_ERR_TOKEN_MALFORMED" });
  assert.throws(() => verifier.verifyNow(`${token}\ud800`), ToriiAuthError);
});

test("bytes are copied before they are read", async () => {
  const verifier = await ready();
  const token = await torii.token({ claims: { sub: "user-1" } });
  const bytes = Buffer.from(token);
  assert.equal(verifier.verifyNow(bytes).userId, "user-1");
  assert.equal(verifier.authenticateNow(Buffer.from(`Bearer ${token}`)).userId, "user-1");
  assert.equal((await verifier.verify(new Uint8Array(bytes))).userId, "user-1");
  const latin = Buffer.from(token);
  latin[0] = 0xff;
  assert.throws(() => verifier.verifyNow(latin), ToriiAuthError);

  // The token that waits for keys is the one that was passed.
  const waiting = new ToriiVerifier(torii.issuer);
  _clearJwksCacheForTests();
  const changing = Buffer.from(token);
  const promise = waiting.verify(changing);
  changing.fill(0x78);
  assert.equal((await promise).userId, "user-1");
});

test("shared bytes that change meanwhile forge nothing", { timeout: 600_000 }, async () => {
  // One token is valid; the other has the payload of another user under the same signature.
  const verifier = await ready({ tokenCacheBytes: 0 });
  const valid = await torii.token({ claims: { sub: "user-1" } });
  const [header, payload, signature] = valid.split(".");
  const claims = Buffer.from(payload, "base64url").toString().replace("user-1", "user-2");
  const forged = [header, Buffer.from(claims).toString("base64url"), signature].join(".");
  assert.equal(forged.length, valid.length);
  const shared = new SharedArrayBuffer(valid.length);
  const flags = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { shared, flags, texts } = require("node:worker_threads").workerData;
     const view = new Uint8Array(shared), [a, b] = texts.map((text) => Buffer.from(text));
     do { view.set(a); view.set(b); Atomics.add(flags, 0, 1); Atomics.notify(flags, 0); } while (Atomics.load(flags, 0) > 0);`,
    { eval: true, workerData: { shared, flags, texts: [valid, forged] } },
  );
  Atomics.wait(flags, 0, 0);
  const view = new Uint8Array(shared);
  const seen = { accepted: 0, refused: 0 };
  for (let round = 0; round < 100_000 && (round < 3000 || seen.accepted * seen.refused === 0); round += 1) {
    try {
      assert.equal(verifier.verifyNow(view).userId, "user-1");
      seen.accepted += 1;
    } catch (error) {
      assert.ok(error instanceof ToriiAuthError, error);
      seen.refused += 1;
    }
  }
  Atomics.store(flags, 0, -(2 ** 30));
  await worker.terminate();
  assert.ok(seen.accepted > 0 && seen.refused > 0, inspect(seen));
});

test("verifyToken and authenticateRequest keep a verifier for each issuer", async () => {
  const token = await torii.token({ claims: { sub: "user-1" } });
  const { issuer } = torii;
  assert.equal((await verifyToken(token, { issuer })).userId, "user-1");
  assert.equal((await verifyToken(token, { issuer, clockTolerance: 5 })).userId, "user-1");
  assert.equal((await torii.requests(JWKS)).length, 1);
  const forTheShop = await torii.token({ claims: { aud: ["shop"] } });
  await assert.rejects(verifyToken(forTheShop, { issuer }), { reason: "TORII_ERR_TOKEN_AUDIENCE" });
  await verifyToken(forTheShop, { issuer, audience: "shop" });
  await verifyToken(forTheShop, { issuer, audience: ["other", "shop"] });
  await verifyToken(forTheShop, { issuer, audience: new Set(["shop"]) });
  await assert.rejects(verifyToken(forTheShop, { issuer, audience: new Set(["admin"]) }), {
    reason: "TORII_ERR_TOKEN_AUDIENCE",
  });
  await assert.rejects(verifyToken(token, { issuer: "nowhere" }), ToriiUsageError);
  await assert.rejects(verifyToken(token), ToriiUsageError);
  await assert.rejects(verifyToken("", { issuer }), ToriiAuthError);

  const authorization = `Bearer ${token}`;
  for (const headers of [
    { authorization },
    { Authorization: authorization },
    { AUTHORIZATION: [authorization] },
    new Headers({ authorization }),
  ]) {
    assert.equal((await authenticateRequest({ headers }, { issuer })).userId, "user-1");
  }
  const other = { headers: { "x-token": authorization } };
  assert.equal((await authenticateRequest(other, { issuer, header: "X-Token" })).userId, "user-1");
  for (const headers of [{}, { authorization: undefined }, { authorization: "Basic eA==" }, new Headers()]) {
    await assert.rejects(authenticateRequest({ headers }, { issuer }), { status: 401 });
  }
  const twice = { headers: { authorization: [authorization, authorization] } };
  await assert.rejects(authenticateRequest(twice, { issuer }), { status: 401 });
  // Of the two, Node's own `headers` has only the first.
  const rawHeaders = ["Authorization", authorization, "authorization", "Bearer other"];
  const request = { headers: { authorization }, rawHeaders };
  await assert.rejects(authenticateRequest(request, { issuer }), { status: 401 });
  request.rawHeaders = rawHeaders.slice(0, 2);
  assert.equal((await authenticateRequest(request, { issuer })).userId, "user-1");
});

test("options are checked, by name, type and range", async () => {
  const refused = (options, message) =>
    assert.throws(() => new ToriiVerifier(torii.issuer, options), (error) => {
      assert.ok(error instanceof ToriiUsageError, error);
      assert.match(error.message, message);
      return true;
    });
  refused({ leway: 3 }, /leway: no such option/);
  refused({ leeway: -1 }, /^leeway: not a whole number/);
  refused({ leeway: 1.5 }, /^leeway: /);
  refused({ leeway: 301 }, /^leeway: not within 0 to 300/);
  refused({ leeway: "30" }, /^leeway: /);
  refused({ fetchTimeout: Number.NaN }, /^fetchTimeout: /);
  refused({ fetchTimeout: 0.01 }, /^fetch timeout: /);
  refused({ ignoreAudience: "yes" }, /^ignoreAudience: not a boolean/);
  refused({ audience: [] }, /^audience: empty/);
  refused({ audience: [1] }, /^audience: not a string/);
  refused({ audience: "a", ignoreAudience: true }, /^audience: both/);
  refused({ require: 16 }, /^flags: /);
  refused({ realm: '"' }, /^realm: /);
  refused({ jwks: "{}" }, /^jwks: /);
  refused({ jwks: 1 }, /^jwks: not a string/);
  refused({ caFile: "/nowhere.pem" }, /nowhere|certificate|CA/);
  refused({ tokenCacheBytes: -1 }, /^tokenCacheBytes: /);
  refused({ keyCacheDir: "" }, /^key cache directory: empty/);
  refused({ revocationsFile: "" }, /^revocations file: empty/);
  refused({ clock: 1 }, /^clock: not a function/);
  refused({ requirements: { claims: { plan: "pro" } } }, /^pointer: /);
  assert.throws(() => new ToriiVerifier(1), /^ToriiUsageError: issuer: not a string \(got number\)/);
  assert.throws(() => new ToriiVerifier("http://acme.example"), /^ToriiUsageError: issuer: /);
  new ToriiVerifier("http://acme.example", { allowHttp: true });
  new ToriiVerifier(torii.issuer, {
    issuers: ["https://a.example"],
    maxLifetime: 0,
    keyLifetime: 60,
    maxStale: 0,
    fetchTimeout: 1.5,
    backgroundRefresh: false,
    legacyOrganization: true,
    proxy: "http://127.0.0.1:1",
    metricsIssuerLabel: true,
    fixedBase: true,
  });
});

test("further issuers are trusted, with keys or without", async () => {
  await torii.control("POST", "/issuers", { name: "other" });
  const { token } = await torii.control("POST", "/issuers/other/tokens", {});
  const other = torii.issuer.replace(/acme$/, "other");
  const keys = await (await fetch(`${other}/_torii/.well-known/jwks.json`)).json();
  for (const issuers of [[other], { [other]: null }, { [other]: keys }, new Map([[other, JSON.stringify(keys)]])]) {
    assert.equal((await new ToriiVerifier(torii.issuer, { issuers }).verify(token)).issuer, other);
  }
  await assert.rejects((await ready()).verify(token), { reason: "TORII_ERR_TOKEN_ISSUER" });
  const offline = new ToriiVerifier(other, { jwks: keys });
  assert.equal(offline.verifyNow(token).issuer, other);
  assert.equal(offline.dueIn(), null);
});

test("requirements of a call", async () => {
  const verifier = await ready();
  const token = await torii.token({
    claims: { plan: "pro", level: 3, beta: true, big: 12345678901234567890n.toString(), o: "org-1" },
  });
  const meets = (init) => verifier.verifyNow(token, { requirements: new ToriiRequirements(init) });
  meets({});
  meets({ flags: ToriiRequire.EMAIL_VERIFIED | ToriiRequire.ORGANIZATION });
  meets({ claims: { "/plan": "pro", "/level": 3, "/beta": true } });
  meets({ claims: [["/level", { json: "3.0" }], ["/level", 3n]] });
  meets({ organizations: ["org-2", { id: "org-1", role: null }] });
  for (const init of [
    { claims: { "/plan": "free" } },
    { claims: [["/plan", "pro"], ["/plan", "free"]] },
    { organizations: [{ id: "org-1", role: "admin" }] },
  ]) {
    assert.throws(() => meets(init), ToriiPolicyError);
  }
  for (const [init, message] of [
    [{ flags: 16 }, /^flags: /],
    [{ flags: 0.5 }, /^flags: /],
    [{ claims: { "/a": null } }, /^json: not a scalar/],
    [{ claims: { "/a": undefined } }, /^claims: not a scalar/],
    [{ claims: { "/a": {} } }, /^json: not a string/],
    [{ claims: 1 }, /^claims: not an object/],
    [{ organizations: [{ role: "admin" }] }, /^organizations: not a string/],
    [{ organizations: [""] }, /^id: empty/],
  ]) {
    assert.throws(() => new ToriiRequirements(init), (error) => {
      assert.ok(error instanceof ToriiUsageError, error);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(() => verifier.verifyNow(token, { requirements: { flags: 1 } }), ToriiUsageError);
});

test("requirements of a result", async () => {
  const verifier = await ready({ realm: "reports", tokenCacheBytes: 0 });
  const token = await torii.token({ claims: { plan: "pro" } });
  const other = await torii.token({ claims: { plan: "free" } });
  const pro = new ToriiRequirements({ claims: { "/plan": "pro" } });
  const auth = verifier.verifyNow(token);
  // Results with other claims take every place that the native module has.
  const others = Array.from({ length: 5000 }, () => verifier.verifyNow(other));
  verifier.close();
  auth.require(pro);
  assert.throws(() => others[0].require(pro), (error) => {
    assert.ok(error instanceof ToriiPolicyError, error);
    assert.match(error.message, /^claim `\/plan`: not the required value/);
    const { status, wwwAuthenticate } = error;
    assert.deepEqual([status, wwwAuthenticate], [403, 'Bearer realm="reports", error="insufficient_scope"']);
    return true;
  });
  for (const wrong of [undefined, null, { flags: 1 }]) {
    assert.throws(() => auth.require(wrong), (error) => {
      assert.ok(error instanceof ToriiUsageError, error);
      return /^requirements: not ToriiRequirements/.test(error.message);
    });
  }
});

test("a call keeps its requirements while it waits for keys", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const verifier = new ToriiVerifier(torii.issuer, { fetchTimeout: 60 });
  const token = await torii.token({ claims: { plan: "free" } });
  await torii.fault(JWKS, { kind: "hold" });
  let collected = false;
  const registry = new FinalizationRegistry(() => (collected = true));
  const answer = (() => {
    registry.register(new ToriiRequirements(), undefined);
    return verifier.verify(token, {
      requirements: new ToriiRequirements({ claims: { "/plan": "pro" } }),
    });
  })();
  const refused = assert.rejects(answer, ToriiPolicyError);
  await requested(torii, JWKS, 1);
  while (!collected) {
    collect();
    await new Promise(setImmediate);
  }
  await new Promise(setImmediate);
  // These take the numbers that are free again.
  const free = Array.from({ length: 50 }, () => new ToriiRequirements({ claims: { "/plan": "free" } }));
  await release(torii, JWKS);
  await refused;
  verifier.verifyNow(token, { requirements: free[0] });
});

test("the clock is an option, and its exceptions are the caller's", async () => {
  let now = 4_000_000_000;
  const clock = () => now;
  const verifier = await ready({ clock });
  const token = await torii.token();
  assert.throws(() => verifier.verifyNow(token), { reason: "TORII_ERR_TOKEN_EXPIRED" });
  now = Date.now() / 1000;
  verifier.verifyNow(token);
  now = Number.NaN;
  assert.throws(() => verifier.verifyNow(token), ToriiUsageError);
  await assert.rejects(verifier.refresh(), ToriiUsageError);
  let works = true;
  const broken = await ready({
    clock() {
      if (works) return Date.now() / 1000;
      throw new RangeError("no time");
    },
  });
  works = false;
  assert.throws(() => broken.verifyNow(token), new RangeError("no time"));
  await assert.rejects(broken.verify(token), new RangeError("no time"));
});

test("statistics and metrics", async () => {
  const verifier = await ready();
  const token = await torii.token();
  verifier.verifyNow(token);
  verifier.verifyNow(token);
  assert.throws(() => verifier.verifyNow(`${token}.`), ToriiAuthError);
  const { accepted, hits, refused, cached_tokens, issuers } = verifier.stats();
  assert.deepEqual([accepted, hits, cached_tokens], [2, 1, 1]);
  assert.deepEqual(refused, { TORII_ERR_TOKEN_MALFORMED: 1 });
  assert.deepEqual([issuers.length, issuers[0].issuer, issuers[0].keys], [1, torii.issuer, 1]);
  const metrics = verifier.metrics();
  assert.match(metrics, /^torii_tokens_total{status="TORII_OK"} 2$/m);
  assert.match(metrics, /^torii_tokens_total{status="TORII_ERR_TOKEN_MALFORMED"} 1$/m);
  assert.match(metrics, /^torii_token_cache_hits_total 1$/m);
  assert.match(metrics, /\n# EOF\n$/);
  assert.ok(!metrics.includes(torii.issuer));
  const labeled = await ready({ metricsIssuerLabel: true });
  assert.ok(labeled.metrics().includes(`issuer="${torii.issuer}"`));
});

test("revoked tokens are refused, those in the cache, too", async () => {
  const verifier = await ready();
  const now = Math.floor(Date.now() / 1000);
  const token = (sub, claims) => torii.token({ claims: { sub, ...claims } });
  const [ada, bob, eve, later, acting] = await Promise.all([
    token("ada"),
    token("bob"),
    token("eve"),
    token("ada", { iat: now + 3600, exp: now + 7200 }),
    token("carol", { act: { sub: "ada" } }),
  ]);
  const clockAhead = await ready({ clock: () => now + 3600 });
  for (const each of [ada, bob, eve, acting]) verifier.verifyNow(each);
  const revoked = { name: "ToriiAuthError", reason: "TORII_ERR_TOKEN_REVOKED", status: 401 };

  verifier.revoke("ada", now + 60);
  for (const each of [ada, acting]) assert.throws(() => verifier.verifyNow(each), revoked);
  await assert.rejects(verifier.verify(ada), revoked);
  verifier.verifyNow(bob);
  verifier.revoke("bob", new Date(Date.now() + 60_000));
  assert.throws(() => verifier.verifyNow(bob), revoked);

  clockAhead.revoke("ada", now + 60);
  assert.equal(clockAhead.verifyNow(later).userId, "ada");
  clockAhead.revoke("ada", "all");
  assert.throws(() => clockAhead.verifyNow(later), revoked);

  verifier.setRevocations({ revoked: [{ sub: "eve", before: "all" }] });
  assert.throws(() => verifier.verifyNow(eve), revoked);
  verifier.setRevocations('{"revoked":[]}');
  verifier.verifyNow(eve);
  assert.throws(() => verifier.verifyNow(ada), revoked);

  for (const [userId, time] of [["", now], [1, now], ["ada", now + 200_000], ["ada", -1], ["ada", 0.5], ["ada"], ["ada", "never"], ["ada", new Date(Number.NaN)]]) {
    assert.throws(() => verifier.revoke(userId, time), ToriiUsageError, `${userId} ${time}`);
  }
  for (const list of ["[]", "nothing", {}, { revoked: [{ sub: "" }] }, undefined]) {
    assert.throws(() => verifier.setRevocations(list), ToriiUsageError);
  }
});

test("a file lists revoked users", async () => {
  const folder = mkdtempSync(join(tmpdir(), "torii-"));
  const revocationsFile = join(folder, "revoked.json");
  writeFileSync(revocationsFile, '{"revoked":[{"sub":"ada","before":"all"}]}');
  const verifier = await ready({ revocationsFile });
  const [ada, bob] = [await torii.token({ claims: { sub: "ada" } }), await torii.token({ claims: { sub: "bob" } })];
  assert.throws(() => verifier.verifyNow(ada), { reason: "TORII_ERR_TOKEN_REVOKED" });
  verifier.verifyNow(bob);
  // With a clock, a time in the file is compared with it.
  writeFileSync(revocationsFile, `{"revoked":[{"sub":"bob","before":${Math.floor(Date.now() / 1000)}}]}`);
  const clocked = await ready({ revocationsFile, clock: () => Date.now() / 1000 });
  assert.throws(() => clocked.verifyNow(bob), { reason: "TORII_ERR_TOKEN_REVOKED" });
  rmSync(folder, { recursive: true });
});

test("a closed verifier is the caller's mistake", async () => {
  const verifier = await ready();
  const token = await torii.token();
  verifier.close();
  verifier.close();
  for (const use of ["verifyNow", "authenticateNow", "stats", "metrics", "dueIn"]) {
    assert.throws(() => verifier[use](token), /^ToriiUsageError: verifier: closed/);
  }
  for (const use of ["verify", "authenticate", "refresh", "refreshDue"]) {
    await assert.rejects(verifier[use](), /^ToriiUsageError: verifier: closed/);
  }

  const waiting = new ToriiVerifier(torii.issuer, { fetchTimeout: 60 });
  _clearJwksCacheForTests();
  await torii.fault(JWKS, { kind: "hold" });
  const promise = assert.rejects(waiting.verify(token), /verifier: closed/);
  waiting.close();
  await release(torii, JWKS);
  await promise;
});

test("rotated keys are found", async () => {
  const verifier = await ready();
  await torii.rotateKeys();
  await verifier.verify(await torii.token());
});
