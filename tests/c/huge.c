/* Input that is too long or too deep is refused, and costs little memory. Every byte is
 * counted that the library asks for, not only what is in use at one time.
 *
 * With the argument "uncounted" only the results are checked: under valgrind, which has an
 * allocator of its own. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>

#include "check.h"
#include "emulator.h"

enum { KIB = 1024, LONGEST = 16 * KIB };

/* Bytes asked for so far; there is one thread. Volatile, since compilers know that malloc changes
 * no variable of this program. */
static volatile size_t allocated;

#ifdef __SANITIZE_ADDRESS__

int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                              void (*)(const volatile void *));

static void count(const volatile void *memory, size_t size)
{
    (void)memory;
    allocated += size;
}

static void ignore(const volatile void *memory)
{
    (void)memory;
}

static void start_counting(void)
{
    CHECK(__sanitizer_install_malloc_and_free_hooks(count, ignore) != 0);
}

#else

/* glibc's own allocator, behind the names that all code calls. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

void *malloc(size_t size)
{
    allocated += size;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocated += count * size;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    allocated += size;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    allocated += size;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocated += size;
    *memory = __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}

void free(void *memory)
{
    __libc_free(memory);
}

static void start_counting(void) {}

#endif

static bool counted = true;

/* The text, repeated. */
static char *repeat(const char *text, size_t times)
{
    size_t length = strlen(text);
    char *all = malloc(length * times + 1);

    CHECK(all != NULL);
    for (size_t i = 0; i < times; i++)
        memcpy(all + i * length, text, length);
    all[length * times] = '\0';
    return all;
}

/* The texts one after the other; they are freed. */
static char *join(char *first, char *second)
{
    char *both = malloc(strlen(first) + strlen(second) + 1);

    CHECK(both != NULL);
    strcpy(both, first);
    strcat(both, second);
    free(first);
    free(second);
    return both;
}

static char *base64url(char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strlen(text);
    char *encoded = malloc(length / 3 * 4 + 4), *end = encoded;

    CHECK(encoded != NULL);
    for (size_t i = 0; i < length; i += 3) {
        unsigned long bits = (unsigned long)(unsigned char)text[i] << 16;
        size_t left = length - i;
        if (left > 1)
            bits |= (unsigned long)(unsigned char)text[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)text[i + 2];
        *end++ = digits[bits >> 18];
        *end++ = digits[bits >> 12 & 63];
        if (left > 1)
            *end++ = digits[bits >> 6 & 63];
        if (left > 2)
            *end++ = digits[bits & 63];
    }
    *end = '\0';
    free(text);
    return encoded;
}

/* A token with this header; or with this payload, a valid header, and an impossible signature. */
static char *with_header(char *header)
{
    return join(base64url(header), repeat(".e30.AAAA", 1));
}

static char *with_payload(char *payload)
{
    char *header = base64url(repeat("{\"alg\":\"ES256\",\"kid\":\"a\"}", 1));
    char *signature = join(repeat(".", 1), repeat("A", 86)); /* 64 bytes */
    return join(join(join(header, repeat(".", 1)), base64url(payload)), signature);
}

/* Checks that the text, which is freed, is refused, and that at most `limit` bytes are allocated. */
static void refuse(const torii_verifier_t *verifier, verify_function *function, char *text,
                   torii_status_t status, size_t most)
{
    const size_t length = strlen(text);

    if (length <= LONGEST)
        most += length; /* a token is copied before it is read */
    for (int again = 0; again < 2; again++) {
        torii_auth_t *auth = GARBAGE;
        torii_error_t *error = NULL;
        size_t before = allocated;
        torii_status_t got = function(verifier, text, length, &auth, &error);
        size_t taken = allocated - before;
        if (got != status)
            check_failed(__FILE__, __LINE__,
                         "%zu bytes that begin with \"%.40s\" are %s, not %s: %s", length,
                         text, torii_status_name(got), torii_status_name(status),
                         error ? torii_error_message(error, NULL) : "accepted");
        CHECK(auth == NULL);
        torii_error_free(error);
        if (counted && (taken == 0 || taken > most))
            check_failed(__FILE__, __LINE__, "%zu bytes that begin with \"%.40s\" cost %zu bytes, "
                         "at most %zu", length, text, taken, most);
    }
    free(text);
}

#define REFUSED(text, status, most) refuse(verifier, torii_verify_token, text, status, most)
#define HEADER_REFUSED(text, status, most) \
    refuse(verifier, torii_verifier_authenticate, text, status, most)

static void keys_are_refused(char *keys, size_t most)
{
    torii_verifier_options_t *options = new_options();
    torii_error_t *error = NULL;
    size_t before = allocated;

    torii_status_t status =
        torii_verifier_options_set_jwks_json(options, keys, strlen(keys), &error);
    CHECK(!counted || allocated - before <= most);
    check_status(__FILE__, __LINE__, "a huge key set", status, TORII_ERR_INVALID_ARGUMENT, error);
    torii_error_free(error);
    torii_verifier_options_free(options);
    free(keys);
}

int main(int argc, char **argv)
{
    /* An error is small; for a token that is read, all its copies are a small multiple of it. */
    const size_t error = KIB, some = 2 * LONGEST, many = 16 * LONGEST;
    const torii_status_t malformed = TORII_ERR_TOKEN_MALFORMED, large = TORII_ERR_TOKEN_TOO_LARGE;
    torii_verifier_options_t *options = new_options();
    char body[64 + LONGEST];

    CHECK(argc == 2 || (argc == 3 && strcmp(argv[2], "uncounted") == 0));
    counted = argc == 2;
    start_counting();
    size_t before = allocated;
    char *volatile mine = repeat("x", 1000); /* volatile: the compiler must not leave it out */
    CHECK(counted == (allocated - before == 1001));
    free(mine);
    before = allocated;
    torii_verifier_options_free(new_options());
    CHECK(counted == (allocated > before)); /* the library's are counted */

    char *issuer = new_issuer(argv[1], "huge"), *keys = published_keys(issuer);
    CHECK_OK(torii_verifier_options_set_jwks_json(options, keys, strlen(keys), err));
    torii_verifier_t *verifier = new_verifier(issuer, options);
    char *card = tell("GET", argv[1], "/issuers/huge", ""), *kid = member(card, "kid");

    REFUSED(repeat("", 0), TORII_ERR_TOKEN_MISSING, error);
    REFUSED(repeat("A", LONGEST + 1), large, error);
    REFUSED(repeat("A", 10 * 1000 * KIB), large, error);
    REFUSED(repeat(".", 200000), large, error);
    REFUSED(repeat(".", LONGEST), malformed, error);
    REFUSED(repeat("A", LONGEST), malformed, error);
    REFUSED(repeat("a.", LONGEST / 2), malformed, error);
    REFUSED(join(repeat("=", LONGEST - 2), repeat("..", 1)), malformed, some);
    REFUSED(join(repeat("A", LONGEST - 4), repeat("A..", 1)), malformed, some);

    /* 20,000 arrays do not fit; 12,000 do. */
    REFUSED(with_header(join(repeat("{\"a\":", 1), repeat("[", 20000))), large, error);
    REFUSED(with_payload(join(repeat("{\"a\":", 1), repeat("[", 20000))), large, error);
    REFUSED(with_header(join(repeat("{\"a\":", 1), repeat("[", 12000))), malformed, some);
    REFUSED(with_payload(join(repeat("{\"a\":", 1), repeat("[", 12000))), malformed, some);
    REFUSED(with_header(repeat("{\"a\":", 3270)), large, error);
    REFUSED(with_header(repeat("{\"a\":", 2400)), malformed, some);
    REFUSED(with_payload(repeat("{\"a\":", 2400)), malformed, some);

    /* Strings without an end, blanks without an end, escapes, names and more names. */
    REFUSED(with_header(join(repeat("{\"", 1), repeat("a", 12000))), malformed, some);
    REFUSED(with_payload(join(repeat("{\"", 1), repeat("a", 12000))), malformed, some);
    REFUSED(with_header(repeat(" ", 12000)), malformed, some);
    REFUSED(with_header(join(repeat("{\"", 1), repeat("\\u0041", 2000))), malformed, many);
    REFUSED(with_payload(join(repeat("{\"", 1), repeat("\\ud83d\\ude00", 1000))), malformed, many);
    REFUSED(with_header(join(repeat("{", 1), repeat("\"a\":0,", 2000))), malformed, many);
    REFUSED(with_payload(join(join(repeat("{", 1), repeat("\"\":0,", 2300)), repeat("\"\":0}", 1))),
            malformed, many);
    REFUSED(with_payload(join(join(repeat("{\"a\":[", 1), repeat("{},", 4000)), repeat("0]}", 1))),
            TORII_ERR_TOKEN_ISSUER, many);
    REFUSED(with_header(join(join(repeat("{\"alg\":\"ES256\",\"kid\":\"", 1), repeat("k", 12000)),
                             repeat("\"}", 1))),
            malformed, 2 * some);

    /* In order, but for what they say. */
    REFUSED(with_payload(join(join(repeat("{\"iss\":\"", 1), repeat("/", 12000)),
                              repeat("\"}", 1))),
            TORII_ERR_TOKEN_ISSUER, 2 * some);
    snprintf(body, sizeof body, "{\"iss\":\"%s", issuer);
    REFUSED(with_payload(join(join(repeat(body, 1), repeat("/", 11000)), repeat("\"}", 1))),
            TORII_ERR_TOKEN_KEY_UNKNOWN, 2 * some);
    char *digits = repeat("1", 10000);
    snprintf(body, sizeof body, "{\"claims\":{\"sub\":\"%s\"},\"now_offset\":-1000}", digits);
    REFUSED(mint(argv[1], "huge", body), TORII_ERR_TOKEN_EXPIRED, 2 * some);
    snprintf(body, sizeof body,
             "{\"raw_payload\":\"{\\\"iss\\\":\\\"%s\\\",\\\"sub\\\":\\\"a\\\","
             "\\\"pid\\\":\\\"b\\\",\\\"iat\\\":1,\\\"exp\\\":%s}\"}",
             issuer, digits);
    REFUSED(mint(argv[1], "huge", body), malformed, 2 * some);

    /* Good, as long as can be, and again: from memory. */
    snprintf(body, sizeof body, "{\"claims\":{\"name\":\"%s\"}}", digits);
    char *token = mint(argv[1], "huge", body);
    before = allocated;
    ACCEPT(verifier, token);
    CHECK(!counted || allocated - before <= many);
    before = allocated;
    ACCEPT(verifier, token);
    CHECK(!counted || allocated - before <= error);
    free(token);
    free(digits);

    HEADER_REFUSED(repeat(" ", 1000 * KIB), TORII_ERR_TOKEN_MISSING, error);
    HEADER_REFUSED(join(repeat("Bearer", 1), repeat(" ", 1000 * KIB)), TORII_ERR_TOKEN_MISSING,
                   error);
    HEADER_REFUSED(repeat("Bearer", 100 * KIB), TORII_ERR_TOKEN_SCHEME, error);
    HEADER_REFUSED(join(repeat("Bearer ", 1), repeat("A", 1000 * KIB)), large, error);

    keys_are_refused(repeat(" ", 256 * KIB + 1), error);
    keys_are_refused(join(repeat("{\"keys\":[", 1), repeat("[", 200 * KIB)), error);
    keys_are_refused(join(repeat("{\"keys\":", 1), repeat("{\"a\":", 40 * KIB)), error);
    keys_are_refused(join(repeat("{\"keys\":[{}", 1), repeat(",{}", 80 * KIB)), error);
    keys_are_refused(join(repeat("{\"keys\":[", 1), repeat("{\"kty\":\"EC\"},", 10 * KIB)), error);

    torii_verifier_free(verifier);
    free(kid);
    free(card);
    free(keys);
    free(issuer);
    return 0;
}
