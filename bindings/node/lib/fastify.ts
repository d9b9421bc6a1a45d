/**
 * Hooks and a plugin for Fastify 4 and 5.
 *
 * @module libtorii/fastify
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ToriiAuth } from "./auth.js";
import { ToriiAuthError } from "./errors.js";
import { Guard, type ToriiGuardOptions, askedOfNode, refusal } from "./guard.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The identity; null if the request passed without one. */
    auth: ToriiAuth | null;
  }
}

/** Options of {@link requireAuth}. */
export type RequireAuthOptions = ToriiGuardOptions;

/**
 * Returns an `onRequest` hook, of a route or of all, that sets `request.auth`, or answers
 *
 * - 401 if the request has no token, or an invalid one,
 * - 403 if the token is valid but does not meet a requirement,
 * - 503 if the issuer's keys are unavailable.
 *
 * @throws {ToriiUsageError} if an option is invalid.
 */
export function requireAuth(
  options: RequireAuthOptions,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const guard = new Guard(options);
  return async (request, reply) => {
    try {
      request.auth = await guard.identify(askedOfNode(request.raw, request.originalUrl));
      return undefined;
    } catch (error) {
      if (!(error instanceof ToriiAuthError)) throw error;
      const { status, headers, body } = refusal(error);
      // In bytes, since Fastify adds a charset to the type of a text.
      return reply.code(status).headers(headers).send(Buffer.from(body));
    }
  };
}

/** A plugin that guards every route registered after it. */
export async function toriiAuth(
  fastify: FastifyInstance,
  options: RequireAuthOptions,
): Promise<void> {
  if (!fastify.hasRequestDecorator("auth")) fastify.decorateRequest("auth", null);
  fastify.addHook("onRequest", requireAuth(options));
}

// For the scope that registers it, as with fastify-plugin.
Object.assign(toriiAuth, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "libtorii",
});

export default toriiAuth;
