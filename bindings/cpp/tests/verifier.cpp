#include "emulator.hpp"

#include <atomic>
#include <thread>

using namespace std::chrono_literals;

TEST(a_good_token_tells_the_user)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
    const std::string token = acme.token(
        R"({"claims":{"sub":"user-1","locale":"da","email_verified":true,"plan":{"name":"pro"}}})");

    const torii::auth auth = verifier.verify(token);
    CHECK(auth.user_id() == "user-1" && auth.environment_id() == acme.environment_id);
    CHECK(auth.issuer() == acme.url && auth.locale() == "da");
    CHECK(auth.email_verified() && auth.profile_complete() && !auth.impersonating());
    CHECK(auth.expires_at() - auth.issued_at() == 5min);
    CHECK(auth.claim("sub") == "user-1" && !auth.claim("plan") && !auth.claim("none"));
    CHECK(auth.claims().string("/plan/name") == "pro");
    CHECK(verifier.authenticate("bearer " + token).user_id() == "user-1");
    CHECK(verifier.verify_nowait(token).user_id() == "user-1");
    CHECK(verifier.authenticate_nowait("Bearer " + token).user_id() == "user-1");
    CHECK_FAILS(verifier.authenticate("Basic " + token, std::nothrow), TORII_ERR_TOKEN_SCHEME, "");

    const torii::json stats = verifier.stats();
    CHECK(stats.integer("/accepted") == 4 && stats.integer("/hits") == 3);
    CHECK(stats.integer("/refused/TORII_ERR_TOKEN_SCHEME") == 1 && stats.length("/issuers") == 1);
    CHECK(stats.string("/issuers/0/issuer") == acme.url && !stats.boolean("/accepted"));
    CHECK(!stats.is_null("/accepted") && !stats.is_null("/none") && !stats.integer("/none"));
}

TEST(an_error_is_thrown_or_given)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
    const std::string expired = acme.token(R"({"expires_in":-60})");
    std::string thrown;
    try {
        (void)verifier.verify(expired);
    } catch (const torii::error &error) {
        thrown = error.what();
        CHECK(error.status() == TORII_ERR_TOKEN_EXPIRED && error.is_token() && !error.is_keys());
        CHECK(!error.is_policy() && error.answer() == 401 && error.http_status() == 0);
        CHECK(!error.code() && !error.support_id() && !error.body() && !error.retry_after());
    }
    CHECK(thrown.find("exp") != std::string::npos);
    const auto outcome = verifier.verify(expired, std::nothrow);
    CHECK(!outcome && outcome.error().what() == thrown);
    torii::error copy = outcome.error();
    CHECK(copy.what() == thrown);
    CHECK(torii::status_name(static_cast<torii::status>(999)) == "TORII_ERR_UNKNOWN");
}

TEST(rotation_is_noticed)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
    CHECK_FAILS(verifier.verify_nowait(acme.token(), std::nothrow), TORII_ERR_KEYS_PENDING, "");
    verifier.refresh();
    acme.rotate();
    (void)verifier.verify(acme.token());
    CHECK(acme.key_requests() == 2);
}

TEST(a_requirement_refuses_good_tokens)
{
    const issuer acme;
    const torii::verifier verifier(
        acme.url,
        torii::verifier_options().require(TORII_REQUIRE_EMAIL_VERIFIED
                                          | TORII_REQUIRE_NOT_IMPERSONATED));
    (void)verifier.verify(acme.token(R"({"claims":{"email_verified":true}})"));
    const auto refused =
        verifier.verify(acme.token(R"({"claims":{"email_verified":false}})"), std::nothrow);
    CHECK_FAILS(refused, TORII_ERR_POLICY, "email_verified");
    CHECK(refused.error().is_policy() && refused.error().answer() == 403);
}

TEST(missing_keys_are_no_verdict)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
    acme.fault(R"({"kind":"status","status":503})");
    const auto unknown = verifier.verify(acme.token(), std::nothrow);
    CHECK_FAILS(unknown, TORII_ERR_KEYS_UNAVAILABLE, "503");
    CHECK(unknown.error().is_keys() && unknown.error().answer() == 503);
    CHECK(unknown.error().retry_after() >= 1s);
    CHECK_FAILS(verifier.refresh(std::nothrow), TORII_ERR_KEYS_UNAVAILABLE, "");
}

TEST(a_host_may_fetch_by_itself)
{
    const issuer acme;
    const torii::verifier verifier(acme.url, torii::verifier_options().background_refresh(false));
    const std::string token = acme.token();

    CHECK_FAILS(verifier.verify_nowait(token, std::nothrow), TORII_ERR_KEYS_PENDING, "");
    CHECK(verifier.claim_fetch() && !verifier.claim_fetch() && !verifier.jwks_etag());
    const http_answer answer = get(std::string(verifier.jwks_url()));
    verifier.fetch_done(answer.status, answer.body, answer.header("ETag"), 300s);
    (void)verifier.verify_nowait(token);
    CHECK_FAILS(verifier.fetch_done(200, "", "", {}, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "");
    verifier.fetch_failed();
}

TEST(the_clock_may_be_the_hosts)
{
    const issuer acme;
    auto now =
        std::make_shared<std::chrono::system_clock::time_point>(std::chrono::system_clock::now());
    torii::verifier verifier(acme.url,
                             torii::verifier_options().leeway(0s).clock([now] { return *now; }));
    const std::string token = acme.token(R"({"now_offset":-10})");
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
    CHECK_FAILS(make(options().leeway(301s)), TORII_ERR_INVALID_ARGUMENT, "leeway");
    CHECK_FAILS(make(options().leeway(-1s)), TORII_ERR_INVALID_ARGUMENT, "leeway");
    CHECK_FAILS(make(options().jwks_json("{}")), TORII_ERR_INVALID_ARGUMENT, "jwks");
    CHECK_FAILS(make(options().key_lifetime(0s)), TORII_ERR_INVALID_ARGUMENT, "lifetime");
    CHECK_FAILS(make(options().max_stale(std::chrono::seconds::max())), TORII_ERR_INVALID_ARGUMENT,
                "stale");
    CHECK_FAILS(make(options().fetch_timeout(1ms)), TORII_ERR_INVALID_ARGUMENT, "timeout");
    CHECK_FAILS(make(options().ca_file("/nowhere")), TORII_ERR_INVALID_CONFIG, "/nowhere");
    CHECK_FAILS(make(options().require(1u << 31)), TORII_ERR_INVALID_ARGUMENT, "flags");
    // The first mistake is the one that is told.
    CHECK_FAILS(make(options().audience("").leeway(999s)), TORII_ERR_INVALID_ARGUMENT, "audience");
    CHECK_FAILS(torii::verifier::make("http://acme.torii.so"), TORII_ERR_INVALID_ARGUMENT, "http");
    CHECK(torii::verifier::make("http://acme.torii.so",
                                options().allow_http(true).verdict_cache_bytes(0)));
    std::string thrown;
    try {
        torii::verifier("acme");
    } catch (const torii::error &error) {
        thrown = error.what();
    }
    CHECK(thrown.find("issuer") != std::string::npos);
}

TEST(every_text_crosses)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
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
        verifier.verify(acme.token(R"({"claims":{"sub":"Åsa","nul":"a\u0000b"}})"));
    CHECK(auth.user_id() == "Åsa" && !auth.claim("nul"));
    CHECK(auth.claims_json().find(R"(a\u0000b)") != std::string_view::npos);
}

TEST(use_after_close_is_an_error)
{
    const issuer acme;
    torii::verifier verifier(acme.url);
    const torii::auth auth = verifier.verify(acme.token());
    torii::verifier moved = std::move(verifier);
    CHECK_FAILS(verifier.verify("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    moved.close();
    moved.close();
    CHECK_FAILS(moved.verify("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(moved.authenticate("x", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(moved.refresh(std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK_FAILS(moved.stats(std::nothrow), TORII_ERR_INVALID_ARGUMENT, "verifier");
    CHECK(!moved.claim_fetch() && moved.jwks_url().empty() && !moved.jwks_etag());
    moved.fetch_failed();
    CHECK(auth.environment_id() == acme.environment_id);
}

TEST(threads_share_a_verifier)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
    const std::string good = acme.token(), bad = acme.token(R"({"signer":"forged"})");
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
