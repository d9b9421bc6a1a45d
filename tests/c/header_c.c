/* The header needs nothing before it, may come twice, and in several parts of a program: this one
 * and header_cpp.cpp. Its version is that of the library. */
#include <torii.h>
#include <torii.h>

#include "check.h"

const char *header_cpp(void); /* in header_cpp.cpp */

/* Names of the Rust crate, not of C. */
#if defined(REQUIRE_EMAIL_VERIFIED) || defined(REQUIRE_PROFILE_COMPLETE) || \
    defined(REQUIRE_NOT_IMPERSONATED) || defined(REQUIRE_ORGANIZATION)
#error "torii.h defines names without a prefix"
#endif

_Static_assert(TORII_OK == 0, "success is 0");
_Static_assert(TORII_ERR_INTERNAL == 900, "the numbers of the statuses are part of the ABI");

static size_t length_of(const char *text, size_t length)
{
    return text[length] == '\0' ? length : 0;
}

int main(void)
{
    static const struct {
        torii_status_t status;
        uint32_t number;
        const char *name;
        uint32_t http;
    } statuses[] = {
#define STATUS(name, number, http) {name, number, #name, http}
        STATUS(TORII_OK, 0, 200),
        STATUS(TORII_ERR_INVALID_ARGUMENT, 1, 500),
        STATUS(TORII_ERR_INVALID_CONFIG, 2, 500),
        STATUS(TORII_ERR_BUFFER_TOO_SMALL, 3, 500),
        STATUS(TORII_ERR_TOKEN_MISSING, 100, 401),
        STATUS(TORII_ERR_TOKEN_SCHEME, 101, 401),
        STATUS(TORII_ERR_TOKEN_MALFORMED, 102, 401),
        STATUS(TORII_ERR_TOKEN_TOO_LARGE, 103, 401),
        STATUS(TORII_ERR_TOKEN_ALGORITHM, 104, 401),
        STATUS(TORII_ERR_TOKEN_KEY_UNKNOWN, 105, 401),
        STATUS(TORII_ERR_TOKEN_SIGNATURE, 106, 401),
        STATUS(TORII_ERR_TOKEN_EXPIRED, 107, 401),
        STATUS(TORII_ERR_TOKEN_NOT_YET_VALID, 108, 401),
        STATUS(TORII_ERR_TOKEN_ISSUER, 109, 401),
        STATUS(TORII_ERR_TOKEN_AUDIENCE, 110, 401),
        STATUS(TORII_ERR_TOKEN_CLAIM, 111, 401),
        STATUS(TORII_ERR_TOKEN_REVOKED, 112, 401),
        STATUS(TORII_ERR_TOKEN_LIFETIME, 113, 401),
        STATUS(TORII_ERR_POLICY, 150, 403),
        STATUS(TORII_ERR_KEYS_UNAVAILABLE, 200, 503),
        STATUS(TORII_ERR_KEYS_PENDING, 201, 503),
        STATUS(TORII_ERR_INTERNAL, 900, 500),
    };

    CHECK(torii_abi_version() == TORII_ABI_VERSION);
    CHECK_TEXT(torii_version(), TORII_EXPECT_VERSION);
    CHECK_TEXT(header_cpp(), torii_version());

    CHECK(length_of(TORII_STR("")) == 0);
    CHECK(length_of(TORII_STR("four")) == 4);
    CHECK(length_of(TORII_STR("a\0b")) == 3);

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        CHECK((uint32_t)statuses[i].status == statuses[i].number);
        CHECK_TEXT(torii_status_name(statuses[i].status), statuses[i].name);
        CHECK(torii_status_http(statuses[i].status) == statuses[i].http);
    }
    for (uint32_t number = 4; number < 100; number++) {
        CHECK_TEXT(torii_status_name(number), "TORII_ERR_UNKNOWN");
        CHECK(torii_status_http(number) == 500);
    }
    CHECK_TEXT(torii_status_name(UINT32_MAX), "TORII_ERR_UNKNOWN");
    CHECK(torii_status_http(UINT32_MAX) == 500);
    return 0;
}
