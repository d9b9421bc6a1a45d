/** Worker threads, cluster, unloading, and memory. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { ToriiVerifier } from "libtorii";
import { localTorii, release, requested } from "./support.mjs";

const torii = await localTorii();
const JWKS = "/acme/_torii/.well-known/jwks.json";
const API = "/api/server/v1";
const program = (name) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

function worker(job, workerData) {
  return new Worker(program("worker.mjs"), {
    workerData: { job, issuer: torii.issuer, secretKey: torii.secretKey, apiUrl: torii.url, ...workerData },
  });
}

async function ended(worker) {
  const [code] = await once(worker, "exit");
  return code;
}

/** Runs a program, and returns what it prints. A process that does not end fails the test. */
async function run(name, variables, ...given) {
  const { issuer: TORII_ISSUER, url: TORII_API_URL, secretKey: TORII_SECRET_KEY } = torii;
  const { stdout } = await promisify(execFile)(process.execPath, [...given, program(name)], {
    env: { ...process.env, TORII_ISSUER, TORII_API_URL, TORII_SECRET_KEY, ...variables },
    timeout: 600_000,
  });
  return stdout.trim();
}

test("worker threads share the keys of the process", async () => {
  const verifier = new ToriiVerifier(torii.issuer);
  await verifier.refresh();
  const token = await torii.token({ claims: { sub: "user-1" } });
  const workers = Array.from({ length: 4 }, () => worker("verify", { token }));
  const results = await Promise.all(
    workers.map(async (each) => {
      const [[users], code] = await Promise.all([once(each, "message"), ended(each)]);
      assert.equal(code, 0);
      return users;
    }),
  );
  assert.deepEqual(results, Array(4).fill({ users: ["user-1"], calls: 200 }));
  assert.equal((await torii.requests(JWKS)).length, 1);
  verifier.verifyNow(token);
});

test("a worker that ends during calls harms no other", async () => {
  const verifier = new ToriiVerifier(torii.issuer);
  for (let round = 0; round < 5; round += 1) {
    await torii.reset();
    await torii.fault(API, { kind: "hold" });
    await torii.fault(JWKS, { kind: "hold" });
    const token = await torii.token();
    const each = worker("wait", { token });
    await Promise.all([requested(torii, API, 1), requested(torii, JWKS, 1)]);
    await each.terminate();
    await release(torii, "/");
    await verifier.verify(await torii.token());
  }
  // Calls that no thread had begun are not sent: the worker made 200 calls, of which 64 run at once.
  const { total } = await torii.control("GET", "/requests");
  assert.ok(total < 200, `${total} requests`);
});

test("on a platform without a package, the error lists those that have one", async () => {
  // The packages that a program looks for, which users would take from any owner of the name.
  const expected = { "darwin-arm64": [], "win32-x64": [], "linux-riscv64": ["libtorii-linux-riscv64-gnu"] };
  for (const [host, names] of Object.entries(expected)) {
    const [platform, arch] = host.split("-");
    const source = `
      Object.defineProperty(process, "platform", { value: "${platform}" });
      Object.defineProperty(process, "arch", { value: "${arch}" });
      try { require("libtorii"); } catch (error) { console.log(error.message); }`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", source]);
    const [first, ...tried] = stdout.trim().split("\n");
    assert.equal(
      first,
      `libtorii: no native module for ${host} (expected linux-arm64-gnu, linux-arm64-musl, linux-x64-gnu, linux-x64-musl)`,
    );
    assert.deepEqual(tried.map((line) => line.split(":")[0]), names);
  }
});

test("the module can be loaded and unloaded again and again", async () => {
  const said = await run("unloading.mjs");
  assert.equal(said, "20 workers, 20 verified");
});

test("cluster: each process has its own keys", async () => {
  const said = JSON.parse(await run("cluster.mjs"));
  assert.deepEqual(said, { users: ["user-1", "user-1"], processes: 2 });
  assert.equal((await torii.requests(JWKS)).length, 2);
});

test("a restarted process has the keys of the one before, while the issuer is down", async () => {
  const folder = mkdtempSync(join(tmpdir(), "torii-"));
  const token = await torii.token({ claims: { sub: "user-1" } });
  const verified = () => run("keycache.mjs", { KEY_CACHE_DIR: folder, TOKEN: token });
  assert.equal(await verified(), "user-1");
  await torii.failKeys();
  assert.equal(await verified(), "user-1");
  rmSync(folder, { recursive: true });
  mkdirSync(folder, { mode: 0o700 });
  assert.equal(await verified(), "TORII_ERR_KEYS_UNAVAILABLE");
  rmSync(folder, { recursive: true });
});

test("a process ends when no call waits, and not before", async () => {
  assert.equal(await run("ending.mjs"), "verified, called, aborted");
});

test("a call that a signal ended keeps no process alive", async () => {
  await torii.fault(API, { kind: "hang" });
  const child = spawn(process.execPath, [program("aborted.mjs")], {
    env: { ...process.env, TORII_API_URL: torii.url, TORII_SECRET_KEY: torii.secretKey },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  // It ended while the request was still unanswered: the timeout of the call is ten minutes.
  await requested(torii, API, 1);
});

test("memory stays flat", { timeout: 1_800_000 }, async () => {
  const said = JSON.parse(await run("memory.mjs", {}, "--expose-gc"));
  for (const [what, { first, last }] of Object.entries(said)) {
    const grown = (last - first) / 1024 / 1024;
    console.log(`${what}: ${grown.toFixed(1)} MiB more after the second half`);
    assert.ok(grown < 8, `${what}: ${grown.toFixed(1)} MiB`);
  }
});
