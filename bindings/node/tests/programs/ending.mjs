// Ends as soon as the last of its calls has ended: nothing else keeps the process alive.

import { ToriiVerifier, createToriiClient } from "libtorii";

const { TORII_ISSUER: issuer, TORII_API_URL: apiUrl, TORII_SECRET_KEY: secretKey } = process.env;
const answer = await fetch(`${apiUrl}/_emulator/issuers/acme/tokens`, { method: "POST", body: "{}" });
const { token } = await answer.json();

const said = [];
const verifier = new ToriiVerifier(issuer);
const client = createToriiClient({ secretKey, apiUrl });
verifier.verify(token).then(async () => {
  said.push("verified");
  await client.users.list();
  said.push("called");
  await client.users.list({ signal: AbortSignal.abort() }).catch(() => said.push("aborted"));
});
process.once("exit", () => console.log(said.join(", ")));
