/* A call from Go into C costs about as much as looking up a token that was seen before, so that one
 * call does it all: judge, copy what was found into memory of Go's, free. */
#ifndef TORII_GO_SHIM_H
#define TORII_GO_SHIM_H

#include <stdint.h>
#include <string.h>
#include <torii.h>

#if TORII_ABI_VERSION != 0
#error "this version of the Go package is for ABI 0 of libtorii; torii.h is of another one"
#endif

typedef enum { GO_VERIFY, GO_VERIFY_NOWAIT, GO_AUTHENTICATE, GO_AUTHENTICATE_NOWAIT } go_how;

/* Handles are numbers here: Go need not look for pointers of its own among them. */
typedef struct {
    uintptr_t auth;  /* when the texts did not fit: to be given to go_read_auth() */
    uintptr_t error; /* when the answer is no */
    int64_t issued_at, expires_at;
    size_t user_id, environment_id, issuer, locale, claims; /* lengths, in this order in the buffer */
    bool has_locale, email_verified, profile_complete, impersonating;
} go_verdict;

static inline void go_read_auth(uintptr_t handle, char *buffer, size_t room, go_verdict *out)
{
    torii_auth_t *auth = (torii_auth_t *)handle;
    const char *user_id = torii_auth_user_id(auth, &out->user_id);
    const char *environment_id = torii_auth_environment_id(auth, &out->environment_id);
    const char *issuer = torii_auth_issuer(auth, &out->issuer);
    const char *locale = torii_auth_locale(auth, &out->locale);
    const char *claims = torii_auth_claims_json(auth, &out->claims);

    out->auth = handle;
    if (room < out->user_id + out->environment_id + out->issuer + out->locale + out->claims)
        return;
    memcpy(buffer, user_id, out->user_id);
    memcpy(buffer += out->user_id, environment_id, out->environment_id);
    memcpy(buffer += out->environment_id, issuer, out->issuer);
    buffer += out->issuer;
    if (locale != NULL)
        memcpy(buffer, locale, out->locale);
    memcpy(buffer += out->locale, claims, out->claims);
    out->has_locale = locale != NULL;
    out->email_verified = torii_auth_email_verified(auth);
    out->profile_complete = torii_auth_profile_complete(auth);
    out->impersonating = torii_auth_impersonating(auth);
    out->issued_at = torii_auth_issued_at(auth);
    out->expires_at = torii_auth_expires_at(auth);
    torii_auth_free(auth);
    out->auth = 0;
}

static inline void go_judge(uintptr_t handle, go_how how, const char *text, size_t text_len,
                            char *buffer, size_t room, go_verdict *out)
{
    const torii_verifier_t *verifier = (const torii_verifier_t *)handle;
    torii_auth_t *auth = NULL;
    torii_error_t *error = NULL;
    torii_status_t status = TORII_ERR_INTERNAL;

    switch (how) {
    case GO_VERIFY:
        status = torii_verify_token(verifier, text, text_len, &auth, &error);
        break;
    case GO_VERIFY_NOWAIT:
        status = torii_verify_token_nowait(verifier, text, text_len, &auth, &error);
        break;
    case GO_AUTHENTICATE:
        status = torii_verifier_authenticate(verifier, text, text_len, &auth, &error);
        break;
    case GO_AUTHENTICATE_NOWAIT:
        status = torii_verifier_authenticate_nowait(verifier, text, text_len, &auth, &error);
        break;
    }
    if (status == TORII_OK)
        go_read_auth((uintptr_t)auth, buffer, room, out);
    else
        out->error = (uintptr_t)error;
}

/* The same for a verifier whose clock is a function of Go's. */
static inline void go_judge_calling_back(uintptr_t handle, go_how how, const char *text,
                                         size_t text_len, char *buffer, size_t room,
                                         go_verdict *out)
{
    go_judge(handle, how, text, text_len, buffer, room, out);
}

static inline torii_error_t *go_error(uintptr_t handle)
{
    return (torii_error_t *)handle;
}

torii_status_t go_set_clock(torii_verifier_options_t *options, uintptr_t clock);

#endif
