// Measures the memory of the process in the middle and at the end of work of each kind.

import { ToriiRequirements, ToriiVerifier, ToriiWebhookVerifier, createToriiClient } from "libtorii";

const { TORII_ISSUER: issuer, TORII_API_URL: apiUrl, TORII_SECRET_KEY: secretKey } = process.env;
const control = `${apiUrl}/_emulator`;
const tokens = [];
for (let index = 0; index < 300; index += 1) {
  const answer = await fetch(`${control}/issuers/acme/tokens`, { method: "POST", body: '{"expires_in":86400}' });
  tokens.push((await answer.json()).token);
}
const keys = await (await fetch(`${issuer}/_torii/.well-known/jwks.json`)).text();
const client = createToriiClient({ secretKey, apiUrl });
const user = await client.users.create({});
const known = new ToriiVerifier(issuer, { jwks: keys });
const cacheless = new ToriiVerifier(issuer, { jwks: keys, tokenCacheBytes: 0 });

const WORK = {
  known: [2000, () => tokens.slice(0, 50).forEach((token) => known.verifyNow(token))],
  new: [20, () => tokens.forEach((token) => cacheless.verifyNow(token))],
  refused: [20, () => tokens.forEach((token) => refused(() => known.verifyNow(`${token}x`)))],
  verifiers: [
    300,
    async () => {
      const verifier = new ToriiVerifier(issuer, { jwks: keys, requirements: { claims: { "/a": "b" } } });
      refused(() => verifier.verifyNow(tokens[0]));
      new ToriiRequirements({ flags: 1 });
      new ToriiWebhookVerifier("whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY");
      createToriiClient({ secretKey, apiUrl });
    },
  ],
  calls: [20, () => Promise.all(Array.from({ length: 20 }, () => client.users.get(user.id)))],
};

function refused(verify) {
  try {
    verify();
  } catch {
    return;
  }
  throw new Error("accepted");
}

/** Measures after garbage collection and the finalizers of the module. */
async function used() {
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage.rss();
}

async function repeat(times, work) {
  for (let time = 0; time < times; time += 1) {
    await work();
    // Finalizers of the module run between turns.
    if (time % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

const said = {};
for (const [what, [times, work]] of Object.entries(WORK)) {
  await repeat(times, work);
  const first = await used();
  await repeat(times, work);
  said[what] = { first, last: await used() };
}
console.log(JSON.stringify(said));
