/** The answers that every adapter gives: tests/behaviour/adapters.json of libtorii. */

import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { ToriiRequire, ToriiVerifier } from "libtorii";
import { requireAuth as guardExpress } from "libtorii/express";
import { requireAuth as guardFastify } from "libtorii/fastify";
import { requireAuth as guardHono } from "libtorii/hono";
import { LocalTorii } from "libtorii/testing";
import { withAuth } from "libtorii/web";
import { corpus } from "./support.mjs";

const { answers, configurations, never_in_refusals: never, rows, setup, tokens } = corpus("adapters.json");
const METHODS = ["GET", "HEAD", "POST", "OPTIONS"];
const ours = rows.filter(
  (row) => (row.only ?? ["node"]).includes("node") && !(row.except ?? []).includes("node"),
);

function requirementsOf({ flags = [], claims = [], organizations }) {
  return {
    flags: flags.reduce((sum, name) => sum + ToriiRequire[name.toUpperCase()], 0),
    claims: claims.map(({ pointer, json }) => [pointer, JSON.parse(json)]),
    organizations,
  };
}

/** The options of the guard of each path, and of all others. */
function guards(configuration, url) {
  const { issuer, audiences, requirements, realm, resource_metadata, routes = {}, ...options } =
    configuration;
  const verifier = new ToriiVerifier(`${url}/${issuer}`, {
    audience: audiences,
    requirements: requirements && requirementsOf(requirements),
    realm,
    resourceMetadata: resource_metadata,
  });
  const guarded = Object.entries(routes).map(([path, wanted]) => [
    path,
    { verifier, ...options, requirements: requirementsOf(wanted) },
  ]);
  return { routes: guarded, others: { verifier, ...options } };
}

/** Each returns a server of Node, and a function that closes it. */
const ADAPTERS = {
  async express({ routes, others }) {
    const app = express();
    const handler = (req, res) => {
      res.setHeader("Handler-User", req.auth?.userId ?? "-");
      res.end(req.body);
    };
    app.use(express.text({ type: () => true }));
    for (const [path, options] of routes) app.all(path, guardExpress(options), handler);
    app.use(guardExpress(others), handler);
    const server = http.createServer({ maxHeaderSize: 64 * 1024 }, app).listen(0, "127.0.0.1");
    await once(server, "listening");
    return { server, close: () => server.close() };
  },

  async fastify({ routes, others }) {
    const app = fastify({ http: { maxHeaderSize: 64 * 1024 } });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
    const handler = async (request, reply) => {
      reply.header("Handler-User", request.auth?.userId ?? "-");
      return reply.send(request.body ?? "");
    };
    for (const [url, options] of routes) {
      app.route({ method: METHODS, url, onRequest: guardFastify(options), handler });
    }
    app.route({ method: METHODS, url: "*", onRequest: guardFastify(others), handler });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { server: app.server, close: () => app.close() };
  },

  async hono({ routes, others }) {
    const app = new Hono();
    const handler = async (context) =>
      new Response(await context.req.raw.arrayBuffer(), {
        headers: { "Handler-User": context.get("auth")?.userId ?? "-" },
      });
    for (const [path, options] of routes) app.on(METHODS, path, guardHono(options), handler);
    app.on(METHODS, "*", guardHono(others), handler);
    return served(app.fetch);
  },

  async web({ routes, others }) {
    const handler = async (request, auth) =>
      new Response(await request.arrayBuffer(), {
        headers: { "Handler-User": auth?.userId ?? "-" },
      });
    const handlers = new Map(routes.map(([path, options]) => [path, withAuth(options, handler)]));
    const other = withAuth(others, handler);
    return served((request) => (handlers.get(new URL(request.url).pathname) ?? other)(request));
  },
};

test("the time to read a cookie grows with its length, not with its square", async () => {
  const handler = withAuth({ issuer: "https://acme.torii.so", cookie: "token" }, () => new Response());
  const cookie = `a=${" ".repeat(8_000_000)}x; b${" ".repeat(8_000_000)}=y`;
  const answer = await handler(new Request("https://app.example/", { headers: { cookie } }));
  assert.equal(answer.status, 401);
});

async function served(fetch) {
  const options = { fetch, port: 0, hostname: "127.0.0.1", serverOptions: { maxHeaderSize: 64 * 1024 } };
  const server = serve(options);
  if (!server.listening) await once(server, "listening");
  return { server, close: () => server.close() };
}

/** Sends a request as it is: blanks, repeated headers, and headers that no client library sends. */
function send({ server, agent }, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const { port } = server.address();
    const raw = ["Host", `127.0.0.1:${port}`, ...headers.flat()];
    if (body !== "") raw.push("Content-Length", String(Buffer.byteLength(body)));
    const request = http.request({ host: "127.0.0.1", port, agent, method, path, headers: raw });
    request.on("error", reject);
    request.on("response", async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({
        status: response.statusCode,
        headers: response.headers,
        raw: response.rawHeaders.join("\n"),
        body: Buffer.concat(chunks).toString(),
      });
    });
    request.end(body);
  });
}

let torii;

before(async () => {
  torii = await LocalTorii.start();
  await torii.reset();
  for (const { path, body } of setup) await torii.control("POST", path, body);
});
after(() => torii.stop());

async function mint(name) {
  const { issuer, mint, repeat, times } = tokens[name];
  if (repeat !== undefined) return repeat.repeat(times);
  return (await torii.control("POST", `/issuers/${issuer}/tokens`, mint)).token;
}

/** The row with its tokens in place of their names. */
async function filled(row) {
  const minted = new Map();
  const fill = async (text) => {
    for (const [, name] of text.matchAll(/{(.+?)}/g)) {
      if (!minted.has(name)) minted.set(name, await mint(name));
    }
    return text.replaceAll(/{(.+?)}/g, (_, name) => minted.get(name));
  };
  const request = { method: row.method, path: await fill(row.path), headers: [] };
  for (const [name, value] of row.headers) request.headers.push([name, await fill(value)]);
  request.body = await fill(row.body ?? "");
  const secrets = [...minted.values()].flatMap((token) => token.split(".").slice(-2));
  return { request, secrets: secrets.filter((secret) => secret !== "") };
}

for (const [adapter, start] of Object.entries(ADAPTERS)) {
  describe(adapter, () => {
    const servers = new Map();
    let ran = 0;

    async function serverOf(name) {
      if (!servers.has(name)) {
        const running = await start(guards(configurations[name], torii.url));
        servers.set(name, { ...running, agent: new http.Agent({ keepAlive: true, maxSockets: 1 }) });
      }
      return servers.get(name);
    }

    after(async () => {
      for (const { agent, close } of servers.values()) {
        agent.destroy();
        await close();
      }
      console.log(`${ran} rows of tests/behaviour/adapters.json passed (${adapter})`);
      assert.equal(ran, ours.length);
    });

    for (const row of ours) {
      test(`${adapter} ${row.name}`, async () => {
        const { request, secrets } = await filled(row);
        const answer = await send(await serverOf(row.configuration), request);
        check(row, request, secrets, answer);
        ran += 1;
      });
    }
  });
}

function check(row, request, secrets, answer) {
  const { headers } = answer;
  if ((row.server_may_refuse ?? []).includes(answer.status)) {
    assert.equal(headers["handler-user"], undefined);
    return;
  }
  const expected = answers[row.answer];
  assert.equal(answer.status, expected.status);
  assert.equal(headers["www-authenticate"] ?? null, expected.www_authenticate);
  assert.equal(headers["cache-control"] ?? null, expected.cache_control);
  if (expected.retry_after) assert.match(headers["retry-after"], /^[1-9][0-9]*$/);
  else assert.equal(headers["retry-after"], undefined);
  const body = request.method === "HEAD" ? null : answer.body;
  if (answer.status === 200) {
    assert.equal(headers["handler-user"], row.user ?? "-");
    if (body !== null) assert.equal(body, request.body);
    return;
  }
  assert.equal(headers["handler-user"], undefined);
  if (body !== null) {
    assert.equal(headers["content-type"], "application/json");
    assert.equal(JSON.parse(body).error.code, expected.code);
    for (const text of never) assert.ok(!body.includes(text), text);
  }
  const sentBack = `${answer.raw}\n${answer.body}`;
  for (const secret of secrets) assert.ok(!sentBack.includes(secret), "a token is sent back");
}
