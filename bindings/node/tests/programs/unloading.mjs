// Only workers load the module, so that it is unloaded when each of them ends.

import { once } from "node:events";
import { Worker } from "node:worker_threads";

const { TORII_ISSUER: issuer, TORII_API_URL: apiUrl, TORII_SECRET_KEY: secretKey } = process.env;
const answer = await fetch(`${apiUrl}/_emulator/issuers/acme/tokens`, { method: "POST", body: "{}" });
const { token } = await answer.json();
let verified = 0;
for (let round = 0; round < 10; round += 1) {
  const workers = Array.from({ length: 2 }, () => {
    return new Worker(new URL("worker.mjs", import.meta.url), {
      workerData: { job: "verify", issuer, secretKey, apiUrl, token },
    });
  });
  for (const worker of workers) worker.once("message", ({ users }) => (verified += users.length));
  await Promise.all(workers.map((worker) => once(worker, "exit")));
}
console.log(`20 workers, ${verified} verified`);
