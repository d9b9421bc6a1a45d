/// A local torii for the tests of your application: real tokens, users and key faults, no network.
///
///     torii::testing::local_torii local;
///     const std::string token = local.token(R"({"sub":"user-1","email_verified":true})");
///     assert(local.verifier().verify(token).user_id() == "user-1");
///
/// It runs the program torii-emulator, which ends with this process. TORII_EMULATOR names the
/// program; otherwise it is found beside the loaded libtorii, or in PATH. Needs Linux or BSD.
/// Failures throw torii::error. torii.hpp does not include this header.
#ifndef TORII_TESTING_HPP
#define TORII_TESTING_HPP

#include "client.hpp"
#include "verifier.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace torii::testing {

namespace detail {

/// Ends a test that cannot go on.
[[noreturn]] inline void fail(const std::string &message)
{
    torii::detail::raise(error(TORII_ERR_INVALID_CONFIG, message));
}

/// A program with pipes to its input and output. It is ended by the process that started it.
class program {
public:
    explicit program(std::vector<std::string> command) : owner_(getpid())
    {
        int in[2], out[2];
        std::vector<char *> arguments;
        for (std::string &word : command)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
            fail(command[0] + ": no pipes");
        pid_ = fork();
        if (pid_ == 0) {
            dup2(in[0], 0);
            dup2(out[1], 1);
            execv(arguments[0], arguments.data());
            _exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        output_ = out[0];
        if (pid_ < 0)
            fail(command[0] + ": cannot fork");
    }
    program(const program &) = delete;
    program &operator=(const program &) = delete;
    ~program()
    {
        ::close(input_);
        ::close(output_);
        if (owner_ != getpid())
            return;
        kill(pid_, SIGTERM);
        while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) { }
    }

    pid_t pid() const noexcept { return pid_; }

    /// Returns the next line of output without its end; "" at the end of the output.
    std::string read_line() const
    {
        std::string line;
        for (char c = 0; read(output_, &c, 1) == 1 && c != '\n';)
            line += c;
        return line;
    }

private:
    pid_t owner_, pid_ = -1;
    int input_ = -1, output_ = -1;
};

inline bool is_program(const std::string &path)
{
    return access(path.c_str(), X_OK) == 0;
}

/// Returns the folder of the loaded libtorii; "" if it is part of the program.
inline std::string folder_of_the_library()
{
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const auto file = line.rfind("/libtorii."), start = line.find('/');
        if (file != std::string::npos && line.find('/', file + 1) == std::string::npos)
            return line.substr(start, file - start);
    }
    return "";
}

/// Returns the path of the program.
inline std::string find()
{
    const std::string name = "/torii-emulator";
    const char *named = std::getenv("TORII_EMULATOR"), *path = std::getenv("PATH");
    if (named != nullptr && *named != '\0') {
        if (!is_program(named))
            fail("TORII_EMULATOR: " + std::string(named) + " is not a program");
        return named;
    }
    const std::string beside = folder_of_the_library();
    if (!beside.empty() && is_program(beside + name))
        return beside + name;
    std::string folders = path != nullptr ? path : "";
    for (std::size_t end; !folders.empty(); folders.erase(0, end)) {
        end = std::min(folders.find(':'), folders.size());
        if (end > 0 && is_program(folders.substr(0, end) + name))
            return folders.substr(0, end) + name;
        end = std::min(end + 1, folders.size());
    }
    fail("torii-emulator: found neither in " + (beside.empty() ? "the folder of libtorii" : beside)
         + " nor in PATH; install it with libtorii, or set TORII_EMULATOR to its full path");
}

/// The running program, and a client of its control API.
class connection {
public:
    connection() : path_(find()), program_({path_, "--until-stdin-closes"})
    {
        const std::string line = program_.read_line(), before = "\"url\":\"";
        const auto start = line.find(before);
        if (start == std::string::npos)
            fail(path_ + ": does not start");
        url_ = line.substr(start + before.size());
        url_.erase(url_.find('"'));
        // The control API asks for no secret key. An answer may take long on a busy machine.
        client_.emplace(
            "sk_test_local",
            client_options().api_url(url_).timeout(std::chrono::minutes(2)));
    }

    const std::string &url() const noexcept { return url_; }
    pid_t pid() const noexcept { return program_.pid(); }

    json control(std::string_view method, std::string_view path, std::string_view body) const
    {
        const auto question = path.find('?');
        const auto query = question == path.npos ? "" : path.substr(question + 1);
        const std::string whole = "/_emulator" + std::string(path.substr(0, question));
        auto answer = client_->request(method, whole, query, body, std::nothrow);
        if (!answer)
            fail(std::string(method) + " " + std::string(path) + ": " + answer.error().what() + " "
                 + std::string(answer.error().body().value_or("")));
        return std::move(*answer);
    }

private:
    std::string path_, url_;
    program program_;
    std::optional<client> client_;
};

} // namespace detail

/// A signed-in user.
struct session {
    /// The id of the session.
    std::string id;
    /// A token for it.
    std::string token;
};

/// An environment of the local torii: an issuer with its keys, users and a secret key. Keeps the
/// program running.
class environment {
public:
    /// Returns its name, such as "acme".
    const std::string &name() const noexcept { return name_; }
    /// Returns its id, the claim `pid` of its tokens.
    const std::string &id() const noexcept { return id_; }
    /// Returns its issuer, for torii::verifier.
    const std::string &issuer() const noexcept { return issuer_; }
    /// Returns a secret key, for torii::client.
    const std::string &secret_key() const noexcept { return secret_key_; }

    /// Returns a signed token with these claims, a JSON object, valid for 300 seconds; by default of
    /// a new user.
    std::string token(std::string_view claims = "{}") const
    {
        return mint(R"({"claims":)" + std::string(claims) + "}");
    }

    /// Returns a token from a token request of the control API, such as {"expires_in":-60},
    /// {"without":["pid"]} or {"signer":"forged"}.
    std::string mint(std::string_view request) const
    {
        return text(ask("POST", "/tokens", request), "/token");
    }

    /// Signs in a user of this environment, whom client() creates.
    session sign_in(std::string_view user_id) const
    {
        const json answer =
            ask("POST", "/sessions", patch().set("user_id", user_id).json());
        return {text(answer, "/session/id"), text(answer, "/token")};
    }

    /// Answers key fetches with this HTTP status until local_torii::clear_faults(). Drops the keys
    /// that this process has.
    void fail_keys(int status = 503) const
    {
        const patch fault = std::move(patch().set("kind", "status").set("status", status));
        connection_->control(
            "POST", "/faults",
            patch().set("path", "/" + name_ + "/").set_json("fault", fault).json());
        forget_keys();
    }

    /// Signs with a new key, and publishes it. The earlier keys stay published. Returns the `kid` of
    /// the new key.
    std::string rotate_keys() const { return text(ask("POST", "/keys", "{}"), "/kid"); }

    /// Removes a key from the published ones.
    void remove_key(std::string_view kid) const { ask("DELETE", "/keys/" + std::string(kid), ""); }

    /// Returns a verifier of its tokens.
    torii::verifier verifier(const verifier_options &options = {}) const
    {
        return torii::verifier(issuer_, options);
    }

    /// Returns a client for it. Sets the options' base URL.
    torii::client client(client_options &options) const
    {
        return torii::client(secret_key_, options.api_url(connection_->url()));
    }
    /// Returns a client for it.
    torii::client client() const
    {
        client_options options;
        return client(options);
    }

protected:
    environment(std::shared_ptr<const detail::connection> connection, const json &about)
        : connection_(std::move(connection)), name_(text(about, "/name")),
          id_(text(about, "/environment_id")), issuer_(text(about, "/issuer")),
          secret_key_(text(about, "/secret_key"))
    { }

    static std::string text(const json &answer, std::string_view pointer)
    {
        return std::string(answer.string(pointer).value_or(""));
    }

    std::shared_ptr<const detail::connection> connection_;

private:
    json ask(std::string_view method, const std::string &path, std::string_view body) const
    {
        return connection_->control(method, "/issuers/" + name_ + path, body);
    }

    std::string name_, id_, issuer_, secret_key_;
};

/// A running local torii, with its environment "acme". The program ends with the last object that
/// belongs to it.
class local_torii : public environment {
public:
    /// Starts the program.
    local_torii() : local_torii(std::make_shared<const detail::connection>()) { }

    /// Returns the base URL of the API.
    const std::string &url() const noexcept { return connection_->url(); }
    /// Returns the process id of the program.
    pid_t pid() const noexcept { return connection_->pid(); }

    /// Creates a further environment; it exists until reset().
    environment new_environment(std::string_view name) const
    {
        const json made = control("POST", "/issuers", patch().set("name", name).json());
        return further(connection_, made);
    }

    /// Calls the control API, which the README of torii-emulator describes. The body is "" or a JSON
    /// object.
    json control(std::string_view method, std::string_view path, std::string_view body = "") const
    {
        return connection_->control(method, path, body);
    }

    /// Injects a fault of the control API, such as {"kind":"hang"}, into requests to paths that
    /// begin like this, until clear_faults().
    void fault(std::string_view path, std::string_view fault) const
    {
        control("POST", "/faults",
                patch().set("path", path).set_json("fault", fault).json());
    }

    /// Ends all faults. This process fetches keys again, without the backoff after a failure.
    void clear_faults() const
    {
        control("DELETE", "/faults");
        forget_keys();
    }

    /// Returns {"requests":[{"method":…,"path":…,"query":…,"headers":…,"body":…}]}: the requests to
    /// paths that begin like this, at most the last 1000.
    json requests(std::string_view path = "/") const
    {
        return control("GET", "/requests?path=" + std::string(path));
    }

    /// Restores the state after the start, and drops the keys that this process has.
    void reset() const
    {
        control("POST", "/reset");
        forget_keys();
    }

private:
    struct further : environment {
        further(std::shared_ptr<const detail::connection> connection, const json &about)
            : environment(std::move(connection), about)
        { }
    };

    explicit local_torii(std::shared_ptr<const detail::connection> connection)
        : environment(connection, connection->control("GET", "/issuers/acme", ""))
    { }
};

} // namespace torii::testing

#endif
