#ifndef TORII_RESULT_HPP
#define TORII_RESULT_HPP

#include "error.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace torii {

/// A value or an error, as std::expected is in C++23.
template <class T>
class [[nodiscard]] result {
public:
    /// The type of the value.
    using value_type = T;

    /// A success with this value.
    result(T value) : state_(std::in_place_index<0>, std::move(value)) { }
    /// A failure.
    result(torii::error error) : state_(std::in_place_index<1>, std::move(error)) { }

    /// Returns whether there is a value.
    bool has_value() const noexcept { return state_.index() == 0; }
    /// Returns whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }

    /// Returns the value. Throws the error if there is none.
    T &value() & { return checked(), **this; }
    /// Returns the value. Throws the error if there is none.
    const T &value() const & { return checked(), **this; }
    T &&value() && { return checked(), std::move(**this); }

    /// Returns the value. Undefined without one.
    T &operator*() noexcept { return *std::get_if<0>(&state_); }
    /// Returns the value. Undefined without one.
    const T &operator*() const noexcept { return *std::get_if<0>(&state_); }
    /// Reaches a member of the value. Undefined without one.
    T *operator->() noexcept { return std::get_if<0>(&state_); }
    /// Reaches a member of the value. Undefined without one.
    const T *operator->() const noexcept { return std::get_if<0>(&state_); }

    /// Returns the error. Undefined without one.
    const torii::error &error() const noexcept { return *std::get_if<1>(&state_); }

private:
    void checked() const
    {
        if (!has_value())
            detail::raise(error());
    }

    std::variant<T, torii::error> state_;
};

/// Success or an error.
template <>
class [[nodiscard]] result<void> {
public:
    /// There is no value.
    using value_type = void;

    /// A success.
    result() = default;
    /// A failure.
    result(torii::error error) : error_(std::move(error)) { }

    /// Returns whether there is no error.
    bool has_value() const noexcept { return !error_; }
    /// Returns whether there is no error.
    explicit operator bool() const noexcept { return has_value(); }

    /// Throws the error if there is one.
    void value() const
    {
        if (error_)
            detail::raise(*error_);
    }

    /// Returns the error. Undefined without one.
    const torii::error &error() const noexcept { return *error_; }

private:
    std::optional<torii::error> error_;
};

namespace detail {

/// Frees a handle with the function of its type.
template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T *handle) const noexcept
    {
        Free(handle);
    }
};

template <class T, auto Free>
using handle = std::unique_ptr<T, freed_by<Free>>;

/// Makes a call of the C API that returns nothing but an error.
template <class Call>
result<void> act(Call call)
{
    torii_error_t *error = nullptr;
    if (call(&error) != TORII_OK)
        return torii::error(error);
    return {};
}

/// Makes a call of the C API that returns a handle, which T owns.
template <class T, class Call>
result<T> make(Call call)
{
    typename T::native_type *out = nullptr;
    torii_error_t *error = nullptr;
    if (call(&out, &error) != TORII_OK)
        return torii::error(error);
    return T(out);
}

/// Returns a text that belongs to a handle; nothing for NULL.
template <class Get, class... Arguments>
std::optional<std::string_view> lent(Get get, Arguments... arguments) noexcept
{
    std::size_t length = 0;
    const char *text = get(arguments..., &length);
    if (text == nullptr)
        return std::nullopt;
    return std::string_view(text, length);
}

/// Copies such a text, where the handle is a temporary.
inline std::optional<std::string> kept(std::optional<std::string_view> text)
{
    if (!text)
        return std::nullopt;
    return std::string(*text);
}

/// The state of an object that was moved from.
inline result<void> moved_from(const char *what)
{
    return error(TORII_ERR_INVALID_ARGUMENT, std::string(what) + ": used after a move");
}

/// Returns a duration in whole units, rounded up. One that does not fit becomes a value that the
/// library refuses.
template <class Unit, class Rep, class Period>
std::uint32_t count(std::chrono::duration<Rep, Period> duration) noexcept
{
    const std::int64_t n = std::chrono::ceil<Unit>(duration).count();
    return n < 0 || n > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(n);
}

/// Returns a time in Unix seconds as a time point, clamped to what a time point can hold.
inline std::chrono::system_clock::time_point time(std::int64_t count) noexcept
{
    using std::chrono::seconds;
    using time_point = std::chrono::system_clock::time_point;
    constexpr auto end = std::chrono::duration_cast<seconds>(time_point::duration::max());
    return time_point(std::clamp(seconds(count), -end, end));
}

/// Returns an error if the loaded library has another ABI than torii.h.
inline result<void> check_abi()
{
    const std::uint32_t loaded = torii_abi_version();
    if (loaded == TORII_ABI_VERSION)
        return {};
    return error(TORII_ERR_INVALID_CONFIG,
                 "libtorii " + std::string(torii_version()) + ": has ABI " + std::to_string(loaded)
                     + " (expected ABI " + std::to_string(TORII_ABI_VERSION)
                     + "); install the libtorii the program was compiled with, or recompile it");
}

} // namespace detail
} // namespace torii

#endif
