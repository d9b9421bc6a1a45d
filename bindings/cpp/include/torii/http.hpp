#ifndef TORII_HTTP_HPP
#define TORII_HTTP_HPP

#include "patch.hpp"
#include "verifier.hpp"

#include <algorithm>
#include <vector>

namespace torii {

/// How to answer a request that is not let in.
struct refusal {
    int status;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// 401 for a bad token, 403 for a requirement that is not met, 503 when the keys are missing, 400
/// for a webhook that is not genuine, else 500, with a JSON body.
inline refusal refuse(const error &e)
{
    const int answer = e.answer();
    const char *code = "internal_error", *message = "Internal error";
    refusal refusal{
        answer, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, ""};

    if (answer != 500)
        message = e.what();
    if (answer == 401) {
        code = "authentication_failed";
        refusal.headers.emplace_back("WWW-Authenticate",
                                     "Bearer realm=\"torii\", error=\"invalid_token\"");
    } else if (answer == 403) {
        code = "forbidden";
    } else if (answer == 400) {
        code = "webhook_refused";
    } else if (answer == 503) {
        code = "keys_unavailable";
        const auto pause =
            std::max(e.retry_after().value_or(std::chrono::seconds(1)), std::chrono::seconds(1));
        refusal.headers.emplace_back("Retry-After", std::to_string(pause.count()));
    }
    const patch body = std::move(patch().set("code", code).set("message", message));
    refusal.body = std::string(patch().set_json("error", body).json());
    return refusal;
}

/// Finds the token of a request, whatever the server.
struct guard {
    /// The header that holds "Bearer <token>".
    std::string header = "Authorization";
    /// The cookie that holds the token when the header is missing; "" for none.
    std::string cookie = {};

    /// `get` gives the value of the header it is told, "" when there is none.
    template <class Get>
    result<auth> authenticate(const verifier &verifier, Get get) const
    {
        const auto value = get(header);
        if (cookie.empty() || !std::string_view(value).empty())
            return verifier.authenticate(value, std::nothrow);
        const auto cookies = get(std::string("Cookie"));
        return verifier.verify(find(cookies), std::nothrow);
    }

private:
    std::string_view find(std::string_view cookies) const noexcept
    {
        while (!cookies.empty()) {
            const std::string_view one = cookies.substr(0, cookies.find(';'));
            cookies.remove_prefix(std::min(one.size() + 1, cookies.size()));
            const std::string_view pair =
                one.substr(std::min(one.find_first_not_of(' '), one.size()));
            if (pair.size() > cookie.size() && pair.substr(0, cookie.size()) == cookie
                && pair[cookie.size()] == '=')
                return pair.substr(cookie.size() + 1);
        }
        return {};
    }
};

} // namespace torii

#endif
