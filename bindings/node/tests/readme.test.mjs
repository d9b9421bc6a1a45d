/** The snippets of this README, and of that of @torii-backend/sdk 0.0.13 with the import changed. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { localTorii } from "./support.mjs";
import { SECRET, signed } from "./sender.mjs";

const ISSUER = "https://acme.torii.so";
const here = fileURLToPath(new URL(".", import.meta.url));
const folder = `${here}snippets`;
mkdirSync(folder, { recursive: true });

const torii = await localTorii();

/** The fenced blocks of that language, without the indentation of the list they stand in. */
function snippets(file) {
  const document = readFileSync(new URL(file, import.meta.url), "utf8");
  return Array.from(document.matchAll(/^( *)```ts\n(.*?)^ *```$/gms), ([, indent, code]) =>
    code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

const OFFICIAL = snippets("torii-backend-sdk-0.0.13.README.md").map((code) =>
  code.replaceAll("@torii-backend/sdk", "libtorii"),
);
const OURS = snippets("../README.md");

/** The names that snippets take from those before them. */
const CONTEXT = "declare const token: string, userId: string;\n";
const CLIENT = `import { createToriiClient } from "libtorii";
const torii = createToriiClient({ secretKey: process.env.TORII_SECRET_KEY! });
`;
const VERIFIER = `import { ToriiRequirements, ToriiVerifier } from "libtorii";
const verifier = new ToriiVerifier("${ISSUER}"), pro = new ToriiRequirements({ claims: { "/plan": "pro" } });
`;
const EXPRESS = 'import express from "express";\nconst app = express();\n';

/** Writes snippets as modules: of each its context, and the names that the test takes from it. */
function write(name, snippets, parts) {
  assert.equal(snippets.length, parts.length);
  return snippets.map((code, index) => {
    const [context, names] = parts[index];
    const file = `${folder}/${name}-${index}.mts`;
    writeFileSync(file, `${CONTEXT}${context}${code}\nexport { ${names} };\n`);
    return file;
  });
}

const official = write("official", OFFICIAL, [
  ["", "auth"],
  ["", "user"],
  ["", "app"],
  [CLIENT, "page, user, sessions"],
  [CLIENT, ""],
]);
const ours = write("ours", OURS, [
  ["", ""],
  ["", "auth"],
  [VERIFIER, "app"],
  [VERIFIER, "server"],
  [VERIFIER, ""],
  [VERIFIER, "hono"],
  ["", "user"],
  [EXPRESS, "app"],
  [VERIFIER, "minted"],
]);

/** Runs a snippet with the local torii in place of the real one. */
async function run(file, names) {
  const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const code = outputText
    .replaceAll(ISSUER, torii.issuer)
    .replaceAll("secretKey:", `apiUrl: ${JSON.stringify(torii.url)}, secretKey:`);
  const constants = Object.entries(names).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
  const module = file.replace(/\.mts$/, `.${Date.now()}.mjs`);
  writeFileSync(module, constants.join("") + code);
  return import(pathToFileURL(module));
}

async function served(app) {
  const server = http.createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });

let names;
beforeEach(async () => {
  process.env.TORII_SECRET_KEY = torii.secretKey;
  process.env.WEBHOOK_SECRETS = SECRET;
  const user = await torii.client().users.create({ name: "Augusta", phone: "+44 1", address: "London" });
  const token = await torii.token({ claims: { sub: user.id, plan: "pro" } });
  names = { userId: user.id, token };
});

test("the official snippets compile and run with the import changed", async () => {
  const [verifying, getting, serving, calling, updating] = official;
  const { auth } = await run(verifying, names);
  assert.equal(auth.userId, names.userId);
  const { user } = await run(getting, names);
  assert.equal(user.id, names.userId);
  const url = await served((await run(serving, names)).app);
  assert.deepEqual(await (await fetch(`${url}/me`, bearer(names.token))).json(), { user: names.userId });
  assert.equal((await fetch(`${url}/me`)).status, 401);
  const called = await run(calling, names);
  assert.equal(called.user.email, "x@y.com");
  assert.equal(called.page.items[0].id, names.userId);
  assert.deepEqual(called.sessions, []);
  await run(updating, names);
  const { method, body } = (await torii.requests("/api")).at(-1);
  assert.deepEqual([method, JSON.parse(body)], ["PATCH", { name: "Ada", phone: null }]);
});

test("these snippets run", async () => {
  const [verifying, withOptions, expressing, fastifying, routing, honoing, calling, receiving, testing] = ours;
  await run(verifying, names);
  assert.equal((await run(withOptions, names)).auth.userId, names.userId);

  const url = await served((await run(expressing, names)).app);
  assert.deepEqual(await (await fetch(`${url}/me`, bearer(names.token))).json(), { userId: names.userId });
  assert.deepEqual(await (await fetch(`${url}/reports`, bearer(names.token))).json(), { plan: "pro" });
  const { server } = await run(fastifying, names);
  const cookie = { cookie: `app_token=${names.token}` };
  assert.deepEqual((await server.inject({ url: "/me", headers: cookie })).json(), { userId: names.userId });
  await server.close();
  const { GET } = await run(routing, names);
  const answer = await GET(new Request("https://a.example/me", bearer(names.token)));
  assert.deepEqual(await answer.json(), { userId: names.userId });
  const { hono } = await run(honoing, names);
  assert.deepEqual(await (await hono.request("/me", bearer(names.token))).json(), { userId: names.userId });

  assert.equal((await run(calling, names)).user.email, "ada@example.com");
  assert.equal((await torii.requests("/api")).at(-2).body, '{"firstName":"Augusta","lastName":null}');
  const webhooks = `${await served((await run(receiving, names)).app)}/webhooks`;
  const headers = signed("{}");
  assert.equal((await fetch(webhooks, { method: "POST", body: "{}", headers })).status, 204);
  assert.equal((await fetch(webhooks, { method: "POST", body: "{ }", headers })).status, 400);
  await run(testing, names);
});

test("types: ES modules, CommonJS, and all snippets", { timeout: 1_200_000 }, () => {
  const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", `${here}types`], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});
