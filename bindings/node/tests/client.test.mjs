/** The backend API. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  ToriiApiError,
  ToriiError,
  ToriiUsageError,
  createToriiClient,
} from "libtorii";
import { localTorii, release, requested } from "./support.mjs";

const torii = await localTorii();
const API = "/api/server/v1";
const UNKNOWN = "0191d3c0-0000-7000-8000-0123456789ab";

let client;
beforeEach(() => {
  client = torii.client();
});

async function lastRequest() {
  return (await torii.requests(API)).at(-1);
}

test("users: all operations", async () => {
  const { users } = client;
  const made = await users.create({ email: "ada@example.com", firstName: "Ada", lastName: undefined });
  assert.deepEqual(JSON.parse((await lastRequest()).body), { email: "ada@example.com", firstName: "Ada" });
  assert.ok(made.createdAt instanceof Date && made.updatedAt instanceof Date);
  assert.deepEqual(await users.get(made.id), made);
  const updated = await users.update(made.id, { firstName: null, lastName: "King", locale: undefined });
  assert.equal((await lastRequest()).body, '{"firstName":null,"lastName":"King"}');
  assert.deepEqual([updated.firstName, updated.lastName], [null, "King"]);
  await users.update(made.id, {});
  assert.equal((await lastRequest()).body, "{}");
  await users.updateMetadata(made.id, { publicMetadata: { plan: "pro", createdAt: "1815-12-10" } });
  const merged = await users.updateMetadata(made.id, { publicMetadata: { plan: null } });
  assert.deepEqual(merged.publicMetadata, { createdAt: "1815-12-10" });
  assert.equal((await users.ban(made.id)).status, "banned");
  assert.equal((await users.unban(made.id)).status, "active");
  const { items, hasMore } = await users.list({ filter: { email: "ada@", createdAfter: new Date(0) } });
  assert.deepEqual([items.map((user) => user.id), hasMore], [[made.id], false]);
  assert.deepEqual((await users.listOrganizations(made.id)).items, []);
  assert.equal(await users.delete(made.id), undefined);
  await assert.rejects(users.get(made.id), { status: 403 });
});

test("sessions: all operations", async () => {
  const { user, session } = await torii.signIn();
  await torii.signIn(user);
  const { sessions } = client;
  const all = await sessions.listForUser(user.id);
  assert.equal(all.length, 2);
  for (const name of ["createdAt", "expiresAt", "lastUsedAt"]) assert.ok(all[0][name] instanceof Date);
  assert.equal(await sessions.revoke(user.id, session.id), undefined);
  assert.equal((await sessions.listForUser(user.id)).length, 1);
  assert.equal(await sessions.revokeAllForUser(user.id), undefined);
  assert.deepEqual(await sessions.listForUser(user.id), []);
});

test("organizations: all operations", async () => {
  const { user } = await torii.signIn();
  const path = "/issuers/acme/organizations";
  const { id } = await torii.control("POST", path, { name: "Analytical Engines" });
  await torii.control("POST", path, { name: "Other" });
  await torii.control("POST", `${path}/${id}/members`, { user_id: user.id, role: "org:admin" });
  const { organizations, users } = client;
  assert.equal((await organizations.list()).items.length, 2);
  const [found] = (await organizations.list({ name: "engines", limit: 5 })).items;
  assert.equal(found.id, id);
  assert.ok((await organizations.get(id)).createdAt instanceof Date);
  const changed = await organizations.updateMetadata(id, { publicMetadata: { size: 3 } });
  assert.deepEqual(changed.publicMetadata, { size: 3 });
  const [member] = (await organizations.listMembers(id)).items;
  assert.deepEqual([member.userId, member.role], [user.id, "org:admin"]);
  assert.ok(member.joinedAt instanceof Date);
  const input = { privateMetadata: { seat: 7 } };
  const updated = await organizations.updateMemberMetadata(id, user.id, input);
  assert.deepEqual(updated.privateMetadata, { seat: 7 });
  assert.equal((await users.listOrganizations(user.id)).items[0].organizationId, id);
});

test("invitations: all operations", async () => {
  const { invitations } = client;
  const made = await invitations.create({ email: "ada@example.com", publicMetadata: { plan: "pro" } });
  assert.deepEqual(JSON.parse((await lastRequest()).body), {
    publicMetadata: { plan: "pro" },
    privateMetadata: {},
    email: "ada@example.com",
  });
  assert.ok(made.expiresAt instanceof Date);
  assert.deepEqual((await invitations.get(made.id)).publicMetadata, { plan: "pro" });
  const listed = await invitations.list({ statuses: ["PENDING", "ACCEPTED"], search: "ada" });
  assert.deepEqual(listed.items.map((each) => each.id), [made.id]);
  assert.match((await lastRequest()).query, /status=PENDING&status=ACCEPTED&search=ada/);
  const changed = await invitations.updateMetadata(made.id, { publicMetadata: { plan: null } });
  assert.deepEqual(changed.publicMetadata, {});
  assert.equal((await invitations.resend(made.id)).id, made.id);
  assert.equal(await invitations.revoke(made.id), undefined);
  await assert.rejects(invitations.updateMetadata(made.id, { publicMetadata: {} }), (error) => {
    assert.equal(error.code, "invitation_not_pending");
    assert.equal(error.body.invitationStatus, "REVOKED");
    return true;
  });
});

test("impersonation, allowed origins and other operations", async () => {
  const [{ user: operator }, { user }] = [await torii.signIn(), await torii.signIn()];
  const input = { actorUserId: operator.id, reason: "support", expiresInSeconds: 60 };
  const { token, expiresInSeconds } = await client.impersonation.createToken(user.id, input);
  assert.deepEqual([typeof token, expiresInSeconds], ["string", 60]);
  assert.deepEqual(await client.allowedOrigins.set(["https://a.example"]), { origins: ["https://a.example"] });
  assert.deepEqual(await client.allowedOrigins.get(), { origins: ["https://a.example"] });

  const read = await client.request("GET", `${API}/users/${user.id}`);
  assert.deepEqual([read.id, typeof read.createdAt], [user.id, "string"]);
  const page = await client.request("POST", `${API}/users/search`, { query: { limit: 1 }, body: {} });
  assert.equal(page.items.length, 1);
  assert.equal(await client.request("DELETE", `${API}/users/${user.id}`), null);
});

test("a page iterates over all items", async () => {
  const ids = [];
  for (let index = 0; index < 7; index += 1) ids.push((await client.users.create({})).id);
  const listed = [];
  for await (const user of client.users.list({ limit: 3 })) listed.push(user.id);
  assert.deepEqual(listed.sort(), ids.sort());
  assert.equal((await torii.requests(`${API}/users/search`)).length, 3);

  const page = await client.users.list({ limit: 3 });
  assert.deepEqual([page.items.length, page.hasMore], [3, true]);
  const next = await page.nextPage();
  assert.equal(next.items.length, 3);
  const last = await (await client.users.list({ limit: 3, cursor: next.nextCursor })).nextPage();
  assert.equal(last, null);
  const rest = [];
  for await (const user of next) rest.push(user.id);
  assert.equal(rest.length, 4);
  // An iteration that stops early fetches no more.
  const before = (await torii.requests(API)).length;
  for await (const user of client.users.list({ limit: 1 })) {
    assert.ok(user.id);
    break;
  }
  assert.equal((await torii.requests(API)).length, before + 1);
});

test("a page that cannot be followed is an error", async () => {
  const page = (members) => ({ kind: "status", status: 200, body: JSON.stringify(members) });
  const cases = [
    [{ items: [], hasMore: true }],
    [{ items: {}, hasMore: false }],
    [{ items: [] }],
    [
      { items: [], hasMore: true, nextCursor: UNKNOWN },
      { items: [], hasMore: true, nextCursor: UNKNOWN },
    ],
  ];
  for (const answers of cases) {
    await torii.control("DELETE", "/faults");
    for (const answer of answers) await torii.fault(`${API}/users`, page(answer), { times: 1 });
    await assert.rejects(async () => {
      for await (const user of client.users.list()) assert.fail(user);
    }, { name: "ToriiApiError", reason: "TORII_ERR_RESPONSE" });
  }
});

test("an error of the API is told in its own words", async () => {
  await client.users.create({ email: "ada@example.com" });
  await assert.rejects(client.users.create({ email: "ada@example.com" }), (error) => {
    assert.ok(error instanceof ToriiApiError && error instanceof ToriiError);
    assert.deepEqual([error.name, error.status, error.code], ["ToriiApiError", 409, "email_already_exists"]);
    assert.equal(error.reason, "TORII_ERR_API");
    assert.equal(error.body.status, 409);
    assert.equal(typeof error.supportId, "string");
    assert.equal(error.unsent, false);
    assert.equal(error.message, error.body.detail);
    assert.match(error.stack, /client\.test\.mjs/);
    return true;
  });
  const text = { kind: "status", status: 418, body: "no tea", headers: { "Content-Type": "text/plain" } };
  await torii.fault(`${API}/users`, text, { times: 1 });
  await assert.rejects(client.users.create({}), { status: 418, body: "no tea", code: undefined });
  const busy = { kind: "status", status: 429, headers: { "Retry-After": "7" } };
  await torii.fault(`${API}/users`, busy, { times: 1 });
  await assert.rejects(client.users.create({}), { status: 429, retryAfter: 7 });
});

test("without an answer there is an error, too", async () => {
  const nowhere = createToriiClient({ secretKey: "sk_test_1", apiUrl: "http://127.0.0.1:1", maxRetries: 0 });
  await assert.rejects(nowhere.users.get(UNKNOWN), (error) => {
    assert.ok(error instanceof ToriiApiError);
    assert.deepEqual([error.status, error.reason, error.unsent], [0, "TORII_ERR_TRANSPORT", true]);
    return true;
  });
  await torii.fault(API, { kind: "hang" });
  const hasty = createToriiClient({ secretKey: torii.secretKey, apiUrl: torii.url, timeout: 0.2 });
  await assert.rejects(hasty.users.create({}), { reason: "TORII_ERR_TIMEOUT", unsent: false });
});

test("256 calls at once, and none blocks the event loop", async () => {
  await torii.fault(API, { kind: "hold" }, { times: 16 });
  const calls = Array.from({ length: 256 }, () => client.users.create({}));
  // The requests of this process to the control API are answered meanwhile.
  await requested(torii, API, 16);
  await release(torii, API);
  const ids = (await Promise.all(calls)).map((user) => user.id);
  assert.equal(new Set(ids).size, 256);
});

test("a signal ends a call", async () => {
  const reason = new Error("enough");
  await assert.rejects(client.users.create({}, { signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(await torii.requests(API), []);

  await torii.fault(API, { kind: "hold" });
  const controller = new AbortController();
  const { signal } = controller;
  // More than there are threads: some are sent, the others wait, and are not sent any more.
  const calls = Array.from({ length: 128 }, () => assert.rejects(client.users.create({}, { signal }), reason));
  const listing = assert.rejects(client.users.list({ signal }), reason);
  await requested(torii, API, 1);
  controller.abort(reason);
  await Promise.all([...calls, listing]);
  await torii.control("DELETE", "/faults");
  // Those that were sent hold the threads until now.
  await client.users.create({}, { signal: new AbortController().signal });
  const { total } = await torii.control("GET", "/requests");
  assert.ok(total < 128, `${total} requests`);
});

test("arguments are checked before anything is sent", async () => {
  for (const [options, message] of [
    [{}, /^secretKey: not a string/],
    [{ secretKey: "nope nope" }, /secret/],
    [{ secretKey: "sk_test_1", fetch }, /fetch: no such option/],
    [{ secretKey: "sk_test_1", timeout: "1" }, /^timeout: /],
    [{ secretKey: "sk_test_1", timeout: 0.01 }, /^timeout: /],
    [{ secretKey: "sk_test_1", maxRetries: 11 }, /^max_retries: /],
    [{ secretKey: "sk_test_1", apiUrl: "http://a.example" }, /^api_url: /],
  ]) {
    assert.throws(() => createToriiClient(options), (error) => {
      assert.ok(error instanceof ToriiUsageError, error);
      assert.match(error.message, message);
      return true;
    });
  }
  const { users } = client;
  const cycle = {};
  cycle.cycle = cycle;
  for (const call of [
    () => users.get("../../x"),
    () => users.get(undefined),
    () => users.create("{}"),
    () => users.create([]),
    () => users.create({ publicMetadata: cycle }),
    () => users.create({ publicMetadata: { a: 1n } }),
    () => users.update(UNKNOWN),
    () => users.list({ statuses: ["banned"] }),
    () => users.list({ limit: 101 }),
    () => users.list({ limit: -1 }),
    () => users.list({ cursor: 1 }),
    () => client.organizations.list({ name: 1 }),
    () => client.invitations.list({ statuses: 1 }),
    () => client.allowedOrigins.set([1]),
    () => client.request("BREW", "/"),
    () => client.request("GET", "users"),
    () => client.request(),
  ]) {
    await assert.rejects(call, ToriiUsageError);
  }
  assert.deepEqual(await torii.requests(API), []);
});

test("the secret key is shown nowhere", async () => {
  const secretKey = "sk_test_hunter2hunter2";
  const other = createToriiClient({ secretKey, apiUrl: torii.url });
  await assert.rejects(other.users.get(UNKNOWN), (error) => {
    assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes("hunter2"));
    return true;
  });
  const { inspect } = await import("node:util");
  assert.ok(!inspect(other, { depth: 9, showHidden: true }).includes("hunter2"));
  assert.throws(() => createToriiClient({ secretKey: "hunter2 hunter2" }), (error) => {
    assert.ok(!error.message.includes("hunter2"));
    return true;
  });
});
