// Verifies a token, calls the API and guards a request, in Node.js, Bun or Deno.

import process from "node:process";
import { ToriiAuthError, createToriiClient, verifyToken } from "libtorii";
import { withAuth } from "libtorii/web";

const { TORII_ISSUER: issuer, TORII_API_URL: apiUrl, TORII_SECRET_KEY: secretKey, TOKEN: token } = process.env;
const said = [(await verifyToken(token, { issuer })).userId];
await verifyToken(`${token}x`, { issuer }).catch((error) => said.push(error instanceof ToriiAuthError));
const client = createToriiClient({ secretKey, apiUrl });
const calls = await Promise.all(Array.from({ length: 100 }, () => client.users.list()));
said.push(calls.length);
await client.users.get("0191d3c0-0000-7000-8000-0123456789ab").catch((error) => said.push(error.status));
await client.users.list({ signal: AbortSignal.abort(new Error("enough")) }).catch((error) => said.push(error.message));
const GET = withAuth({ issuer }, (_, auth) => Response.json({ user: auth.userId }));
for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
  const answer = await GET(new Request("https://a.example/me", { headers }));
  said.push(answer.status);
}
console.log(JSON.stringify(said));
