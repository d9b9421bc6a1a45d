// The answers that every adapter gives, by torii::guard in cpp-httplib:
// tests/behaviour/ADAPTERS.md.
#include "emulator.hpp"

#include <httplib.h>

#include <fstream>
#include <map>
#include <thread>

using nlohmann::json;

namespace {

torii::requirements requirements_of(const json &wanted)
{
    static const std::map<std::string, std::uint32_t> flags{
        {"email_verified", TORII_REQUIRE_EMAIL_VERIFIED},
        {"profile_complete", TORII_REQUIRE_PROFILE_COMPLETE},
        {"not_impersonated", TORII_REQUIRE_NOT_IMPERSONATED},
        {"organization", TORII_REQUIRE_ORGANIZATION}};
    torii::requirements requirements;
    for (const std::string flag : wanted.value("flags", json::array()))
        requirements.flags(flags.at(flag));
    for (const json &claim : wanted.value("claims", json::array()))
        requirements.claim(claim["pointer"].get<std::string>(), claim["json"].get<std::string>());
    for (const json &organization : wanted.value("organizations", json::array())) {
        const std::string id = organization["id"];
        if (organization.contains("role"))
            requirements.organization(id, organization["role"].get<std::string>());
        else
            requirements.organization(id);
    }
    CHECK(requirements.outcome() && !requirements.empty());
    return requirements;
}

torii::verifier verifier_of(const json &configuration)
{
    torii::verifier_options options;
    for (const std::string audience : configuration.value("audiences", json::array()))
        options.audience(audience);
    if (configuration.contains("realm"))
        options.realm(configuration["realm"].get<std::string>());
    if (configuration.contains("resource_metadata"))
        options.resource_metadata(configuration["resource_metadata"].get<std::string>());
    if (configuration.contains("requirements"))
        options.requirements(requirements_of(configuration["requirements"]));
    return must(torii::verifier::make(
        emulator::local().url() + "/" + configuration["issuer"].get<std::string>(), options));
}

/// The application of a configuration: one verifier and one guard for all routes.
class application {
public:
    explicit application(const json &configuration) : verifier_(verifier_of(configuration))
    {
        guard_.header = configuration.value("header", guard_.header);
        guard_.cookie = configuration.value("cookie", guard_.cookie);
        guard_.optional = configuration.value("optional", false);
        guard_.skip = configuration.value("skip", guard_.skip);
        const json routes = configuration.value("routes", json::object());
        for (const auto &[path, wanted] : routes.items())
            routes_.emplace(path, requirements_of(wanted));
        const auto handle = [this](const httplib::Request &request, httplib::Response &response) {
            answer(request, response);
        };
        server_.Get(".*", handle).Post(".*", handle).Options(".*", handle);
        port_ = server_.bind_to_any_port("127.0.0.1");
        CHECK(port_ > 0);
        thread_ = std::thread([this] { server_.listen_after_bind(); });
    }
    ~application()
    {
        while (!server_.is_running())
            std::this_thread::yield();
        server_.stop();
        thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
    void answer(const httplib::Request &request, httplib::Response &response) const
    {
        const auto route = routes_.find(request.path);
        const auto user = route == routes_.end()
            ? guard_.authenticate(verifier_, request.target, request.headers)
            : guard_.authenticate(verifier_, request.target, request.headers, route->second);
        if (!user) {
            const torii::refusal refusal = torii::refuse(user.error());
            response.status = refusal.status;
            response.body = refusal.body;
            for (const auto &[name, value] : refusal.headers)
                response.set_header(name, value);
            return;
        }
        response.set_header("Handler-User", *user ? std::string((*user)->user_id()) : "-");
        response.body = request.body;
    }

    torii::verifier verifier_;
    torii::guard guard_;
    std::map<std::string, torii::requirements> routes_;
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};

/// A row with its tokens.
class request {
public:
    request(const json &corpus, const json &row) : corpus_(corpus), row_(row) { }

    http_answer send(const std::string &url)
    {
        std::vector<std::pair<std::string, std::string>> headers;
        for (const json &header : row_["headers"])
            headers.emplace_back(header[0], fill(header[1]));
        return ask(row_["method"], url + fill(row_["path"]), body(), headers);
    }

    std::string body() { return fill(row_.value("body", "")); }

    /// The payloads and the signatures, which must not come back.
    std::vector<std::string> secrets() const
    {
        std::vector<std::string> secrets;
        for (const auto &[name, token] : tokens_)
            if (const auto dot = token.find('.'); dot != std::string::npos) {
                const auto last = token.rfind('.');
                secrets.push_back(token.substr(dot + 1, last - dot - 1));
                secrets.push_back(token.substr(last + 1));
            }
        return secrets;
    }

private:
    std::string fill(const std::string &text)
    {
        std::string filled;
        for (std::size_t i = 0; i < text.size(); i++) {
            const auto end = text[i] == '{' ? text.find('}', i) : std::string::npos;
            if (end == std::string::npos) {
                filled += text[i];
                continue;
            }
            filled += token(text.substr(i + 1, end - i - 1));
            i = end;
        }
        return filled;
    }

    const std::string &token(const std::string &name)
    {
        if (tokens_.count(name) == 0) {
            const json &how = corpus_["tokens"].at(name);
            std::string token;
            for (int i = 0; i < how.value("times", 0); i++)
                token += how["repeat"].get<std::string>();
            if (how.contains("mint"))
                token = emulator::tell("POST",
                                       "/issuers/" + how["issuer"].get<std::string>() + "/tokens",
                                       how["mint"].dump())["token"];
            tokens_[name] = token;
        }
        return tokens_[name];
    }

    const json &corpus_, &row_;
    std::map<std::string, std::string> tokens_;
};

/// Checks that a header is the expected one; null means that it is absent.
void check_header(const std::string &row, const http_answer &answer, const std::string &name,
                  const json &expected)
{
    const json got = answer.has(name) ? json(answer.header(name)) : json();
    if (got != expected)
        check_failed(__FILE__, __LINE__,
                     row + ": " + name + ": " + got.dump() + ", not " + expected.dump());
}

void check_row(const json &corpus, const json &row, request &request, const http_answer &answer)
{
    const std::string name = row["name"];
    const auto check = [&](bool holds, const std::string &what) {
        if (!holds)
            check_failed(__FILE__, __LINE__,
                         name + ": " + what + ": " + std::to_string(answer.status) + " "
                             + answer.body);
    };
    for (const int status : row.value("server_may_refuse", json::array()))
        if (answer.status == status)
            return check_header(name, answer, "Handler-User", {});

    const json &expected = corpus["answers"].at(row["answer"].get<std::string>());
    const bool head = row["method"] == "HEAD";
    check(answer.status == expected["status"], "status");
    check_header(name, answer, "WWW-Authenticate", expected["www_authenticate"]);
    check_header(name, answer, "Cache-Control", expected["cache_control"]);
    if (expected["retry_after"])
        check(std::atoi(answer.header("Retry-After").c_str()) >= 1, "Retry-After");
    else
        check_header(name, answer, "Retry-After", {});
    if (answer.status == 200) {
        check_header(name, answer, "Handler-User", row["user"].is_null() ? json("-") : row["user"]);
        return check(head || answer.body == request.body(), "body");
    }
    check_header(name, answer, "Handler-User", {});
    if (!head) {
        check_header(name, answer, "Content-Type", "application/json");
        check(json::parse(answer.body)["error"]["code"] == expected["code"], "code");
        for (const std::string never : corpus["never_in_refusals"])
            check(answer.body.find(never) == std::string::npos, never);
    }
    for (const std::string &secret : request.secrets()) {
        if (secret.empty())
            continue;
        check(answer.body.find(secret) == std::string::npos, "a part of the token in the body");
        for (const auto &[key, value] : answer.headers)
            check(value.find(secret) == std::string::npos, "a part of the token in " + key);
    }
}

bool contains(const json &row, const char *member, const char *adapter)
{
    const json list = row.value(member, json::array());
    return std::find(list.begin(), list.end(), adapter) != list.end();
}

} // namespace

TEST(every_row_gets_its_answer)
{
    std::ifstream file("../../tests/behaviour/adapters.json");
    CHECK(file.is_open());
    const json corpus = json::parse(file);
    emulator::tell("POST", "/reset");
    torii::forget_keys();
    for (const json &request : corpus["setup"])
        emulator::tell("POST", request["path"], request["body"].dump());

    std::map<std::string, application> applications;
    for (const auto &[name, configuration] : corpus["configurations"].items())
        applications.try_emplace(name, configuration);
    int rows = 0;
    for (const json &row : corpus["rows"]) {
        if ((row.contains("only") && !contains(row, "only", "cpp"))
            || contains(row, "except", "cpp"))
            continue;
        request request(corpus, row);
        const http_answer answer =
            request.send(applications.at(row["configuration"].get<std::string>()).url());
        check_row(corpus, row, request, answer);
        rows++;
    }
    std::printf("    %d rows\n", rows);
    CHECK(rows > 60);
}

TEST(the_readme_shows_a_revocation_and_metrics)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const std::string user_id = "ada", token = acme.token(R"({"sub":"ada"})");
    httplib::Server server;
#include "readme_revocation.inc"
    CHECK(verifier.verify(token, std::nothrow).error().status() == TORII_ERR_TOKEN_REVOKED);
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread thread([&] { server.listen_after_bind(); });
    const http_answer answer = get("http://127.0.0.1:" + std::to_string(port) + "/metrics");
    server.stop();
    thread.join();
    CHECK(answer.status == 200 && answer.header("Content-Type") == torii::verifier::metrics_type);
    CHECK(answer.body.find(R"({status="TORII_ERR_TOKEN_REVOKED"} 1)") != std::string::npos);
}
