// The example, asked over HTTP.
#include "emulator.hpp"
#include "signed.hpp"

#include <map>

namespace {

struct server {
    explicit server(const environment &acme)
        : process_({"/usr/bin/env", "WEBHOOK_SECRET=" + webhook_secret, example_server, acme.issuer(),
                    "0", "session"}),
          url(process_.read_line())
    { }
    process process_;
    std::string url;
};

} // namespace

TEST(a_server_accepts_valid_tokens)
{
    const environment acme;
    const server server(acme);
    const std::string ada = acme.mint(R"({"claims":{"sub":"ada"}})");
    const std::string bob = acme.mint(R"({"claims":{"sub":"bob"}})");
    const auto status = [&](std::vector<std::pair<std::string, std::string>> headers) {
        return get(server.url, headers).status;
    };

    CHECK(get(server.url, {{"Authorization", "Bearer " + ada}}).body == R"({"user_id":"ada"})");
    CHECK(get(server.url, {{"Cookie", "a=b; session=" + bob + "; c"}}).body
          == R"({"user_id":"bob"})");
    CHECK(get(server.url, {{"Authorization", "Bearer " + ada}, {"Cookie", "session=" + bob}}).body
          == R"({"user_id":"ada"})");
    CHECK(status({{"Authorization", "Bearer x"}, {"Cookie", "session=" + bob}}) == 401);
    CHECK(status({{"Cookie", "session=" + bob + "x"}}) == 401);
    CHECK(status({{"Cookie", "xsession=" + bob}}) == 401);
    CHECK(status({{"Cookie", ";;session;=;"}}) == 401);
    CHECK(status({{"X-Auth", "Bearer " + ada}}) == 401);

    const http_answer refused = get(server.url);
    const auto body = nlohmann::json::parse(refused.body)["error"];
    CHECK(refused.status == 401 && body["code"] == "authentication_failed"
          && !body["message"].empty());
    CHECK(refused.header("WWW-Authenticate") == R"(Bearer realm="torii")");
    CHECK(refused.header("Content-Type") == "application/json"
          && refused.header("Retry-After").empty());
}

TEST(a_server_without_keys_says_when_to_retry)
{
    const environment acme;
    const server server(acme);
    acme.fault(R"({"kind":"close"})");
    const http_answer answer = get(server.url, {{"Authorization", "Bearer " + acme.token()}});
    CHECK(answer.status == 503 && std::stoi(answer.header("Retry-After")) >= 1);
    CHECK(nlohmann::json::parse(answer.body)["error"]["code"] == "keys_unavailable");
    // Neither the key URL nor the error of the connection.
    CHECK(answer.body.find("127.0.0.1") == std::string::npos
          && answer.body.find(acme.name()) == std::string::npos
          && answer.body.find("connection") == std::string::npos);
    CHECK(answer.header("WWW-Authenticate").empty());
}

TEST(a_server_takes_webhooks)
{
    const environment acme;
    const server server(acme);
    const std::string url = server.url.substr(0, server.url.rfind('/')) + "/webhooks";
    const std::string body("\0\xff{}\n", 5);
    auto headers = sign_webhook("msg_1", body);

    CHECK(post(url, headers, body).status == 204);
    const http_answer refused = post(url, headers, body + " ");
    CHECK(refused.status == 400 && refused.header("Content-Type") == "application/json");
    const auto error = nlohmann::json::parse(refused.body)["error"];
    CHECK(error["code"] == "invalid_webhook");
    CHECK(error["message"].get<std::string>().find("signature") == std::string::npos);
    CHECK(post(url, {}, body).status == 400);
    headers.push_back(headers[2]);
    CHECK(post(url, headers, body).status == 204);
    headers.push_back(headers[1]);
    CHECK(post(url, headers, body).status == 400);
}

TEST(a_refusal_does_not_tell_the_reason)
{
    const torii::refusal refusal = torii::refuse(torii::error(TORII_ERR_TRANSPORT, "inside"));
    CHECK(refusal.status == 500
          && refusal.body == R"({"error":{"code":"internal_error","message":"Internal error"}})");
    const torii::verifier verifier("https://acme.torii.so");
    const torii::refusal pending =
        torii::refuse(verifier.refresh_due("https://other.torii.so", std::nothrow).error());
    CHECK(pending.status == 500 && pending.body.find("other") == std::string::npos);
    CHECK(pending.body.find("internal_error") != std::string::npos);
}

TEST(a_guard_takes_any_headers)
{
    using pairs = std::vector<std::pair<std::string, std::string>>;
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string bearer = "Bearer " + acme.mint(R"({"claims":{"sub":"ada"}})");
    torii::guard guard;
    guard.header = "x-auth";
    CHECK((*must(guard.authenticate(verifier, "/", pairs{{"X-Auth", bearer}}))).user_id() == "ada");
    const std::multimap<std::string_view, std::string_view> map{{"X-AUTH", bearer}};
    CHECK((*must(guard.authenticate(verifier, "/", map))).user_id() == "ada");
    CHECK_FAILS(torii::guard().authenticate(verifier, "/", map), TORII_ERR_TOKEN_MISSING, "");
    CHECK_FAILS(guard.authenticate(verifier, "/", pairs{{"X-Auth", bearer}, {"x-auth", bearer}}),
                TORII_ERR_TOKEN_MALFORMED, "");
}

TEST(a_route_with_requirements_needs_an_identity)
{
    using pairs = std::vector<std::pair<std::string, std::string>>;
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const auto verified = torii::requirements().flags(TORII_REQUIRE_EMAIL_VERIFIED);
    const pairs headers{
        {"Authorization", "Bearer " + acme.mint(R"({"claims":{"email_verified":true}})")}};
    torii::guard guard;
    guard.optional = true;
    guard.skip = {"/health"};
    CHECK(!must(guard.authenticate(verifier, "/", pairs())));
    CHECK(!must(guard.authenticate(verifier, "/health?a=b", headers)));
    CHECK_FAILS(guard.authenticate(verifier, "/", pairs(), verified), TORII_ERR_TOKEN_MISSING, "");
    CHECK_FAILS(guard.authenticate(verifier, "/health", headers, verified), TORII_ERR_TOKEN_MISSING,
                "");
    CHECK(must(guard.authenticate(verifier, "/", headers, verified)));
}
