#ifndef TORII_HTTP_HPP
#define TORII_HTTP_HPP

#include "patch.hpp"
#include "verifier.hpp"
#include "webhook.hpp"

#include <algorithm>
#include <vector>

namespace torii {

/// The answer to a refused request.
struct refusal {
    /// The HTTP status.
    int status;
    /// Headers by name.
    std::vector<std::pair<std::string, std::string>> headers;
    /// JSON.
    std::string body;
};

/// Returns the answer for an error: 401 for an invalid token, 403 for an unmet requirement, 503 if
/// keys are missing, 400 for an invalid webhook, else 500. It contains nothing that helps an
/// attacker; log error::what().
inline refusal refuse(const error &e)
{
    refusal refusal{
        e.answer(), {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, ""};
    if (const auto challenge = e.www_authenticate())
        refusal.headers.emplace_back("WWW-Authenticate", *challenge);
    if (refusal.status == 503) {
        const auto pause =
            std::max(e.retry_after().value_or(std::chrono::seconds(1)), std::chrono::seconds(1));
        refusal.headers.emplace_back("Retry-After", std::to_string(pause.count()));
    }
    const patch body =
        std::move(patch().set("code", e.public_code()).set("message", e.public_message()));
    refusal.body = std::string(patch().set_json("error", body).json());
    return refusal;
}

/// Finds the credentials of a request and verifies them, with any HTTP server. One guard and one
/// verifier serve all routes. Browsers send cookies with requests that other sites cause: protect
/// what changes something against that (CSRF).
struct guard {
    /// The header that holds "Bearer <token>".
    std::string header = "Authorization";
    /// The cookie that holds the token if the header is absent or blank; "": none. torii sets no
    /// such cookie: it is your application's own.
    std::string cookie = {};
    /// Whether requests without credentials pass anonymously.
    bool optional = false;
    /// Paths on which credentials are ignored: requests pass anonymously.
    std::vector<std::string> skip = {};

    /// Returns the identity of a request; nothing only with `optional` or `skip`. `target` is the
    /// path of the request; a query is ignored. `headers` is a map, a multimap or a list of pairs
    /// of texts; names are compared in any case, and repeated headers must be kept. `route` are the
    /// requirements of this route: with any, no request passes anonymously.
    template <class Headers>
    result<std::optional<auth>> authenticate(const verifier &verifier, std::string_view target,
                                             const Headers &headers,
                                             const requirements &route = {}) const
    {
        const bool skipped = is_skipped(target);
        if (!skipped) {
            const auto value = detail::join(headers, header, ", ");
            if (!is_blank(value))
                return identity(verifier.authenticate(value, route, std::nothrow));
            const auto token =
                cookie.empty() ? std::string() : find(detail::join(headers, "Cookie", "; "));
            if (!is_blank(token))
                return identity(verifier.verify(token, route, std::nothrow));
        }
        if ((optional || skipped) && route.empty())
            return std::optional<auth>();
        return identity(verifier.authenticate("", route, std::nothrow));
    }

private:
    static result<std::optional<auth>> identity(result<auth> verified)
    {
        if (!verified)
            return verified.error();
        return std::optional<auth>(std::move(*verified));
    }

    static std::string_view trim(std::string_view text) noexcept
    {
        const auto start = text.find_first_not_of(" \t");
        if (start == std::string_view::npos)
            return {};
        return text.substr(start, text.find_last_not_of(" \t") + 1 - start);
    }

    static bool is_blank(std::string_view text) noexcept { return trim(text).empty(); }

    bool is_skipped(std::string_view target) const noexcept
    {
        const std::string_view path = target.substr(0, target.find('?'));
        return std::find(skip.begin(), skip.end(), path) != skip.end();
    }

    /// Returns the value of the cookie. The values of a cookie that comes twice are joined by ", ",
    /// which no token contains.
    std::string find(std::string_view cookies) const
    {
        std::string found;
        for (bool first = true; !cookies.empty();) {
            const std::string_view pair = cookies.substr(0, cookies.find(';'));
            cookies.remove_prefix(std::min(pair.size() + 1, cookies.size()));
            const auto equals = pair.find('=');
            if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != cookie)
                continue;
            std::string_view value = trim(pair.substr(equals + 1));
            // RFC 6265 §4.1.1
            if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
                value = value.substr(1, value.size() - 2);
            found.append(first ? "" : ", ").append(value);
            first = false;
        }
        return found;
    }
};

} // namespace torii

#endif
