// The checks of every test: print what failed, and where, and exit with 1.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <torii.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_failed(__FILE__, __LINE__, #condition);                                          \
    } while (0)

// A test, which main() runs.
#define TEST(name)                                                                                 \
    static void name();                                                                            \
    static const bool name##_is_listed = (tests().push_back({#name, name}), true);                 \
    static void name()

// The result is this error, and its message contains this text.
#define CHECK_FAILS(result, wanted, about)                                                         \
    do {                                                                                           \
        const auto &checked_ = (result);                                                           \
        if (checked_)                                                                              \
            check_failed(__FILE__, __LINE__, #result " succeeds");                                 \
        check_error(__FILE__, __LINE__, #result, checked_.error(), (wanted), (about));             \
    } while (0)

struct test {
    const char *name;
    void (*run)();
};

inline std::vector<test> &tests()
{
    static std::vector<test> all;
    return all;
}

[[noreturn]] inline void check_failed(const char *file, int line, const std::string &what)
{
    std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what.c_str());
    std::exit(1);
}

inline void check_error(const char *file, int line, const std::string &call,
                        const torii::error &error, torii::status wanted, const std::string &about)
{
    if (error.status() != wanted)
        check_failed(file, line,
                     call + " gives " + std::string(torii::status_name(error.status())) + ", not "
                         + std::string(torii::status_name(wanted)) + ": " + error.what());
    if (std::string(error.what()).find(about) == std::string::npos)
        check_failed(file, line, call + ": \"" + error.what() + "\" says \"" + about + "\"");
}

// Returns the value, or fails with the error.
template <class T>
T must(torii::result<T> result)
{
    if (!result)
        check_failed("", 0, result.error().what());
    if constexpr (!std::is_void_v<T>)
        return std::move(*result);
}

#endif
