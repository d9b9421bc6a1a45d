#ifndef TORII_WEBHOOK_HPP
#define TORII_WEBHOOK_HPP

#include "result.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <new>
#include <vector>

namespace torii {

/// What is known of a webhook that is genuine.
struct webhook {
    /// The same each time a webhook is delivered.
    std::string id;
    std::chrono::system_clock::time_point sent_at;
    /// Which of the secrets it was signed with, counted from 0.
    std::size_t secret_index;
};

/// The three headers of a webhook; "" is one that is missing.
class webhook_headers {
public:
    webhook_headers(std::string_view id, std::string_view timestamp, std::string_view signature)
        : values_{std::string(id), std::string(timestamp), std::string(signature)}
    { }

    /// Finds them among all headers of a request: a map, a multimap or a list of pairs of texts,
    /// in any case. svix-id and so on will do when there is no webhook-id, webhook-timestamp or
    /// webhook-signature; the values of a header that comes twice are joined by ", ".
    template <class Headers, class = decltype(std::begin(std::declval<const Headers &>())->second)>
    webhook_headers(const Headers &headers)
    {
        if (!find({"webhook-id", "webhook-timestamp", "webhook-signature"}, headers))
            find({"svix-id", "svix-timestamp", "svix-signature"}, headers);
    }

    std::string_view id() const noexcept { return values_[0]; }
    std::string_view timestamp() const noexcept { return values_[1]; }
    std::string_view signature() const noexcept { return values_[2]; }

private:
    template <class Headers>
    bool find(const std::array<std::string_view, 3> &names, const Headers &headers)
    {
        std::array<bool, 3> found{};
        for (const auto &[name, value] : headers)
            for (std::size_t i = 0; i < names.size(); i++)
                if (same(name, names[i])) {
                    if (found[i])
                        values_[i] += ", ";
                    values_[i] += value;
                    found[i] = true;
                }
        return found[0] || found[1] || found[2];
    }

    static bool same(std::string_view name, std::string_view lower) noexcept
    {
        const auto equal = [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
        };
        return std::equal(name.begin(), name.end(), lower.begin(), lower.end(), equal);
    }

    std::array<std::string, 3> values_;
};

/// How verify_webhook() looks at the time.
struct webhook_options {
    /// How long before or after now a webhook may have been sent.
    std::chrono::seconds tolerance = std::chrono::minutes(5);
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
};

/// Tells whether a webhook is genuine, as Standard Webhooks 1.0.0 says it: signed with one of the
/// secrets, "whsec_…", and sent lately. Several secrets are for the time while they are being
/// changed. Else it fails with TORII_ERR_WEBHOOK_…, of which error::is_webhook() tells: answer 400.
///
/// The headers may be those of the request, the body is that of the request before anything parsed
/// it. A webhook can be delivered more than once, each time with the same id: remember those of the
/// last minutes if that does harm. Any number of threads may call this at once.
inline result<webhook> verify_webhook(const std::vector<std::string> &secrets,
                                      const webhook_headers &headers, std::string_view body,
                                      const webhook_options &options, std::nothrow_t)
{
    if (auto ready = detail::check_abi(); !ready)
        return ready.error();
    std::string joined;
    for (std::size_t i = 0; i < secrets.size(); i++) {
        // C would not count an empty one, and takes a space for the end of one.
        if (secrets[i].empty() || secrets[i].find_first_of(" \t\n\v\f\r") != std::string::npos)
            return error(TORII_ERR_INVALID_CONFIG,
                         "secrets: number " + std::to_string(i + 1)
                             + ": empty, or with white space in it");
        joined += (i ? " " : "") + secrets[i];
    }
    const std::string_view id = headers.id(), timestamp = headers.timestamp(),
                           signature = headers.signature();
    const auto now = std::chrono::floor<std::chrono::seconds>(options.now.time_since_epoch());
    std::size_t secret_index = 0;
    std::int64_t sent_at = 0;
    const auto verdict = detail::act([&](auto err) {
        return torii_webhook_verify_standard(
            joined.data(), joined.size(), id.data(), id.size(), timestamp.data(), timestamp.size(),
            signature.data(), signature.size(), body.data(), body.size(), now.count(),
            options.tolerance.count(), &secret_index, &sent_at, err);
    });
    if (!verdict)
        return verdict.error();
    return webhook{std::string(id), detail::time(sent_at), secret_index};
}

inline result<webhook> verify_webhook(const std::vector<std::string> &secrets,
                                      const webhook_headers &headers, std::string_view body,
                                      std::nothrow_t)
{
    return verify_webhook(secrets, headers, body, {}, std::nothrow);
}

inline webhook verify_webhook(const std::vector<std::string> &secrets,
                              const webhook_headers &headers, std::string_view body,
                              const webhook_options &options = {})
{
    return verify_webhook(secrets, headers, body, options, std::nothrow).value();
}

} // namespace torii

#endif
