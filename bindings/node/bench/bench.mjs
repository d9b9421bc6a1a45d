/**
 * Measures libtorii, jose and the official package in one process, in turns, and prints microseconds
 * per token, of the clock and of the CPU: of five rounds the best of each. On a busy machine only the
 * latter mean much.
 */

import { createRemoteJWKSet, jwtVerify } from "jose";
import { ToriiVerifier, verifyToken, version } from "libtorii";
import { LocalTorii } from "libtorii/testing";
import { verifyToken as official } from "./official.mjs";

const ROUNDS = 5;
const NEW = 200;

const torii = await LocalTorii.start();
const { issuer } = torii;
const keys = await (await fetch(`${issuer}/_torii/.well-known/jwks.json`)).text();
const verifier = new ToriiVerifier(issuer, { jwks: keys });
const cacheless = new ToriiVerifier(issuer, { jwks: keys, tokenCacheBytes: 0 });
const jwks = createRemoteJWKSet(new URL(`${issuer}/_torii/.well-known/jwks.json`));
const jose = (token) => jwtVerify(token, jwks, { issuer, algorithms: ["ES256"], clockTolerance: 30 });

/** As a server gets it: a string of its own for each request. */
const fresh = (token) => Buffer.from(token).toString("latin1");
const expired = await torii.token({ now_offset: -3600 });
const forged = await torii.token({ signer: "forged" });
const repeated = Array.from({ length: 64 }, () => null);
for (const index of repeated.keys()) repeated[index] = await torii.token();
const tokens = [];
for (let index = 0; index < NEW * ROUNDS; index += 1) tokens.push(await torii.token());

const refusedNow = (token) => {
  try {
    verifier.verifyNow(token);
  } catch {
    return;
  }
  throw new Error("accepted");
};
const refused = (verify) => (token) => verify(token).then(() => process.exit(1), () => {});

const LIBRARIES = {
  "libtorii, verifyNow": { known: (token) => verifier.verifyNow(token), refused: refusedNow, fresh: (token) => cacheless.verifyNow(token) },
  "libtorii, await verify": { known: (token) => verifier.verify(token), refused: refused((token) => verifier.verify(token)), fresh: (token) => cacheless.verify(token) },
  "libtorii, await verifyToken": { known: (token) => verifyToken(token, { issuer }), refused: refused((token) => verifyToken(token, { issuer })) },
  "jose 6": { known: jose, refused: refused(jose), fresh: jose },
  "@torii-backend/sdk 0.0.13": { known: (token) => official(token, { issuer }), refused: refused((token) => official(token, { issuer })), fresh: (token) => official(token, { issuer }) },
};

async function per(work, times, given) {
  const waits = work(given(0)) instanceof Promise;
  const [started, used] = [process.hrtime.bigint(), process.cpuUsage()];
  if (waits) for (let index = 0; index < times; index += 1) await work(given(index));
  else for (let index = 0; index < times; index += 1) work(given(index));
  const { user, system } = process.cpuUsage(used);
  const clock = Number(process.hrtime.bigint() - started) / 1000;
  return { clock: clock / times, cpu: (user + system) / times };
}

const results = new Map();
function keep(library, row, took) {
  const rows = results.get(library) ?? {};
  const { clock = Infinity, cpu = Infinity } = rows[row] ?? {};
  rows[row] = { clock: Math.min(clock, took.clock), cpu: Math.min(cpu, took.cpu) };
  results.set(library, rows);
}

for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [library, { known, refused, fresh: fresh_ }] of Object.entries(LIBRARIES)) {
    const quick = library.startsWith("libtorii");
    const times = quick ? 50_000 : 1000;
    const strings = Array.from({ length: 256 }, (_, index) => fresh(repeated[index & 63]));
    const took = {
      "known token": await per(known, times, (index) => strings[index & 255]),
      "expired token": await per(refused, quick ? 2000 : 500, () => expired),
      "forged token": await per(refused, 500, () => forged),
    };
    if (fresh_) took["new token"] = await per(fresh_, NEW, (index) => tokens[(round % ROUNDS) * NEW + index]);
    // The first round is for the compiler.
    if (round > 0) for (const [row, time] of Object.entries(took)) keep(library, row, time);
  }
}

const ROWS = ["known token", "new token", "expired token", "forged token"];
for (const [unit, title] of [["clock", "microseconds"], ["cpu", "microseconds of CPU"]]) {
  console.log([title.padEnd(30), ...ROWS.map((row) => row.padStart(15))].join(""));
  for (const [library, rows] of results) {
    const cells = ROWS.map((row) => (rows[row]?.[unit].toFixed(2) ?? "").padStart(15));
    console.log([library.padEnd(30), ...cells].join(""));
  }
}
console.log(`libtorii ${version}, Node ${process.version}, a token of ${tokens[0].length} bytes`);
await torii.stop();
