// Every case of tests/behaviour/verify.json gets its status.
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

/// A string, or repeated pieces.
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
        : name == "organization"     ? TORII_REQUIRE_ORGANIZATION
                                     : 0;
}

/// The further requirements of a case.
torii::requirements requirements(const json &one)
{
    const json wanted = one["options"].value("requirements", json::object());
    torii::requirements requirements;
    if (const auto flags = wanted.value("flags", 0u))
        requirements.flags(flags);
    for (const json &claim : wanted.value("claims", json::array()))
        requirements.claim(claim["pointer"].get<std::string>(), claim["json"].get<std::string>());
    for (const json &organization : wanted.value("organizations", json::array())) {
        const auto id = organization["id"].get<std::string>();
        if (organization.contains("role"))
            requirements.organization(id, organization["role"].get<std::string>());
        else
            requirements.organization(id);
    }
    return requirements;
}

torii::verifier_options options(const json &corpus, const json &one)
{
    const auto jwks = [&](const json &name) {
        return text(corpus["key_sets"].at(name.get<std::string>())["jwks"]);
    };
    const json &wanted = one["options"];
    torii::verifier_options options;

    for (const json &further : wanted.value("issuers", json::array()))
        options.issuer_jwks(further["issuer"].get<std::string>(), jwks(further["key_set"]));
    options.jwks_json(jwks(one["key_set"]));
    for (const json &audience : wanted.value("audiences", json::array()))
        options.audience(audience.get<std::string>());
    for (const json &name : wanted.value("require", json::array()))
        options.require(requirement(name));
    if (wanted.contains("leeway"))
        options.leeway(std::chrono::seconds(wanted["leeway"].get<int>()));
    if (wanted.contains("max_lifetime_seconds"))
        options.max_lifetime(
            std::chrono::seconds(wanted["max_lifetime_seconds"].get<std::int64_t>()));
    options.ignore_audience(wanted.value("ignore_audience", false));
    options.legacy_organization(wanted.value("legacy_organization", false));
    if (wanted.contains("now"))
        options.clock([now = wanted["now"].get<std::int64_t>()] {
            return std::chrono::system_clock::time_point(std::chrono::seconds(now));
        });
    return options;
}

/// Whether a text is the one of the corpus, where null means absent.
bool is(const std::optional<std::string_view> &text, const json &wanted)
{
    return wanted.is_null() ? !text : text == wanted.get<std::string>();
}

std::int64_t seconds(torii::auth::time_point time)
{
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

bool same(const torii::auth &auth, const json &wanted)
{
    // The last second that the system clock can hold: in the year 2262.
    const std::int64_t last = seconds(torii::auth::time_point::max());
    return auth.user_id() == wanted["user_id"].get<std::string>()
        && auth.environment_id() == wanted["environment_id"].get<std::string>()
        && auth.issuer() == wanted["issuer"].get<std::string>()
        && is(auth.locale(), wanted["locale"]) && is(auth.actor_id(), wanted["actor_id"])
        && is(auth.organization_id(), wanted["organization_id"])
        && is(auth.organization_role(), wanted["organization_role"])
        && auth.email_verified() == wanted["email_verified"].get<bool>()
        && auth.profile_complete() == wanted["profile_complete"].get<bool>()
        && auth.impersonating() == wanted["impersonating"].get<bool>()
        && auth.flags() == wanted["flags"].get<std::uint32_t>()
        && auth.record()->issued_at == wanted["issued_at"].get<std::int64_t>()
        && auth.record()->expires_at == wanted["expires_at"].get<std::int64_t>()
        && seconds(auth.issued_at())
        == std::clamp(wanted["issued_at"].get<std::int64_t>(), -last, last)
        && auth.claims_json() == text(wanted["claims_json"]);
}

bool same(const torii::auth_handle &auth, const json &wanted)
{
    return auth.user_id() == wanted["user_id"].get<std::string>()
        && auth.environment_id() == wanted["environment_id"].get<std::string>()
        && auth.issuer() == wanted["issuer"].get<std::string>()
        && is(auth.locale(), wanted["locale"]) && is(auth.actor_id(), wanted["actor_id"])
        && is(auth.organization_id(), wanted["organization_id"])
        && is(auth.organization_role(), wanted["organization_role"])
        && auth.email_verified() == wanted["email_verified"].get<bool>()
        && auth.profile_complete() == wanted["profile_complete"].get<bool>()
        && auth.impersonating() == wanted["impersonating"].get<bool>()
        && auth.claims_json() == text(wanted["claims_json"])
        && auth.claim("sub") == wanted["user_id"].get<std::string>();
}

template <class Auth>
void expect(const json &one, const char *how, const torii::result<Auth> &outcome)
{
    const json &expect = one["expect"];
    const torii::status status = outcome ? TORII_OK : outcome.error().status();
    if (torii::status_name(status) != expect["status"].get<std::string>()
        || (outcome && !same(*outcome, expect["auth"])))
        check_failed(__FILE__, __LINE__,
                     one["name"].get<std::string>() + " " + how + ": "
                         + std::string(torii::status_name(status)));
}

} // namespace

TEST(every_case_gets_its_status)
{
    const json corpus = read_corpus();
    for (const json &one : corpus["cases"]) {
        const std::string issuer = one["options"]["issuer"];
        const bool token = one.contains("token");
        const std::string input = text(one[token ? "token" : "header"]);
        const torii::requirements required = requirements(one);

        // The further requirements are those of the call, of the verifier, or asked of a result.
        const auto verifier = must(torii::verifier::make(issuer, options(corpus, one)));
        for (int again = 0; again < 2; again++)
            expect(one, "by call",
                   token ? verifier.verify(input, required, std::nothrow)
                         : verifier.authenticate(input, required, std::nothrow));
        auto handle = token ? verifier.verify_handle(input, std::nothrow)
                            : verifier.authenticate_handle(input, std::nothrow);
        if (handle)
            if (const auto met = handle->require(required, std::nothrow); !met)
                handle = met.error();
        expect(one, "by handle", handle);
        if (required.empty())
            continue;
        // set_requirements replaces the flags, so they come after it.
        auto together = options(corpus, one);
        together.requirements(required);
        for (const json &name : one["options"].value("require", json::array()))
            together.require(requirement(name));
        const auto strict = must(torii::verifier::make(issuer, together));
        expect(one, "by verifier",
               token ? strict.verify(input, std::nothrow)
                     : strict.authenticate(input, std::nothrow));
    }
    std::printf("    %zu cases\n", corpus["cases"].size());
    CHECK(corpus["cases"].size() > 500);
}

TEST(every_webhook_gets_its_status)
{
    const json corpus = read_corpus();
    for (const json &one : corpus["webhooks"]) {
        const json &expect = one["expect"];
        const auto verify = [&]() -> torii::result<torii::webhook> {
            const auto secrets = one["secrets"].get<std::vector<std::string>>();
            auto verifier = torii::webhook_verifier::make(secrets.empty() ? "" : secrets[0]);
            for (std::size_t i = 1; verifier && i < secrets.size(); i++)
                if (const auto added = verifier->add_secret(secrets[i], std::nothrow); !added)
                    return added.error();
            if (!verifier)
                return verifier.error();
            const auto set = verifier->set_tolerance(
                std::chrono::seconds(one["tolerance"].get<std::int64_t>()), std::nothrow);
            if (!set)
                return set.error();
            return verifier->verify(
                {text(one["id"]), text(one["timestamp"]), text(one["signature"])},
                bytes(one["body_hex"].get<std::string>()),
                torii::detail::time(one["now"].get<std::int64_t>()), std::nothrow);
        };
        const auto outcome = verify();
        const torii::status status = outcome ? TORII_OK : outcome.error().status();
        if (torii::status_name(status) != expect["status"].get<std::string>()
            || (outcome
                && (outcome->id != text(one["id"])
                    || outcome->sent_at
                        != torii::detail::time(expect["sent_at"].get<std::int64_t>()))))
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
