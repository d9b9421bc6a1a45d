/**
 * A guard for `Request` and `Response` of the Fetch API: Next.js route handlers, Hono, Bun, Deno.
 *
 * @module libtorii/web
 */

import type { ToriiAuth } from "./auth.js";
import { ToriiAuthError } from "./errors.js";
import { type Asked, Guard, type ToriiGuardOptions, refusal } from "./guard.js";

/** Options of {@link createGuard}. */
export type RequireAuthOptions = ToriiGuardOptions;

/** Returns the identity behind a request, by these options; null only if they let anonymous requests pass. */
export type AuthOf<O> = O extends { optional: true } | { skip: Iterable<string> }
  ? ToriiAuth | null
  : ToriiAuth;

/** The result of a guard: the identity, or the answer to a refused request. */
export type Guarded<Auth> =
  | { auth: Auth; response?: undefined }
  | { auth?: undefined; response: Response };

/**
 * Returns a function that authenticates a request. Its result is the identity, or the answer:
 *
 * - 401 if the request has no token, or an invalid one,
 * - 403 if the token is valid but does not meet a requirement,
 * - 503 if the issuer's keys are unavailable.
 *
 * @throws {ToriiUsageError} if an option is invalid.
 */
export function createGuard<const O extends RequireAuthOptions>(
  options: O,
): (request: Request) => Promise<Guarded<AuthOf<O>>> {
  const guard = new Guard(options);
  return async (request) => {
    try {
      return { auth: (await guard.identify(asked(request))) as AuthOf<O> };
    } catch (error) {
      if (!(error instanceof ToriiAuthError)) throw error;
      const { status, headers, body } = refusal(error);
      const sent = request.method === "HEAD" ? null : body;
      return { response: new Response(sent, { status, headers }) };
    }
  };
}

/** Wraps a handler, such as a route handler of Next.js, so that it gets the identity. */
export function withAuth<
  const O extends RequireAuthOptions,
  R extends Request,
  Rest extends unknown[],
>(
  options: O,
  handler: (request: R, auth: AuthOf<O>, ...rest: Rest) => Response | Promise<Response>,
): (request: R, ...rest: Rest) => Promise<Response> {
  const guard = createGuard(options);
  return async (request, ...rest) => {
    const { auth, response } = await guard(request);
    return response ?? handler(request, auth as AuthOf<O>, ...rest);
  };
}

function asked(request: Request): Asked {
  return {
    path: () => new URL(request.url).pathname,
    header: (name) => request.headers.get(name) ?? undefined,
    cookies: () => request.headers.get("cookie") ?? undefined,
  };
}
