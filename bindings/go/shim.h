/* A call from Go into C costs about as much as a lookup in the token cache, so one call does it all. */
#ifndef TORII_GO_SHIM_H
#define TORII_GO_SHIM_H

#include <stdint.h>
#include <torii.h>

#if TORII_ABI_VERSION != 0
#error "this version of the Go package is for ABI 0 of libtorii; torii.h is of another one"
#endif

/* The results of torii_verify_into() beside the record. The error is a number here: Go need not look for
 * pointers of its own in it. */
typedef struct {
    size_t size;
    uintptr_t error;
} go_outcome;

static inline torii_status_t go_verify_into(const torii_verifier_t *verifier, const char *text,
                                            size_t text_len, uint32_t how,
                                            const torii_requirements_t *requirements, uint64_t *record,
                                            size_t room, go_outcome *out)
{
    torii_error_t *error = NULL;
    torii_status_t status = torii_verify_into(verifier, text, text_len, how, requirements, record, room,
                                              &out->size, &error);
    out->error = (uintptr_t)error;
    return status;
}

/* The same for a verifier whose clock is a Go function. */
static inline torii_status_t
go_verify_into_calling_back(const torii_verifier_t *verifier, const char *text, size_t text_len,
                            uint32_t how, const torii_requirements_t *requirements, uint64_t *record,
                            size_t room, go_outcome *out)
{
    return go_verify_into(verifier, text, text_len, how, requirements, record, room, out);
}

typedef struct {
    const char *start;
    size_t len;
} go_text;

/* Everything an error says; its texts are valid until it is freed. */
typedef struct {
    uint32_t status, http_status;
    int64_t retry_after;
    bool unsent;
    go_text message, public_code, public_message, www_authenticate, issuer, code, support_id, body;
} go_error;

static inline void go_read_error(uintptr_t handle, go_error *out)
{
    const torii_error_t *error = (const torii_error_t *)handle;
    out->status = torii_error_status(error);
    out->http_status = torii_error_http_status(error);
    out->retry_after = torii_error_retry_after(error);
    out->unsent = torii_error_unsent(error);
    out->message.start = torii_error_message(error, &out->message.len);
    out->public_code.start = torii_error_public_code(error, &out->public_code.len);
    out->public_message.start = torii_error_public_message(error, &out->public_message.len);
    out->www_authenticate.start = torii_error_www_authenticate(error, &out->www_authenticate.len);
    out->issuer.start = torii_error_issuer(error, &out->issuer.len);
    out->code.start = torii_error_code(error, &out->code.len);
    out->support_id.start = torii_error_support_id(error, &out->support_id.len);
    out->body.start = torii_error_body(error, &out->body.len);
}

static inline void go_free_error(uintptr_t handle)
{
    torii_error_free((torii_error_t *)handle);
}

torii_status_t go_set_clock(torii_verifier_options_t *options, uintptr_t clock, torii_error_t **err);

#endif
