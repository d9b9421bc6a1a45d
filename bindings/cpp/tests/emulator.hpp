// The local torii that main() starts, and its control API.
#ifndef EMULATOR_HPP
#define EMULATOR_HPP

#include "check.hpp"

#include <torii/testing.hpp>

#include <nlohmann/json.hpp>

/// The paths of the example and of this program.
extern std::string example_server, this_program;

struct http_answer {
    int status;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;

    bool has(const std::string &name) const;
    std::string header(const std::string &name) const;
};

/// A GET of a URL on this host.
http_answer get(const std::string &url,
                const std::vector<std::pair<std::string, std::string>> &headers = {});

/// Any request to a URL on this host, with these headers in this order.
http_answer ask(const std::string &method, const std::string &url, const std::string &body,
                const std::vector<std::pair<std::string, std::string>> &headers);

/// A POST to a URL on this host.
http_answer post(const std::string &url,
                 const std::vector<std::pair<std::string, std::string>> &headers,
                 const std::string &body);

/// A program under test or beside it, with pipes to its input and output.
using process = torii::testing::detail::program;

namespace emulator {

torii::testing::local_torii &local();
void start();
void stop();

/// Makes a call of the control API and returns its answer.
nlohmann::json tell(const std::string &method, const std::string &path,
                    const std::string &body = "");
/// Returns the requests to paths that begin like this, since the last call.
nlohmann::json requests(const std::string &path);

} // namespace emulator

/// The environment of one test.
struct environment : torii::testing::environment {
    environment();
    void fault(const std::string &fault) const { emulator::local().fault("/" + name() + "/", fault); }
    long key_requests() const;
};

#endif
