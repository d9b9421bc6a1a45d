// The example, asked over HTTP.
#include "emulator.hpp"
#include "signed.hpp"

namespace {

struct server {
    explicit server(const issuer &issuer)
        : process_({"/usr/bin/env", "WEBHOOK_SECRET=" + webhook_secret, example_server, issuer.url,
                    "0", "session"}),
          url(process_.read_line())
    { }
    process process_;
    std::string url;
};

} // namespace

TEST(a_server_lets_good_tokens_in)
{
    const issuer acme;
    const server server(acme);
    const std::string ada = acme.token(R"({"claims":{"sub":"ada"}})");
    const std::string bob = acme.token(R"({"claims":{"sub":"bob"}})");
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
    CHECK(refused.header("WWW-Authenticate") == R"(Bearer realm="torii", error="invalid_token")");
    CHECK(refused.header("Content-Type") == "application/json"
          && refused.header("Retry-After").empty());
}

TEST(a_server_without_keys_says_when_to_try_again)
{
    const issuer acme;
    const server server(acme);
    acme.fault(R"({"kind":"close"})");
    const http_answer answer = get(server.url, {{"Authorization", "Bearer " + acme.token()}});
    CHECK(answer.status == 503 && std::stoi(answer.header("Retry-After")) >= 1);
    CHECK(nlohmann::json::parse(answer.body)["error"]["code"] == "keys_unavailable");
    CHECK(answer.header("WWW-Authenticate").empty());
}

TEST(a_server_takes_webhooks)
{
    const issuer acme;
    const server server(acme);
    const std::string url = server.url.substr(0, server.url.rfind('/')) + "/webhooks";
    const std::string body("\0\xff{}\n", 5);
    auto headers = sign_webhook("msg_1", body);

    CHECK(post(url, headers, body).status == 204);
    const http_answer refused = post(url, headers, body + " ");
    CHECK(refused.status == 400 && refused.header("Content-Type") == "application/json");
    const auto error = nlohmann::json::parse(refused.body)["error"];
    CHECK(error["code"] == "webhook_refused");
    CHECK(error["message"] == "webhook-signature: not made with any of the secrets");
    CHECK(post(url, {}, body).status == 400);
    headers.push_back(headers[2]);
    CHECK(post(url, headers, body).status == 204);
    headers.push_back(headers[1]);
    CHECK(post(url, headers, body).status == 400);
}

TEST(refusals)
{
    const auto answer = [](torii::status status, const char *message) {
        return torii::refuse(torii::error(status, message));
    };
    CHECK(answer(TORII_ERR_POLICY, "it \"has\" to\n").body
          == R"({"error":{"code":"forbidden","message":"it \"has\" to\n"}})");
    CHECK(answer(TORII_ERR_POLICY, "").status == 403);
    CHECK(answer(TORII_ERR_TRANSPORT, "inside").status == 500);
    CHECK(answer(TORII_ERR_TRANSPORT, "inside").body
          == R"({"error":{"code":"internal_error","message":"Internal error"}})");
    const torii::refusal unknown = answer(TORII_ERR_KEYS_PENDING, "");
    CHECK(unknown.status == 503 && unknown.headers.back().second == "1");
}

TEST(a_guard_takes_any_header)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
    const std::string bearer = "Bearer " + acme.token(R"({"claims":{"sub":"ada"}})");
    const auto get = [&](std::string_view header) -> std::string_view {
        return header == "X-Auth" ? std::string_view(bearer) : std::string_view();
    };
    CHECK(must(torii::guard{"X-Auth"}.authenticate(verifier, get)).user_id() == "ada");
    CHECK_FAILS(torii::guard().authenticate(verifier, get), TORII_ERR_TOKEN_MISSING, "");
}
