/** The runtimes that load the native module: Node.js, Bun, Deno. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { localTorii } from "./support.mjs";

const torii = await localTorii();
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

// npm has installed those that run on this platform.
const RUNTIMES = {
  "Node.js": [process.execPath],
  Bun: [path("../node_modules/@oven/bun-linux-x64/bin/bun")],
  Deno: [path("../node_modules/@deno/linux-x64-glibc/deno"), "run", "--allow-all"],
};

for (const [name, [program, ...given]] of Object.entries(RUNTIMES)) {
  const skip = existsSync(program) || process.arch === "x64" ? false : "not for this platform";
  test(name, { skip }, async () => {
    const token = await torii.token({ claims: { sub: "user-1" } });
    const { issuer: TORII_ISSUER, url: TORII_API_URL, secretKey: TORII_SECRET_KEY } = torii;
    const { stdout } = await promisify(execFile)(program, [...given, path("programs/runtime.mjs")], {
      env: { ...process.env, TORII_ISSUER, TORII_API_URL, TORII_SECRET_KEY, TOKEN: token },
      timeout: 600_000,
    });
    assert.deepEqual(JSON.parse(stdout), ["user-1", true, 100, 404, "enough", 401, 200]);
  });
}
