// Compiled with -fno-exceptions -fno-rtti: every call has a form that does not throw.
#include "check.hpp"

int main()
{
    const auto verifier = torii::verifier::make("https://acme.torii.so");
    CHECK(verifier);
    CHECK_FAILS(verifier->verify("", std::nothrow), TORII_ERR_TOKEN_MISSING, "");
    CHECK_FAILS(torii::verifier::make("acme"), TORII_ERR_INVALID_ARGUMENT, "issuer");
    const auto client = torii::client::make("sk_test_x");
    CHECK(client);
    CHECK_FAILS(client->users().get("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "user_id");
    CHECK_FAILS(torii::webhook_verifier::make("x"), TORII_ERR_INVALID_CONFIG, "secret");
    const auto admins = torii::requirements().organization("org-1", "admin");
    CHECK(admins.outcome());
    CHECK_FAILS(verifier->verify("", admins, std::nothrow), TORII_ERR_TOKEN_MISSING, "");
    torii::patch patch;
    CHECK(patch.set("a", "b", std::nothrow) && patch.clear("c", std::nothrow));
    CHECK(patch.json() == R"({"a":"b","c":null})");
    std::printf("without exceptions: passed\n");
}
