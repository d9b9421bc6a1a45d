/// libtorii for C++17: verifies torii access tokens and calls torii's backend API. Header-only,
/// over torii.h.
///
///     torii::verifier verifier("https://acme.torii.so");
///     torii::auth auth = verifier.verify(token);      // or throws torii::error
///     std::cout << auth.user_id() << '\n';
///
/// Every call that can fail has two forms: as above, and with std::nothrow as its last argument,
/// which returns a torii::result<T> and needs no exceptions:
///
///     if (auto auth = verifier.verify(token, std::nothrow))
///         std::cout << auth->user_id() << '\n';
///     else
///         std::cerr << auth.error().what() << '\n';
///
/// torii::verifier verifies tokens, torii::client calls the backend API, torii::webhook_verifier
/// verifies webhooks, and torii::guard finds the token of a request. torii::testing::local_torii, of
/// torii/testing.hpp, is for tests.
///
/// Without exceptions (-fno-exceptions) the first form ends the program on failure, as the standard
/// library does.
#ifndef TORII_HPP
#define TORII_HPP

#include "torii/client.hpp"
#include "torii/http.hpp"
#include "torii/verifier.hpp"
#include "torii/webhook.hpp"

#endif
