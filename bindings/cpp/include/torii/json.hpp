#ifndef TORII_JSON_HPP
#define TORII_JSON_HPP

#include "result.hpp"

#include <new>

namespace torii {

/// A JSON text, and a way to read single values of it. A pointer is one of RFC 6901: "" for the
/// whole text, else "/member/0/member". Any number of threads may read one at once.
class json {
public:
    using native_type = torii_json_t;

    /// Takes over a handle of C's.
    explicit json(native_type *taken) noexcept : handle_(taken) { }

    /// The whole text.
    std::string_view text() const &noexcept
    {
        return detail::lent(torii_json_text, native()).value_or("");
    }
    std::string text() const && { return std::string(text()); }

    /// The string at the pointer. None when there is none, or when it holds U+0000; text() has it
    /// then.
    std::optional<std::string_view> string(std::string_view pointer) const &noexcept
    {
        return detail::lent(torii_json_string, native(), pointer.data(), pointer.size());
    }
    std::optional<std::string> string(std::string_view pointer) const &&
    {
        return detail::kept(string(pointer));
    }

    std::optional<std::int64_t> integer(std::string_view pointer) const noexcept
    {
        return read<std::int64_t>(torii_json_int, pointer);
    }

    std::optional<bool> boolean(std::string_view pointer) const noexcept
    {
        return read<bool>(torii_json_bool, pointer);
    }

    /// How many elements the array, or members the object, at the pointer has.
    std::optional<std::size_t> length(std::string_view pointer) const noexcept
    {
        return read<std::size_t>(torii_json_length, pointer);
    }

    /// Whether there is null at the pointer; nothing at all is not null.
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
