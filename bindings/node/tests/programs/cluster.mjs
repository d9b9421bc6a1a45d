import cluster from "node:cluster";
import http from "node:http";
import { once } from "node:events";
import { ToriiVerifier } from "libtorii";

const { TORII_ISSUER: issuer, TORII_API_URL: apiUrl } = process.env;

if (cluster.isPrimary) {
  const body = JSON.stringify({ claims: { sub: "user-1" } });
  const answer = await fetch(`${apiUrl}/_emulator/issuers/acme/tokens`, { method: "POST", body });
  const { token } = await answer.json();
  const workers = [cluster.fork(), cluster.fork()];
  const users = await Promise.all(
    workers.map(async (worker) => {
      // It is ready once it says so: a message before that gets lost.
      await once(worker, "message");
      worker.send({ token });
      const [said] = await once(worker, "message");
      return said;
    }),
  );
  for (const worker of workers) worker.kill();
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  const processes = new Set(users.map(({ pid }) => pid)).size;
  console.log(JSON.stringify({ users: users.map(({ user }) => user), processes }));
} else {
  const verifier = new ToriiVerifier(issuer);
  http.createServer().listen(0);
  process.once("message", async ({ token }) => {
    const { userId } = await verifier.verify(token);
    process.send({ user: userId, pid: process.pid });
  });
  process.send("ready");
}
