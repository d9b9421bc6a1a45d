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
 *         int refused = auth == NULL;
 *         torii_error_free(error);
 *         torii_auth_free(auth);
 *         torii_verifier_free(verifier);
 *         return refused;
 *     }
 *
 * It also manages the users of an environment over torii's backend API: torii_client_t makes every
 * call, torii_patch_t a body that can say "clear this field", torii_json_t reads an answer. And
 * torii_webhook_verify_standard() tells whether a webhook is genuine.
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
 * - 300 to 349: a call of the backend API failed, answer 500;
 * - 350 to 399: a webhook is not genuine, answer 400;
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
   * The API answered, but not with success; the error has the details.
   */
  TORII_ERR_API = 300,
  /**
   * The API could not be reached, or the connection to it was lost.
   */
  TORII_ERR_TRANSPORT = 301,
  /**
   * The API took longer over the call than it may.
   */
  TORII_ERR_TIMEOUT = 302,
  /**
   * The API answered with success, but the answer cannot be understood.
   */
  TORII_ERR_RESPONSE = 303,
  /**
   * A header of the webhook is missing, or not of the form it has to be.
   */
  TORII_ERR_WEBHOOK_HEADER = 350,
  /**
   * The webhook was not signed with any of the secrets.
   */
  TORII_ERR_WEBHOOK_SIGNATURE = 351,
  /**
   * The webhook was sent too long ago, or too far ahead.
   */
  TORII_ERR_WEBHOOK_TIMESTAMP = 352,
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
 * How a client reaches the API. A client takes a copy: options may be used for several, changed in
 * between, and freed at once.
 *
 * Nobody else may use the options while one of their functions runs; torii_client_new() only reads
 * them.
 */
typedef struct torii_client_options_t torii_client_options_t;

/**
 * Manages the environment of a secret key, over torii's backend API.
 *
 * Any number of threads may use one at once: a call runs on the thread that makes it, and blocks it
 * up to the timeout of the options. torii_client_free() alone needs a client to itself. Connections
 * are kept open between calls; a client made before fork() works in the child, with its own.
 *
 * Ids and cursors are UUIDs. Bodies are JSON objects and reach the API as they are: fields this
 * library has never heard of pass, null stays null, and what is absent stays absent.
 *
 * Every call can fail with
 *
 * - TORII_ERR_INVALID_ARGUMENT, before anything was sent;
 * - TORII_ERR_API when the API answers, but not with success: torii_error_http_status(),
 *   torii_error_code(), torii_error_support_id(), torii_error_body() and torii_error_retry_after()
 *   have the details; 401 is for a wrong secret key;
 * - TORII_ERR_TRANSPORT when the API cannot be reached, or the connection is lost;
 * - TORII_ERR_TIMEOUT when the call takes longer than the timeout;
 * - TORII_ERR_RESPONSE when the API answers with success, but with what is not JSON, broken off, or
 *   longer than 16777216 bytes.
 *
 * A call is repeated after a failure to connect. Where doing it twice is the same as doing it once,
 * it is also repeated after a lost connection, after 502, 503 and 504, and after 429 if the API says
 * when; each call tells if it is not so. No call outlives its timeout for that.
 */
typedef struct torii_client_t torii_client_t;

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
 * A JSON object made field by field, for a body that has to tell "set", "clear" and "leave alone"
 * apart: a field has a value, is null, or is not there. Fields stand in the order in which they were
 * first named; naming one again replaces what it said.
 *
 * Nobody else may use a patch while it is changed; any number of threads may read one.
 */
typedef struct torii_patch_t torii_patch_t;

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
 * bad token, 403 for a policy, 503 when keys are missing, 400 for a webhook that is not genuine, 200
 * for TORII_OK, else 500.
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
 * The HTTP status of the API's answer, for TORII_ERR_API and TORII_ERR_RESPONSE; else 0.
 *
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
uint32_t torii_error_http_status(const torii_error_t *error);

/**
 * What the API calls the problem, for programs: `code`. NULL when it does not.
 *
 * Ownership: borrowed from `error`, valid until torii_error_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_error_code(const torii_error_t *error, size_t *len);

/**
 * What to name to torii's support: `supportId`. NULL when the API names nothing.
 *
 * Ownership: borrowed from `error`, valid until torii_error_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_error_support_id(const torii_error_t *error, size_t *len);

/**
 * The API's answer as text, up to 65536 bytes of it; NULL when there was none. Unlike the message it
 * may be about people. The secret key and U+0000 are replaced in it.
 *
 * Ownership: borrowed from `error`, valid until torii_error_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_error_body(const torii_error_t *error,
                             size_t *len);

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
                                                    const char *jwks,
                                                    size_t jwks_len,
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
 * Trusts the certificate authorities in this PEM file, as it is now, instead of the platform's.
 * Verifiers share keys only with verifiers that trust the same.
 *
 * Threads: nobody else may use `options`; does not block, but for reading the file.
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
 * Threads: any number at once; does not block.
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
 * torii_verifier_claim_fetch(), and ask again. Unless background refresh is off, a thread of this
 * library is fetching them by then, and torii_verifier_refresh() waits for it.
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
 *   they cannot be used, `key_age` in seconds (null without keys), `due_in_ms`, the milliseconds
 *   until keys are to be fetched (null where they were given), `fetches` that ended and of these
 *   `failures`, both counted for the whole process.
 *
 * A host that has keys fetched by torii_verifier_refresh(), on a thread of its own, does so when
 * `due_in_ms` have passed, and then nobody waits for keys.
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
 * The defaults: "https://api.torii.so", 30 s for a call, 5 s of these for connecting, two
 * repetitions, no proxy.
 *
 * Ownership: the caller's, to be freed with torii_client_options_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
torii_client_options_t *torii_client_options_new(void);

/**
 * Where the API is: "https://api.torii.so" by default.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for what is no base URL.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_options_set_api_url(torii_client_options_t *options,
                                                const char *url,
                                                size_t url_len,
                                                torii_error_t **err);

/**
 * How long a call may take in all, with every repetition and the pauses between: 100 to 600000
 * milliseconds, 30000 by default.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT out of range.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_options_set_timeout_ms(torii_client_options_t *options,
                                                   uint32_t milliseconds,
                                                   torii_error_t **err);

/**
 * How long looking up the name of the API may take, and connecting to it: 100 to 60000
 * milliseconds, 5000 by default.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT out of range.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_options_set_connect_timeout_ms(torii_client_options_t *options,
                                                           uint32_t milliseconds,
                                                           torii_error_t **err);

/**
 * How often a call that may be repeated is repeated: 0 to 10 times, 2 by default.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT out of range.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_options_set_max_retries(torii_client_options_t *options,
                                                    uint32_t retries,
                                                    torii_error_t **err);

/**
 * Trusts the certificate authorities in this PEM file instead of the platform's.
 *
 * Threads: nobody else may use `options`; does not block, but for reading the file.
 * Errors: TORII_ERR_INVALID_CONFIG when the file cannot be read or holds no certificate.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_options_set_ca_file(torii_client_options_t *options,
                                                const char *path,
                                                size_t path_len,
                                                torii_error_t **err);

/**
 * Goes through an http or https proxy, with CONNECT: "http://proxy.example:3128" or
 * "http://name:password@proxy.example:3128". Nothing is taken from the environment.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for what is no such URL.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_options_set_proxy(torii_client_options_t *options,
                                              const char *url,
                                              size_t url_len,
                                              torii_error_t **err);

/**
 * Names the program as well in `User-Agent`, as in "shop/1.2": up to 256 visible ASCII characters
 * and blanks.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for anything else.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_options_set_user_agent_suffix(torii_client_options_t *options,
                                                          const char *suffix,
                                                          size_t suffix_len,
                                                          torii_error_t **err);

/**
 * Allows plain http to hosts other than this one; false by default. Anyone on the way then learns
 * the secret key.
 *
 * Threads: nobody else may use `options`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
 * Since: 0.1.0.
 */
torii_status_t torii_client_options_set_allow_http(torii_client_options_t *options, bool allowed);

/**
 * Frees options. NULL is fine.
 *
 * Threads: nobody else may use `options`; does not block.
 * Since: 0.1.0.
 */
void torii_client_options_free(torii_client_options_t *options);

/**
 * Makes a client for the environment of a secret key, "sk_live_…" or "sk_test_…". Nothing is sent
 * yet.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_client_free(); NULL on failure.
 * `options` [may be NULL] are copied.
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for what is no secret key; TORII_ERR_INVALID_CONFIG for plain
 * http to another host.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_new(const char *secret_key,
                                size_t secret_key_len,
                                const torii_client_options_t *options,
                                torii_client_t **out,
                                torii_error_t **err);

/**
 * Calls an operation that is newer than this library. `method` is GET, POST, PUT, PATCH or DELETE,
 * and `path` the whole path below the API's URL, as in "/api/server/v1/users". An answer without a
 * body is null. GET is repeated after a failure, anything else never once it was sent.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t.
 * Since: 0.1.0.
 *
 * `query` [may be NULL] is percent-encoded already, without its question mark. `body` [may be
 * NULL] is a JSON object.
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_request_json(const torii_client_t *client,
                                         const char *method,
                                         size_t method_len,
                                         const char *path,
                                         size_t path_len,
                                         const char *query,
                                         size_t query_len,
                                         const char *body,
                                         size_t body_len,
                                         torii_json_t **out,
                                         torii_error_t **err);

/**
 * Frees a client, closes its connections and wipes its secret key. NULL is fine.
 *
 * Threads: nobody else may use `client`; does not block.
 * Since: 0.1.0.
 */
void torii_client_free(torii_client_t *client);

/**
 * A page of the users that meet a filter: "items", "nextCursor" and "hasMore".
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400 for a filter it does not
 * take.
 * Since: 0.1.0.
 *
 * `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
 * page before. `filter` [may be NULL] is a JSON object: "name", "email", "userIds",
 * "emailAddresses", "statuses", "createdAfter", "createdBefore", "organizationId"; it has to come
 * with the cursor again. What is absent is no filter, null and an empty list are sent as they are.
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_list_json(const torii_client_t *client,
                                            uint32_t limit,
                                            const char *cursor,
                                            size_t cursor_len,
                                            const char *filter,
                                            size_t filter_len,
                                            torii_json_t **out,
                                            torii_error_t **err);

/**
 * One user.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 for a user of another
 * environment or a deleted one, 404 for none.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_get_json(const torii_client_t *client,
                                           const char *user_id,
                                           size_t user_id_len,
                                           torii_json_t **out,
                                           torii_error_t **err);

/**
 * Creates a user from a JSON object. Never repeated once it was sent: after TORII_ERR_TRANSPORT or
 * TORII_ERR_TIMEOUT the user may exist.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400, and of 409 for an email
 * address that is taken.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_create_json(const torii_client_t *client,
                                              const char *body,
                                              size_t body_len,
                                              torii_json_t **out,
                                              torii_error_t **err);

/**
 * Changes a user by a JSON object: a field that is absent stays as it is, null clears it, a value
 * sets it. torii_patch_t makes such an object.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400, 403 or 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_update_json(const torii_client_t *client,
                                              const char *user_id,
                                              size_t user_id_len,
                                              const char *body,
                                              size_t body_len,
                                              torii_json_t **out,
                                              torii_error_t **err);

/**
 * Merges a JSON object of "publicMetadata", "privateMetadata" and "unsafeMetadata" into those of a
 * user: a key that is null is removed.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400, 403 or 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_update_metadata_json(const torii_client_t *client,
                                                       const char *user_id,
                                                       size_t user_id_len,
                                                       const char *body,
                                                       size_t body_len,
                                                       torii_json_t **out,
                                                       torii_error_t **err);

/**
 * Deletes a user. The API answers 403 when the user is gone already; when the answer to a first
 * attempt was lost, that is a success.
 *
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 or 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_delete(const torii_client_t *client,
                                         const char *user_id,
                                         size_t user_id_len,
                                         torii_error_t **err);

/**
 * Bans a user, and ends all sessions. Tokens that are out stay good until they expire.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 or 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_ban_json(const torii_client_t *client,
                                           const char *user_id,
                                           size_t user_id_len,
                                           torii_json_t **out,
                                           torii_error_t **err);

/**
 * Lifts a ban.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 or 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_unban_json(const torii_client_t *client,
                                             const char *user_id,
                                             size_t user_id_len,
                                             torii_json_t **out,
                                             torii_error_t **err);

/**
 * A page of the organizations a user belongs to, with role and metadata of the membership.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 for no such user.
 * Since: 0.1.0.
 *
 * `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
 * page before.
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_users_list_organizations_json(const torii_client_t *client,
                                                          const char *user_id,
                                                          size_t user_id_len,
                                                          uint32_t limit,
                                                          const char *cursor,
                                                          size_t cursor_len,
                                                          torii_json_t **out,
                                                          torii_error_t **err);

/**
 * The active sessions of a user, as a list: the one used last comes first.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 for no such user.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_sessions_list_for_user_json(const torii_client_t *client,
                                                        const char *user_id,
                                                        size_t user_id_len,
                                                        torii_json_t **out,
                                                        torii_error_t **err);

/**
 * Ends all sessions of a user.
 *
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 for no such user.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_sessions_revoke_all_for_user(const torii_client_t *client,
                                                         const char *user_id,
                                                         size_t user_id_len,
                                                         torii_error_t **err);

/**
 * Ends one session of a user. One that is over is ended already, which is a success.
 *
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 403 for no such user.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_sessions_revoke(const torii_client_t *client,
                                            const char *user_id,
                                            size_t user_id_len,
                                            const char *session_id,
                                            size_t session_id_len,
                                            torii_error_t **err);

/**
 * A page of the organizations of the environment.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t.
 * Since: 0.1.0.
 *
 * `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
 * page before. `name` [may be NULL] is a part of the name.
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_organizations_list_json(const torii_client_t *client,
                                                    uint32_t limit,
                                                    const char *cursor,
                                                    size_t cursor_len,
                                                    const char *name,
                                                    size_t name_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

/**
 * One organization.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_organizations_get_json(const torii_client_t *client,
                                                   const char *organization_id,
                                                   size_t organization_id_len,
                                                   torii_json_t **out,
                                                   torii_error_t **err);

/**
 * A page of the users who belong to an organization, with role and metadata of the membership.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 404.
 * Since: 0.1.0.
 *
 * `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
 * page before.
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_organizations_list_members_json(const torii_client_t *client,
                                                            const char *organization_id,
                                                            size_t organization_id_len,
                                                            uint32_t limit,
                                                            const char *cursor,
                                                            size_t cursor_len,
                                                            torii_json_t **out,
                                                            torii_error_t **err);

/**
 * Merges a JSON object of "publicMetadata" and "privateMetadata" into those of an organization: a
 * key that is null is removed. One of the two has to be there.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400 or 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_organizations_update_metadata_json(const torii_client_t *client,
                                                               const char *organization_id,
                                                               size_t organization_id_len,
                                                               const char *body,
                                                               size_t body_len,
                                                               torii_json_t **out,
                                                               torii_error_t **err);

/**
 * As torii_client_organizations_update_metadata_json(), for the metadata of a membership.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400 or 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_organizations_update_member_metadata_json(const torii_client_t *client,
                                                                      const char *organization_id,
                                                                      size_t organization_id_len,
                                                                      const char *user_id,
                                                                      size_t user_id_len,
                                                                      const char *body,
                                                                      size_t body_len,
                                                                      torii_json_t **out,
                                                                      torii_error_t **err);

/**
 * Invites somebody by email. `body` is a JSON object; torii wants "email", "publicMetadata" and
 * "privateMetadata" in it, the latter two as {} when there is nothing to keep. Never repeated once
 * it was sent: after TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the email may be on its way.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400, of 409 for an email address
 * that has an account, of 429 for too many; torii_error_retry_after() then tells when.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_invitations_create_json(const torii_client_t *client,
                                                    const char *body,
                                                    size_t body_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

/**
 * A page of the invitations of the environment, without their metadata.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t.
 * Since: 0.1.0.
 *
 * `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
 * page before. `statuses` [may be NULL] is a JSON list of the states wanted: ["PENDING",
 * "ACCEPTED"]. `search` [may be NULL] is a text to be found.
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_invitations_list_json(const torii_client_t *client,
                                                  uint32_t limit,
                                                  const char *cursor,
                                                  size_t cursor_len,
                                                  const char *statuses,
                                                  size_t statuses_len,
                                                  const char *search,
                                                  size_t search_len,
                                                  torii_json_t **out,
                                                  torii_error_t **err);

/**
 * One invitation, with its metadata.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 404.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_invitations_get_json(const torii_client_t *client,
                                                 const char *invitation_id,
                                                 size_t invitation_id_len,
                                                 torii_json_t **out,
                                                 torii_error_t **err);

/**
 * Sends an invitation again, with a new link. Never repeated once it was sent.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 404 or 409.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_invitations_resend_json(const torii_client_t *client,
                                                    const char *invitation_id,
                                                    size_t invitation_id_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

/**
 * Takes an invitation back. Never repeated once it was sent, since nothing is known of a second
 * time.
 *
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 404 or 409.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_invitations_revoke(const torii_client_t *client,
                                               const char *invitation_id,
                                               size_t invitation_id_len,
                                               torii_error_t **err);

/**
 * Merges a JSON object of "publicMetadata" and "privateMetadata" into those of a pending
 * invitation: a key that is null is removed. One of the two has to be there.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400, 404, or 409 with the code
 * "invitation_not_pending" or "invitation_patch_conflict".
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_invitations_update_metadata_json(const torii_client_t *client,
                                                             const char *invitation_id,
                                                             size_t invitation_id_len,
                                                             const char *body,
                                                             size_t body_len,
                                                             torii_json_t **out,
                                                             torii_error_t **err);

/**
 * Creates a "token" with which somebody signs in as a user, once, and a "url" to do so. `body` is
 * a JSON object; torii wants "actorUserId" and "reason" in it. Never repeated once it was sent,
 * since it counts towards a quota.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400, of 402 for the plan or its
 * quota, of 403 for no such user.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_impersonation_create_token_json(const torii_client_t *client,
                                                            const char *user_id,
                                                            size_t user_id_len,
                                                            const char *body,
                                                            size_t body_len,
                                                            torii_json_t **out,
                                                            torii_error_t **err);

/**
 * The origins browsers may call torii from: "origins".
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_allowed_origins_get_json(const torii_client_t *client,
                                                     torii_json_t **out,
                                                     torii_error_t **err);

/**
 * Replaces them all by the "origins" of a JSON object.
 *
 * Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
 * Threads: any number at once. Blocks up to the client's timeout.
 * Errors: those of every call of torii_client_t; TORII_ERR_API of 400.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_client_allowed_origins_set_json(const torii_client_t *client,
                                                     const char *body,
                                                     size_t body_len,
                                                     torii_json_t **out,
                                                     torii_error_t **err);

/**
 * A patch without a field: {}, which leaves everything alone.
 *
 * Ownership: the caller's, to be freed with torii_patch_free().
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 */
torii_patch_t *torii_patch_new(void);

/**
 * Sets a field to a text, which may hold U+0000.
 *
 * Threads: nobody else may use `patch`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an empty name, or text that is not UTF-8.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_patch_set_string(torii_patch_t *patch,
                                      const char *name,
                                      size_t name_len,
                                      const char *value,
                                      size_t value_len,
                                      torii_error_t **err);

/**
 * Sets a field to true or false.
 *
 * Threads: nobody else may use `patch`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_patch_set_bool(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    bool value,
                                    torii_error_t **err);

/**
 * Sets a field to an integer.
 *
 * Threads: nobody else may use `patch`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_patch_set_int(torii_patch_t *patch,
                                   const char *name,
                                   size_t name_len,
                                   int64_t value,
                                   torii_error_t **err);

/**
 * Sets a field to a value given as JSON, such as an object or a list. It is passed on as it is
 * written.
 *
 * Threads: nobody else may use `patch`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an empty name, or what is not one JSON value.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_patch_set_json(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    const char *json,
                                    size_t json_len,
                                    torii_error_t **err);

/**
 * Clears a field: it is sent as null.
 *
 * Threads: nobody else may use `patch`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_patch_set_null(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    torii_error_t **err);

/**
 * Leaves a field alone: it is not sent.
 *
 * Threads: nobody else may use `patch`; does not block.
 * Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
 * Since: 0.1.0.
 *
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_patch_unset(torii_patch_t *patch,
                                 const char *name,
                                 size_t name_len,
                                 torii_error_t **err);

/**
 * The object as JSON, to be passed as a body.
 *
 * Ownership: borrowed from `patch`, valid until it is changed or freed. NULL for a NULL patch.
 * Threads: any number at once; does not block.
 * Since: 0.1.0.
 *
 * `len` [may be NULL] receives the length in bytes, without the NUL.
 */
const char *torii_patch_json(const torii_patch_t *patch, size_t *len);

/**
 * Frees a patch, and with it the text borrowed from it. NULL is fine.
 *
 * Threads: nobody else may use `patch`; does not block.
 * Since: 0.1.0.
 */
void torii_patch_free(torii_patch_t *patch);

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

/**
 * Tells whether a webhook is genuine, as Standard Webhooks 1.0.0 says it: signed with one of the
 * secrets (HMAC-SHA256, `v1`), and sent lately. torii has announced secrets of this form, but has
 * not published its scheme; this is the standard's, whoever sends.
 *
 * Give the body as it arrived, before anything parsed it. A webhook can be delivered more than once,
 * each time with the same id: remember the ids of the last minutes if that does harm.
 *
 * Threads: any number at once; does not block.
 * Errors: TORII_ERR_WEBHOOK_HEADER when a header is missing or malformed;
 * TORII_ERR_WEBHOOK_TIMESTAMP when it was sent too long ago, or too far ahead;
 * TORII_ERR_WEBHOOK_SIGNATURE when no signature fits; TORII_ERR_INVALID_CONFIG for a secret that is
 * none, by its number and never its value; TORII_ERR_INVALID_ARGUMENT for a negative tolerance.
 * Since: 0.1.0.
 *
 * `secrets` one secret, or several separated by spaces while they are being changed: `whsec_` and at
 * least 24 bytes as base64 each.
 * `id`, `timestamp`, `signature` the values of the headers `webhook-id`, `webhook-timestamp` and
 * `webhook-signature` (`svix-id` and so on mean the same). A header that is missing is NULL; the
 * value of one that comes twice is both, joined by ", ".
 * `now` the time, in Unix seconds, as time() tells it.
 * `tolerance` how many seconds before or after `now` it may have been sent; 300 is usual.
 * `secret_index` [may be NULL] receives which of the secrets it was signed with, counted from 0.
 * `sent_at` [may be NULL] receives when it was sent, in Unix seconds.
 * `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
 */
torii_status_t torii_webhook_verify_standard(const char *secrets,
                                             size_t secrets_len,
                                             const char *id,
                                             size_t id_len,
                                             const char *timestamp,
                                             size_t timestamp_len,
                                             const char *signature,
                                             size_t signature_len,
                                             const char *body,
                                             size_t body_len,
                                             int64_t now,
                                             int64_t tolerance,
                                             size_t *secret_index,
                                             int64_t *sent_at,
                                             torii_error_t **err);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TORII_H */
