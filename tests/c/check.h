/* Checks for the test programs. A failed one prints its condition and place, and exits with 1. */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <torii.h>

/* Something no function may leave in an out-pointer. */
#define GARBAGE ((void *)0x5a5a)

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            check_failed(__FILE__, __LINE__, "%s", #condition); \
    } while (0)

/* The text is this one, to the byte. */
#define CHECK_TEXT(got, wanted) check_text(__FILE__, __LINE__, #got, (got), (wanted))

/* The call, whose last argument is `err`, succeeds, and sets the error to NULL. */
#define CHECK_OK(call) \
    do { \
        torii_error_t *error_ = GARBAGE, **err = &error_; \
        uint32_t status_ = (call); \
        check_status(__FILE__, __LINE__, #call, status_, TORII_OK, error_); \
        CHECK(error_ == NULL); \
    } while (0)

/* The call, whose last argument is `err`, fails with this status, and its message contains `about`. */
#define CHECK_FAILS_ONCE(status, about, call) \
    do { \
        torii_error_t *error_ = GARBAGE, **err = &error_; \
        uint32_t status_ = (call); \
        check_status(__FILE__, __LINE__, #call, status_, (status), error_); \
        check_error(__FILE__, __LINE__, #call, error_, (status), (about)); \
    } while (0)

/* As above; the call is made a second time without `err`. */
#define CHECK_FAILS(status, about, call) \
    do { \
        torii_error_t **err = NULL; \
        CHECK_FAILS_ONCE(status, about, call); \
        check_status(__FILE__, __LINE__, #call, (call), (status), NULL); \
    } while (0)

static inline void check_failed(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: does not hold: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static inline void check_text(const char *file, int line, const char *what, const char *got,
                              const char *wanted)
{
    if (got == NULL || wanted == NULL ? got != wanted : strcmp(got, wanted) != 0)
        check_failed(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)",
                     wanted ? wanted : "(null)");
}

static inline void check_status(const char *file, int line, const char *call, uint32_t got,
                                uint32_t wanted, const torii_error_t *error)
{
    if (got != wanted)
        check_failed(file, line, "%s gives %s, not %s%s%s", call, torii_status_name(got),
                     torii_status_name(wanted), error && got != TORII_OK ? ": " : "",
                     error && got != TORII_OK ? torii_error_message(error, NULL) : "");
}

/* Looks at an error from all sides, then frees it. */
static inline void check_error(const char *file, int line, const char *call, torii_error_t *error,
                               uint32_t status, const char *about)
{
    size_t length = 0;
    const char *message = torii_error_message(error, &length);

    if (error == NULL || error == GARBAGE)
        check_failed(file, line, "%s gives no error", call);
    if (torii_error_status(error) != status)
        check_failed(file, line, "%s: the error's status is that of the call", call);
    if (length == 0 || strlen(message) != length || strpbrk(message, "\r\n") != NULL)
        check_failed(file, line, "%s: \"%s\" is one line, as long as is said", call, message);
    if (strstr(message, about) == NULL)
        check_failed(file, line, "%s: \"%s\" says \"%s\"", call, message, about);
    if (torii_error_retry_after(error) != -1 && torii_error_retry_after(error) < 1)
        check_failed(file, line, "%s: a pause is of a second or more", call);
    torii_error_free(error);
}

/* torii_verify_token() and its like. */
typedef torii_status_t verify_function(const torii_verifier_t *, const char *, size_t, torii_auth_t **,
                             torii_error_t **);

#define ACCEPT(verifier, token) accept_with(torii_verify_token, verifier, token)
#define ACCEPT_NOWAIT(verifier, token) accept_with(torii_verify_token_nowait, verifier, token)

/* The token is refused with this status, and the message contains `about`. */
#define REFUSE(verifier, token, status, about) \
    REFUSE_WITH(torii_verify_token, verifier, token, status, about)
#define REFUSE_NOWAIT(verifier, token, status, about) \
    REFUSE_WITH(torii_verify_token_nowait, verifier, token, status, about)
#define REFUSE_WITH(function, verifier, token, status, about) \
    REFUSE_BY(CHECK_FAILS, function, verifier, token, status, about)
/* As REFUSE_WITH; called once, where a second call may be late: a pause has ended. */
#define REFUSE_ONCE(function, verifier, token, status, about) \
    REFUSE_BY(CHECK_FAILS_ONCE, function, verifier, token, status, about)
#define REFUSE_BY(check, function, verifier, token, status, about) \
    do { \
        torii_auth_t *auth_ = GARBAGE; \
        check(status, about, function(verifier, token, strlen(token), &auth_, err)); \
        CHECK(auth_ == NULL); \
    } while (0)

/* With time for a fetch on a busy machine, under valgrind too. */
static inline torii_verifier_options_t *new_options(void)
{
    torii_verifier_options_t *options = torii_verifier_options_new();
    CHECK(options != NULL);
    CHECK(torii_verifier_options_set_fetch_timeout_ms(options, 60000, NULL) == TORII_OK);
    return options;
}

/* Of a host that fetches by itself. */
static inline torii_verifier_options_t *host_options(void)
{
    torii_verifier_options_t *options = new_options();
    CHECK(torii_verifier_options_set_background_refresh(options, false, NULL) == TORII_OK);
    return options;
}

/* Frees the options; NULL stands for new_options(). */
static inline torii_verifier_t *new_verifier(const char *issuer, torii_verifier_options_t *options)
{
    torii_verifier_t *verifier = GARBAGE;
    if (options == NULL)
        options = new_options();
    CHECK_OK(torii_verifier_new(issuer, strlen(issuer), options, &verifier, err));
    CHECK(verifier != NULL && verifier != GARBAGE);
    torii_verifier_options_free(options);
    return verifier;
}

static inline void accept_with(verify_function *function, const torii_verifier_t *verifier,
                               const char *token)
{
    torii_auth_t *auth = GARBAGE;
    CHECK_OK(function(verifier, token, strlen(token), &auth, err));
    CHECK(torii_auth_user_id(auth, NULL) != NULL);
    torii_auth_free(auth);
}

/* The integer that is there in statistics. */
static inline int64_t stat_of(const torii_verifier_t *verifier, const char *pointer)
{
    torii_json_t *stats = NULL;
    int64_t number = -1;

    CHECK_OK(torii_verifier_stats_json(verifier, &stats, err));
    if (torii_json_int(stats, pointer, strlen(pointer), &number, NULL) != TORII_OK)
        check_failed(__FILE__, __LINE__, "an integer at %s in %s", pointer,
                     torii_json_text(stats, NULL));
    torii_json_free(stats);
    return number;
}

/* Ends a child as another program: it cannot free its parent's memory, and a leak checker would object. */
static inline void leave_child(void)
{
    execlp("true", "true", (char *)NULL);
    _exit(1);
}

#endif
