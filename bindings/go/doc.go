// Package torii trusts torii's logins: it verifies the tokens that torii (https://torii.so) signs for
// end users, without a request per token, and manages users over torii's backend API.
//
// A [Verifier] judges tokens, [Middleware] does so for a net/http server, and a [Client] makes the
// calls of the backend API. All are safe for concurrent use and meant to live as long as the program.
// [VerifyWebhook] judges webhooks.
//
// The work is done by libtorii, a C library that pkg-config has to find as torii. With the build tag
// torii_static the program holds it and needs no shared library.
package torii
