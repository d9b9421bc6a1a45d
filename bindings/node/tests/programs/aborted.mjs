// Its request is never answered; it ends because no call waits for it any more.

import { createToriiClient } from "libtorii";

const { TORII_API_URL: apiUrl, TORII_SECRET_KEY: secretKey } = process.env;
const client = createToriiClient({ secretKey, apiUrl, timeout: 600 });
const controller = new AbortController();
const call = client.users.create({}, { signal: controller.signal });
// The emulator says when it has the request.
await fetch(`${apiUrl}/_emulator/requests?path=/api/&at_least=1&timeout_ms=600000`);
controller.abort();
await call.catch(() => {});
