#include "emulator.hpp"

#include <atomic>
#include <thread>

using namespace std::chrono_literals;

static std::vector<std::pair<std::string, std::string>> headers(const std::string &token)
{
    return {{"Authorization", "Bearer " + token}};
}

TEST(a_good_token_tells_the_user)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string token = acme.mint(
        R"({"claims":{"sub":"user-1","locale":"da","email_verified":true,"plan":{"name":"pro"},)"
        R"("o":{"id":"org-1","rol":"admin"},"act":{"sub":"support"}}})");

    const torii::auth auth = verifier.verify(token);
    CHECK(auth.user_id() == "user-1" && auth.environment_id() == acme.id());
    CHECK(auth.issuer() == acme.issuer() && auth.locale() == "da");
    CHECK(auth.organization_id() == "org-1" && auth.organization_role() == "admin");
    CHECK(auth.email_verified() && auth.profile_complete());
    CHECK(auth.impersonating() && auth.actor_id() == "support");
    CHECK(auth.meets(TORII_REQUIRE_EMAIL_VERIFIED | TORII_REQUIRE_ORGANIZATION));
    CHECK(!auth.meets(TORII_REQUIRE_NOT_IMPERSONATED));
    CHECK(auth.expires_at() - auth.issued_at() == 5min);
    const torii::auth_handle handle = verifier.verify_handle(token);
    CHECK(handle.claim("sub") == "user-1" && !handle.claim("plan") && !handle.claim("none"));
    CHECK(handle.claims().string("/plan/name") == "pro");
    CHECK(handle.organization_id() == "org-1" && handle.organization_role() == "admin");
    CHECK(handle.impersonating() && handle.actor_id() == "support");
    CHECK(handle.expires_at() == auth.expires_at() && handle.issued_at() == auth.issued_at());
    CHECK(verifier.authenticate_handle("Bearer " + token).claims_json() == auth.claims_json());
    const torii::json claims = handle.claims();
    CHECK(claims.type("/plan") == TORII_JSON_OBJECT && claims.raw("/plan") == R"({"name":"pro"})");
    CHECK(claims.number("/iat") > 0 && claims.type("/none") == TORII_JSON_ABSENT);
    CHECK(verifier.authenticate("bearer " + token).user_id() == "user-1");
    CHECK(verifier.verify_nowait(token).user_id() == "user-1");
    CHECK(verifier.authenticate_nowait("Bearer " + token).user_id() == "user-1");
    CHECK_FAILS(verifier.authenticate("Basic " + token, std::nothrow), TORII_ERR_TOKEN_SCHEME, "");

    const torii::json stats = verifier.stats();
    CHECK(stats.integer("/accepted") == 6 && stats.integer("/hits") == 5);
    CHECK(stats.integer("/refused/TORII_ERR_TOKEN_SCHEME") == 1 && stats.length("/issuers") == 1);
    CHECK(stats.string("/issuers/0/issuer") == acme.issuer() && !stats.boolean("/accepted"));
    CHECK(!stats.is_null("/accepted") && !stats.is_null("/none") && !stats.integer("/none"));
}

TEST(an_error_is_thrown_or_given)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string expired = acme.mint(R"({"expires_in":-60})");
    std::string thrown;
    try {
        (void)verifier.verify(expired);
    } catch (const torii::error &error) {
        thrown = error.what();
        CHECK(error.status() == TORII_ERR_TOKEN_EXPIRED && error.is_token() && !error.is_keys());
        CHECK(!error.is_policy() && error.answer() == 401 && error.http_status() == 0);
        CHECK(!error.code() && !error.support_id() && !error.body() && !error.retry_after());
        CHECK(!error.issuer() && !error.unsent() && error.public_code() == "authentication_failed");
        CHECK(error.public_message().find("exp`") == std::string_view::npos);
        CHECK(error.www_authenticate() == R"(Bearer realm="torii", error="invalid_token")");
    }
    CHECK(thrown.find("exp") != std::string::npos);
    const auto outcome = verifier.verify(expired, std::nothrow);
    CHECK(!outcome && outcome.error().what() == thrown);
    torii::error copy = outcome.error();
    CHECK(copy.what() == thrown && copy.native() == outcome.error().native());
    const torii::error ours(TORII_ERR_INTERNAL, "ours");
    CHECK(ours.what() == std::string_view("ours") && ours.public_code() == "internal_error");
    CHECK(!ours.www_authenticate() && !ours.retry_after() && !ours.native() && !ours.unsent());
    CHECK(torii::status_name(static_cast<torii::status>(999)) == "TORII_ERR_UNKNOWN");
}

TEST(rotation_is_noticed)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    CHECK_FAILS(verifier.verify_nowait(acme.token(), std::nothrow), TORII_ERR_KEYS_PENDING, "");
    verifier.refresh();
    acme.rotate_keys();
    (void)verifier.verify(acme.token());
    CHECK(acme.key_requests() == 2);
}

TEST(a_requirement_refuses_good_tokens)
{
    const environment acme;
    const torii::verifier verifier(
        acme.issuer(),
        torii::verifier_options().require(TORII_REQUIRE_EMAIL_VERIFIED
                                          | TORII_REQUIRE_NOT_IMPERSONATED));
    (void)verifier.verify(acme.mint(R"({"claims":{"email_verified":true}})"));
    const auto refused =
        verifier.verify(acme.mint(R"({"claims":{"email_verified":false}})"), std::nothrow);
    CHECK_FAILS(refused, TORII_ERR_POLICY, "email_verified");
    CHECK(refused.error().is_policy() && refused.error().answer() == 403);
}

TEST(one_verifier_serves_different_requirements)
{
    const environment acme;
    const torii::verifier verifier(
        acme.issuer(),
        torii::verifier_options()
            .requirements(torii::requirements().claim("/plan", R"("pro")"))
            .require(TORII_REQUIRE_EMAIL_VERIFIED));
    const std::string token = acme.mint(
        R"({"claims":{"email_verified":true,"plan":"pro","o":{"id":"org-1","rol":"admin"}}})");
    const auto admins = torii::requirements()
                            .flags(TORII_REQUIRE_NOT_IMPERSONATED)
                            .organization("org-2")
                            .organization("org-1", "admin");
    const auto owners = torii::requirements().organization("org-1", "owner");

    CHECK(verifier.verify(token, admins).organization_role() == "admin");
    CHECK(verifier.authenticate("Bearer " + token, admins, std::nothrow));
    CHECK(verifier.verify_nowait(token, admins, std::nothrow));
    CHECK(verifier.authenticate_nowait("Bearer " + token, admins).user_id() != "");
    CHECK_FAILS(verifier.verify(token, owners, std::nothrow), TORII_ERR_POLICY, "organization");
    CHECK_FAILS(verifier.verify_nowait(token, owners, std::nothrow), TORII_ERR_POLICY, "");
    CHECK_FAILS(verifier.authenticate("Bearer " + token, owners, std::nothrow), TORII_ERR_POLICY,
                "");
    const torii::auth_handle handle = verifier.verify_handle(token);
    handle.require(admins);
    CHECK_FAILS(handle.require(owners, std::nothrow), TORII_ERR_POLICY, "organization");
    // Those of the verifier add up.
    for (const char *claims :
         {R"({"email_verified":true})", R"({"email_verified":false,"plan":"pro"})"})
        CHECK_FAILS(
            verifier.verify(acme.mint(R"({"claims":)" + std::string(claims) + "}"), std::nothrow),
            TORII_ERR_POLICY, "");
}

TEST(wrong_requirements_let_nobody_pass)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string token =
        acme.mint(R"({"claims":{"email_verified":true,"o":{"id":"org-1","rol":"admin"}}})");
    const auto refused = [&](const torii::requirements &requirements, const char *about) {
        CHECK(!requirements.empty() && !requirements.outcome());
        CHECK_FAILS(verifier.verify(token, requirements, std::nothrow), TORII_ERR_INVALID_ARGUMENT,
                    about);
        CHECK_FAILS(verifier.verify_handle(token).require(requirements, std::nothrow),
                    TORII_ERR_INVALID_ARGUMENT, about);
        CHECK_FAILS(
            torii::verifier::make(acme.issuer(), torii::verifier_options().requirements(requirements)),
            TORII_ERR_INVALID_ARGUMENT, about);
        CHECK_FAILS(torii::guard().authenticate(verifier, "/", headers(token), requirements),
                    TORII_ERR_INVALID_ARGUMENT, about);
    };
    using torii::requirements;
    refused(requirements().flags(0), "flags");
    refused(requirements().flags(1u << 31), "flags");
    refused(requirements().claim("", "1"), "pointer");
    refused(requirements().claim("/plan", "null"), "json");
    refused(requirements().claim("/plan", "[1]"), "json");
    refused(requirements().organization(""), "id");
    refused(requirements().organization("org-1", ""), "role");
    refused(requirements().organization("org-1", std::string_view()), "role");
    // The first mistake is reported, and a right value after it does not hide it.
    refused(requirements().flags(0).organization("org-1"), "flags");

    auto moved = requirements().flags(TORII_REQUIRE_EMAIL_VERIFIED);
    const auto target = std::move(moved);
    CHECK(verifier.verify(token, target, std::nothrow));
    refused(moved, "requirements: used after a move");
}

TEST(an_identity_is_a_value)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string large(5000, 'a');
    for (const std::string &sub : {std::string("ada"), "user-" + large}) {
        torii::auth auth = verifier.verify(acme.mint(R"({"claims":{"sub":")" + sub + "\"}}"));
        CHECK(auth.user_id() == sub && auth.environment_id() == acme.id());
        torii::auth copy = auth;
        CHECK(copy.user_id() == sub && copy.user_id().data() != auth.user_id().data());
        torii::auth moved = std::move(auth);
        CHECK(moved.user_id() == sub && auth.user_id().empty() && auth.impersonating());
        auth = moved;
        CHECK(auth.claims_json() == copy.claims_json());
        auto &same = auth;
        auth = same;
        auth = std::move(same);
        CHECK(auth.user_id() == sub);
        copy = torii::auth();
        copy = std::move(moved);
        CHECK(copy.user_id() == sub && copy.expires_at() - copy.issued_at() == 5min);
        copy = verifier.verify(acme.mint(R"({"claims":{"sub":"bob"}})"));
        CHECK(copy.user_id() == "bob");
        // A temporary gives its text away.
        CHECK(torii::auth(auth).user_id() == sub && !torii::auth(auth).locale());
    }
}

TEST(missing_keys_are_not_an_invalid_token)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    acme.fault(R"({"kind":"status","status":503})");
    const auto unknown = verifier.verify(acme.token(), std::nothrow);
    CHECK_FAILS(unknown, TORII_ERR_KEYS_UNAVAILABLE, "503");
    CHECK(unknown.error().is_keys() && unknown.error().answer() == 503);
    CHECK(unknown.error().retry_after() >= 1s && unknown.error().issuer() == acme.issuer());
    CHECK(unknown.error().public_code() == "keys_unavailable");
    CHECK(unknown.error().public_message().find("127.0.0.1") == std::string_view::npos);
    CHECK_FAILS(verifier.refresh(std::nothrow), TORII_ERR_KEYS_UNAVAILABLE, "");
}

TEST(a_host_may_fetch_by_itself)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer(), torii::verifier_options().background_refresh(false));
    const std::string token = acme.token();

    CHECK_FAILS(verifier.verify_nowait(token, std::nothrow), TORII_ERR_KEYS_PENDING, "");
    CHECK(verifier.due_in() == 0ms);
    std::optional<torii::key_fetch> fetch = verifier.claim_fetch();
    CHECK(fetch && !verifier.claim_fetch() && !fetch->etag());
    const http_answer answer = get(std::string(fetch->url()));
    torii::key_fetch moved = std::move(*fetch);
    moved.done(answer.status, answer.body, answer.header("ETag"), 300s, 10s);
    (void)verifier.verify_nowait(token);
    CHECK(verifier.due_in() > 0ms && verifier.due_in() <= 300s);
    CHECK_FAILS(moved.done(200, "", "", {}, {}, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "");
    CHECK(fetch->url().empty() && !fetch->etag());
    CHECK_FAILS(fetch->done(200, "", "", {}, {}, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "");
}

TEST(a_key_fetch_that_is_dropped_has_failed)
{
    const environment acme;
    torii::verifier verifier(acme.issuer(), torii::verifier_options().background_refresh(false));
    std::optional<torii::key_fetch> fetch = verifier.claim_fetch();
    CHECK(fetch);
    fetch.reset();
    CHECK(verifier.stats().integer("/issuers/0/failures") == 1);
    // It may outlive the verifier.
    torii::forget_keys();
    fetch = verifier.claim_fetch();
    CHECK(fetch);
    verifier.close();
    CHECK(fetch->url().find(acme.issuer()) == 0);
}

TEST(due_keys_are_fetched_on_another_thread)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer(), torii::verifier_options().background_refresh(false));
    const std::string token = acme.token();
    const auto parked = verifier.verify_nowait(token, std::nothrow);
    CHECK_FAILS(parked, TORII_ERR_KEYS_PENDING, "");
    CHECK(parked.error().issuer() == acme.issuer());
    verifier.refresh_due(*parked.error().issuer());
    verifier.refresh_due();
    (void)verifier.verify_nowait(token);
    CHECK(acme.key_requests() == 1 && verifier.due_in() > 0ms);
    CHECK_FAILS(verifier.refresh_due("https://other.torii.so", std::nothrow),
                TORII_ERR_INVALID_ARGUMENT, "issuer");
}

TEST(the_clock_may_be_the_hosts)
{
    const environment acme;
    auto now =
        std::make_shared<std::chrono::system_clock::time_point>(std::chrono::system_clock::now());
    torii::verifier verifier(acme.issuer(),
                             torii::verifier_options().leeway(0s).clock([now] { return *now; }));
    const std::string token = acme.mint(R"({"now_offset":-10})");
    (void)verifier.verify(token);
    *now += 1h;
    CHECK_FAILS(verifier.verify(token, std::nothrow), TORII_ERR_TOKEN_EXPIRED, "exp");
    torii::verifier moved = std::move(verifier);
    CHECK_FAILS(moved.verify(token, std::nothrow), TORII_ERR_TOKEN_EXPIRED, "exp");
}

TEST(wrong_options_are_named)
{
    using options = torii::verifier_options;
    const auto make = [](const options &given) {
        return torii::verifier::make("https://acme.torii.so", given);
    };
    CHECK_FAILS(make(options().issuer("acme")), TORII_ERR_INVALID_ARGUMENT, "issuer");
    CHECK_FAILS(make(options().audience("")), TORII_ERR_INVALID_ARGUMENT, "audience");
    CHECK_FAILS(make(options().issuer_jwks("https://globex.torii.so", "{}")),
                TORII_ERR_INVALID_ARGUMENT, "jwks");
    CHECK_FAILS(make(options().max_lifetime(-1s)), TORII_ERR_INVALID_ARGUMENT, "lifetime");
    CHECK_FAILS(make(options().realm("a\"b")), TORII_ERR_INVALID_ARGUMENT, "realm");
    CHECK_FAILS(make(options().resource_metadata("a b")), TORII_ERR_INVALID_ARGUMENT,
                "resource_metadata");
    CHECK_FAILS(make(options().proxy("proxy")), TORII_ERR_INVALID_ARGUMENT, "proxy");
    CHECK_FAILS(make(options().audience("api").ignore_audience(true)), TORII_ERR_INVALID_CONFIG,
                "audience");
    CHECK_FAILS(make(options().leeway(301s)), TORII_ERR_INVALID_ARGUMENT, "leeway");
    CHECK_FAILS(make(options().leeway(-1s)), TORII_ERR_INVALID_ARGUMENT, "leeway");
    CHECK_FAILS(make(options().jwks_json("{}")), TORII_ERR_INVALID_ARGUMENT, "jwks");
    CHECK_FAILS(make(options().key_lifetime(0s)), TORII_ERR_INVALID_ARGUMENT, "lifetime");
    CHECK_FAILS(make(options().max_stale(std::chrono::seconds::max())), TORII_ERR_INVALID_ARGUMENT,
                "stale");
    CHECK_FAILS(make(options().fetch_timeout(1ms)), TORII_ERR_INVALID_ARGUMENT, "timeout");
    CHECK_FAILS(make(options().ca_file("/nowhere")), TORII_ERR_INVALID_CONFIG, "/nowhere");
    CHECK_FAILS(make(options().require(1u << 31)), TORII_ERR_INVALID_ARGUMENT, "flags");
    // The first mistake is reported.
    CHECK_FAILS(make(options().audience("").leeway(999s)), TORII_ERR_INVALID_ARGUMENT, "audience");
    CHECK_FAILS(torii::verifier::make("http://acme.torii.so"), TORII_ERR_INVALID_ARGUMENT, "http");
    CHECK(torii::verifier::make("http://acme.torii.so",
                                options().allow_http(true).token_cache_bytes(0)));
    std::string thrown;
    try {
        torii::verifier("acme");
    } catch (const torii::error &error) {
        thrown = error.what();
    }
    CHECK(thrown.find("issuer") != std::string::npos);
}

TEST(every_text_reaches_c_unchanged)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string token = acme.token();
    const std::string nul(1, '\0'), long_text(1 << 20, 'a');

    CHECK_FAILS(verifier.verify("", std::nothrow), TORII_ERR_TOKEN_MISSING, "");
    CHECK_FAILS(verifier.verify({}, std::nothrow), TORII_ERR_TOKEN_MISSING, "");
    CHECK_FAILS(verifier.verify(token + nul, std::nothrow), TORII_ERR_TOKEN_MALFORMED, "");
    CHECK_FAILS(verifier.verify(nul + token, std::nothrow), TORII_ERR_TOKEN_MALFORMED, "");
    CHECK_FAILS(verifier.verify("\xff.\xff.\xff", std::nothrow), TORII_ERR_TOKEN_MALFORMED, "");
    CHECK_FAILS(verifier.verify(long_text, std::nothrow), TORII_ERR_TOKEN_TOO_LARGE, "");
    for (const std::string &url : {std::string(), "https://acme.torii.so" + nul + ".evil",
                                   std::string("https://\xff"), long_text})
        CHECK_FAILS(torii::verifier::make(url), TORII_ERR_INVALID_ARGUMENT, "issuer");
    const torii::auth auth =
        verifier.verify(acme.mint(R"({"claims":{"sub":"Åsa","nul":"a\u0000b"}})"));
    CHECK(auth.user_id() == "Åsa");
    CHECK(auth.claims_json().find(R"(a\u0000b)") != std::string_view::npos);
}

TEST(use_after_close_is_an_error)
{
    const environment acme;
    torii::verifier verifier(acme.issuer());
    const torii::auth auth = verifier.verify(acme.token());
    torii::verifier moved = std::move(verifier);
    CHECK_FAILS(verifier.verify("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    moved.close();
    moved.close();
    CHECK_FAILS(moved.verify("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(moved.authenticate("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(moved.refresh(std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(moved.refresh_due("", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(moved.verify_handle("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK(!moved.claim_fetch() && !moved.due_in());
    CHECK_FAILS(moved.stats(std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK(auth.environment_id() == acme.id());
}

TEST(threads_share_a_verifier)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string good = acme.token(), bad = acme.mint(R"({"signer":"forged"})");
    std::atomic<int> right{0};
    std::vector<std::thread> threads;

    for (int i = 0; i < 32; i++)
        threads.emplace_back([&, i] {
            for (int again = 0; again < 8; again++) {
                const auto outcome = verifier.verify(i % 4 ? good : bad, std::nothrow);
                right += i % 4 ? outcome.has_value()
                               : !outcome && outcome.error().status() == TORII_ERR_TOKEN_SIGNATURE;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK(right == 32 * 8 && acme.key_requests() == 1);
}
