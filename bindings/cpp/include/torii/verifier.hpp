#ifndef TORII_VERIFIER_HPP
#define TORII_VERIFIER_HPP

#include "auth.hpp"
#include "key_fetch.hpp"

#include <functional>
#include <new>

namespace torii {

/// Options of a verifier, with the defaults and limits of torii.h. A wrong value is reported when
/// the verifier is created. Options may serve several verifiers.
class verifier_options {
public:
    /// A clock: returns the time.
    using clock_type = std::function<std::chrono::system_clock::time_point()>;

    verifier_options() : handle_(torii_verifier_options_new()) { }

    /// Trusts a further issuer, for example during a move to a custom domain. A token's `iss`
    /// selects among the configured issuers.
    verifier_options &issuer(std::string_view issuer)
    {
        return set(torii_verifier_options_add_issuer, issuer.data(), issuer.size());
    }
    /// Trusts a further issuer with these keys, a JWK Set, instead of fetching them.
    verifier_options &issuer_jwks(std::string_view issuer, std::string_view jwks)
    {
        return set(torii_verifier_options_add_issuer_jwks, issuer.data(), issuer.size(),
                   jwks.data(), jwks.size());
    }
    /// Sets the keys of the verifier's own issuer, a JWK Set, instead of fetching them.
    verifier_options &jwks_json(std::string_view jwks)
    {
        return set(torii_verifier_options_set_jwks_json, jwks.data(), jwks.size());
    }
    /// Requires that `aud` names this audience, or another one added. Without one, a token with
    /// `aud` is refused.
    verifier_options &audience(std::string_view audience)
    {
        return set(torii_verifier_options_add_audience, audience.data(), audience.size());
    }
    /// Ignores `aud`. Cannot be combined with an audience.
    verifier_options &ignore_audience(bool ignore)
    {
        return set(torii_verifier_options_set_ignore_audience, ignore);
    }
    /// Sets the clock difference to allow: 0 to 300 s. Default: 30 s.
    verifier_options &leeway(std::chrono::seconds leeway)
    {
        return set(torii_verifier_options_set_leeway_seconds,
                   detail::count<std::chrono::seconds>(leeway));
    }
    /// Refuses tokens whose `exp` is more than this after `iat`. Default: 0, unlimited.
    verifier_options &max_lifetime(std::chrono::seconds lifetime)
    {
        // The library takes any number of seconds, and would take this for a long lifetime.
        if (lifetime < std::chrono::seconds::zero())
            return fail(
                error(TORII_ERR_INVALID_ARGUMENT, "max_lifetime: negative (expected 0 or more)"));
        return set(torii_verifier_options_set_max_lifetime_seconds,
                   detail::count<std::chrono::seconds>(lifetime));
    }
    /// Requires TORII_REQUIRE_… flags of every token, combined with |. Adds to those before.
    verifier_options &require(std::uint32_t flags)
    {
        return set(torii_verifier_options_require, flags);
    }
    /// Sets the requirements of every token. Replaces those set before, flags included.
    verifier_options &requirements(const torii::requirements &requirements)
    {
        if (!requirements.outcome())
            return fail(requirements.outcome());
        if (!requirements.empty())
            return set(torii_verifier_options_set_requirements, requirements.native());
        const detail::handle<torii_requirements_t, torii_requirements_free> none(
            torii_requirements_new());
        return set(torii_verifier_options_set_requirements, none.get());
    }
    /// Reads `org_id` and `org_role`, the older names, where a token has no `o`. Default: false,
    /// since a template may fill these names with what a user wrote.
    verifier_options &legacy_organization(bool read)
    {
        return set(torii_verifier_options_set_legacy_organization, read);
    }
    /// Sets the realm of error::www_authenticate(). Default: "torii".
    verifier_options &realm(std::string_view realm)
    {
        return set(torii_verifier_options_set_realm, realm.data(), realm.size());
    }
    /// Sets the resource_metadata parameter of error::www_authenticate() (RFC 9728 §5.1).
    verifier_options &resource_metadata(std::string_view url)
    {
        return set(torii_verifier_options_set_resource_metadata, url.data(), url.size());
    }
    /// Sets the lifetime of fetched keys: 1 s to 24 h. Default: what the issuer says.
    verifier_options &key_lifetime(std::chrono::seconds lifetime)
    {
        return set(torii_verifier_options_set_key_lifetime_seconds,
                   detail::count<std::chrono::seconds>(lifetime));
    }
    /// Sets how long keys stay in use after the last successful fetch while the issuer is
    /// unreachable: up to 30 days. Default: 24 h.
    verifier_options &max_stale(std::chrono::seconds stale)
    {
        return set(torii_verifier_options_set_max_stale_seconds,
                   detail::count<std::chrono::seconds>(stale));
    }
    /// Sets the timeout of a key fetch: 100 ms to 60 s. Default: 5 s.
    verifier_options &fetch_timeout(std::chrono::milliseconds timeout)
    {
        return set(torii_verifier_options_set_fetch_timeout_ms,
                   detail::count<std::chrono::milliseconds>(timeout));
    }
    /// Sets whether short-lived threads may fetch keys before they expire. Default: true.
    verifier_options &background_refresh(bool allowed)
    {
        return set(torii_verifier_options_set_background_refresh, allowed);
    }
    /// Trusts the certificate authorities in this PEM file instead of the platform's.
    verifier_options &ca_file(std::string_view path)
    {
        return set(torii_verifier_options_set_ca_file, path.data(), path.size());
    }
    /// Fetches keys through an http or https proxy, such as
    /// "http://user:password@proxy.example:3128".
    verifier_options &proxy(std::string_view url)
    {
        return set(torii_verifier_options_set_proxy, url.data(), url.size());
    }
    /// Allows plain http to hosts other than loopback. Anyone on the path can then forge every
    /// token.
    verifier_options &allow_http(bool allowed)
    {
        return set(torii_verifier_options_set_allow_http, allowed);
    }
    /// Sets the size of the verified token cache; 0 turns it off. Default: 8 MiB.
    verifier_options &token_cache_bytes(std::size_t bytes)
    {
        return set(torii_verifier_options_set_token_cache_bytes, bytes);
    }
    /// Verifies new tokens with a table for each key, of about 150 KiB, in less than half of the
    /// time. Default: false.
    verifier_options &fixed_base(bool on) { return set(torii_verifier_options_set_fixed_base, on); }
    /// Keeps fetched keys in this directory, so that the next process starts without a fetch.
    /// Anyone who can write there can log in as any user.
    verifier_options &key_cache_dir(std::string_view path)
    {
        return set(torii_verifier_options_set_key_cache_dir, path.data(), path.size());
    }
    /// Refuses the tokens that this file revokes, JSON as for verifier::set_revocations_json(). It
    /// is read again when it changes.
    verifier_options &revocations_file(std::string_view path)
    {
        return set(torii_verifier_options_set_revocations_file, path.data(), path.size());
    }
    /// Sets whether verifier::metrics() names issuers, which may be your tenants. Default: false.
    verifier_options &metrics_issuer_label(bool label)
    {
        return set(torii_verifier_options_set_metrics_issuer_label, label);
    }
    /// Verifies the time claims by this clock. It runs on the threads that verify, on several at
    /// once, and must not throw.
    verifier_options &clock(clock_type now)
    {
        clock_ = std::make_shared<const clock_type>(std::move(now));
        return set(
            torii_verifier_options_set_clock,
            [](void *clock) noexcept -> std::int64_t {
                const auto time = (*static_cast<const clock_type *>(clock))().time_since_epoch();
                return std::chrono::floor<std::chrono::seconds>(time).count();
            },
            const_cast<clock_type *>(clock_.get()));
    }

private:
    friend class verifier;

    template <class Function, class... Value>
    verifier_options &set(Function function, Value... value)
    {
        return fail(detail::act([&](auto err) { return function(handle_.get(), value..., err); }));
    }

    /// Keeps the first error.
    verifier_options &fail(result<void> outcome)
    {
        if (outcome_)
            outcome_ = std::move(outcome);
        return *this;
    }

    detail::handle<torii_verifier_options_t, torii_verifier_options_free> handle_;
    std::shared_ptr<const clock_type> clock_;
    result<void> outcome_;
};

/// Verifies tokens of one or several issuers. Create one at startup; any number of threads may use
/// it at once. One created before fork() works in the child. A verifier that was moved from or
/// closed fails every call with TORII_ERR_INVALID_ARGUMENT.
class verifier {
public:
    using native_type = torii_verifier_t;

    /// Creates a verifier for an issuer such as "https://acme.torii.so". Fetches nothing yet.
    explicit verifier(std::string_view issuer, const verifier_options &options = {})
        : verifier(make(issuer, options).value())
    { }

    /// The same without exceptions.
    static result<verifier> make(std::string_view issuer, const verifier_options &options = {})
    {
        for (auto ready : {detail::check_abi(), options.outcome_})
            if (!ready)
                return ready.error();
        auto made = detail::make<verifier>([&](auto out, auto err) {
            return torii_verifier_new(issuer.data(), issuer.size(), options.handle_.get(), out,
                                      err);
        });
        if (made)
            made->clock_ = options.clock_;
        return made;
    }

    /// Takes ownership of a handle of the C API.
    explicit verifier(native_type *taken) noexcept : handle_(taken) { }

    /// Verifies a token. Fetches the issuer's keys first if they are missing or expired. The
    /// requirements are those of this call, in addition to the verifier's.
    auth verify(std::string_view token, const requirements &requirements = {}) const
    {
        return check(token, 0, requirements).value();
    }
    result<auth> verify(std::string_view token, std::nothrow_t) const { return check(token, 0); }
    result<auth> verify(std::string_view token, const requirements &requirements,
                        std::nothrow_t) const
    {
        return check(token, 0, requirements);
    }

    /// As verify(), without I/O and without waiting for I/O on another thread:
    /// TORII_ERR_KEYS_PENDING if keys must be fetched first.
    auth verify_nowait(std::string_view token, const requirements &requirements = {}) const
    {
        return check(token, TORII_VERIFY_NOWAIT, requirements).value();
    }
    result<auth> verify_nowait(std::string_view token, std::nothrow_t) const
    {
        return check(token, TORII_VERIFY_NOWAIT);
    }
    result<auth> verify_nowait(std::string_view token, const requirements &requirements,
                               std::nothrow_t) const
    {
        return check(token, TORII_VERIFY_NOWAIT, requirements);
    }

    /// Verifies the token in the value of an Authorization header, "Bearer <token>". Join the
    /// values of a repeated header with ", "; they are refused.
    auth authenticate(std::string_view header, const requirements &requirements = {}) const
    {
        return check(header, TORII_VERIFY_HEADER, requirements).value();
    }
    result<auth> authenticate(std::string_view header, std::nothrow_t) const
    {
        return check(header, TORII_VERIFY_HEADER);
    }
    result<auth> authenticate(std::string_view header, const requirements &requirements,
                              std::nothrow_t) const
    {
        return check(header, TORII_VERIFY_HEADER, requirements);
    }

    /// As authenticate(), without I/O and without waiting for I/O on another thread.
    auth authenticate_nowait(std::string_view header, const requirements &requirements = {}) const
    {
        return check(header, TORII_VERIFY_HEADER | TORII_VERIFY_NOWAIT, requirements).value();
    }
    result<auth> authenticate_nowait(std::string_view header, std::nothrow_t) const
    {
        return check(header, TORII_VERIFY_HEADER | TORII_VERIFY_NOWAIT);
    }
    result<auth> authenticate_nowait(std::string_view header, const requirements &requirements,
                                     std::nothrow_t) const
    {
        return check(header, TORII_VERIFY_HEADER | TORII_VERIFY_NOWAIT, requirements);
    }

    /// Verifies a token as verify() does, and returns a handle that reads claims one by one.
    auth_handle verify_handle(std::string_view token) const
    {
        return verify_handle(token, std::nothrow).value();
    }
    result<auth_handle> verify_handle(std::string_view token, std::nothrow_t) const
    {
        return detail::make<auth_handle>([&](auto out, auto err) {
            return torii_verify_token(native(), token.data(), token.size(), out, err);
        });
    }

    /// Verifies a header value as authenticate() does, and returns a handle that reads claims one
    /// by one.
    auth_handle authenticate_handle(std::string_view header) const
    {
        return authenticate_handle(header, std::nothrow).value();
    }
    result<auth_handle> authenticate_handle(std::string_view header, std::nothrow_t) const
    {
        return detail::make<auth_handle>([&](auto out, auto err) {
            return torii_verifier_authenticate(native(), header.data(), header.size(), out, err);
        });
    }

    /// Fetches the keys of every issuer now, on this thread.
    void refresh() const { refresh(std::nothrow).value(); }
    result<void> refresh(std::nothrow_t) const
    {
        return detail::act([this](auto err) { return torii_verifier_refresh(native(), err); });
    }

    /// Fetches keys if a fetch is due, and waits for a fetch in flight: the job for a thread pool
    /// while a request is parked. `issuer` is usually error::issuer() of the refusal; empty: every
    /// issuer.
    void refresh_due(std::string_view issuer = {}) const
    {
        refresh_due(issuer, std::nothrow).value();
    }
    result<void> refresh_due(std::string_view issuer, std::nothrow_t) const
    {
        const char *name = issuer.empty() ? nullptr : issuer.data();
        return detail::act([&](auto err) {
            return torii_verifier_refresh_due(native(), name, issuer.size(), err);
        });
    }

    /// Returns how long until a key fetch is due, for a timer that runs refresh_due(). Nothing if
    /// all keys were given.
    std::optional<std::chrono::milliseconds> due_in() const noexcept
    {
        const std::int64_t milliseconds = torii_verifier_due_in_ms(native());
        if (milliseconds < 0)
            return std::nullopt;
        return std::chrono::milliseconds(milliseconds);
    }

    /// Claims a key fetch that is due, for a program that fetches keys with its own HTTP client.
    /// Nothing if no fetch is due. From the first call on the library fetches no keys for this
    /// verifier.
    std::optional<key_fetch> claim_fetch() const
    {
        torii_fetch_t *claimed = torii_verifier_claim_fetch(native());
        if (claimed == nullptr)
            return std::nullopt;
        return key_fetch(claimed);
    }

    /// Returns statistics: "/accepted", "/hits", "/refused", "/issuers/0/keys", ….
    json stats() const { return stats(std::nothrow).value(); }
    result<json> stats(std::nothrow_t) const
    {
        return detail::make<json>(
            [this](auto out, auto err) { return torii_verifier_stats_json(native(), out, err); });
    }

    /// Refuses the tokens of a user that were issued at or before this time, at most one day ahead,
    /// in this process. Matches `sub` and the actor. Of two calls the later time counts.
    void revoke(std::string_view user_id, std::chrono::system_clock::time_point before) const
    {
        revoke(user_id, before, std::nothrow).value();
    }
    result<void> revoke(std::string_view user_id, std::chrono::system_clock::time_point before,
                        std::nothrow_t) const
    {
        // Rounded up: a time within a second includes the tokens of this second.
        return revoke_until(
            user_id, std::chrono::ceil<std::chrono::seconds>(before.time_since_epoch()).count());
    }

    /// Refuses every token of a user in this process, those of the future included.
    void revoke_all(std::string_view user_id) const { revoke_all(user_id, std::nothrow).value(); }
    result<void> revoke_all(std::string_view user_id, std::nothrow_t) const
    {
        return revoke_until(user_id, TORII_REVOKE_ALL);
    }

    /// Replaces the list of an earlier call: `{"revoked":[{"sub":"…","before":1732550000}]}`.
    /// `before` may be "all". An empty list lifts these bans; those of revoke() and of
    /// verifier_options::revocations_file() stay. If the list is invalid, the earlier one stays.
    void set_revocations_json(std::string_view list) const
    {
        set_revocations_json(list, std::nothrow).value();
    }
    result<void> set_revocations_json(std::string_view list, std::nothrow_t) const
    {
        return detail::act([&](auto err) {
            return torii_verifier_set_revocations_json(native(), list.data(), list.size(), err);
        });
    }

    /// The content type of metrics().
    static constexpr std::string_view metrics_type =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Returns metrics as OpenMetrics text.
    std::string metrics() const { return metrics(std::nothrow).value(); }
    result<std::string> metrics(std::nothrow_t) const
    {
        std::string text(8192, '\0');
        for (;;) {
            std::size_t size = 0;
            const auto outcome = detail::act([&](auto err) {
                return torii_verifier_metrics(native(), text.data(), text.size(), &size, err);
            });
            // The text can grow between two calls.
            if (!outcome && outcome.error().status() != TORII_ERR_BUFFER_TOO_SMALL)
                return outcome.error();
            text.resize(size);
            if (outcome)
                return text;
        }
    }

    /// Frees the verifier now. Needs exclusive use.
    void close() noexcept { handle_.reset(); }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    result<void> revoke_until(std::string_view user_id, std::int64_t before) const
    {
        return detail::act([&](auto err) {
            return torii_verifier_revoke(native(), user_id.data(), user_id.size(), before, err);
        });
    }

    result<auth> check(std::string_view text, std::uint32_t how,
                       const requirements &requirements = {}) const
    {
        result<auth> verified{auth()};
        auto outcome = requirements.outcome();
        if (outcome)
            outcome = verified->fill(
                [&](void *record, std::size_t room, std::size_t *size, torii_error_t **err) {
                    return torii_verify_into(native(), text.data(), text.size(), how,
                                             requirements.native(), record, room, size, err);
                });
        if (!outcome)
            verified = outcome.error();
        return verified;
    }

    // Outlives the handle, which calls it.
    std::shared_ptr<const verifier_options::clock_type> clock_;
    detail::handle<native_type, torii_verifier_free> handle_;
};

/// Drops the keys of every issuer, for tests: all verifiers of the process fetch again.
inline void forget_keys() noexcept
{
    torii_jwks_cache_clear();
}

} // namespace torii

#endif
