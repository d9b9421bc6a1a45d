#ifndef TORII_AUTH_HPP
#define TORII_AUTH_HPP

#include "json.hpp"
#include "requirements.hpp"

#include <cstddef>
#include <cstring>

namespace torii {

/// The identity in a verified token: a copyable value that owns its record, without a handle. It
/// may outlive the verifier. Text that it returns as std::string_view belongs to it. Any number of
/// threads may read one at once.
class auth {
public:
    using time_point = std::chrono::system_clock::time_point;

    /// Creates an empty identity, which meets no requirement. A moved-from one is the same.
    auth() noexcept { clear(); }
    auth(const auth &other) { assign(other.bytes(), other.size()); }
    auth(auth &&other) noexcept { take(other); }
    auth &operator=(const auth &other)
    {
        if (this != &other)
            assign(other.bytes(), other.size());
        return *this;
    }
    auth &operator=(auth &&other) noexcept
    {
        if (this != &other)
            take(other);
        return *this;
    }

    /// Copies a record that torii_verify_into() wrote. Fails with TORII_ERR_INTERNAL if its sizes
    /// or spans are wrong.
    static result<auth> read(const void *record, std::size_t size)
    {
        result<auth> read{auth()};
        read->assign(record, size);
        if (!read->valid(size))
            read = broken();
        return read;
    }

    /// Returns the user id, claim `sub`.
    std::string_view user_id() const & noexcept { return text(0).value_or(""); }
    /// Returns the id of the user's environment, claim `pid`.
    std::string_view environment_id() const & noexcept { return text(1).value_or(""); }
    /// Returns the configured issuer that signed the token, without trailing slashes.
    std::string_view issuer() const & noexcept { return text(2).value_or(""); }
    /// Returns the user's preferred locale.
    std::optional<std::string_view> locale() const & noexcept { return text(3); }
    /// Returns the id of the active organization.
    std::optional<std::string_view> organization_id() const & noexcept { return text(4); }
    /// Returns the user's role in the active organization: check it together with the id, since
    /// anyone can create an organization and name its roles.
    std::optional<std::string_view> organization_role() const & noexcept { return text(5); }
    /// Returns the id of the party that acts as the user. If absent, the user may still be impersonated:
    /// see impersonating().
    std::optional<std::string_view> actor_id() const & noexcept { return text(6); }
    /// Returns all claims as JSON, exactly as signed.
    std::string_view claims_json() const & noexcept { return text(7).value_or(""); }

    // A temporary cannot lend its text.
    std::string user_id() const && { return std::string(user_id()); }
    std::string environment_id() const && { return std::string(environment_id()); }
    std::string issuer() const && { return std::string(issuer()); }
    std::optional<std::string> locale() const && { return detail::kept(locale()); }
    std::optional<std::string> organization_id() const &&
    {
        return detail::kept(organization_id());
    }
    std::optional<std::string> organization_role() const &&
    {
        return detail::kept(organization_role());
    }
    std::optional<std::string> actor_id() const && { return detail::kept(actor_id()); }
    std::string claims_json() const && { return std::string(claims_json()); }

    /// Returns the TORII_REQUIRE_… flags that this login meets.
    std::uint32_t flags() const noexcept { return header().flags; }
    /// Returns whether this login meets all of these TORII_REQUIRE_… flags.
    bool meets(std::uint32_t flags) const noexcept { return (flags & ~this->flags()) == 0; }

    /// Returns whether `email_verified` is true. torii stamps this claim only through the
    /// environment's default JWT template.
    bool email_verified() const noexcept { return meets(TORII_REQUIRE_EMAIL_VERIFIED); }
    /// Returns whether `profile_complete` is not false.
    bool profile_complete() const noexcept { return meets(TORII_REQUIRE_PROFILE_COMPLETE); }
    /// Returns whether another party acts as the user.
    bool impersonating() const noexcept { return !meets(TORII_REQUIRE_NOT_IMPERSONATED); }
    /// Returns the claim `iat`.
    time_point issued_at() const noexcept { return detail::time(header().issued_at); }
    /// Returns the claim `exp`.
    time_point expires_at() const noexcept { return detail::time(header().expires_at); }

    /// Returns the record of the C API. Its spans count from its start.
    const torii_record_t *record() const noexcept { return &header(); }

private:
    friend class verifier;

    /// Enough for the tokens of most environments; longer records go to the heap.
    static constexpr std::size_t inline_size = 1024;

    static constexpr std::size_t first_span = offsetof(torii_record_t, user_id);
    static constexpr std::size_t spans = 8;
    static constexpr std::size_t smallest_header = first_span + spans * sizeof(torii_span_t);
    // The spans follow each other, and later releases only append.
    static_assert(
        offsetof(torii_record_t, environment_id) == first_span + 1 * sizeof(torii_span_t)
        && offsetof(torii_record_t, issuer) == first_span + 2 * sizeof(torii_span_t)
        && offsetof(torii_record_t, locale) == first_span + 3 * sizeof(torii_span_t)
        && offsetof(torii_record_t, organization_id) == first_span + 4 * sizeof(torii_span_t)
        && offsetof(torii_record_t, organization_role) == first_span + 5 * sizeof(torii_span_t)
        && offsetof(torii_record_t, actor_id) == first_span + 6 * sizeof(torii_span_t)
        && offsetof(torii_record_t, claims_json) == first_span + 7 * sizeof(torii_span_t));

    static error broken()
    {
        return error(TORII_ERR_INTERNAL, "record: its sizes or spans are wrong");
    }

    /// Has a record written by a call of torii_verify_into(), once more if it needs more room.
    template <class Call>
    result<void> fill(Call call)
    {
        std::size_t size = 0;
        auto done = detail::act([&](auto err) { return call(inline_, inline_size, &size, err); });
        if (!done && done.error().status() == TORII_ERR_BUFFER_TOO_SMALL) {
            const std::size_t room = size;
            heap_ = std::make_unique<std::uint64_t[]>(room / sizeof(std::uint64_t) + 1);
            done = detail::act([&](auto err) { return call(heap_.get(), room, &size, err); });
        }
        if (done && !valid(size))
            done = broken();
        return done;
    }

    const unsigned char *bytes() const noexcept
    {
        return heap_ ? reinterpret_cast<const unsigned char *>(heap_.get()) : inline_;
    }

    const torii_record_t &header() const noexcept
    {
        return *reinterpret_cast<const torii_record_t *>(bytes());
    }

    std::size_t size() const noexcept
    {
        return std::max<std::size_t>(header().size, sizeof(torii_record_t));
    }

    void clear() noexcept
    {
        heap_.reset();
        std::memset(inline_, 0, sizeof(torii_record_t));
    }

    void assign(const void *record, std::size_t size)
    {
        clear();
        if (size > inline_size)
            heap_ = std::make_unique<std::uint64_t[]>(size / sizeof(std::uint64_t) + 1);
        std::memcpy(const_cast<unsigned char *>(bytes()), record, size);
    }

    void take(auth &other) noexcept
    {
        if (other.heap_) {
            heap_ = std::move(other.heap_);
        } else {
            heap_.reset();
            std::memcpy(inline_, other.inline_, other.size());
        }
        other.clear();
    }

    /// Returns whether the record lies within `size` bytes, and each of its texts within the
    /// record.
    bool valid(std::size_t size) const noexcept
    {
        const torii_record_t &record = header();
        if (size < smallest_header || record.size != size || record.header_size < smallest_header
            || record.header_size > size)
            return false;
        for (std::size_t i = 0; i < spans; i++) {
            const torii_span_t one = span(i);
            if (one.offset == 0)
                continue;
            // The NUL after the text is part of the record.
            if (one.offset < record.header_size || one.offset >= size
                || one.len >= size - one.offset || bytes()[one.offset + one.len] != '\0')
                return false;
        }
        return span(0).len > 0 && span(1).len > 0 && span(2).len > 0 && span(7).len > 0;
    }

    torii_span_t span(std::size_t index) const noexcept
    {
        torii_span_t span;
        std::memcpy(&span, bytes() + first_span + index * sizeof span, sizeof span);
        return span;
    }

    std::optional<std::string_view> text(std::size_t index) const noexcept
    {
        const torii_span_t span = this->span(index);
        if (span.offset == 0)
            return std::nullopt;
        return std::string_view(reinterpret_cast<const char *>(bytes()) + span.offset, span.len);
    }

    std::unique_ptr<std::uint64_t[]> heap_;
    alignas(torii_record_t) unsigned char inline_[inline_size];
};

/// The identity in a verified token as a handle of the C API, for its claims one by one. It may
/// outlive the verifier. Any number of threads may read one at once.
class auth_handle {
public:
    using native_type = torii_auth_t;
    using time_point = auth::time_point;

    /// Takes ownership of a handle of the C API.
    explicit auth_handle(native_type *taken) noexcept : handle_(taken) { }

    /// Returns a top-level string claim. Nothing if it is absent, not a string, or contains U+0000.
    std::optional<std::string_view> claim(std::string_view name) const & noexcept
    {
        return detail::lent(torii_auth_claim_string, native(), name.data(), name.size());
    }
    std::optional<std::string> claim(std::string_view name) const &&
    {
        return detail::kept(claim(name));
    }

    /// Returns all claims, to read one by one.
    json claims() const { return claims(std::nothrow).value(); }
    result<json> claims(std::nothrow_t) const
    {
        return detail::make<json>(
            [this](auto out, auto err) { return torii_auth_claims(native(), out, err); });
    }

    /// Checks requirements against this login. Looks at the claims only: neither the expiry nor the
    /// signature is checked again.
    void require(const requirements &requirements) const
    {
        require(requirements, std::nothrow).value();
    }
    result<void> require(const requirements &requirements, std::nothrow_t) const
    {
        if (!requirements.outcome() || requirements.empty())
            return requirements.outcome();
        return detail::act(
            [&](auto err) { return torii_auth_require(native(), requirements.native(), err); });
    }

    /// Returns the user id, as auth::user_id() does, with text of its own.
    std::string user_id() const { return text(torii_auth_user_id).value_or(""); }
    /// Returns the id of the user's environment.
    std::string environment_id() const { return text(torii_auth_environment_id).value_or(""); }
    /// Returns the configured issuer that signed the token.
    std::string issuer() const { return text(torii_auth_issuer).value_or(""); }
    /// Returns the user's preferred locale.
    std::optional<std::string> locale() const { return text(torii_auth_locale); }
    /// Returns the id of the active organization.
    std::optional<std::string> organization_id() const { return text(torii_auth_organization_id); }
    /// Returns the user's role in the active organization; see auth::organization_role().
    std::optional<std::string> organization_role() const
    {
        return text(torii_auth_organization_role);
    }
    /// Returns the id of the party that acts as the user; see auth::actor_id().
    std::optional<std::string> actor_id() const { return text(torii_auth_actor_id); }
    /// Returns all claims as JSON, exactly as signed.
    std::string claims_json() const { return text(torii_auth_claims_json).value_or(""); }
    /// Returns whether `email_verified` is true.
    bool email_verified() const noexcept { return torii_auth_email_verified(native()); }
    /// Returns whether `profile_complete` is not false.
    bool profile_complete() const noexcept { return torii_auth_profile_complete(native()); }
    /// Returns whether another party acts as the user.
    bool impersonating() const noexcept { return torii_auth_impersonating(native()); }
    /// Returns the claim `iat`.
    time_point issued_at() const noexcept { return detail::time(torii_auth_issued_at(native())); }
    /// Returns the claim `exp`.
    time_point expires_at() const noexcept { return detail::time(torii_auth_expires_at(native())); }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    std::optional<std::string> text(const char *(*get)(const native_type *, std::size_t *)) const
    {
        return detail::kept(detail::lent(get, native()));
    }

    detail::handle<native_type, torii_auth_free> handle_;
};

} // namespace torii

#endif
