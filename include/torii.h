/*
 * libtorii: trust torii's logins.
 *
 * torii (https://torii.so) signs a JSON Web Token for each login of an end user. This library tells
 * whether a token is good and whom it is about, without a request per token:
 *
 *     #include <stdio.h>
 *     #include <string.h>
 *     #include <torii.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         torii_verifier_t *verifier = NULL;
 *         torii_auth_t *auth = NULL;
 *         torii_error_t *error = NULL;
 *
 *         if (argc == 3
 *             && torii_verifier_new(argv[1], strlen(argv[1]), NULL, &verifier, &error) == TORII_OK
 *             && torii_verify_token(verifier, argv[2], strlen(argv[2]), &auth, &error) == TORII_OK)
 *             printf("user %s\n", torii_auth_user_id(auth, NULL));
 *         else
 *             fprintf(stderr, "%s\n", error ? torii_error_message(error, NULL) : "usage");
 *
 *         torii_error_free(error);
 *         torii_auth_free(auth);
 *         torii_verifier_free(verifier);
 *     }
 *
 * Ownership. Every handle that a function gives through an out-pointer or returns from a `_new` is
 * the caller's, who frees it with the `_free` of its type; `_free(NULL)` does nothing. Whatever goes
 * in is copied, or not needed after the call. Text that comes out is borrowed from the handle it was
 * asked of and lives as long as that; it ends with NUL, and its length can be asked for too. Never
 * call free() on anything from this library.
 *
 * Text goes in as pointer and length, and may hold anything; NULL is allowed with length 0.
 * TORII_STR("literal") stands for both arguments.
 *
 * Errors. What can fail returns a torii_status_t, TORII_OK on success. The last argument `err` may
 * be NULL; otherwise it is set to NULL on success and to an error of the caller's on failure,
 * whatever it held before. Nothing else is written on failure, but that out-pointers are set to
 * NULL, 0 or false. There is no "last error" anywhere: not per thread, not per handle.
 *
 * Threads. A function that takes a `const T *` may run at the same time on any number of threads
 * with the same handle; one that takes a `T *`, every `_free` too, needs it to itself. No function is
 * called back from a thread of this library.
 *
 * Blocking. A function whose name ends in `_nowait` does no I/O and waits for nobody who does.
 *
 * fork(). Handles made before work in the child, with the keys the parent had. The child waits for
 * no lock and uses no socket of the parent's.
 *
 * Guest manners. No signal handler, no global logger, no environment variable, nothing printed but
 * what Rust prints of a defect; no thread and no socket before a call that needs one. A defect of
 * this library ends as TORII_ERR_INTERNAL, never as the end of the process. Once loaded, the library
 * stays loaded.
 */


#ifndef TORII_H
#define TORII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ABI this header describes: what torii_abi_version() has to return. */
#define TORII_ABI_VERSION 0

/* A string literal as the two arguments, pointer and length. */
#define TORII_STR(literal) ("" literal), (sizeof(literal) - 1)


/**
 * What became of a call. 0 is success; numbers are never reused, and a later release may add
 * some, so treat one you do not know by its range.
 *
 * - 1 to 99: the caller's mistake, to be mended in the program;
 * - 100 to 149: the token is bad, answer 401;
 * - 150 to 199: the token is good, but the operator's policy refuses it, answer 403;
 * - 200 to 299: nothing can be said, since the keys are missing, answer 503;
 * - 900: a defect of this library, answer 500.
 *
 * torii_status_http() tells the answer.
 */
typedef enum {
  /**
   * The call did what it says.
   */
  TORII_OK = 0,
  /**
   * An argument of this call is wrong; the message names it.
   */
  TORII_ERR_INVALID_ARGUMENT = 1,
  /**
   * An option or a combination of options is wrong; the message names it.
   */
  TORII_ERR_INVALID_CONFIG = 2,
  /**
   * There is no token: the text, or the header value, is empty.
   */
  TORII_ERR_TOKEN_MISSING = 100,
  /**
   * The header value is not of the form `Bearer <token>`.
   */
  TORII_ERR_TOKEN_SCHEME = 101,
  /**
   * Not a compact JWS (RFC 7515) with a strict JSON header and payload.
   */
  TORII_ERR_TOKEN_MALFORMED = 102,
  /**
   * Longer than 16384 bytes.
   */
  TORII_ERR_TOKEN_TOO_LARGE = 103,
  /**
   * `alg` is not `ES256`.
   */
  TORII_ERR_TOKEN_ALGORITHM = 104,
  /**
   * The issuer publishes no usable key with the token's `kid`.
   */
  TORII_ERR_TOKEN_KEY_UNKNOWN = 105,
  /**
   * The signature is not the issuer's.
   */
  TORII_ERR_TOKEN_SIGNATURE = 106,
  /**
   * `exp` has passed.
   */
  TORII_ERR_TOKEN_EXPIRED = 107,
  /**
   * `nbf` or `iat` lies in the future.
   */
  TORII_ERR_TOKEN_NOT_YET_VALID = 108,
  /**
   * `iss` is not a configured issuer.
   */
  TORII_ERR_TOKEN_ISSUER = 109,
  /**
   * `aud` names none of the configured audiences.
   */
  TORII_ERR_TOKEN_AUDIENCE = 110,
  /**
   * A claim is missing or of the wrong type.
   */
  TORII_ERR_TOKEN_CLAIM = 111,
  /**
   * The token is good, but does not meet a requirement set by the operator.
   */
  TORII_ERR_POLICY = 150,
  /**
   * The issuer's keys cannot be had, so nothing can be said about the token.
   */
  TORII_ERR_KEYS_UNAVAILABLE = 200,
  /**
   * The issuer's keys have to be fetched first, and this call does no I/O.
   */
  TORII_ERR_KEYS_PENDING = 201,
  /**
   * A defect of this library. The process, and every other handle, is unharmed.
   */
  TORII_ERR_INTERNAL = 900,
} torii_status_t;

/**
 * What can be asked of every token beyond its being good: flags for
 * torii_verifier_options_require().
 */
typedef enum {
  /**
   * `email_verified` is true.
   */
  TORII_REQUIRE_EMAIL_VERIFIED = 1,
  /**
   * `profile_complete` is not false.
   */
  TORII_REQUIRE_PROFILE_COMPLETE = 2,
  /**
   * `impersonating` is not true.
   */
  TORII_REQUIRE_NOT_IMPERSONATED = 4,
} torii_require_t;

/**
 * The user a token was issued to, as the issuer signed it.
 *
 * A handle does not change: any number of threads may read it at once. It outlives the verifier.
 * No text it lends holds U+0000, so C and every other language see the same.
 */
typedef struct torii_auth_t torii_auth_t;

/**
 * Why a call failed. Owned by whoever asked for it by passing `err`; a plain value that any
 * thread may read, and that outlives the handle the call was made on.
 */
typedef struct torii_error_t torii_error_t;

/**
 * A JSON text, and a way to read single values of it without a JSON library.
 *
 * A `pointer` is one of RFC 6901: "" for the whole text, else "/member/0/member", with "~1" for
 * "/" and "~0" for "~" in a member's name. A handle does not change: any number of threads may
 * read it at once.
 */
typedef struct torii_json_t torii_json_t;

/**
 * How a verifier judges and where it gets its keys from. A verifier takes a copy: options may be
 * used for several, changed in between, and freed at once.
 *
 * Nobody else may use the options while one of their functions runs; torii_verifier_new() only
 * reads them.
 */
typedef struct torii_verifier_options_t torii_verifier_options_t;

/**
 * Judges tokens of one or several issuers.
 *
 * Any number of threads may use one at once; torii_verifier_free() alone needs it to itself. A
 * verifier made before fork() works in the child, with the parent's keys. Making one is cheap,
 * and keys are shared by all verifiers of the process.
 */
typedef struct torii_verifier_t torii_verifier_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The release of the library that is loaded, as in "0.1.0".
 *
 * Ownership: static text, never freed.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
const char *torii_version(void);

/**
 * The ABI of the library that is loaded: the number in `libtorii.so.N`. A program, or a binding,
 * that was made for another number must not go on. TORII_ABI_VERSION is the header's.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
uint32_t torii_abi_version(void);

/**
 * The name of a status, as in "TORII_ERR_TOKEN_EXPIRED"; "TORII_ERR_UNKNOWN" for a number that is
 * none.
 *
 * Ownership: static text, never freed.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
const char *torii_status_name(uint32_t status);

/**
 * The HTTP status with which a server that meets this status answers its own client: 401 for a
 * bad token, 403 for a policy, 503 when keys are missing, 200 for TORII_OK, else 500.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
uint32_t torii_status_http(uint32_t status);

/**
 * What went wrong: the status that the failed call returned. TORII_ERR_INVALID_ARGUMENT for NULL.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
torii_status_t torii_error_status(const torii_error_t *error);

/**
 * One line of English that names the argument, option or claim at fault. It never holds a token,
 * a key, a secret or a query string, so it can be logged.
 *
 * Ownership: borrowed from `error`, valid until torii_error_free(). NULL for a NULL error.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_error_message(const torii_error_t *error, size_t *len);

/**
 * Seconds after which trying again can help, as for a `Retry-After` header; -1 when not known.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
int64_t torii_error_retry_after(const torii_error_t *error);

/**
 * Frees an error. NULL is fine.
 *
 * Threads: nobody else may use `error`; does not block.
 * Since: 0.1.0.
 */
void torii_error_free(torii_error_t *error);

/**
 * The defaults: 30 s of leeway, no audience, keys fetched over https and kept as the issuer says,
 * 8 MiB of verdicts.
 *
 * Ownership: the caller's, to be freed with torii_verifier_options_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
torii_verifier_options_t *torii_verifier_options_new(void);

/**
 * Trusts a further issuer. A token's `iss` picks among the configured issuers and can name
 * nothing else; the signature must then be that issuer's.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for what is no base URL.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_add_issuer(torii_verifier_options_t *options,
                                                 const char *issuer,
                                                 size_t issuer_len,
                                                 torii_error_t **err);

/**
 * Demands that `aud` (RFC 7519, 4.1.3) names this audience, or another one added. Without any,
 * `aud` is ignored.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an empty text.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_add_audience(torii_verifier_options_t *options,
                                                   const char *audience,
                                                   size_t audience_len,
                                                   torii_error_t **err);

/**
 * How many seconds the clocks of torii and of this host may differ: 0 to 300, 30 by default.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT out of range.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_set_leeway(torii_verifier_options_t *options,
                                                 uint32_t seconds,
                                                 torii_error_t **err);

/**
 * Gives keys as a JWK Set (RFC 7517) instead of having them fetched: those of the issuer that was
 * named last with torii_verifier_options_add_issuer(), else of the issuer the verifier is made
 * for. They never age, and nothing is ever fetched for that issuer.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for a set without a usable key.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_set_jwks_json(torii_verifier_options_t *options,
                                                    const char *json,
                                                    size_t json_len,
                                                    torii_error_t **err);

/**
 * How long keys last, whatever the issuer's `Cache-Control` says: 1 to 86400 seconds. By default
 * the issuer says, within 60 to 3600 seconds, and 300 when it does not.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT out of range.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_set_key_lifetime(torii_verifier_options_t *options,
                                                       uint32_t seconds,
                                                       torii_error_t **err);

/**
 * How long keys stay in use after the last time they could be fetched: 0 to 2592000 seconds,
 * 86400 by default. 0: not beyond their lifetime.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT out of range.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_set_max_stale(torii_verifier_options_t *options,
                                                    uint32_t seconds,
                                                    torii_error_t **err);

/**
 * How long fetching keys may take, from looking up the name to the last byte: 100 to 60000
 * milliseconds, 5000 by default.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT out of range.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_set_fetch_timeout_ms(torii_verifier_options_t *options,
                                                           uint32_t milliseconds,
                                                           torii_error_t **err);

/**
 * Trusts the certificate authorities in this PEM file instead of the platform's. Verifiers share
 * keys only with verifiers of the same CA file.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_CONFIG when the file cannot be read or holds no certificate.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_set_ca_file(torii_verifier_options_t *options,
                                                  const char *path,
                                                  size_t path_len,
                                                  torii_error_t **err);

/**
 * Refuses good tokens, with TORII_ERR_POLICY, that do not meet every requirement of `flags`: a
 * combination of TORII_REQUIRE_EMAIL_VERIFIED, TORII_REQUIRE_PROFILE_COMPLETE and
 * TORII_REQUIRE_NOT_IMPERSONATED. Requirements add up.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for flags that are none of these.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_options_require(torii_verifier_options_t *options,
                                              uint32_t flags,
                                              torii_error_t **err);

/**
 * Whether a short-lived thread may fetch keys before they are needed; true by default. A host
 * that fetches by itself, with torii_verifier_claim_fetch(), says false.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
 * Since: 0.1.0.
 */
torii_status_t torii_verifier_options_set_background_refresh(torii_verifier_options_t *options,
                                                             bool allowed);

/**
 * How much memory verdicts on good tokens may take, for each verifier: 8388608 bytes by default,
 * 0 for none.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
 * Since: 0.1.0.
 */
torii_status_t torii_verifier_options_set_verdict_cache_bytes(torii_verifier_options_t *options,
                                                              size_t bytes);

/**
 * Allows plain http to hosts other than this one; false by default. Anyone on the way can then
 * forge keys, and with them every login.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
 * Since: 0.1.0.
 */
torii_status_t torii_verifier_options_set_allow_http(torii_verifier_options_t *options,
                                                     bool allowed);

/**
 * Judges the time claims by this clock instead of the system's: `now(userdata)` gives Unix
 * seconds. It is called on the thread that verifies, during the call, from any number of threads
 * at once; it must return normally (no longjmp, no C++ exception). NULL for the system's clock.
 * `userdata` has to live as long as every verifier made with the options.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
 * Since: 0.1.0.
 */
torii_status_t torii_verifier_options_set_clock(torii_verifier_options_t *options,
                                                int64_t (*now)(void *userdata),
                                                void *userdata);

/**
 * Frees options. NULL is fine.
 *
 * Threads: nobody else may use `options`; does not block.
 * Since: 0.1.0.
 */
void torii_verifier_options_free(torii_verifier_options_t *options);

/**
 * Makes a verifier for an issuer, as in "https://acme.torii.so". Nothing is fetched yet.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_verifier_free(); NULL on failure.
 * `options` [may be NULL] are copied.
 * Threads: any number at once; does not block, but for reading a CA file.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an issuer that is no base URL, or is plain http to
 * another host; TORII_ERR_INVALID_CONFIG for options that do not go together.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_new(const char *issuer,
                                  size_t issuer_len,
                                  const torii_verifier_options_t *options,
                                  torii_verifier_t **out,
                                  torii_error_t **err);

/**
 * Judges a token, a compact JWS (RFC 7515). Fetches the issuer's keys first when they are missing
 * or too old, and once more when they lack the one the token names.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the fetch timeout when keys are fetched, else not at all.
 * Errors: TORII_ERR_TOKEN_… when the token is bad; TORII_ERR_POLICY when it is good but unwanted;
 * TORII_ERR_KEYS_UNAVAILABLE when nothing can be said because the keys cannot be had.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verify_token(const torii_verifier_t *verifier,
                                  const char *token,
                                  size_t token_len,
                                  torii_auth_t **out,
                                  torii_error_t **err);

/**
 * As torii_verify_token(), but never does I/O, and never waits for somebody who does. On
 * TORII_ERR_KEYS_PENDING have the keys fetched, by torii_verifier_refresh() on another thread or by
 * torii_verifier_claim_fetch(), and ask again.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
 * Threads: any number at once. Does not block.
 * Errors: TORII_ERR_KEYS_PENDING when keys have to be fetched first; else as torii_verify_token().
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verify_token_nowait(const torii_verifier_t *verifier,
                                         const char *token,
                                         size_t token_len,
                                         torii_auth_t **out,
                                         torii_error_t **err);

/**
 * Judges the token in the value of an `Authorization` header: "Bearer <token>" (RFC 6750), the
 * scheme in any case.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
 * Threads: any number at once. Blocks as torii_verify_token() does.
 * Errors: TORII_ERR_TOKEN_MISSING for an empty value; TORII_ERR_TOKEN_SCHEME for another scheme; else
 * as torii_verify_token().
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_authenticate(const torii_verifier_t *verifier,
                                           const char *header,
                                           size_t header_len,
                                           torii_auth_t **out,
                                           torii_error_t **err);

/**
 * As torii_verifier_authenticate(), but never does I/O, and never waits for somebody who does.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
 * Threads: any number at once. Does not block.
 * Errors: TORII_ERR_KEYS_PENDING when keys have to be fetched first; else as torii_verifier_authenticate().
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_authenticate_nowait(const torii_verifier_t *verifier,
                                                  const char *header,
                                                  size_t header_len,
                                                  torii_auth_t **out,
                                                  torii_error_t **err);

/**
 * Fetches the keys of every issuer now, on this thread: to warm up, or for a pool of threads that
 * does the waiting for an event loop. Joins a fetch under way; one that ended within the last
 * second will do; after a failure, the pause before the next attempt is kept.
 *
 * Threads: any number at once. Blocks up to the fetch timeout for each issuer.
 * Errors: TORII_ERR_KEYS_UNAVAILABLE, with the reason.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_refresh(const torii_verifier_t *verifier, torii_error_t **err);

/**
 * For a host that fetches by itself: takes upon it a fetch of keys that is due. True for exactly
 * one caller; it then requests torii_verifier_jwks_url(), with torii_verifier_jwks_etag() as
 * `If-None-Match`, and calls exactly one of torii_verifier_fetch_done() and
 * torii_verifier_fetch_failed() within 30 seconds, after which the fetch counts as failed. Such a
 * host switches torii_verifier_options_set_background_refresh() off, and asks after each
 * TORII_ERR_KEYS_PENDING and every few seconds.
 *
 * Threads: any number at once; does not block. False for a NULL verifier.
 * Since: 0.1.0.
 */
bool torii_verifier_claim_fetch(const torii_verifier_t *verifier);

/**
 * Where keys are fetched from: of the issuer whose fetch is claimed, else of the first.
 *
 * Ownership: borrowed from `verifier`, valid until it is freed or torii_verifier_claim_fetch() is
 * called again. NULL for a NULL verifier.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_verifier_jwks_url(const torii_verifier_t *verifier, size_t *len);

/**
 * The entity tag of the keys at hand when the fetch was claimed, to be sent as `If-None-Match`.
 * NULL when there is none, or no fetch is claimed.
 *
 * Ownership: borrowed from `verifier`, valid until it is freed or torii_verifier_claim_fetch() is
 * called again.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_verifier_jwks_etag(const torii_verifier_t *verifier, size_t *len);

/**
 * The issuer answered the host's fetch: 200 with a body, 304, or something that is of no use.
 * `etag` [may be NULL] and `max_age` (of `Cache-Control`, in seconds; -1 when not told) are the
 * answer's. Everything is copied.
 *
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT when no fetch is claimed; TORII_ERR_KEYS_UNAVAILABLE when the
 * answer is of no use, with the reason: the keys at hand then stay in use.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_fetch_done(const torii_verifier_t *verifier,
                                         uint32_t http_status,
                                         const char *body,
                                         size_t body_len,
                                         const char *etag,
                                         size_t etag_len,
                                         int64_t max_age,
                                         torii_error_t **err);

/**
 * The issuer did not answer the host's fetch. Does nothing when no fetch is claimed.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
void torii_verifier_fetch_failed(const torii_verifier_t *verifier);

/**
 * What the verifier has done so far, as JSON:
 *
 * - `accepted`: tokens accepted, and `hits`: those of them whose signature was known good before;
 * - `refused`: how often each status was the answer, by its name;
 * - `verdicts` and `verdict_bytes`: what the cache of verdicts holds;
 * - `issuers`, in the order they were configured: `issuer`, `keys` in use and `skipped` because
 *   they cannot be used, `key_age` in seconds (null without keys), `fetches` that ended and of
 *   these `failures`, both counted for the whole process.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for NULL.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_verifier_stats_json(const torii_verifier_t *verifier,
                                         torii_json_t **out,
                                         torii_error_t **err);

/**
 * Frees a verifier. NULL is fine. What it made lives on.
 *
 * Threads: nobody else may use `verifier`; does not block.
 * Since: 0.1.0.
 */
void torii_verifier_free(torii_verifier_t *verifier);

/**
 * Forgets the keys of every issuer: all verifiers of the process fetch them anew. For tests.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
void torii_jwks_cache_clear(void);

/**
 * The user: `sub`.
 *
 * Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_auth_user_id(const torii_auth_t *auth, size_t *len);

/**
 * The environment the user belongs to: `pid`.
 *
 * Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_auth_environment_id(const torii_auth_t *auth, size_t *len);

/**
 * The configured issuer the token is of, without trailing slashes.
 *
 * Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_auth_issuer(const torii_auth_t *auth, size_t *len);

/**
 * The locale the user prefers: `locale`. NULL when the token names none.
 *
 * Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_auth_locale(const torii_auth_t *auth, size_t *len);

/**
 * All claims, exactly as they were signed: the payload of the token.
 *
 * Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_auth_claims_json(const torii_auth_t *auth, size_t *len);

/**
 * Whether the user has a verified email address: only when the token says `true`. False for NULL.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
bool torii_auth_email_verified(const torii_auth_t *auth);

/**
 * Whether all required profile fields are set: unless the token says `false`. False for NULL.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
bool torii_auth_profile_complete(const torii_auth_t *auth);

/**
 * Whether somebody else is acting as the user. False for NULL.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
bool torii_auth_impersonating(const torii_auth_t *auth);

/**
 * `iat`, in Unix seconds, rounded down. 0 for NULL.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
int64_t torii_auth_issued_at(const torii_auth_t *auth);

/**
 * `exp`, in Unix seconds, rounded down. 0 for NULL.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
int64_t torii_auth_expires_at(const torii_auth_t *auth);

/**
 * A top-level claim that is a string, by its name. NULL when it is absent, no string, or holds
 * U+0000, where C would see it end too early.
 *
 * Ownership: borrowed from `auth`, valid until torii_auth_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_auth_claim_string(const torii_auth_t *auth,
                                    const char *name,
                                    size_t name_len,
                                    size_t *len);

/**
 * All claims, to be read one by one with the torii_json_ functions.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for NULL, or for claims with a number beyond what a double
 * holds.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_auth_claims(const torii_auth_t *auth, torii_json_t **out, torii_error_t **err);

/**
 * Frees an auth handle, and with it every text borrowed from it. NULL is fine.
 *
 * Threads: nobody else may use `auth`; does not block.
 * Since: 0.1.0.
 */
void torii_auth_free(torii_auth_t *auth);

/**
 * The whole text, as it was read.
 *
 * Ownership: borrowed from `json`, valid until torii_json_free(). NULL for a NULL handle.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_json_text(const torii_json_t *json, size_t *len);

/**
 * The string at the pointer. NULL when there is none, when it is no string, or when it holds
 * U+0000, where C would see it end too early; torii_json_text() has it then.
 *
 * Ownership: borrowed from `json`, valid until torii_json_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_json_string(const torii_json_t *json,
                              const char *pointer,
                              size_t pointer_len,
                              size_t *len);

/**
 * The integer at the pointer.
 *
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT when there is no integer that fits; `*out` is 0 then.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_json_int(const torii_json_t *json,
                              const char *pointer,
                              size_t pointer_len,
                              int64_t *out,
                              torii_error_t **err);

/**
 * The boolean at the pointer.
 *
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT when there is no boolean; `*out` is false then.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_json_bool(const torii_json_t *json,
                               const char *pointer,
                               size_t pointer_len,
                               bool *out,
                               torii_error_t **err);

/**
 * How many elements the array, or members the object, at the pointer has.
 *
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT when there is neither; `*out` is 0 then.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_json_length(const torii_json_t *json,
                                 const char *pointer,
                                 size_t pointer_len,
                                 size_t *out,
                                 torii_error_t **err);

/**
 * Whether there is `null` at the pointer; nothing at all is not `null`. False for NULL handles.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
bool torii_json_is_null(const torii_json_t *json, const char *pointer, size_t pointer_len);

/**
 * Frees a JSON handle, and with it every text borrowed from it. NULL is fine.
 *
 * Threads: nobody else may use `json`; does not block.
 * Since: 0.1.0.
 */
void torii_json_free(torii_json_t *json);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TORII_H */
