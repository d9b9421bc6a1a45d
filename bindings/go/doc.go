// Package torii verifies torii (https://torii.so) access tokens locally, with no request per token, and
// calls torii's backend API.
//
// A [Verifier] verifies tokens, [Middleware] does so for a net/http server, a [Client] makes the calls of
// the backend API, and a [WebhookVerifier] verifies webhooks. All are safe for concurrent use: create one of
// each at startup.
//
// The package needs libtorii, a C library that pkg-config finds as torii. With the build tag torii_static
// the program contains it and needs no shared library.
package torii
