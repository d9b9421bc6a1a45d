// All 26 operations, and what goes over the wire for them.
#include "emulator.hpp"

#include <thread>

using namespace std::chrono_literals;

namespace {

const std::string nobody = "01890000-0000-7000-8000-000000000000";

torii::client_options here()
{
    torii::client_options options;
    options.api_url(emulator::local().url());
    return options;
}

/// A client of an environment of its own.
struct fixture {
    environment acme;
    torii::client client{acme.secret_key(), here()};

    std::string user() const
    {
        const torii::json made = client.users().create("{}");
        emulator::tell("DELETE", "/requests");
        return std::string(made.string("/id").value());
    }

    nlohmann::json control(const std::string &path, const std::string &body) const
    {
        return emulator::tell("POST", "/issuers/" + acme.name() + path, body);
    }

    ~fixture()
    {
        CHECK(emulator::tell("GET", "/violations").empty());
        emulator::tell("DELETE", "/requests");
    }
};

void check_sent(int line, const std::string &wanted)
{
    std::string got;
    for (const auto &request : emulator::requests("/api/")) {
        const std::string path = request["path"], query = request["query"], body = request["body"];
        got += request["method"].get<std::string>() + " "
            + path.substr(std::string("/api/server/v1").size()) + (query.empty() ? "" : "?") + query
            + (body.empty() ? "" : " ") + body;
    }
    if (got != wanted)
        check_failed(__FILE__, line, "sent " + got + ", not " + wanted);
}

#define SENT(wanted) check_sent(__LINE__, (wanted))

} // namespace

TEST(users)
{
    const fixture f;
    const torii::users users = f.client.users();

    const torii::json ada = users.create(
        R"({"email":"ada@example.com","firstName":"Ada","publicMetadata":{"plan":"pro"}})");
    SENT(
        R"(POST /users {"email":"ada@example.com","firstName":"Ada","publicMetadata":{"plan":"pro"}})");
    const std::string id(ada.string("/id").value()), path = "/users/" + id;
    CHECK(ada.string("/email") == "ada@example.com" && ada.is_null("/lastName"));

    CHECK(users.get(id).string("/id") == id);
    SENT("GET " + path);
    const torii::json merged = users.update_metadata(
        id, R"({"publicMetadata":{"plan":null},"unsafeMetadata":{"theme":"dark"}})");
    SENT("PATCH " + path
         + R"(/metadata {"publicMetadata":{"plan":null},"unsafeMetadata":{"theme":"dark"}})");
    CHECK(merged.length("/publicMetadata") == 0u
          && merged.string("/unsafeMetadata/theme") == "dark");
    CHECK(users.ban(id).string("/status") == "banned");
    SENT("POST " + path + "/ban");
    CHECK(users.unban(id).string("/status") == "active");
    SENT("POST " + path + "/unban");
    CHECK(users.list().length("/items") == 1u);
    SENT("POST /users/search");
    CHECK(users.list({7, nobody}, R"({"name":null,"userIds":[]})").length("/items") == 0u);
    SENT("POST /users/search?limit=7&cursor=" + nobody + R"( {"name":null,"userIds":[]})");
    CHECK(users.list_organizations(id, {3}).length("/items") == 0u);
    SENT("GET " + path + "/organizations?limit=3");
    users.remove(id);
    SENT("DELETE " + path);
}

TEST(a_field_is_set_cleared_or_left_alone)
{
    const fixture f;
    const std::string id = f.user();
    const auto update = [&](int line, const torii::patch &patch, const std::string &body) {
        CHECK(f.client.users().update(id, patch).string("/id") == id);
        check_sent(line, "PATCH /users/" + id + " " + body);
    };
    update(__LINE__, torii::patch(), "{}");
    torii::patch patch;
    patch.set("firstName", "Ada").clear("lastName").set("locale", "da").unset("locale");
    update(__LINE__, patch, R"({"firstName":"Ada","lastName":null})");
    patch.unset("lastName").set_json("unsafeMetadata", R"({"a":null})").set("phone", std::string());
    update(__LINE__, patch, R"({"firstName":"Ada","unsafeMetadata":{"a":null},"phone":""})");
    CHECK(f.client.users().get(id).string("/firstName") == "Ada");

    torii::patch values;
    values.set("yes", true)
        .set("no", false)
        .set("int", -7)
        .set("long", INT64_MIN)
        .set("large", UINT64_MAX);
    CHECK(
        values.json()
        == R"({"yes":true,"no":false,"int":-7,"long":-9223372036854775808,"large":18446744073709551615})");
    CHECK_FAILS(values.set("a", "\xff", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "UTF-8");
    CHECK_FAILS(values.clear("", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "name");
    CHECK_FAILS(values.set_json("a", "{", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "json");
}

TEST(sessions)
{
    const fixture f;
    const torii::sessions sessions = f.client.sessions();
    const std::string user = f.user(), path = "/users/" + user + "/sessions";
    for (int i = 0; i < 2; i++)
        f.control("/sessions", R"({"user_id":")" + user + R"("})");

    const torii::json all = sessions.list_for_user(user);
    SENT("GET " + path);
    CHECK(all.length("") == 2u && all.string("/0/userId") == user);
    const std::string first(all.string("/0/id").value());
    sessions.revoke(user, first);
    SENT("DELETE " + path + "/" + first);
    sessions.revoke_all_for_user(user);
    SENT("DELETE " + path);
    CHECK(sessions.list_for_user(user).length("") == 0u);
}

TEST(organizations)
{
    const fixture f;
    const torii::organizations organizations = f.client.organizations();
    const std::string user = f.user();
    const std::string id = f.control("/organizations", R"({"name":"Analytical Engines"})")["id"];
    const std::string path = "/organizations/" + id;
    f.control("/organizations/" + id + "/members",
              R"({"user_id":")" + user + R"(","role":"org:admin"})");

    CHECK(organizations.list({2}, "ytical E").string("/items/0/id") == id);
    SENT("GET /organizations?limit=2&name=ytical%20E");
    CHECK(organizations.get(id).string("/name") == "Analytical Engines");
    SENT("GET " + path);
    CHECK(organizations.list_members(id).string("/items/0/role") == "org:admin");
    SENT("GET " + path + "/members");
    CHECK(organizations.update_metadata(id, R"({"privateMetadata":{"seats":7}})")
              .integer("/privateMetadata/seats")
          == 7);
    SENT("PATCH " + path + R"(/metadata {"privateMetadata":{"seats":7}})");
    CHECK(organizations.update_member_metadata(id, user, R"({"publicMetadata":{"desk":"3"}})")
              .string("/publicMetadata/desk")
          == "3");
    SENT("PATCH " + path + "/members/" + user + R"(/metadata {"publicMetadata":{"desk":"3"}})");
    CHECK(f.client.users().list_organizations(user).string("/items/0/publicMetadata/desk") == "3");
}

TEST(invitations)
{
    const fixture f;
    const torii::invitations invitations = f.client.invitations();

    const torii::json made = invitations.create(
        R"({"email":"ada@example.com","publicMetadata":{},"privateMetadata":{"from":"shop"}})");
    SENT(
        R"(POST /invitations {"email":"ada@example.com","publicMetadata":{},"privateMetadata":{"from":"shop"}})");
    const std::string id(made.string("/id").value()), path = "/invitations/" + id;
    CHECK(made.string("/status") == "PENDING");
    CHECK(invitations.list({5}, R"(["PENDING","REVOKED"])", "ada@").string("/items/0/id") == id);
    SENT("GET /invitations?limit=5&status=PENDING&status=REVOKED&search=ada%40");
    CHECK(invitations.get(id).string("/privateMetadata/from") == "shop");
    SENT("GET " + path);
    CHECK(invitations.resend(id).string("/id") == id);
    SENT("POST " + path + "/resend");
    CHECK(invitations.update_metadata(id, R"({"privateMetadata":{"from":null}})")
              .length("/privateMetadata")
          == 0u);
    SENT("PATCH " + path + R"( {"privateMetadata":{"from":null}})");
    invitations.revoke(id);
    SENT("DELETE " + path);
    const auto late = invitations.update_metadata(id, R"({"privateMetadata":{}})", std::nothrow);
    CHECK_FAILS(late, TORII_ERR_API, "");
    CHECK(late.error().http_status() == 409 && late.error().code() == "invitation_not_pending");
}

TEST(impersonation_and_origins)
{
    const fixture f;
    const std::string user = f.user();
    const std::string body =
        R"({"actorUserId":")" + user + R"(","reason":"help","expiresInSeconds":60})";
    CHECK(f.client.impersonation().create_token(user, body).integer("/expiresInSeconds") == 60);
    SENT("POST /users/" + user + "/impersonation-token " + body);

    const torii::allowed_origins origins = f.client.allowed_origins();
    CHECK(origins.set(R"({"origins":["https://shop.example"]})").length("/origins") == 1u);
    SENT(R"(PUT /allowed-origins {"origins":["https://shop.example"]})");
    CHECK(origins.get().string("/origins/0") == "https://shop.example");
    SENT("GET /allowed-origins");
    CHECK(f.client.request("GET", "/api/server/v1/allowed-origins").length("/origins") == 1u);
    SENT("GET /allowed-origins");
    CHECK(f.client.request("POST", "/api/server/v1/users/search", "limit=3", R"({"email":"a"})")
              .length("/items")
          == 0u);
    SENT(R"(POST /users/search?limit=3 {"email":"a"})");
}

TEST(pages)
{
    const fixture f;
    std::vector<std::string> made, seen;
    for (int i = 0; i < 5; i++)
        made.push_back(f.user());
    const auto look = [&](const torii::json &page) {
        for (std::size_t i = 0; i < page.length("/items"); i++)
            seen.emplace_back(page.string("/items/" + std::to_string(i) + "/id").value());
        return true;
    };
    torii::each_page(
        [&](auto cursor) {
            return f.client.users().list({2, cursor}, R"({"statuses":["active"]})");
        },
        look);
    CHECK(seen == made);
    const auto sent = emulator::requests("/api/");
    CHECK(sent.size() == 3 && sent[2]["query"] == "limit=2&cursor=" + made[3]);
    CHECK(sent[2]["body"] == R"({"statuses":["active"]})");

    int pages = 0;
    torii::each_page([&](auto cursor) { return f.client.users().list({2, cursor}); },
                     [&](const torii::json &) { return ++pages < 2; });
    CHECK(pages == 2);
    const auto outcome = torii::each_page(
        [&](auto cursor) { return f.client.users().list({101, cursor}, "[]", std::nothrow); },
        look);
    CHECK_FAILS(outcome, TORII_ERR_INVALID_ARGUMENT, "");
    CHECK(torii::each_page(
        [&](auto cursor) { return f.client.users().list({2, cursor}, "{}", std::nothrow); }, look));
}

TEST(errors_of_the_api)
{
    const fixture f;
    const torii::client once(f.acme.secret_key(), here().max_retries(0).timeout(5s));
    const auto failed = once.users().get(nobody, std::nothrow);
    CHECK_FAILS(failed, TORII_ERR_API, "");
    CHECK(failed.error().http_status() == 404 && failed.error().code()
          && failed.error().answer() == 500);
    CHECK(failed.error().body()->find(failed.error().support_id().value())
          != std::string_view::npos);
    bool thrown = false;
    try {
        once.users().remove(nobody);
    } catch (const torii::error &error) {
        thrown = error.http_status() == 404;
    }
    CHECK(thrown);

    const auto strikes = [&](const std::string &fault) {
        emulator::local().clear_faults();
        emulator::local().fault("/api/", fault);
        return once.allowed_origins().get(std::nothrow);
    };
    const auto limited = strikes(R"({"kind":"status","status":429,"headers":{"Retry-After":"7"}})");
    CHECK_FAILS(limited, TORII_ERR_API, "");
    CHECK(limited.error().http_status() == 429 && limited.error().retry_after() == 7s);
    CHECK_FAILS(strikes(R"({"kind":"close"})"), TORII_ERR_TRANSPORT, "");
    CHECK_FAILS(strikes(R"({"kind":"replace","body":"not JSON"})"), TORII_ERR_RESPONSE, "");
    emulator::local().clear_faults();
    emulator::local().fault("/api/", R"({"kind":"hang"})");
    const torii::client quick("sk_test_x", here().timeout(100ms));
    CHECK_FAILS(quick.users().get(nobody, std::nothrow), TORII_ERR_TIMEOUT, "");
    emulator::local().clear_faults();
    const auto wrong = torii::client("sk_test_wrong", here()).users().get(nobody, std::nothrow);
    CHECK(!wrong && wrong.error().http_status() == 401);
}

TEST(wrong_client_options_are_named)
{
    using options = torii::client_options;
    const auto make = [](const options &given) { return torii::client::make("sk_test_x", given); };
    CHECK_FAILS(make(options().api_url("api")), TORII_ERR_INVALID_ARGUMENT, "url");
    CHECK_FAILS(make(options().timeout(1h)), TORII_ERR_INVALID_ARGUMENT, "timeout");
    CHECK_FAILS(make(options().connect_timeout(0s)), TORII_ERR_INVALID_ARGUMENT, "timeout");
    CHECK_FAILS(make(options().max_retries(11)), TORII_ERR_INVALID_ARGUMENT, "retries");
    CHECK_FAILS(make(options().ca_file("/nowhere")), TORII_ERR_INVALID_CONFIG, "/nowhere");
    CHECK_FAILS(make(options().proxy("proxy")), TORII_ERR_INVALID_ARGUMENT, "proxy");
    CHECK_FAILS(make(options().user_agent_suffix("a\nb")), TORII_ERR_INVALID_ARGUMENT,
                "user_agent_suffix");
    CHECK_FAILS(make(options().api_url("http://api.example")), TORII_ERR_INVALID_CONFIG, "http");
    CHECK(make(options().api_url("http://api.example").allow_http(true)));
    CHECK_FAILS(torii::client::make("pk_test_x"), TORII_ERR_INVALID_ARGUMENT, "secret");

    const fixture f;
    torii::client client(f.acme.secret_key(), here().user_agent_suffix("shop/1.2"));
    (void)client.allowed_origins().get();
    CHECK(emulator::requests("/api/")[0]["headers"].dump().find("shop/1.2") != std::string::npos);
    client.close();
    CHECK_FAILS(client.users().get(nobody, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "client");
    CHECK_FAILS(client.users().remove(nobody, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "client");
}

TEST(every_text_reaches_the_api_or_is_named)
{
    const fixture f;
    const torii::users users = f.client.users();
    const std::string nul(1, '\0'), long_text(1 << 20, 'a');

    torii::patch patch;
    patch.set("firstName", "a" + nul + "b\xc3\xa5");
    (void)users.create(patch);
    SENT("POST /users {\"firstName\":\"a\\u0000b\xc3\xa5\"}");
    patch.set("firstName", long_text);
    (void)users.create(patch, std::nothrow);
    SENT("POST /users {\"firstName\":\"" + long_text + "\"}");
    CHECK_FAILS(users.create("", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "body");
    CHECK_FAILS(users.create("{\"a\":\"\xff\"}", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "body");
    CHECK_FAILS(users.create("{}" + nul, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "body");
    CHECK_FAILS(users.get("", std::nothrow), TORII_ERR_INVALID_ARGUMENT, "user_id");
    CHECK_FAILS(users.get(nobody + nul, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "user_id");
    CHECK_FAILS(users.list({0, long_text}, {}, std::nothrow), TORII_ERR_INVALID_ARGUMENT, "cursor");
    CHECK_FAILS(f.client.organizations().list({}, "\xff", std::nothrow), TORII_ERR_INVALID_ARGUMENT,
                "name");
    SENT("");
    for (const std::string &key :
         {std::string(), "sk_test_" + nul, std::string("sk_test_\xff"), "sk_test_" + long_text})
        CHECK_FAILS(torii::client::make(key), TORII_ERR_INVALID_ARGUMENT, "secret");
}

TEST(threads_share_a_client)
{
    const fixture f;
    const std::string user = f.user();
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; i++)
        threads.emplace_back([&] { CHECK(f.client.users().get(user).string("/id") == user); });
    for (std::thread &thread : threads)
        thread.join();
}
