#ifndef TORII_JSON_HPP
#define TORII_JSON_HPP

#include "result.hpp"

#include <new>

namespace torii {

/// A JSON text, read value by value. A pointer follows RFC 6901: "" is the whole text, else
/// "/member/0/member". Any number of threads may read one at once.
class json {
public:
    using native_type = torii_json_t;

    /// Takes ownership of a handle of the C API.
    explicit json(native_type *taken) noexcept : handle_(taken) { }

    /// Returns the whole text.
    std::string_view text() const & noexcept
    {
        return detail::lent(torii_json_text, native()).value_or("");
    }
    std::string text() const && { return std::string(text()); }

    /// Returns the type of the value at the pointer, TORII_JSON_ABSENT if there is none.
    torii_json_type_t type(std::string_view pointer) const noexcept
    {
        return torii_json_type(native(), pointer.data(), pointer.size());
    }

    /// Returns the value at the pointer exactly as it stands in the text.
    std::optional<std::string_view> raw(std::string_view pointer) const & noexcept
    {
        return detail::lent(torii_json_raw, native(), pointer.data(), pointer.size());
    }
    std::optional<std::string> raw(std::string_view pointer) const &&
    {
        return detail::kept(raw(pointer));
    }

    /// Returns the string at the pointer, unescaped. Nothing if there is none, or if it contains
    /// U+0000; raw() returns it then.
    std::optional<std::string_view> string(std::string_view pointer) const & noexcept
    {
        return detail::lent(torii_json_string, native(), pointer.data(), pointer.size());
    }
    std::optional<std::string> string(std::string_view pointer) const &&
    {
        return detail::kept(string(pointer));
    }

    /// Returns the integer at the pointer.
    std::optional<std::int64_t> integer(std::string_view pointer) const noexcept
    {
        return read<std::int64_t>(torii_json_int, pointer);
    }

    /// Returns the number at the pointer, rounded to the nearest double.
    std::optional<double> number(std::string_view pointer) const noexcept
    {
        return read<double>(torii_json_double, pointer);
    }

    /// Returns the boolean at the pointer.
    std::optional<bool> boolean(std::string_view pointer) const noexcept
    {
        return read<bool>(torii_json_bool, pointer);
    }

    /// Returns how many elements the array, or members the object, at the pointer has.
    std::optional<std::size_t> length(std::string_view pointer) const noexcept
    {
        return read<std::size_t>(torii_json_length, pointer);
    }

    /// Returns whether the value at the pointer is null. An absent value is not null.
    bool is_null(std::string_view pointer) const noexcept
    {
        return torii_json_is_null(native(), pointer.data(), pointer.size());
    }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    template <class T>
    std::optional<T> read(torii_status_t (*get)(const native_type *, const char *, std::size_t, T *,
                                                torii_error_t **),
                          std::string_view pointer) const noexcept
    {
        T value{};
        if (get(native(), pointer.data(), pointer.size(), &value, nullptr) != TORII_OK)
            return std::nullopt;
        return value;
    }

    detail::handle<native_type, torii_json_free> handle_;
};

} // namespace torii

#endif
