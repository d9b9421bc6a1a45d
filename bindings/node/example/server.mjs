// A server with Express: the signed-in user's profile.
//
//     TORII_ISSUER=https://acme.torii.so TORII_SECRET_KEY=sk_test_… node server.mjs

import express from "express";
import { ToriiApiError, ToriiRequire, ToriiVerifier, createToriiClient } from "libtorii";
import { requireAuth } from "libtorii/express";

const { TORII_ISSUER, TORII_SECRET_KEY, TORII_API_URL, PORT = "8080" } = process.env;

// One of each for the process.
const verifier = new ToriiVerifier(TORII_ISSUER);
const torii = createToriiClient({ secretKey: TORII_SECRET_KEY, apiUrl: TORII_API_URL });

const signedIn = requireAuth({ verifier });
const inPerson = requireAuth({ verifier, requirements: { flags: ToriiRequire.NOT_IMPERSONATED } });

export const app = express();
app.use(express.json());

app.get("/me", signedIn, async (req, res) => {
  const { id, firstName } = await torii.users.get(req.auth.userId);
  res.json({ id, firstName, locale: req.auth.locale });
});

app.patch("/me", inPerson, async (req, res) => {
  // The fields that users may change; an absent one stays, null clears it.
  const { firstName, lastName } = req.body;
  const user = await torii.users.update(req.auth.userId, { firstName, lastName });
  res.json({ firstName: user.firstName, lastName: user.lastName });
});

app.use((error, req, res, next) => {
  if (!(error instanceof ToriiApiError)) return next(error);
  console.error("torii:", error.message, error.supportId);
  return res.status(502).json({ error: { code: "upstream" } });
});

const server = app.listen(PORT, () => console.log(`http://127.0.0.1:${server.address().port}`));
