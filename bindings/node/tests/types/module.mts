// The types, as a program in ES modules sees them. A line after @ts-expect-error has to be an error.

import type { Request } from "express";
import type { FastifyRequest } from "fastify";
import {
  ToriiApiError,
  type ToriiAuth,
  ToriiAuthError,
  ToriiRequire,
  ToriiRequirements,
  type ToriiUser,
  ToriiVerifier,
  createToriiClient,
  verifyToken,
} from "libtorii";
import { requireAuth } from "libtorii/express";
import toriiAuth, { toriiAuth as named } from "libtorii/fastify";
import { requireAuth as honoAuth } from "libtorii/hono";
import { LocalTorii } from "libtorii/testing";
import { createGuard, withAuth } from "libtorii/web";

const verifier = new ToriiVerifier("https://acme.torii.so", {
  leeway: 5,
  issuers: { "https://a.example": null },
  jwks: { keys: [] },
  requirements: { flags: ToriiRequire.EMAIL_VERIFIED },
});
// @ts-expect-error no such option
new ToriiVerifier("https://acme.torii.so", { leway: 5 });
// @ts-expect-error not a boolean
new ToriiVerifier("https://acme.torii.so", { ignoreAudience: "yes" });

export const promised: Promise<ToriiAuth> = verifyToken("", { issuer: "https://acme.torii.so" });
// @ts-expect-error the issuer is required
void verifyToken("", {});
const auth: ToriiAuth = verifier.verifyNow(new Uint8Array(), {
  requirements: new ToriiRequirements({ claims: { "/plan": "pro", "/level": 3n } }),
});
auth.require(new ToriiRequirements({ flags: ToriiRequire.ORGANIZATION }));
// @ts-expect-error they are created once
auth.require({ flags: ToriiRequire.ORGANIZATION });
export const locale: string | null = auth.locale;
// @ts-expect-error the claims have any type
export const plan: string = auth.raw.plan;

const torii = createToriiClient({ secretKey: "sk_test_1" });
// @ts-expect-error no such option
createToriiClient({ secretKey: "sk_test_1", fetch });
for await (const user of torii.users.list({ filter: { name: null } })) {
  const created: Date = user.createdAt;
  void created;
}
const { items, nextCursor }: { items: ToriiUser[]; nextCursor?: string | null } =
  await torii.users.list();
void [items, nextCursor];
await torii.users.update("", { firstName: undefined, lastName: null, locale: "da" });
// @ts-expect-error a bag has no null
await torii.users.update("", { unsafeMetadata: null });
// @ts-expect-error both are required
await torii.impersonation.createToken("", { reason: "support" });

try {
  await torii.users.ban("");
} catch (error) {
  if (error instanceof ToriiApiError) {
    const status: number = error.status;
    const code: string | undefined = error.code;
    void [status, code, error.supportId, error.body, error.unsent];
  }
  if (error instanceof ToriiAuthError) {
    const header: string | undefined = error.wwwAuthenticate;
    void [header, error.retryAfter, error.reason === "TORII_ERR_TOKEN_EXPIRED"];
  }
}

requireAuth({ verifier, onAuthError: (_error, _req, res) => res.status(418).end() });
export const ofExpress = (req: Request): string => req.auth!.userId;
export const ofFastify = (request: FastifyRequest): string | undefined => request.auth?.userId;
void [toriiAuth === named];

export const GET = withAuth({ verifier }, (_request, whose) => Response.json(whose.userId));
export const POST = withAuth({ verifier, optional: true }, (_request, whose) => {
  // @ts-expect-error nobody may have signed in
  return Response.json(whose.userId);
});
honoAuth({ issuer: "https://acme.torii.so", skip: ["/health"] });
const guarded = await createGuard({ verifier })(new Request("https://a.example"));
if (guarded.response === undefined) void guarded.auth.userId;

await using(await LocalTorii.start());
async function using(local: LocalTorii): Promise<void> {
  const { user, token } = await local.signIn({ email: "ada@example.com" });
  void [user.id, token];
}
