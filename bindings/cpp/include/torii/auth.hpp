#ifndef TORII_AUTH_HPP
#define TORII_AUTH_HPP

#include "json.hpp"

namespace torii {

/// The user a token was issued to, as the issuer signed it. It outlives the verifier, and lends
/// what it gives as a std::string_view. Any number of threads may read one at once.
class auth {
public:
    using native_type = torii_auth_t;
    using time_point = std::chrono::system_clock::time_point;

    /// Takes over a handle of C's.
    explicit auth(native_type *taken) noexcept : handle_(taken) { }

    std::string_view user_id() const &noexcept { return text(torii_auth_user_id); }
    std::string_view environment_id() const &noexcept { return text(torii_auth_environment_id); }
    /// The configured issuer the token is of, without trailing slashes.
    std::string_view issuer() const &noexcept { return text(torii_auth_issuer); }
    /// None when the token names none.
    std::optional<std::string_view> locale() const &noexcept
    {
        return detail::lent(torii_auth_locale, native());
    }
    /// The payload of the token, exactly as it was signed.
    std::string_view claims_json() const &noexcept { return text(torii_auth_claims_json); }
    /// A top-level claim that is a string without U+0000.
    std::optional<std::string_view> claim(std::string_view name) const &noexcept
    {
        return detail::lent(torii_auth_claim_string, native(), name.data(), name.size());
    }

    // A temporary cannot lend anything; it gives.
    std::string user_id() const && { return std::string(user_id()); }
    std::string environment_id() const && { return std::string(environment_id()); }
    std::string issuer() const && { return std::string(issuer()); }
    std::optional<std::string> locale() const && { return detail::kept(locale()); }
    std::string claims_json() const && { return std::string(claims_json()); }
    std::optional<std::string> claim(std::string_view name) const &&
    {
        return detail::kept(claim(name));
    }

    bool email_verified() const noexcept { return torii_auth_email_verified(native()); }
    bool profile_complete() const noexcept { return torii_auth_profile_complete(native()); }
    bool impersonating() const noexcept { return torii_auth_impersonating(native()); }
    time_point issued_at() const noexcept { return detail::time(torii_auth_issued_at(native())); }
    time_point expires_at() const noexcept { return detail::time(torii_auth_expires_at(native())); }

    /// All claims, to be read one by one. Fails for a number beyond what a double holds.
    json claims() const { return claims(std::nothrow).value(); }
    result<json> claims(std::nothrow_t) const
    {
        return detail::make<json>(
            [this](auto out, auto err) { return torii_auth_claims(native(), out, err); });
    }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    std::string_view text(const char *(*get)(const native_type *, std::size_t *)) const noexcept
    {
        return detail::lent(get, native()).value_or("");
    }

    detail::handle<native_type, torii_auth_free> handle_;
};

} // namespace torii

#endif
