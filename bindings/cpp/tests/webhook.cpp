// Webhooks: when they were sent, where their headers are, which secrets there may be.
#include "emulator.hpp"
#include "signed.hpp"

#include <map>

using namespace std::chrono_literals;
using headers = std::vector<std::pair<std::string, std::string>>;

namespace {

torii::result<torii::webhook> verify(const headers &headers, const std::string &body = "{}")
{
    return torii::verify_webhook({webhook_secret}, headers, body, std::nothrow);
}

/// The headers with other names, or with more of them.
template <class Change>
headers changed(headers headers, Change change)
{
    for (auto &[name, value] : headers)
        change(name, value);
    return headers;
}

headers svix(headers headers)
{
    return changed(std::move(headers), [](std::string &name, std::string &) {
        name.replace(0, std::string("Webhook").size(), "Svix");
    });
}

headers with(headers headers, const std::string &name, const std::string &value)
{
    headers.emplace_back(name, value);
    return headers;
}

headers without(headers headers, std::size_t index)
{
    headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(index));
    return headers;
}

} // namespace

TEST(a_genuine_webhook_tells_when_it_was_sent)
{
    const std::string body(R"({"type":"user.created"})");
    const std::time_t sent = std::time(nullptr);
    const headers good = sign_webhook("msg_1", body, sent);

    const torii::webhook webhook =
        torii::verify_webhook({other_secret, webhook_secret}, good, body);
    CHECK(webhook.id == "msg_1" && webhook.secret_index == 1);
    CHECK(webhook.sent_at == std::chrono::system_clock::from_time_t(sent));
    CHECK(torii::verify_webhook({webhook_secret}, {"msg_1", good[1].second, good[2].second}, body)
              .secret_index
          == 0);

    std::string thrown;
    try {
        (void)torii::verify_webhook({webhook_secret}, good, body + "\n");
    } catch (const torii::error &error) {
        thrown = error.what();
        CHECK(error.status() == TORII_ERR_WEBHOOK_SIGNATURE && error.answer() == 400);
        CHECK(error.is_webhook() && !error.is_token() && !error.is_policy() && !error.is_keys());
    }
    CHECK(thrown.find("webhook-signature") == 0);
    CHECK(torii::refuse(verify({}).error()).status == 400);
}

TEST(a_webhook_was_sent_lately)
{
    const auto sent = std::chrono::system_clock::from_time_t(std::time(nullptr));
    const headers good = sign_webhook("msg_1", "", std::time(nullptr));
    const auto verify_when = [&](std::chrono::seconds tolerance, auto away) {
        return torii::verify_webhook({webhook_secret}, good, "", {tolerance, sent + away},
                                     std::nothrow);
    };
    CHECK(verify_when(1h, 1h) && verify_when(0s, 0s) && verify_when(10s, -10s));
    CHECK_FAILS(verify_when(1h, 1h + 2s), TORII_ERR_WEBHOOK_TIMESTAMP, "webhook-timestamp");
    CHECK_FAILS(verify_when(1h, -1h - 2s), TORII_ERR_WEBHOOK_TIMESTAMP, "from now");
    CHECK_FAILS(verify_when(-1s, 0s), TORII_ERR_INVALID_ARGUMENT, "tolerance");
    // Five minutes, and the clock of the system, unless something else is said.
    CHECK(verify(sign_webhook("msg_1", "{}", std::time(nullptr) - 290)));
    CHECK_FAILS(verify(sign_webhook("msg_1", "{}", std::time(nullptr) - 310)),
                TORII_ERR_WEBHOOK_TIMESTAMP, "tolerance of 300 s");
    CHECK_FAILS(verify(sign_webhook("msg_1", "{}", std::time(nullptr) + 310)),
                TORII_ERR_WEBHOOK_TIMESTAMP, "from now");
    // A clock counts fewer years than a webhook may name.
    const headers last = sign_webhook("msg_1", "", std::numeric_limits<std::time_t>::max());
    const auto webhook = torii::verify_webhook({webhook_secret}, last, "",
                                               {std::chrono::seconds::max()}, std::nothrow);
    CHECK(must(webhook).sent_at > sent + std::chrono::hours(24 * 365 * 200));
}

TEST(headers_of_a_request_are_found)
{
    const headers good = sign_webhook("msg_1", "{}");
    const auto id = [&](const headers &headers) { return must(verify(headers)).id; };
    const auto in_case = [](int (*convert)(int)) {
        return [=](std::string &name, std::string &) {
            std::transform(name.begin(), name.end(), name.begin(), convert);
        };
    };
    CHECK(id(changed(good, in_case(std::tolower))) == "msg_1");
    CHECK(id(changed(good, in_case(std::toupper))) == "msg_1");
    CHECK(id(svix(good)) == "msg_1");
    CHECK(id(changed(svix(good), in_case(std::toupper))) == "msg_1");
    CHECK(id(with(good, "svix-id", "msg_2")) == "msg_1");
    CHECK_FAILS(verify(with(svix(good), "webhook-id", "msg_1")), TORII_ERR_WEBHOOK_HEADER,
                "webhook-timestamp");
    CHECK_FAILS(verify(with(svix(good), "webhook-signature", "")), TORII_ERR_WEBHOOK_HEADER,
                "webhook-id");

    CHECK_FAILS(verify(without(good, 0)), TORII_ERR_WEBHOOK_HEADER, "webhook-id: missing");
    CHECK_FAILS(verify(without(good, 1)), TORII_ERR_WEBHOOK_HEADER, "webhook-timestamp: missing");
    CHECK_FAILS(verify(without(good, 2)), TORII_ERR_WEBHOOK_HEADER, "webhook-signature: missing");
    CHECK_FAILS(verify({}), TORII_ERR_WEBHOOK_HEADER, "webhook-id: missing");

    CHECK_FAILS(verify(with(good, "webhook-id", "msg_1")), TORII_ERR_WEBHOOK_SIGNATURE, "");
    CHECK_FAILS(verify(with(good, "Webhook-Timestamp", good[1].second)), TORII_ERR_WEBHOOK_HEADER,
                "webhook-timestamp");
    CHECK(id(with(without(with(good, "webhook-signature", "v1,AAAA"), 2), "webhook-signature",
                  good[2].second))
          == "msg_1");
    // The comma that joins them belongs to the first.
    CHECK_FAILS(verify(with(good, "webhook-signature", "v1,AAAA")), TORII_ERR_WEBHOOK_SIGNATURE,
                "");

    // Whatever servers keep them in.
    const std::map<std::string, std::string> map(good.begin(), good.end());
    const std::multimap<std::string_view, const char *> multimap{
        {"webhook-id", "msg_1"},
        {"webhook-timestamp", good[1].second.c_str()},
        {"webhook-signature", good[2].second.c_str()},
        {"accept", "*/*"}};
    CHECK(torii::verify_webhook({webhook_secret}, map, "{}").id == "msg_1");
    CHECK(torii::verify_webhook({webhook_secret}, multimap, "{}").id == "msg_1");
}

TEST(every_text_of_a_webhook_crosses)
{
    const std::string nul(1, '\0'), body("\0\xff\n", 3), long_text(1 << 20, 'a');
    const headers good = sign_webhook("msg_1" + nul, body);
    CHECK(must(verify(good, body)).id == "msg_1" + nul);
    CHECK_FAILS(verify(good, body + nul), TORII_ERR_WEBHOOK_SIGNATURE, "");
    CHECK_FAILS(verify(good, ""), TORII_ERR_WEBHOOK_SIGNATURE, "");
    CHECK(verify(sign_webhook("\xff", long_text), long_text));
    CHECK_FAILS(verify(sign_webhook(long_text, "{}")), TORII_ERR_WEBHOOK_HEADER, "webhook-id");
    CHECK_FAILS(torii::verify_webhook({webhook_secret}, {"a", "\xff", "b"}, "", std::nothrow),
                TORII_ERR_WEBHOOK_HEADER, "webhook-timestamp");
}

TEST(wrong_secrets_are_named_by_their_number)
{
    const headers good = sign_webhook("msg_1", "{}");
    for (const std::string &secret :
         {std::string(), std::string(" "), webhook_secret + "\n",
          webhook_secret + " " + other_secret, "\t" + webhook_secret, std::string("whsec_AQID"),
          webhook_secret + std::string(1, '\0'), std::string("whsec_\xff")}) {
        const auto refused =
            torii::verify_webhook({webhook_secret, secret}, good, "{}", std::nothrow);
        CHECK_FAILS(refused, TORII_ERR_INVALID_CONFIG, "secrets: number 2: ");
        CHECK(!refused.error().is_webhook() && refused.error().answer() == 500);
        const std::string message(refused.error().what());
        CHECK(message.find("AQID") == std::string::npos);
        CHECK(secret.find_first_of(" \t\n") == std::string::npos
              || message.find("white space") != std::string::npos);
    }
    CHECK_FAILS(torii::verify_webhook({}, good, "{}", std::nothrow), TORII_ERR_INVALID_CONFIG,
                "secrets");
}
