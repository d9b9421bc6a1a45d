#ifndef TORII_REQUIREMENTS_HPP
#define TORII_REQUIREMENTS_HPP

#include "result.hpp"

namespace torii {

/// Conditions that a valid token must also meet: every token, as an option of a verifier, or that
/// of one call. All must hold; of several organizations, any one. An unmet requirement is
/// TORII_ERR_POLICY. A wrong value is reported when the requirements are used, and no token meets
/// them. Any number of threads may use the same requirements at once.
///
///     const auto admins = torii::requirements().flags(TORII_REQUIRE_NOT_IMPERSONATED)
///                                              .organization("org-1", "admin");
class requirements {
public:
    using native_type = torii_requirements_t;

    /// Creates empty requirements, which every valid token meets.
    requirements() noexcept = default;

    /// Requirements that were moved from let no token pass.
    requirements(requirements &&other) noexcept
        : handle_(std::move(other.handle_)),
          outcome_(std::exchange(other.outcome_, detail::moved_from("requirements")))
    { }
    requirements &operator=(requirements &&other) noexcept
    {
        handle_ = std::move(other.handle_);
        outcome_ = std::exchange(other.outcome_, detail::moved_from("requirements"));
        return *this;
    }

    /// Requires TORII_REQUIRE_… flags, combined with |.
    requirements &flags(std::uint32_t flags) & { return add(torii_requirements_add_flags, flags); }
    requirements flags(std::uint32_t flags) && { return std::move(this->flags(flags)); }

    /// Requires that the claim at the pointer (RFC 6901) equals `json`, a JSON string, number or
    /// boolean, or is an array that contains it.
    requirements &claim(std::string_view pointer, std::string_view json) &
    {
        return add(torii_requirements_add_claim, pointer.data(), pointer.size(), json.data(),
                   json.size());
    }
    requirements claim(std::string_view pointer, std::string_view json) &&
    {
        return std::move(claim(pointer, json));
    }

    /// Requires that this organization is active, in the given role, or another one that was
    /// added.
    requirements &organization(std::string_view id,
                               std::optional<std::string_view> role = std::nullopt) &
    {
        // The library takes an empty role for none, which any role would meet.
        if (role && role->empty()) {
            if (outcome_)
                outcome_ = error(TORII_ERR_INVALID_ARGUMENT, "role: empty (expected a name)");
            return *this;
        }
        return add(torii_requirements_add_organization, id.data(), id.size(),
                   role ? role->data() : nullptr, role ? role->size() : 0);
    }
    requirements organization(std::string_view id,
                              std::optional<std::string_view> role = std::nullopt) &&
    {
        return std::move(organization(id, role));
    }

    /// Returns whether nothing was added.
    bool empty() const noexcept { return !handle_ && outcome_; }

    /// Returns the first error of a wrong value, or success.
    const result<void> &outcome() const noexcept { return outcome_; }

    /// Returns the handle of the C API; NULL if nothing was added.
    const native_type *native() const noexcept { return handle_.get(); }

private:
    template <class Function, class... Value>
    requirements &add(Function function, Value... value)
    {
        if (!outcome_)
            return *this;
        if (!handle_)
            handle_.reset(torii_requirements_new());
        outcome_ = detail::act([&](auto err) { return function(handle_.get(), value..., err); });
        return *this;
    }

    detail::handle<native_type, torii_requirements_free> handle_;
    result<void> outcome_;
};

} // namespace torii

#endif
