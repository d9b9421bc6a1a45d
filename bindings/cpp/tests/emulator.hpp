// The local torii that main() starts, and its control API.
#ifndef EMULATOR_HPP
#define EMULATOR_HPP

#include "check.hpp"

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
class process {
public:
    explicit process(std::vector<std::string> command);
    process(const process &) = delete;
    ~process();
    std::string read_line() const;

private:
    int pid_ = 0, input_ = -1, output_ = -1;
};

struct emulator {
    static const std::string &url();
    static void start(const std::string &program);
    static void stop();

    /// Makes a call of the control API and returns its answer.
    static nlohmann::json tell(const std::string &method, const std::string &path,
                               const std::string &body = "");
    /// Adds a fault for requests to paths that begin like this, until the faults are cleared.
    static void fault(const std::string &path, const std::string &fault);
    static void clear_faults();
    /// Returns the requests to paths that begin like this, since the last call.
    static nlohmann::json requests(const std::string &path);
};

/// An issuer of one test.
struct issuer {
    issuer();
    std::string name, url, secret_key, environment_id;

    std::string token(const std::string &how = "{}") const;
    void rotate() const;
    void fault(const std::string &fault) const { emulator::fault("/" + name + "/", fault); }
    long key_requests() const;
};

#endif
