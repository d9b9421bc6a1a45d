// Verifies a token with the keys of an earlier process, or with fetched ones.

import { ToriiVerifier } from "libtorii";

const { TORII_ISSUER: issuer, KEY_CACHE_DIR: keyCacheDir, TOKEN: token } = process.env;
// The library's own thread would still write the keys when this process ends.
const verifier = new ToriiVerifier(issuer, { keyCacheDir, backgroundRefresh: false });
await verifier.verify(token).then(
  (auth) => console.log(auth.userId),
  (error) => console.log(error.reason),
);
