#ifndef TORII_VERIFIER_HPP
#define TORII_VERIFIER_HPP

#include "auth.hpp"

#include <functional>

namespace torii {

/// How a verifier judges and where it gets its keys from. What is wrong about an option is said
/// when the verifier is made. Options may be used for several verifiers.
class verifier_options {
public:
    using clock_type = std::function<std::chrono::system_clock::time_point()>;

    verifier_options() : handle_(torii_verifier_options_new()) { }

    /// Trusts a further issuer. A token's iss picks among the configured ones.
    verifier_options &issuer(std::string_view issuer)
    {
        return set(torii_verifier_options_add_issuer, issuer.data(), issuer.size());
    }
    /// Demands that aud names this audience, or another one added.
    verifier_options &audience(std::string_view audience)
    {
        return set(torii_verifier_options_add_audience, audience.data(), audience.size());
    }
    /// By how much the clocks of torii and of this host may differ: up to 300 s, 30 s by default.
    verifier_options &leeway(std::chrono::seconds leeway)
    {
        return set(torii_verifier_options_set_leeway, detail::count<std::chrono::seconds>(leeway));
    }
    /// Keys as a JWK Set instead of having them fetched: those of the issuer named last by
    /// issuer(), else of the verifier's own.
    verifier_options &jwks_json(std::string_view json)
    {
        return set(torii_verifier_options_set_jwks_json, json.data(), json.size());
    }
    /// How long keys last, whatever the issuer says: 1 s to 24 h.
    verifier_options &key_lifetime(std::chrono::seconds lifetime)
    {
        return set(torii_verifier_options_set_key_lifetime,
                   detail::count<std::chrono::seconds>(lifetime));
    }
    /// How long keys stay in use after the last time they could be fetched: 24 h by default.
    verifier_options &max_stale(std::chrono::seconds stale)
    {
        return set(torii_verifier_options_set_max_stale,
                   detail::count<std::chrono::seconds>(stale));
    }
    /// How long fetching keys may take: 100 ms to 60 s, 5 s by default.
    verifier_options &fetch_timeout(std::chrono::milliseconds timeout)
    {
        return set(torii_verifier_options_set_fetch_timeout_ms,
                   detail::count<std::chrono::milliseconds>(timeout));
    }
    /// Trusts the certificate authorities in this PEM file instead of the platform's.
    verifier_options &ca_file(std::string_view path)
    {
        return set(torii_verifier_options_set_ca_file, path.data(), path.size());
    }
    /// Refuses good tokens that do not meet all of these: TORII_REQUIRE_… combined with |.
    verifier_options &require(std::uint32_t flags)
    {
        return set(torii_verifier_options_require, flags);
    }
    /// Whether a short-lived thread may fetch keys before they are needed; true by default.
    verifier_options &background_refresh(bool allowed)
    {
        torii_verifier_options_set_background_refresh(handle_.get(), allowed);
        return *this;
    }
    /// How much memory verdicts on good tokens may take: 8 MiB by default, 0 for none.
    verifier_options &verdict_cache_bytes(std::size_t bytes)
    {
        torii_verifier_options_set_verdict_cache_bytes(handle_.get(), bytes);
        return *this;
    }
    /// Allows plain http to other hosts. Anyone on the way can then forge every login.
    verifier_options &allow_http(bool allowed)
    {
        torii_verifier_options_set_allow_http(handle_.get(), allowed);
        return *this;
    }
    /// Judges the time claims by this clock. It is called by the threads that verify, by several at
    /// once, and must not throw.
    verifier_options &clock(clock_type now)
    {
        clock_ = std::make_shared<const clock_type>(std::move(now));
        torii_verifier_options_set_clock(
            handle_.get(),
            [](void *clock) noexcept -> std::int64_t {
                const auto time = (*static_cast<const clock_type *>(clock))().time_since_epoch();
                return std::chrono::floor<std::chrono::seconds>(time).count();
            },
            const_cast<clock_type *>(clock_.get()));
        return *this;
    }

private:
    friend class verifier;

    template <class Function, class... Value>
    verifier_options &set(Function function, Value... value)
    {
        auto done = detail::act([&](auto err) { return function(handle_.get(), value..., err); });
        if (outcome_)
            outcome_ = std::move(done);
        return *this;
    }

    detail::handle<torii_verifier_options_t, torii_verifier_options_free> handle_;
    std::shared_ptr<const clock_type> clock_;
    result<void> outcome_;
};

/// Judges tokens of one or several issuers. Any number of threads may use one at once; keep one for
/// the whole program. One made before fork() works in the child. A verifier that was moved from or
/// closed refuses every call with TORII_ERR_INVALID_ARGUMENT.
class verifier {
public:
    using native_type = torii_verifier_t;

    /// For an issuer, as in "https://acme.torii.so". Nothing is fetched yet.
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

    /// Takes over a handle of C's.
    explicit verifier(native_type *taken) noexcept : handle_(taken) { }

    /// Judges a token. Fetches the issuer's keys first when they are missing or too old.
    auth verify(std::string_view token) const { return verify(token, std::nothrow).value(); }
    result<auth> verify(std::string_view token, std::nothrow_t) const
    {
        return judge(torii_verify_token, token);
    }

    /// As verify(), but never does I/O: TORII_ERR_KEYS_PENDING when keys have to be fetched first.
    auth verify_nowait(std::string_view token) const
    {
        return verify_nowait(token, std::nothrow).value();
    }
    result<auth> verify_nowait(std::string_view token, std::nothrow_t) const
    {
        return judge(torii_verify_token_nowait, token);
    }

    /// Judges the token in the value of an Authorization header, "Bearer <token>".
    auth authenticate(std::string_view header) const
    {
        return authenticate(header, std::nothrow).value();
    }
    result<auth> authenticate(std::string_view header, std::nothrow_t) const
    {
        return judge(torii_verifier_authenticate, header);
    }

    /// As authenticate(), but never does I/O.
    auth authenticate_nowait(std::string_view header) const
    {
        return authenticate_nowait(header, std::nothrow).value();
    }
    result<auth> authenticate_nowait(std::string_view header, std::nothrow_t) const
    {
        return judge(torii_verifier_authenticate_nowait, header);
    }

    /// Fetches the keys of every issuer now, on this thread.
    void refresh() const { refresh(std::nothrow).value(); }
    result<void> refresh(std::nothrow_t) const
    {
        return detail::act([this](auto err) { return torii_verifier_refresh(native(), err); });
    }

    /// What the verifier has done so far: "/accepted", "/hits", "/refused", "/issuers/0/keys", ….
    json stats() const { return stats(std::nothrow).value(); }
    result<json> stats(std::nothrow_t) const
    {
        return detail::make<json>(
            [this](auto out, auto err) { return torii_verifier_stats_json(native(), out, err); });
    }

    /// For an event loop that fetches keys by itself: takes upon it a fetch that is due. After
    /// true, request jwks_url(), with jwks_etag() as If-None-Match, and call exactly one of
    /// fetch_done() and fetch_failed().
    bool claim_fetch() const noexcept { return torii_verifier_claim_fetch(native()); }

    std::string_view jwks_url() const noexcept
    {
        return detail::lent(torii_verifier_jwks_url, native()).value_or("");
    }

    std::optional<std::string_view> jwks_etag() const noexcept
    {
        return detail::lent(torii_verifier_jwks_etag, native());
    }

    /// max_age is that of Cache-Control, if it is told.
    void fetch_done(int http_status, std::string_view body, std::string_view etag = {},
                    std::optional<std::chrono::seconds> max_age = std::nullopt) const
    {
        fetch_done(http_status, body, etag, max_age, std::nothrow).value();
    }
    result<void> fetch_done(int http_status, std::string_view body, std::string_view etag,
                            std::optional<std::chrono::seconds> max_age, std::nothrow_t) const
    {
        return detail::act([&](auto err) {
            return torii_verifier_fetch_done(native(), static_cast<std::uint32_t>(http_status),
                                             body.data(), body.size(), etag.data(), etag.size(),
                                             max_age ? max_age->count() : -1, err);
        });
    }

    void fetch_failed() const noexcept { torii_verifier_fetch_failed(native()); }

    /// Frees the verifier now. Nobody else may use it.
    void close() noexcept { handle_.reset(); }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    template <class Function>
    result<auth> judge(Function function, std::string_view text) const
    {
        return detail::make<auth>([&](auto out, auto err) {
            return function(native(), text.data(), text.size(), out, err);
        });
    }

    // Outlives the handle, which calls it.
    std::shared_ptr<const verifier_options::clock_type> clock_;
    detail::handle<native_type, torii_verifier_free> handle_;
};

/// Makes all verifiers of the process fetch their issuers' keys anew. For tests.
inline void forget_keys() noexcept
{
    torii_jwks_cache_clear();
}

} // namespace torii

#endif
