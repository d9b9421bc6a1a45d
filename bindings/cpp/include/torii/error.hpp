#ifndef TORII_ERROR_HPP
#define TORII_ERROR_HPP

#include <torii.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

static_assert(TORII_ABI_VERSION == 0, "torii.hpp is for ABI 0 of libtorii; torii.h is of another");

namespace torii {

/// What became of a call: TORII_OK, or one of TORII_ERR_….
using status = torii_status_t;

/// The name of a status, as in "TORII_ERR_TOKEN_EXPIRED".
inline std::string_view status_name(status s) noexcept
{
    return torii_status_name(static_cast<std::uint32_t>(s));
}

/// Why a call failed. A value that outlives everything else; copies share it.
class error : public std::exception {
public:
    error(torii::status status, std::string message)
        : fields_(std::make_shared<fields>(fields{status, std::move(message), -1, 0, {}, {}, {}}))
    { }

    /// Takes over an error of C's.
    explicit error(torii_error_t *taken)
    {
        const std::unique_ptr<torii_error_t, void (*)(torii_error_t *)> guard(taken,
                                                                              torii_error_free);
        fields_ = std::make_shared<fields>(
            fields{torii_error_status(taken), copy(torii_error_message, taken).value_or(""),
                   torii_error_retry_after(taken), torii_error_http_status(taken),
                   copy(torii_error_code, taken), copy(torii_error_support_id, taken),
                   copy(torii_error_body, taken)});
    }

    torii::status status() const noexcept { return fields_->status; }

    /// One line that names the argument, option or claim at fault. It never holds a token, a key or
    /// a secret.
    const char *what() const noexcept override { return fields_->message.c_str(); }

    /// The token is missing or bad: answer 401.
    bool is_token() const noexcept { return status() >= 100 && status() < 150; }
    /// The token is good, but does not meet a requirement: answer 403.
    bool is_policy() const noexcept { return status() >= 150 && status() < 200; }
    /// Nothing can be said about the token, since the keys cannot be had: answer 503.
    bool is_keys() const noexcept { return status() >= 200 && status() < 300; }
    /// The webhook is not genuine: answer 400.
    bool is_webhook() const noexcept { return status() >= 350 && status() < 400; }

    /// The HTTP status with which a server that meets this error answers its own client.
    int answer() const noexcept
    {
        return static_cast<int>(torii_status_http(static_cast<std::uint32_t>(status())));
    }

    /// When trying again can help, if that is known.
    std::optional<std::chrono::seconds> retry_after() const noexcept
    {
        if (fields_->retry_after < 0)
            return std::nullopt;
        return std::chrono::seconds(fields_->retry_after);
    }

    /// The HTTP status of the API's answer, for TORII_ERR_API and TORII_ERR_RESPONSE; else 0.
    int http_status() const noexcept { return static_cast<int>(fields_->http_status); }
    /// What the API calls the problem.
    std::optional<std::string_view> code() const noexcept { return fields_->code; }
    /// What to name to torii's support.
    std::optional<std::string_view> support_id() const noexcept { return fields_->support_id; }
    /// The API's answer, which may be about people.
    std::optional<std::string_view> body() const noexcept { return fields_->body; }

private:
    struct fields {
        torii::status status;
        std::string message;
        std::int64_t retry_after;
        std::uint32_t http_status;
        std::optional<std::string> code, support_id, body;
    };

    static std::optional<std::string> copy(const char *(*get)(const torii_error_t *, std::size_t *),
                                           const torii_error_t *from)
    {
        std::size_t length = 0;
        const char *text = get(from, &length);
        if (text == nullptr)
            return std::nullopt;
        return std::string(text, length);
    }

    std::shared_ptr<const fields> fields_;
};

namespace detail {

[[noreturn]] inline void raise(const error &e)
{
#if defined(__cpp_exceptions)
    throw e;
#else
    (void)e;
    std::abort();
#endif
}

} // namespace detail
} // namespace torii

#endif
