// The other part of header_c.c, in C++.
#include <torii.h>
#include <torii.h>

#if TORII_ABI_VERSION != 0
#error "the header's ABI"
#endif

extern "C" const char *header_cpp(void);

static size_t length_of(const char *text, size_t length)
{
    return text[length] == '\0' ? length : 0;
}

extern "C" const char *header_cpp(void)
{
    const torii_status_t status = TORII_ERR_TOKEN_EXPIRED;
    const bool fine = length_of(TORII_STR("four")) == 4 && torii_status_http(status) == 401
                      && torii_abi_version() == TORII_ABI_VERSION;
    return fine ? torii_version() : "not this library";
}
