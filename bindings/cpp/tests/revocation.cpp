// Tokens refused before they expire, and metrics.
#include "emulator.hpp"

#include <unistd.h>

#include <fstream>

using namespace std::chrono_literals;
using std::chrono::system_clock;

namespace {

const std::string none = R"({"revoked":[]})",
                  banned = R"({"revoked":[{"sub":"ada","before":"all"}]})";

/// A verifier that has verified a token of Ada twice and one of Bob.
struct fixture {
    environment acme;
    torii::verifier verifier{acme.issuer(), torii::verifier_options().leeway(0s)};
    std::string ada = acme.token(R"({"sub":"ada"})"), bob = acme.token(R"({"sub":"bob"})");

    fixture()
    {
        // The library's clock may be some milliseconds late: for it, a second that has just begun is still to come.
        for (const std::string &token : {ada, ada, bob}) {
            auto auth = verifier.verify(token, std::nothrow);
            while (!auth && auth.error().status() == TORII_ERR_TOKEN_NOT_YET_VALID)
                auth = verifier.verify(token, std::nothrow);
            CHECK(auth);
        }
    }

    bool refuses(const std::string &token) const
    {
        const auto auth = verifier.verify(token, std::nothrow);
        CHECK(auth || auth.error().status() == TORII_ERR_TOKEN_REVOKED);
        return !auth;
    }
};

} // namespace

TEST(the_next_call_refuses_a_cached_token)
{
    const fixture f;
    const std::string acting = f.acme.token(R"({"sub":"bob","act":{"sub":"ada"}})");
    const auto issued_at = f.verifier.verify(f.ada).issued_at();
    f.verifier.revoke("ada", issued_at - 1s);
    CHECK(!f.refuses(f.ada));
    // A time within a second includes the tokens of this second.
    f.verifier.revoke("ada", issued_at - 1ms);
    CHECK(f.refuses(f.ada));
    f.verifier.revoke("ada", system_clock::time_point());
    CHECK(f.refuses(f.ada));
    f.verifier.revoke("ada", system_clock::now());
    CHECK(f.refuses(acting) && !f.refuses(f.bob));
    f.verifier.revoke_all("bob");
    CHECK(f.refuses(f.bob));
    CHECK_FAILS(f.verifier.revoke("ada", system_clock::now() + 72h, std::nothrow),
                TORII_ERR_INVALID_ARGUMENT, "");
    CHECK_FAILS(f.verifier.revoke_all("", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "user_id");
}

TEST(a_list_is_replaced_only_by_itself)
{
    const fixture f;
    f.verifier.revoke_all("bob");
    f.verifier.set_revocations_json(banned);
    CHECK(f.refuses(f.ada));
    CHECK_FAILS(f.verifier.set_revocations_json(R"({"revoked":[{"sub":"ada"}]})", std::nothrow),
                TORII_ERR_INVALID_ARGUMENT, "");
    CHECK(f.refuses(f.ada));
    f.verifier.set_revocations_json(none);
    CHECK(!f.refuses(f.ada) && f.refuses(f.bob));
}

TEST(a_file_revokes)
{
    char path[] = "/tmp/torii-revocations-XXXXXX";
    CHECK(close(mkstemp(path)) == 0);
    std::ofstream(path) << none;
    fixture f;
    f.verifier = torii::verifier(f.acme.issuer(), torii::verifier_options().revocations_file(path));
    CHECK(!f.refuses(f.ada));
    for (const std::string &list : {banned, none}) {
        std::ofstream(path) << list;
        while (f.refuses(f.ada) != (list == banned))
            usleep(10000); // until alarm() ends this program
    }
    CHECK(unlink(path) == 0);
    CHECK_FAILS(torii::verifier::make(f.acme.issuer(),
                                      torii::verifier_options().revocations_file(path)),
                TORII_ERR_INVALID_CONFIG, "revocations");
}

TEST(metrics_are_text)
{
    const fixture f;
    CHECK(!f.verifier.verify("x", std::nothrow));
    const std::string text = f.verifier.metrics();
    for (const char *line : {R"({status="TORII_OK"} 3)", R"({status="TORII_ERR_TOKEN_MALFORMED"} 1)"})
        CHECK(text.find("\ntorii_tokens_total" + std::string(line) + "\n") != std::string::npos);
    CHECK(text.size() > 6 && text.compare(text.size() - 6, 6, "# EOF\n") == 0);
    CHECK(text.find(f.acme.issuer()) == std::string::npos);
    CHECK(torii::verifier::metrics_type.find("application/openmetrics-text; version=1.0.0") == 0);
}

// More than the first buffer holds.
TEST(metrics_of_many_issuers)
{
    const environment acme;
    torii::verifier_options options;
    options.metrics_issuer_label(true).fixed_base(true);
    std::vector<std::string> issuers{acme.issuer()};
    for (int i = 0; i < 60; i++) {
        issuers.push_back("http://127.0.0.1:1/" + std::string(100, 'x') + std::to_string(i));
        options.issuer(issuers.back());
    }
    const torii::verifier verifier(acme.issuer(), options);
    (void)verifier.verify(acme.token());
    const std::string text = must(verifier.metrics(std::nothrow));
    for (const std::string &issuer : issuers)
        CHECK(text.find(issuer) != std::string::npos);
    CHECK(text.compare(text.size() - 6, 6, "# EOF\n") == 0);
}

TEST(revocation_needs_a_verifier)
{
    torii::verifier verifier("https://acme.torii.so");
    verifier.close();
    CHECK_FAILS(verifier.revoke_all("ada", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(verifier.set_revocations_json(none, std::nothrow), TORII_ERR_INVALID_ARGUMENT,
                "verifier");
    CHECK_FAILS(verifier.metrics(std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    const auto make = [](const torii::verifier_options &options) {
        return torii::verifier::make("https://acme.torii.so", options);
    };
    CHECK_FAILS(make(torii::verifier_options().key_cache_dir("")), TORII_ERR_INVALID_ARGUMENT,
                "key cache directory");
    CHECK_FAILS(make(torii::verifier_options().revocations_file("")), TORII_ERR_INVALID_ARGUMENT,
                "revocations file");
}
