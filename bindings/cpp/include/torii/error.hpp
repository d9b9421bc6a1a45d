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

/// The result of a call: TORII_OK, or one of TORII_ERR_….
using status = torii_status_t;

/// Returns the name of a status, such as "TORII_ERR_TOKEN_EXPIRED".
inline std::string_view status_name(status s) noexcept
{
    return torii_status_name(static_cast<std::uint32_t>(s));
}

/// Why a call failed. A value that outlives the handle it came from; copies share it, and text
/// that it returns is valid as long as one of them lives.
class error : public std::exception {
public:
    using native_type = torii_error_t;

    /// Takes ownership of an error of the C API.
    explicit error(native_type *taken)
        : native_(taken, torii_error_free),
          status_(torii_error_status(taken))
    { }

    /// Creates an error that does not come from the library. It is a server error for clients.
    error(torii::status status, std::string message)
        : message_(std::make_shared<const std::string>(std::move(message))),
          status_(status)
    { }

    /// Returns the status, one of TORII_ERR_….
    torii::status status() const noexcept { return status_; }

    /// Returns one line that names the argument, option or claim at fault, for your log. It never
    /// contains a token, a key or a secret.
    const char *what() const noexcept override
    {
        return message_ ? message_->c_str() : torii_error_message(native(), nullptr);
    }

    /// Returns whether the token is missing or invalid: answer 401.
    bool is_token() const noexcept { return status() >= 100 && status() < 150; }
    /// Returns whether the token is valid but does not meet a requirement: answer 403.
    bool is_policy() const noexcept { return status() >= 150 && status() < 200; }
    /// Returns whether signing keys are unavailable, so that the token could not be verified:
    /// answer 503.
    bool is_keys() const noexcept { return status() >= 200 && status() < 300; }
    /// Returns whether the webhook is invalid: answer 400.
    bool is_webhook() const noexcept { return status() >= 350 && status() < 400; }

    /// Returns the HTTP status for your own client.
    int answer() const noexcept
    {
        return static_cast<int>(torii_status_http(static_cast<std::uint32_t>(status())));
    }

    /// Returns the error code for your own client, such as "authentication_failed".
    std::string_view public_code() const noexcept
    {
        return text(torii_error_public_code).value_or("internal_error");
    }
    /// Returns the message for your own client: a constant for each status, without the reason.
    std::string_view public_message() const noexcept
    {
        return text(torii_error_public_message).value_or("Internal error");
    }
    /// Returns the value of the WWW-Authenticate header (RFC 6750 §3) for a 401 or a 403.
    std::optional<std::string_view> www_authenticate() const noexcept
    {
        return text(torii_error_www_authenticate);
    }

    /// Returns how long to wait before a retry can help, if known.
    std::optional<std::chrono::seconds> retry_after() const noexcept
    {
        const std::int64_t seconds = native_ ? torii_error_retry_after(native()) : -1;
        if (seconds < 0)
            return std::nullopt;
        return std::chrono::seconds(seconds);
    }

    /// Returns the issuer whose keys are missing, if is_keys().
    std::optional<std::string_view> issuer() const noexcept { return text(torii_error_issuer); }

    /// Returns the HTTP status of the API's answer, for TORII_ERR_API and TORII_ERR_RESPONSE;
    /// else 0.
    int http_status() const noexcept { return static_cast<int>(torii_error_http_status(native())); }
    /// Returns the API's error code.
    std::optional<std::string_view> code() const noexcept { return text(torii_error_code); }
    /// Returns the id to name to torii's support.
    std::optional<std::string_view> support_id() const noexcept
    {
        return text(torii_error_support_id);
    }
    /// Returns the API's answer, which may contain personal data.
    std::optional<std::string_view> body() const noexcept { return text(torii_error_body); }
    /// Returns whether nothing of an API request left this host, so that repeating it is safe.
    bool unsent() const noexcept { return torii_error_unsent(native()); }

    /// Returns the error of the C API. NULL if this error does not come from the library.
    const native_type *native() const noexcept { return native_.get(); }

private:
    std::optional<std::string_view> text(const char *(*get)(const native_type *,
                                                            std::size_t *)) const noexcept
    {
        std::size_t length = 0;
        const char *text = native_ ? get(native(), &length) : nullptr;
        if (text == nullptr)
            return std::nullopt;
        return std::string_view(text, length);
    }

    std::shared_ptr<const native_type> native_;
    std::shared_ptr<const std::string> message_;
    torii::status status_;
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
