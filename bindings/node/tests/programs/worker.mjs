import { parentPort, workerData } from "node:worker_threads";
import { ToriiVerifier, createToriiClient } from "libtorii";

const { job, issuer, secretKey, apiUrl, token } = workerData;
const verifier = new ToriiVerifier(issuer, { fetchTimeout: 60 });
const client = createToriiClient({ secretKey, apiUrl, timeout: 600 });

if (job === "verify") {
  const users = new Set();
  for (let index = 0; index < 2000; index += 1) users.add((await verifier.verify(token)).userId);
  const calls = Array.from({ length: 200 }, () => client.organizations.list());
  await Promise.all(calls);
  parentPort.postMessage({ users: [...users], calls: calls.length });
} else {
  void verifier.verify(token);
  for (let index = 0; index < 200; index += 1) void client.users.create({});
}
