/** The test kit, the example, and features of single adapters. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import express from "express";
import fastify from "fastify";
import * as libtorii from "libtorii";
import { ToriiRequire, ToriiUsageError, ToriiVerifier, verifyWebhook } from "libtorii";
import { requireAuth } from "libtorii/express";
import toriiAuth from "libtorii/fastify";
import { LocalTorii } from "libtorii/testing";
import { createGuard } from "libtorii/web";
import { SECRET, signed } from "./sender.mjs";
import { localTorii } from "./support.mjs";

const torii = await localTorii();
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

async function served(app) {
  const server = http.createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

test("the test kit", async () => {
  const local = await LocalTorii.start();
  const verifier = new ToriiVerifier(local.issuer);
  const token = await local.token({ claims: { sub: "user-1", plan: "pro" }, without: ["locale"] });
  assert.equal((await verifier.verify(token)).raw.plan, "pro");
  await assert.rejects(verifier.verify(await local.token({ signer: "forged" })), { status: 401 });
  await assert.rejects(verifier.verify(await local.token({ now_offset: -9000 })), { status: 401 });

  const { user, session, token: signedIn } = await local.signIn({ email: "ada@example.com" });
  const auth = await verifier.verify(signedIn);
  assert.deepEqual([auth.userId, auth.environmentId], [user.id, local.environmentId]);
  assert.equal((await local.client().sessions.listForUser(user.id))[0].id, session.id);
  assert.equal((await local.signIn(user)).user.id, user.id);

  await local.failKeys();
  await assert.rejects(verifier.verify(token), { status: 503 });
  await local.restoreKeys();
  await verifier.verify(token);
  await local.failKeys(404);
  await assert.rejects(verifier.verify(token), /404/);
  await local.restoreKeys();
  await local.rotateKeys();
  await verifier.verify(await local.token());

  await local.fault("/api/", { kind: "status", status: 418 }, { times: 1, method: "GET" });
  await assert.rejects(local.client().users.get(user.id), { status: 418 });
  assert.equal((await local.requests("/api/")).at(-1).method, "GET");
  await local.reset();
  assert.deepEqual((await local.client().users.list()).items, []);
  await assert.rejects(local.control("POST", "/nothing"), /404/);
  await local.stop();
  await local.stop();
  const program = "/nowhere/torii-emulator";
  await assert.rejects(LocalTorii.start({ program }), /install torii-emulator/);
});

test("ES modules and CommonJS have the same classes", () => {
  const require = createRequire(import.meta.url);
  for (const name of ["", "/express", "/fastify", "/hono", "/web", "/testing"]) {
    const required = require(`libtorii${name}`);
    assert.ok(Object.keys(required).length > 0, name);
  }
  for (const [name, value] of Object.entries(require("libtorii"))) assert.equal(libtorii[name], value, name);
  assert.equal(libtorii.version, require("libtorii/package.json").version);
  assert.match(libtorii.libraryPath, /\/libtorii\.node$/);
});

test("the example", async () => {
  const { user, token } = await torii.signIn({ firstName: "Augusta", lastName: "King" });
  const file = fileURLToPath(new URL("../example/server.mjs", import.meta.url));
  const env = {
    ...process.env,
    TORII_ISSUER: torii.issuer,
    TORII_API_URL: torii.url,
    TORII_SECRET_KEY: torii.secretKey,
    PORT: "0",
  };
  const server = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "pipe"] });
  after(() => server.kill());
  const [url] = await once(createInterface({ input: server.stdout }), "line");
  assert.equal((await fetch(`${url}/me`)).status, 401);
  const me = await (await fetch(`${url}/me`, bearer(token))).json();
  assert.deepEqual(me, { id: user.id, firstName: "Augusta", locale: null });
  const body = JSON.stringify({ firstName: "Ada", isAdmin: true });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/me`, { method: "PATCH", headers, body });
  assert.deepEqual(await answer.json(), { firstName: "Ada", lastName: "King" });
  const acting = await torii.token({ claims: { sub: user.id, act: { sub: "operator" } } });
  headers.authorization = `Bearer ${acting}`;
  assert.equal((await fetch(`${url}/me`, { method: "PATCH", headers, body })).status, 403);
  await torii.client().users.delete(user.id);
  assert.equal((await fetch(`${url}/me`, bearer(token))).status, 502);
});

test("express: your own answer, and errors that are not about the token", async () => {
  const app = express();
  const answered = [];
  const onAuthError = (error, req, res) => {
    answered.push(error.reason, req.path);
    res.status(418).end();
  };
  const { issuer } = torii;
  app.get("/own", requireAuth({ issuer, onAuthError }));
  let works = true;
  const clock = () => {
    if (works) return Date.now() / 1000;
    throw new RangeError("no time");
  };
  app.get("/broken", requireAuth({ verifier: new ToriiVerifier(issuer, { clock }) }));
  works = false;
  app.get("/throws", requireAuth({ issuer }), () => {
    throw new RangeError("of the handler");
  });
  app.get("/optional", requireAuth({ issuer, optional: true }), (req, res) => {
    res.json({ has: "auth" in req, auth: req.auth ?? null });
  });
  app.use((error, req, res, next) => {
    if (res.headersSent) return next(error);
    return res.status(500).json({ message: error.message });
  });
  const url = await served(app);
  const token = await torii.token();
  assert.equal((await fetch(`${url}/own`)).status, 418);
  assert.deepEqual(answered, ["TORII_ERR_TOKEN_MISSING", "/own"]);
  for (const [path, message] of [["/broken", "no time"], ["/throws", "of the handler"]]) {
    const answer = await fetch(`${url}${path}`, bearer(token));
    assert.deepEqual([answer.status, await answer.json()], [500, { message }]);
  }
  assert.deepEqual((await (await fetch(`${url}/optional`)).json()).auth, null);
});

test("express: a router, a middleware that sets the header, and a request without raw headers", async () => {
  const app = express();
  const router = express.Router();
  router.use(requireAuth({ issuer: torii.issuer, skip: ["/api/health"] }));
  router.use((req, res) => res.json({ user: req.auth?.userId ?? null }));
  const token = await torii.token({ claims: { sub: "user-1" } });
  app.use("/late", (req, res, next) => {
    req.headers.authorization = `Bearer ${token}`;
    next();
  });
  app.use(["/api", "/late"], router);
  const url = await served(app);
  assert.equal((await fetch(`${url}/api/health?a=b`)).status, 200);
  assert.equal((await fetch(`${url}/health`)).status, 404);
  assert.equal((await fetch(`${url}/api/other`)).status, 401);
  assert.deepEqual(await (await fetch(`${url}/late`)).json(), { user: "user-1" });

  const guard = requireAuth({ issuer: torii.issuer });
  const request = { headers: { authorization: `Bearer ${token}` }, url: "/" };
  await new Promise((resolve) => guard(request, {}, resolve));
  assert.equal(request.auth.userId, "user-1");
});

test("fastify: a plugin for all routes", async () => {
  const app = fastify();
  await app.register(toriiAuth, { issuer: torii.issuer, skip: ["/health"] });
  app.get("/me", async (request) => ({ user: request.auth.userId }));
  app.get("/health", async (request) => ({ auth: request.auth }));
  const { headers } = bearer(await torii.token({ claims: { sub: "user-1" } }));
  assert.deepEqual((await app.inject({ url: "/me", headers })).json(), { user: "user-1" });
  const refused = await app.inject({ url: "/me" });
  assert.deepEqual([refused.statusCode, refused.json().error.code], [401, "authentication_failed"]);
  assert.deepEqual((await app.inject({ url: "/health" })).json(), { auth: null });
  await app.close();
});

test("the options of adapters are checked", () => {
  const { issuer } = torii;
  const verifier = new ToriiVerifier(issuer);
  for (const make of [requireAuth, createGuard]) {
    for (const options of [
      {},
      { issuer, verifier },
      { verifier, realm: "a" },
      { verifier: {} },
      { issuer, skip: "/health" },
      { issuer, optionel: true },
      { issuer, header: 1 },
      { issuer, requirements: { flags: 99 } },
    ]) {
      assert.throws(() => make(options), ToriiUsageError, JSON.stringify(Object.keys(options)));
    }
    make({ verifier, requirements: { flags: ToriiRequire.ORGANIZATION } });
  }
});

test("verifyWebhook returns the parsed body", async () => {
  const event = { type: "user.created", id: "evt_1", created_at: "2026-01-01T00:00:00Z", data: { id: "user-1" } };
  const payload = JSON.stringify(event);
  const headers = signed(payload);
  for (const given of [payload, Buffer.from(payload), new Uint8Array(Buffer.from(payload))]) {
    assert.deepEqual(await verifyWebhook({ secret: SECRET, headers, payload: given }), event);
  }
  const svix = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace("webhook", "Svix"), value]));
  assert.deepEqual(await verifyWebhook({ secret: [SECRET], headers: new Headers(svix), payload }), event);
  await assert.rejects(verifyWebhook({ secret: SECRET, headers, payload: `${payload} ` }), {
    name: "ToriiWebhookError",
    status: 400,
    publicCode: "invalid_webhook",
  });
  await assert.rejects(verifyWebhook({ secret: SECRET, headers, payload: event }), /^ToriiUsageError: payload: /);
  const list = signed("[1]");
  await assert.rejects(verifyWebhook({ secret: SECRET, headers: list, payload: "[1]" }), /^ToriiUsageError: payload: /);
  for (const secret of ["", "whsec_short", undefined, []]) {
    await assert.rejects(verifyWebhook({ secret, headers, payload }), ToriiUsageError);
  }
  const old = signed(payload, { sent: 1_000_000_000 });
  await assert.rejects(verifyWebhook({ secret: SECRET, headers: old, payload }), { reason: "TORII_ERR_WEBHOOK_TIMESTAMP" });
  assert.deepEqual(await verifyWebhook({ secret: SECRET, headers: old, payload, now: new Date(1e12) }), event);
});
