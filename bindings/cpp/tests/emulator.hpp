// The local torii, which main() starts, and what tests say to it.
#ifndef EMULATOR_HPP
#define EMULATOR_HPP

#include "check.hpp"

#include <nlohmann/json.hpp>

/// The example, and this program itself.
extern std::string example_server, this_program;

struct http_answer {
    int status;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;

    std::string header(const std::string &name) const;
};

/// A GET of a URL on this host.
http_answer get(const std::string &url,
                const std::vector<std::pair<std::string, std::string>> &headers = {});

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

    /// Something for the control API; its answer.
    static nlohmann::json tell(const std::string &method, const std::string &path,
                               const std::string &body = "");
    /// What goes wrong with requests to paths that begin like this, until the faults are cleared.
    static void fault(const std::string &path, const std::string &fault);
    static void clear_faults();
    /// The requests to paths that begin like this, since the last look.
    static nlohmann::json requests(const std::string &path);
};

/// An issuer of the test's own.
struct issuer {
    issuer();
    std::string name, url, secret_key, environment_id;

    std::string token(const std::string &how = "{}") const;
    void rotate() const;
    void fault(const std::string &fault) const { emulator::fault("/" + name + "/", fault); }
    long key_requests() const;
};

#endif
