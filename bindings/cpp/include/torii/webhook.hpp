#ifndef TORII_WEBHOOK_HPP
#define TORII_WEBHOOK_HPP

#include "result.hpp"

#include <array>
#include <iterator>
#include <new>

namespace torii {

namespace detail {

inline bool same_name(std::string_view a, std::string_view b) noexcept
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

/// Returns the values of a header, joined; "" if it is absent.
template <class Headers>
std::string join(const Headers &headers, std::string_view wanted, std::string_view separator)
{
    std::string joined;
    bool found = false;
    for (const auto &[name, value] : headers)
        if (same_name(name, wanted)) {
            if (found)
                joined += separator;
            joined += value;
            found = true;
        }
    return joined;
}

} // namespace detail

/// A verified webhook.
struct webhook {
    /// The same each time a webhook is delivered: ignore ids you have processed.
    std::string id;
    /// When it was sent.
    std::chrono::system_clock::time_point sent_at;
};

/// The three headers of a webhook; "" is a missing one.
class webhook_headers {
public:
    /// Takes the values of the three headers.
    webhook_headers(std::string_view id, std::string_view timestamp, std::string_view signature)
        : values_{std::string(id), std::string(timestamp), std::string(signature)}
    { }

    /// Finds them among all headers of a request: a map, a multimap or a list of pairs of texts,
    /// with names in any case. The names are webhook-id, webhook-timestamp and webhook-signature,
    /// or svix-id and so on if none of these is present. Values of a repeated header are joined by
    /// ", ".
    template <class Headers, class = decltype(std::begin(std::declval<const Headers &>())->second)>
    webhook_headers(const Headers &headers)
    {
        if (!find("webhook-", headers))
            find("svix-", headers);
    }

    /// Returns the value of webhook-id.
    std::string_view id() const noexcept { return values_[0]; }
    /// Returns the value of webhook-timestamp.
    std::string_view timestamp() const noexcept { return values_[1]; }
    /// Returns the value of webhook-signature.
    std::string_view signature() const noexcept { return values_[2]; }

private:
    template <class Headers>
    bool find(const std::string &prefix, const Headers &headers)
    {
        const std::array<std::string, 3> names{prefix + "id", prefix + "timestamp",
                                               prefix + "signature"};
        bool found = false;
        for (std::size_t i = 0; i < names.size(); i++) {
            values_[i] = detail::join(headers, names[i], ", ");
            for (const auto &[name, value] : headers)
                found = found || detail::same_name(name, names[i]);
        }
        return found;
    }

    std::array<std::string, 3> values_;
};

/// Verifies webhooks signed as Standard Webhooks 1.0.0 describes. It keeps the decoded secrets and
/// wipes them in the end. Any number of threads may verify with one at once.
class webhook_verifier {
public:
    using native_type = torii_webhook_t;
    using time_point = std::chrono::system_clock::time_point;

    /// Creates a webhook verifier for a secret, "whsec_…".
    explicit webhook_verifier(std::string_view secret) : webhook_verifier(make(secret).value()) { }

    /// The same without exceptions.
    static result<webhook_verifier> make(std::string_view secret)
    {
        if (auto ready = detail::check_abi(); !ready)
            return ready.error();
        return detail::make<webhook_verifier>([&](auto out, auto err) {
            return torii_webhook_new(secret.data(), secret.size(), out, err);
        });
    }

    /// Takes ownership of a handle of the C API.
    explicit webhook_verifier(native_type *taken) noexcept : handle_(taken) { }

    /// Accepts a further secret, while secrets are being rotated.
    webhook_verifier &add_secret(std::string_view secret)
    {
        return add_secret(secret, std::nothrow).value(), *this;
    }
    result<void> add_secret(std::string_view secret, std::nothrow_t)
    {
        return detail::act([&](auto err) {
            return torii_webhook_add_secret(handle_.get(), secret.data(), secret.size(), err);
        });
    }

    /// Sets how far the timestamp may lie before or after now. Default: 5 minutes.
    webhook_verifier &set_tolerance(std::chrono::seconds tolerance)
    {
        return set_tolerance(tolerance, std::nothrow).value(), *this;
    }
    result<void> set_tolerance(std::chrono::seconds tolerance, std::nothrow_t)
    {
        return detail::act([&](auto err) {
            return torii_webhook_set_tolerance_seconds(
                handle_.get(), detail::count<std::chrono::seconds>(tolerance), err);
        });
    }

    /// Verifies one webhook. `headers` may be those of the request; `body` is the body as received,
    /// before any parsing. Fails with TORII_ERR_WEBHOOK_…, of which error::is_webhook() tells.
    webhook verify(const webhook_headers &headers, std::string_view body,
                   time_point now = time_point::clock::now()) const
    {
        return verify(headers, body, now, std::nothrow).value();
    }
    result<webhook> verify(const webhook_headers &headers, std::string_view body,
                           std::nothrow_t) const
    {
        return verify(headers, body, time_point::clock::now(), std::nothrow);
    }
    result<webhook> verify(const webhook_headers &headers, std::string_view body, time_point now,
                           std::nothrow_t) const
    {
        const std::string_view id = headers.id(), timestamp = headers.timestamp(),
                               signature = headers.signature();
        const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
        std::int64_t sent_at = 0;
        const auto outcome = detail::act([&](auto err) {
            return torii_webhook_verify(native(), id.data(), id.size(), timestamp.data(),
                                        timestamp.size(), signature.data(), signature.size(),
                                        body.data(), body.size(), seconds.count(), &sent_at, err);
        });
        if (!outcome)
            return outcome.error();
        return webhook{std::string(id), detail::time(sent_at)};
    }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    detail::handle<native_type, torii_webhook_free> handle_;
};

} // namespace torii

#endif
