/**
 * Middleware for Hono.
 *
 * @module libtorii/hono
 */

import type { MiddlewareHandler } from "hono";
import { type AuthOf, type RequireAuthOptions, createGuard } from "./web.js";

export type { RequireAuthOptions };

/**
 * Returns middleware that sets the variable `auth`, or answers as {@link createGuard} does.
 *
 * @throws {ToriiUsageError} if an option is invalid.
 */
export function requireAuth<const O extends RequireAuthOptions>(
  options: O,
): MiddlewareHandler<{ Variables: { auth: AuthOf<O> } }> {
  const guard = createGuard(options);
  return async (context, next) => {
    const { auth, response } = await guard(context.req.raw);
    if (response !== undefined) return response;
    context.set("auth", auth as AuthOf<O>);
    await next();
    return undefined;
  };
}
