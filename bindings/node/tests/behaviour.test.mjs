/** The cases that every binding runs: tests/behaviour/verify.json of libtorii. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  ToriiAuthError,
  ToriiPolicyError,
  ToriiRequire,
  ToriiRequirements,
  ToriiUsageError,
  ToriiVerifier,
  ToriiWebhookError,
  ToriiWebhookVerifier,
} from "libtorii";
import { corpus, textOf } from "./support.mjs";

const { cases, key_sets: keySets, webhooks } = corpus("verify.json");
const ran = { cases: 0, requirements: 0, keySets: 0, webhooks: 0 };

const jwks = (name) => textOf(keySets[name].jwks);

const OPTIONS = new Set([
  "issuer",
  "issuers",
  "audiences",
  "ignore_audience",
  "leeway",
  "max_lifetime_seconds",
  "legacy_organization",
  "require",
  "requirements",
  "now",
]);

const MEMBERS = {
  user_id: "userId",
  environment_id: "environmentId",
  issuer: "issuer",
  locale: "locale",
  email_verified: "emailVerified",
  profile_complete: "profileComplete",
  impersonating: "impersonating",
  actor_id: "actorId",
  organization_id: "organizationId",
  organization_role: "organizationRole",
  flags: "flags",
  issued_at: "issuedAt",
  expires_at: "expiresAt",
  claims_json: "claimsJson",
};

function requirementsOf({ flags, claims = [], organizations }) {
  return new ToriiRequirements({
    flags,
    claims: claims.map(({ pointer, json }) => [pointer, { json }]),
    organizations,
  });
}

function verifierOf({ key_set: keySet, options }, requirements) {
  const { issuer, issuers = [], audiences, now } = options;
  const flags = (options.require ?? []).map((name) => ToriiRequire[name.toUpperCase()]);
  return new ToriiVerifier(issuer, {
    jwks: jwks(keySet),
    issuers: new Map(issuers.map((each) => [each.issuer, jwks(each.key_set)])),
    audience: audiences,
    ignoreAudience: options.ignore_audience,
    leeway: options.leeway,
    maxLifetime: options.max_lifetime_seconds,
    legacyOrganization: options.legacy_organization,
    require: flags.reduce((sum, flag) => sum + flag, 0),
    requirements,
    clock: now === undefined ? undefined : () => now,
  });
}

function check(each, verify) {
  const { status, auth: expected } = each.expect;
  if (status !== "TORII_OK") {
    assert.throws(verify, (error) => {
      assert.equal(error.reason, status);
      assert.ok(error instanceof ToriiAuthError);
      assert.equal(error instanceof ToriiPolicyError, status === "TORII_ERR_POLICY");
      return true;
    });
    return;
  }
  const auth = verify();
  assert.deepEqual(Object.keys(expected).sort(), Object.keys(MEMBERS).sort());
  for (const [member, name] of Object.entries(MEMBERS)) {
    const value = expected[member];
    assert.deepEqual(auth[name], member === "claims_json" ? textOf(value) : value, member);
  }
  assert.deepEqual(auth.raw, JSON.parse(auth.claimsJson));
}

function verification(each, verifier, options) {
  if (each.token === undefined) {
    const header = textOf(each.header);
    return () => verifier.authenticateNow(header, options);
  }
  const token = textOf(each.token);
  return () => verifier.verifyNow(token, options);
}

for (const each of cases) {
  test(`case ${each.name}`, async () => {
    for (const option of Object.keys(each.options)) assert.ok(OPTIONS.has(option), option);
    const { requirements } = each.options;
    const required = requirements && requirementsOf(requirements);
    const verifier = verifierOf(each, required);
    const verify = verification(each, verifier);
    check(each, verify);
    // From the token cache, and from the results that JavaScript keeps.
    check(each, verify);
    const text = textOf(each.token ?? each.header);
    const promised = each.token === undefined ? verifier.authenticate(text) : verifier.verify(text);
    const outcome = await promised.then((auth) => auth.userId, (error) => error.reason);
    const { status, auth } = each.expect;
    assert.equal(outcome, status === "TORII_OK" ? auth.user_id : status);
    ran.cases += 1;
    if (required) {
      check(each, verification(each, verifierOf(each), { requirements: required }));
      check(each, () => {
        const auth = verification(each, verifierOf(each))();
        auth.require(required);
        return auth;
      });
      ran.requirements += 1;
    }
  });
}

for (const [name, { usable }] of Object.entries(keySets)) {
  test(`key set ${name}`, () => {
    const make = () => new ToriiVerifier("https://acme.torii.so", { jwks: jwks(name) });
    if (usable > 0) assert.equal(make().stats().issuers[0].keys, usable);
    else assert.throws(make, (error) => error instanceof ToriiUsageError && /^jwks: /.test(error.message));
    ran.keySets += 1;
  });
}

for (const each of webhooks) {
  test(`${each.name}`, () => {
    const headers = {};
    for (const name of ["id", "timestamp", "signature"]) {
      if (textOf(each[name]) !== "") headers[`Webhook-${name}`] = textOf(each[name]);
    }
    const body = Buffer.from(each.body_hex, "hex");
    const verify = (secrets) =>
      new ToriiWebhookVerifier(secrets, { tolerance: each.tolerance }).verify(body, headers, {
        now: each.now,
      });
    const { status, sent_at: sentAt, secret_index: index } = each.expect;
    if (status === "TORII_OK") {
      const webhook = verify(each.secrets);
      assert.deepEqual(webhook, { id: textOf(each.id), sentAt: new Date(sentAt * 1000) });
      assert.deepEqual(verify(each.secrets[index]), webhook);
    } else {
      assert.throws(() => verify(each.secrets), (error) => {
        assert.equal(error.reason, status);
        const type = status.includes("WEBHOOK") ? ToriiWebhookError : ToriiUsageError;
        assert.ok(error instanceof type);
        return true;
      });
    }
    ran.webhooks += 1;
  });
}

after(() => {
  console.log("of tests/behaviour ran", ran);
  assert.equal(ran.cases, cases.length);
});
