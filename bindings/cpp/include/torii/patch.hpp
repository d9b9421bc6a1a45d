#ifndef TORII_PATCH_HPP
#define TORII_PATCH_HPP

#include "result.hpp"

#include <new>

namespace torii {

/// A JSON object built field by field: a field has a value, is null, or is absent. It converts to
/// the std::string_view of a body.
///
///     client.users().update(id, torii::patch().set("firstName", "Ada").clear("lastName"));
class patch {
public:
    patch() : handle_(torii_patch_new()) { }

    /// Sets a field to a string, an integer or a boolean.
    template <class T>
    patch &set(std::string_view name, const T &value)
    {
        return set(name, value, std::nothrow).value(), *this;
    }
    template <class T>
    result<void> set(std::string_view name, const T &value, std::nothrow_t)
    {
        if constexpr (std::is_same_v<T, bool>)
            return call(torii_patch_set_bool, name, value);
        else if constexpr (std::is_integral_v<T> && std::is_unsigned_v<T> && sizeof(T) == 8)
            return set_json(name, std::to_string(value), std::nothrow);
        else if constexpr (std::is_integral_v<T>)
            return call(torii_patch_set_int, name, static_cast<std::int64_t>(value));
        else {
            const std::string_view text(value);
            return call(torii_patch_set_string, name, text.data(), text.size());
        }
    }

    /// Sets a field to a JSON value.
    patch &set_json(std::string_view name, std::string_view json)
    {
        return set_json(name, json, std::nothrow).value(), *this;
    }
    result<void> set_json(std::string_view name, std::string_view json, std::nothrow_t)
    {
        return call(torii_patch_set_json, name, json.data(), json.size());
    }

    /// Clears a field: it is sent as null.
    patch &clear(std::string_view name) { return clear(name, std::nothrow).value(), *this; }
    result<void> clear(std::string_view name, std::nothrow_t)
    {
        return call(torii_patch_set_null, name);
    }

    /// Leaves a field alone: it is not sent.
    patch &unset(std::string_view name) { return unset(name, std::nothrow).value(), *this; }
    result<void> unset(std::string_view name, std::nothrow_t)
    {
        return call(torii_patch_unset, name);
    }

    /// Returns the object as JSON, valid until the patch changes.
    std::string_view json() const noexcept
    {
        std::size_t length = 0;
        const char *text = torii_patch_json(handle_.get(), &length);
        return {text, text == nullptr ? 0 : length};
    }
    /// Converts to the object as JSON, as json() returns it.
    operator std::string_view() const noexcept { return json(); }

private:
    template <class Function, class... Value>
    result<void> call(Function function, std::string_view name, Value... value)
    {
        return detail::act([&](auto err) {
            return function(handle_.get(), name.data(), name.size(), value..., err);
        });
    }

    detail::handle<torii_patch_t, torii_patch_free> handle_;
};

} // namespace torii

#endif
