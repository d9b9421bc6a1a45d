// Every case of tests/behaviour/verify.json gets the verdict it must get.
#include "emulator.hpp"

#include <fstream>

using nlohmann::json;

namespace {

json read_corpus()
{
    std::ifstream file("../../tests/behaviour/verify.json");
    CHECK(file.is_open());
    return json::parse(file);
}

/// A string, or pieces that are repeated.
std::string text(const json &value)
{
    if (value.is_string())
        return value;
    std::string whole;
    for (const json &piece : value["repeat"])
        for (int i = 0; i < piece[1].get<int>(); i++)
            whole += piece[0].get<std::string>();
    return whole;
}

std::string bytes(const std::string &hex)
{
    std::string whole;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        whole += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return whole;
}

std::uint32_t requirement(const json &name)
{
    return name == "email_verified"  ? TORII_REQUIRE_EMAIL_VERIFIED
        : name == "profile_complete" ? TORII_REQUIRE_PROFILE_COMPLETE
        : name == "not_impersonated" ? TORII_REQUIRE_NOT_IMPERSONATED
                                     : 0;
}

torii::verifier make_verifier(const json &corpus, const json &one)
{
    const auto jwks = [&](const json &name) {
        return text(corpus["key_sets"].at(name.get<std::string>())["jwks"]);
    };
    const json &wanted = one["options"];
    torii::verifier_options options;

    options.jwks_json(jwks(one["key_set"]));
    for (const json &further : wanted.value("issuers", json::array()))
        options.issuer(further["issuer"].get<std::string>()).jwks_json(jwks(further["key_set"]));
    for (const json &audience : wanted.value("audiences", json::array()))
        options.audience(audience.get<std::string>());
    for (const json &name : wanted.value("require", json::array()))
        options.require(requirement(name));
    if (wanted.contains("leeway"))
        options.leeway(std::chrono::seconds(wanted["leeway"].get<int>()));
    if (wanted.contains("now"))
        options.clock([now = wanted["now"].get<std::int64_t>()] {
            return std::chrono::system_clock::time_point(std::chrono::seconds(now));
        });
    return must(torii::verifier::make(wanted["issuer"].get<std::string>(), options));
}

bool same(const torii::auth &auth, const json &wanted)
{
    const auto seconds = [](torii::auth::time_point time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    };
    const json &locale = wanted["locale"];
    // What the clock of the host can reach: the year 2262.
    const std::int64_t last = seconds(torii::auth::time_point::max());
    return auth.user_id() == wanted["user_id"].get<std::string>()
        && auth.environment_id() == wanted["environment_id"].get<std::string>()
        && auth.issuer() == wanted["issuer"].get<std::string>()
        && (locale.is_null() ? !auth.locale() : auth.locale() == locale.get<std::string>())
        && auth.email_verified() == wanted["email_verified"].get<bool>()
        && auth.profile_complete() == wanted["profile_complete"].get<bool>()
        && auth.impersonating() == wanted["impersonating"].get<bool>()
        && torii_auth_issued_at(auth.native()) == wanted["issued_at"].get<std::int64_t>()
        && torii_auth_expires_at(auth.native()) == wanted["expires_at"].get<std::int64_t>()
        && seconds(auth.issued_at())
        == std::clamp(wanted["issued_at"].get<std::int64_t>(), -last, last)
        && auth.claims_json() == text(wanted["claims_json"])
        && auth.claim("sub") == wanted["user_id"].get<std::string>();
}

} // namespace

TEST(every_case_gets_its_verdict)
{
    const json corpus = read_corpus();
    for (const json &one : corpus["cases"]) {
        const torii::verifier verifier = make_verifier(corpus, one);
        const json &expect = one["expect"];
        for (int again = 0; again < 2; again++) {
            const auto outcome = one.contains("token")
                ? verifier.verify(text(one["token"]), std::nothrow)
                : verifier.authenticate(text(one["header"]), std::nothrow);
            const torii::status status = outcome ? TORII_OK : outcome.error().status();
            if (torii::status_name(status) != expect["status"].get<std::string>()
                || (outcome && !same(*outcome, expect["auth"])))
                check_failed(__FILE__, __LINE__,
                             one["name"].get<std::string>() + ": "
                                 + std::string(torii::status_name(status)));
        }
    }
    std::printf("    %zu cases\n", corpus["cases"].size());
    CHECK(corpus["cases"].size() > 500);
}

TEST(every_webhook_gets_its_verdict)
{
    const json corpus = read_corpus();
    for (const json &one : corpus["webhooks"]) {
        const json &expect = one["expect"];
        torii::webhook_options options;
        options.tolerance = std::chrono::seconds(one["tolerance"].get<std::int64_t>());
        options.now = torii::detail::time(one["now"].get<std::int64_t>());
        const auto outcome =
            torii::verify_webhook(one["secrets"].get<std::vector<std::string>>(),
                                  {text(one["id"]), text(one["timestamp"]), text(one["signature"])},
                                  bytes(one["body_hex"].get<std::string>()), options, std::nothrow);
        const torii::status status = outcome ? TORII_OK : outcome.error().status();
        if (torii::status_name(status) != expect["status"].get<std::string>()
            || (outcome
                && (outcome->id != text(one["id"])
                    || outcome->sent_at
                        != torii::detail::time(expect["sent_at"].get<std::int64_t>())
                    || outcome->secret_index != expect["secret_index"].get<std::size_t>())))
            check_failed(__FILE__, __LINE__,
                         one["name"].get<std::string>() + ": "
                             + std::string(torii::status_name(status)));
    }
    std::printf("    %zu webhooks\n", corpus["webhooks"].size());
    CHECK(corpus["webhooks"].size() > 50);
}

TEST(every_key_set_is_counted)
{
    const json corpus = read_corpus();
    for (const json &set : corpus["key_sets"]) {
        const auto verifier = torii::verifier::make(
            "https://acme.torii.so", torii::verifier_options().jwks_json(text(set["jwks"])));
        if (set["usable"] == 0) {
            CHECK_FAILS(verifier, TORII_ERR_INVALID_ARGUMENT, "jwks");
            continue;
        }
        const torii::json stats = must(verifier->stats(std::nothrow));
        CHECK(stats.integer("/issuers/0/keys") == set["usable"].get<std::int64_t>());
        CHECK(stats.integer("/issuers/0/skipped") == set["skipped"].get<std::int64_t>());
    }
    std::printf("    %zu key sets\n", corpus["key_sets"].size());
}
