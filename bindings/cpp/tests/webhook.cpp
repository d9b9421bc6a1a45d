// Webhooks: their time, headers and secrets.
#include "emulator.hpp"
#include "signed.hpp"

#include <map>

using namespace std::chrono_literals;
using headers = std::vector<std::pair<std::string, std::string>>;

namespace {

torii::result<torii::webhook> verify(const headers &headers, const std::string &body = "{}")
{
    return torii::webhook_verifier(webhook_secret).verify(headers, body, std::nothrow);
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

TEST(a_valid_webhook_has_an_id_and_a_time)
{
    const std::string body(R"({"type":"user.created"})");
    const std::time_t sent = std::time(nullptr);
    const headers good = sign_webhook("msg_1", body, sent);

    torii::webhook_verifier verifier(other_secret);
    CHECK_FAILS(verifier.verify(good, body, std::nothrow), TORII_ERR_WEBHOOK_SIGNATURE, "");
    const torii::webhook webhook = verifier.add_secret(webhook_secret).verify(good, body);
    CHECK(webhook.id == "msg_1");
    CHECK(webhook.sent_at == std::chrono::system_clock::from_time_t(sent));
    CHECK(verifier.verify({"msg_1", good[1].second, good[2].second}, body).id == "msg_1");
    const torii::webhook_verifier moved = std::move(verifier);
    CHECK_FAILS(verifier.verify(good, body, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "webhook");
    CHECK(moved.verify(good, body, std::nothrow));

    std::string thrown;
    try {
        (void)torii::webhook_verifier(webhook_secret).verify(good, body + "\n");
    } catch (const torii::error &error) {
        thrown = error.what();
        CHECK(error.status() == TORII_ERR_WEBHOOK_SIGNATURE && error.answer() == 400);
        CHECK(error.is_webhook() && !error.is_token() && !error.is_policy() && !error.is_keys());
    }
    CHECK(thrown.find("webhook-signature") == 0);
    CHECK(torii::refuse(verify({}).error()).status == 400);
}

TEST(a_webhook_has_a_tolerance)
{
    const std::time_t now = std::time(nullptr);
    const auto sent = std::chrono::system_clock::from_time_t(now);
    const headers good = sign_webhook("msg_1", "", now);
    const auto verify_when = [&](std::chrono::seconds tolerance, auto away) {
        return torii::webhook_verifier(webhook_secret)
            .set_tolerance(tolerance)
            .verify(good, "", sent + away, std::nothrow);
    };
    CHECK(verify_when(1h, 1h) && verify_when(1s, 0s) && verify_when(10s, -10s));
    CHECK_FAILS(verify_when(1h, 1h + 2s), TORII_ERR_WEBHOOK_TIMESTAMP, "webhook-timestamp");
    CHECK_FAILS(verify_when(1h, -1h - 2s), TORII_ERR_WEBHOOK_TIMESTAMP, "from now");
    for (const auto tolerance : {-1s, std::chrono::seconds::max()})
        CHECK_FAILS(torii::webhook_verifier(webhook_secret).set_tolerance(tolerance, std::nothrow),
                    TORII_ERR_INVALID_ARGUMENT, "tolerance");
    // Five minutes by the system's clock is the default.
    CHECK(verify(sign_webhook("msg_1", "{}", std::time(nullptr) - 290)));
    CHECK_FAILS(verify(sign_webhook("msg_1", "{}", std::time(nullptr) - 310)),
                TORII_ERR_WEBHOOK_TIMESTAMP, "300 s");
    CHECK_FAILS(verify(sign_webhook("msg_1", "{}", std::time(nullptr) + 310)),
                TORII_ERR_WEBHOOK_TIMESTAMP, "from now");
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

    // The containers of other servers.
    const std::map<std::string, std::string> map(good.begin(), good.end());
    const std::multimap<std::string_view, const char *> multimap{
        {"webhook-id", "msg_1"},
        {"webhook-timestamp", good[1].second.c_str()},
        {"webhook-signature", good[2].second.c_str()},
        {"accept", "*/*"}};
    CHECK(torii::webhook_verifier(webhook_secret).verify(map, "{}").id == "msg_1");
    CHECK(torii::webhook_verifier(webhook_secret).verify(multimap, "{}").id == "msg_1");
}

TEST(every_text_of_a_webhook_reaches_c_unchanged)
{
    const std::string nul(1, '\0'), body("\0\xff\n", 3), long_text(1 << 20, 'a');
    const headers good = sign_webhook("msg_1" + nul, body);
    CHECK(must(verify(good, body)).id == "msg_1" + nul);
    CHECK_FAILS(verify(good, body + nul), TORII_ERR_WEBHOOK_SIGNATURE, "");
    CHECK_FAILS(verify(good, ""), TORII_ERR_WEBHOOK_SIGNATURE, "");
    CHECK(verify(sign_webhook("\xff", long_text), long_text));
    CHECK_FAILS(verify(sign_webhook(long_text, "{}")), TORII_ERR_WEBHOOK_HEADER, "webhook-id");
    CHECK_FAILS(
        torii::webhook_verifier(webhook_secret).verify({"a", "\xff", "b"}, "", std::nothrow),
        TORII_ERR_WEBHOOK_HEADER, "webhook-timestamp");
}

TEST(a_wrong_secret_is_not_repeated)
{
    for (const std::string &secret :
         {std::string(), std::string(" "), webhook_secret + "\n",
          webhook_secret + " " + other_secret, "\t" + webhook_secret, std::string("whsec_AQID"),
          webhook_secret + std::string(1, '\0'), std::string("whsec_\xff")}) {
        torii::webhook_verifier verifier(webhook_secret);
        const auto added = verifier.add_secret(secret, std::nothrow);
        const auto made = torii::webhook_verifier::make(secret);
        CHECK_FAILS(added, TORII_ERR_INVALID_CONFIG, "secret");
        CHECK_FAILS(made, TORII_ERR_INVALID_CONFIG, "secret");
        CHECK(!made.error().is_webhook() && made.error().answer() == 500);
        CHECK(std::string(made.error().what()).find("AQID") == std::string::npos);
        CHECK(verifier.verify(sign_webhook("msg_1", "{}"), "{}", std::nothrow));
    }
}
