#ifndef TORII_KEY_FETCH_HPP
#define TORII_KEY_FETCH_HPP

#include "result.hpp"

namespace torii {

/// A key fetch that the program performs with its own HTTP client. It belongs to one issuer, so
/// that a late answer cannot reach another issuer's keys. It may outlive the verifier and move
/// between threads; one thread uses it at a time. Destroyed without done(), the fetch has failed.
class key_fetch {
public:
    using native_type = torii_fetch_t;

    /// Takes ownership of a handle of the C API.
    explicit key_fetch(native_type *taken) noexcept : handle_(taken) { }

    /// Returns the URL to request, without following redirects.
    std::string_view url() const noexcept
    {
        return detail::lent(torii_fetch_url, native()).value_or("");
    }
    /// Returns the entity tag to send as If-None-Match.
    std::optional<std::string_view> etag() const noexcept
    {
        return detail::lent(torii_fetch_etag, native());
    }

    /// Hands over the answer: a 200 with a body, a 304, or anything else, which counts as a failed
    /// fetch. `etag`, `max_age` of Cache-Control and `age` of Age are those of the answer. Fails
    /// with TORII_ERR_KEYS_UNAVAILABLE if the answer is unusable or comes after 30 seconds.
    void done(int http_status, std::string_view body, std::string_view etag = {},
              std::optional<std::chrono::seconds> max_age = std::nullopt,
              std::optional<std::chrono::seconds> age = std::nullopt)
    {
        done(http_status, body, etag, max_age, age, std::nothrow).value();
    }
    result<void> done(int http_status, std::string_view body, std::string_view etag,
                      std::optional<std::chrono::seconds> max_age,
                      std::optional<std::chrono::seconds> age, std::nothrow_t)
    {
        const auto seconds = [](auto duration) { return duration ? duration->count() : -1; };
        return detail::act([&](auto err) {
            return torii_fetch_done(handle_.get(), static_cast<std::uint32_t>(http_status),
                                    body.data(), body.size(), etag.data(), etag.size(),
                                    seconds(max_age), seconds(age), err);
        });
    }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    detail::handle<native_type, torii_fetch_free> handle_;
};

} // namespace torii

#endif
