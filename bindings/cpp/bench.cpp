// The cost of verifying through torii.hpp and through torii.h: bench ISSUER TOKEN JWKS
#include <torii.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

/// Returns the microseconds of a call: the best of several runs, the one least disturbed.
template <class Function>
double time(Function function)
{
    using clock = std::chrono::steady_clock;
    double best = 1e9;
    for (int run = 0; run < 20; run++) {
        int calls = 0;
        const auto start = clock::now();
        auto now = start;
        for (; now - start < std::chrono::milliseconds(20); now = clock::now())
            for (int i = 0; i < 16; i++, calls++)
                if (!function())
                    std::abort();
        best =
            std::min(best, std::chrono::duration<double, std::micro>(now - start).count() / calls);
    }
    return best;
}

void compare(const char *what, const torii::verifier &verifier, std::string_view token)
{
    const double c = time([&] {
        alignas(8) unsigned char record[1024];
        return torii_verify_into(verifier.native(), token.data(), token.size(), 0, nullptr, record,
                                 sizeof record, nullptr, nullptr)
            == TORII_OK;
    });
    const double cpp = time([&] {
        const auto auth = verifier.verify(token, std::nothrow);
        return auth && !auth->user_id().empty();
    });
    std::printf("%-9s %10.3f %10.3f %8.2fx\n", what, c, cpp, cpp / c);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    torii::verifier_options options;
    options.jwks_json(argv[3]);
    std::printf("%-9s %10s %10s %9s\n", "token", "C µs", "C++ µs", "ratio");
    compare("known", torii::verifier(argv[1], options), argv[2]);
    compare("cold", torii::verifier(argv[1], options.token_cache_bytes(0)), argv[2]);
}
