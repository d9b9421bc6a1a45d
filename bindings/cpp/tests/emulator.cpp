#include "emulator.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <strings.h>
#include <unistd.h>

namespace {

std::optional<torii::testing::local_torii> running;

} // namespace

bool http_answer::has(const std::string &name) const
{
    return std::any_of(headers.begin(), headers.end(), [&](const auto &header) {
        return strcasecmp(header.first.c_str(), name.c_str()) == 0;
    });
}

std::string http_answer::header(const std::string &name) const
{
    for (const auto &[key, value] : headers)
        if (strcasecmp(key.c_str(), name.c_str()) == 0)
            return value;
    return "";
}

// A connection for each request, on 127.0.0.1.
http_answer ask(const std::string &method, const std::string &url, const std::string &body,
                const std::vector<std::pair<std::string, std::string>> &headers)
{
    const std::string host = "http://127.0.0.1:";
    CHECK(url.compare(0, host.size(), host) == 0);
    std::size_t digits = 0;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(url.substr(host.size()), &digits)));

    std::string text = method + " " + url.substr(host.size() + digits)
        + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: "
        + std::to_string(body.size()) + "\r\n";
    for (const auto &[name, value] : headers)
        text += name + ": " + value + "\r\n";
    text += "\r\n" + body;

    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(connection, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t n = write(connection, text.data() + sent, text.size() - sent);
        CHECK(n > 0);
        sent += static_cast<std::size_t>(n);
    }
    std::string got;
    char piece[65536];
    for (ssize_t n; (n = read(connection, piece, sizeof piece)) != 0;
         got.append(piece, static_cast<std::size_t>(n)))
        CHECK(n > 0);
    close(connection);

    const std::size_t end = got.find("\r\n\r\n");
    CHECK(got.compare(0, 9, "HTTP/1.1 ") == 0 && end != std::string::npos);
    http_answer answer{std::stoi(got.substr(9)), got.substr(end + 4), {}};
    for (std::size_t line = got.find("\r\n") + 2; line < end; line = got.find("\r\n", line) + 2) {
        const std::size_t colon = got.find(": ", line);
        answer.headers.emplace_back(got.substr(line, colon - line),
                                    got.substr(colon + 2, got.find("\r\n", line) - colon - 2));
    }
    return answer;
}

http_answer get(const std::string &url,
                const std::vector<std::pair<std::string, std::string>> &headers)
{
    return ask("GET", url, "", headers);
}

http_answer post(const std::string &url,
                 const std::vector<std::pair<std::string, std::string>> &headers,
                 const std::string &body)
{
    return ask("POST", url, body, headers);
}

torii::testing::local_torii &emulator::local()
{
    return *running;
}

void emulator::start()
{
    running.emplace();
}

void emulator::stop()
{
    running.reset();
}

nlohmann::json emulator::tell(const std::string &method, const std::string &path,
                              const std::string &body)
{
    return nlohmann::json::parse(local().control(method, path, body).text());
}

nlohmann::json emulator::requests(const std::string &path)
{
    nlohmann::json all = tell("GET", "/requests?path=" + path)["requests"];
    tell("DELETE", "/requests");
    return all;
}

static std::string next_name()
{
    static int count = 0;
    return "issuer-" + std::to_string(++count);
}

environment::environment()
    : torii::testing::environment(emulator::local().new_environment(next_name()))
{ }

long environment::key_requests() const
{
    return emulator::tell("GET", "/requests?path=/" + name() + "/")["total"];
}
