/** Signs webhooks without libtorii. */

import { createHmac } from "node:crypto";

export const SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";

/** The headers of a webhook by Standard Webhooks 1.0.0. */
export function signed(body, { id = "msg_1", sent = Math.floor(Date.now() / 1000) } = {}) {
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${sent}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(sent),
    "webhook-signature": `v1,${signature}`,
  };
}
