/**
 * Middleware for Express 4 and 5, and for other servers with the request and the response of Node's
 * `http` and a function `next`.
 *
 * @module libtorii/express
 */

import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { ToriiAuth } from "./auth.js";
import { ToriiAuthError } from "./errors.js";
import { Guard, type ToriiGuardOptions, askedOfNode, refusal } from "./guard.js";

declare module "express-serve-static-core" {
  interface Request {
    /** The identity; absent if the request passed without one. */
    auth?: ToriiAuth;
  }
}

/** Options of {@link requireAuth}. */
export interface RequireAuthOptions extends ToriiGuardOptions {
  /** Called in place of the answer to a refused request. */
  onAuthError?: (error: unknown, req: Request, res: Response, next: NextFunction) => void;
}

/**
 * Returns middleware that sets `req.auth`, or answers
 *
 * - 401 if the request has no token, or an invalid one,
 * - 403 if the token is valid but does not meet a requirement,
 * - 503 if the issuer's keys are unavailable.
 *
 * @throws {ToriiUsageError} if an option is invalid.
 */
export function requireAuth(options: RequireAuthOptions): RequestHandler {
  const { onAuthError, ...others } = options;
  const guard = new Guard(others);
  return (req, res, next) => {
    const refuse = (error: unknown) => {
      if (!(error instanceof ToriiAuthError)) return next(error);
      if (onAuthError !== undefined) return onAuthError(error, req, res, next);
      const { status, headers, body } = refusal(error);
      res.statusCode = status;
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      res.end(body);
    };
    guard
      .identify(askedOfNode(req, req.originalUrl ?? req.url))
      .then(
        (auth) => {
          // Also where a client or a middleware before has put something.
          req.auth = auth ?? undefined;
          next();
        },
        refuse,
      )
      // Errors of handlers are not caught here.
      .catch(next);
  };
}
