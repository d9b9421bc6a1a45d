// Renames the user of TOKEN to FIRST_NAME, verifies EXPIRED, and prints the path of the loaded library.

import { readFileSync } from "node:fs";
import { ToriiAuthError, createToriiClient, verifyToken } from "libtorii";

const { TORII_ISSUER: issuer, TORII_SECRET_KEY: secretKey, TORII_API_URL: apiUrl } = process.env;
const torii = createToriiClient({ secretKey, apiUrl });

const auth = await verifyToken(process.env.TOKEN, { issuer });
const user = await torii.users.update(auth.userId, { firstName: process.env.FIRST_NAME });
console.log(`${user.id} is ${user.firstName}`);
try {
  await verifyToken(process.env.EXPIRED, { issuer });
} catch (error) {
  if (!(error instanceof ToriiAuthError)) throw error;
  console.log(error.reason.replace("TORII_ERR_", "").toLowerCase());
}
const maps = readFileSync("/proc/self/maps", "utf8");
console.log([...new Set(maps.match(/\/.*libtorii.*/g))].join("\n"));
