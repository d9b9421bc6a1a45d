// The types, as a program in CommonJS sees them.

import libtorii = require("libtorii");
import { requireAuth } from "libtorii/express";
import { toriiAuth } from "libtorii/fastify";
import { withAuth } from "libtorii/web";

export async function whose(token: string): Promise<string> {
  const auth: libtorii.ToriiAuth = await libtorii.verifyToken(token, { issuer: "https://a.example" });
  return auth.userId;
}

export const guards = [requireAuth({ issuer: "https://a.example" }), toriiAuth, withAuth];
