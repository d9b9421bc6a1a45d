/*
 * libtorii: verifies torii access tokens (ES256 JWTs) locally, with no request per token, and calls
 * torii's backend API (https://torii.so).
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
 *         const char *issuer = argc > 1 ? argv[1] : "", *token = argc > 2 ? argv[2] : "";
 *
 *         if (torii_verifier_new(issuer, TORII_NUL_TERMINATED, NULL, &verifier, &error) == TORII_OK
 *             && torii_verify_token(verifier, token, strlen(token), &auth, &error) == TORII_OK)
 *             printf("user %s\n", torii_auth_user_id(auth, NULL));
 *         else
 *             fprintf(stderr, "%s\n", torii_error_message(error, NULL));
 *
 *         int failed = auth == NULL;
 *         torii_error_free(error);
 *         torii_auth_free(auth);
 *         torii_verifier_free(verifier);
 *         return failed;
 *     }
 *
 * Compile it with `cc program.c $(pkg-config --cflags --libs torii)`, or link torii::torii in CMake.
 *
 * A function's comment states only what departs from these conventions.
 *
 * Ownership. The caller owns every handle that a function returns or stores through an out-pointer,
 * and frees it with the `_free` function of its type; `_free(NULL)` does nothing. Arguments are copied
 * where the library needs them after the call. Never call free() on anything from this library.
 *
 * Text in: a pointer and a length in bytes. NULL is valid with length 0 only. TORII_STR("literal")
 * expands to both arguments. TORII_NUL_TERMINATED as the length means "up to the NUL", for text of the
 * program: issuers, URLs, ids, cursors, names, pointers and paths. Such text must be UTF-8 without
 * U+0000. Tokens, header values, bodies, filters, JSON, secrets and key sets need their length, and
 * TORII_NUL_TERMINATED is TORII_ERR_INVALID_ARGUMENT. A parameter marked [may be NULL] is optional.
 *
 * Text out: a `const char *` in UTF-8, NUL-terminated. It belongs to the handle it came from and stays
 * valid until that handle is freed. `len` [may be NULL] receives its length without the NUL. Functions
 * that return text, a number or a bool return NULL, 0 or false for a NULL handle, unless stated.
 *
 * Errors. A fallible function returns a torii_status_t, TORII_OK on success. `err` [may be NULL] is
 * write-only: it receives NULL on success, and on failure an error that the caller frees with
 * torii_error_free(). On failure every other out-pointer receives NULL, 0 or false. There is no "last
 * error", neither per thread nor per handle.
 *
 * Threads. Any number of threads may call functions that take a `const T *` with the same handle at
 * once. A function that takes a `T *`, including `_free`, needs exclusive use of the handle. Handles
 * may move between threads.
 *
 * Blocking. A function does not block unless its comment says so. Functions whose names end in
 * `_nowait` perform no I/O and never wait for I/O on another thread.
 *
 * fork(). Handles created before fork() work in the child, with the keys the parent had. The child
 * waits for no lock and uses no socket of the parent.
 *
 * Guest conduct. The library installs no signal handler, logger or panic hook, never calls setenv(),
 * and prints nothing but Rust's message of a defect. It starts no thread and opens no socket before a
 * call needs one. Its threads block all signals. It calls no callback from a thread of its own.
 * Two kinds of environment variables matter: `SSL_CERT_FILE` and `SSL_CERT_DIR`, as with OpenSSL, which
 * setuid programs ignore; and `OPENSSL_ia32cap` or `OPENSSL_armcap`, by which aws-lc, the cryptography,
 * chooses CPU features. Once loaded, the library stays loaded.
 *
 * Defects and memory. A defect of the library is TORII_ERR_INTERNAL and does not end the process.
 * Running out of memory does.
 */


#ifndef TORII_H
#define TORII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ABI version of this header, to compare with torii_abi_version(). */
#define TORII_ABI_VERSION 0

/* The version of this header. Not every library it runs with has the same: see torii_version(). */
#define TORII_VERSION_MAJOR 0
#define TORII_VERSION_MINOR 1
#define TORII_VERSION_PATCH 0

/* The version as one number, to compare in #if. */
#define TORII_VERSION_NUMBER \
    ((TORII_VERSION_MAJOR << 16) | (TORII_VERSION_MINOR << 8) | TORII_VERSION_PATCH)

/* A string literal as the two arguments, pointer and length. */
#define TORII_STR(literal) ("" literal), (sizeof(literal) - 1)

/* As a length: the text ends at its NUL. For text of the program only. */
#define TORII_NUL_TERMINATED ((size_t)-1)

/* The size of a buffer that always suffices for torii_verify_into(). */
#define TORII_RECORD_MAX 32768

/* In place of a time for torii_verifier_revoke(): every token of the user, future ones included. */
#define TORII_REVOKE_ALL INT64_MAX

/* The linkage of every function. Define TORII_STATIC on Windows to link the static library. */
#if defined(_WIN32) && !defined(TORII_STATIC)
#define TORII_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define TORII_API __attribute__((visibility("default")))
#else
#define TORII_API
#endif

/* On functions that decide about access: the compiler warns if the caller ignores the result. */
#if defined(__GNUC__)
#define TORII_NODISCARD __attribute__((warn_unused_result))
#elif defined(_MSC_VER)
#include <sal.h>
#define TORII_NODISCARD _Check_return_
#else
#define TORII_NODISCARD
#endif

/* The version that deprecated a function, and its replacement: the compiler warns of a use. */
#define TORII_DEPRECATED(since, use) TORII_DEPRECATED_NOTE("since " since "; use " use)
#if defined(__GNUC__)
#define TORII_DEPRECATED_NOTE(note) __attribute__((deprecated(note)))
#elif defined(_MSC_VER)
#define TORII_DEPRECATED_NOTE(note) __declspec(deprecated(note))
#else
#define TORII_DEPRECATED_NOTE(note)
#endif


/// The result of a call. Numbers are never reused, and later releases may add some: handle an unknown
/// number by its range.
///
/// - 0: success;
/// - 1 to 99: caller error; fix the program;
/// - 100 to 149: the token is invalid; answer 401;
/// - 150 to 199: the token is valid but does not meet a requirement; answer 403;
/// - 200 to 299: signing keys unavailable, the token could not be verified; answer 503;
/// - 300 to 349: a call of the backend API failed; answer 500;
/// - 350 to 399: the webhook is invalid; answer 400;
/// - 900: a defect of this library; answer 500.
typedef enum {
  /// Success.
  TORII_OK = 0,
  /// An argument is invalid; the message names it.
  TORII_ERR_INVALID_ARGUMENT = 1,
  /// An option or a combination of options is invalid; the message names it.
  TORII_ERR_INVALID_CONFIG = 2,
  /// The buffer is too small for the record; the call reports the size it needs.
  TORII_ERR_BUFFER_TOO_SMALL = 3,
  /// There is no token: the text or the header value is empty.
  TORII_ERR_TOKEN_MISSING = 100,
  /// The header value is not of the form `Bearer <token>`.
  TORII_ERR_TOKEN_SCHEME = 101,
  /// Not a compact JWS (RFC 7515) with a strict JSON header and payload.
  TORII_ERR_TOKEN_MALFORMED = 102,
  /// Longer than 16384 bytes.
  TORII_ERR_TOKEN_TOO_LARGE = 103,
  /// `alg` is not `ES256`.
  TORII_ERR_TOKEN_ALGORITHM = 104,
  /// The issuer publishes no usable key with the token's `kid`.
  TORII_ERR_TOKEN_KEY_UNKNOWN = 105,
  /// The signature is not the issuer's.
  TORII_ERR_TOKEN_SIGNATURE = 106,
  /// `exp` has passed.
  TORII_ERR_TOKEN_EXPIRED = 107,
  /// `nbf` or `iat` is in the future.
  TORII_ERR_TOKEN_NOT_YET_VALID = 108,
  /// `iss` is not a configured issuer.
  TORII_ERR_TOKEN_ISSUER = 109,
  /// `aud` names none of the configured audiences.
  TORII_ERR_TOKEN_AUDIENCE = 110,
  /// A claim is missing or of the wrong type.
  TORII_ERR_TOKEN_CLAIM = 111,
  /// The user, or the actor behind the user, was revoked after the token was issued.
  TORII_ERR_TOKEN_REVOKED = 112,
  /// The lifetime, `exp` minus `iat`, exceeds the configured maximum.
  TORII_ERR_TOKEN_LIFETIME = 113,
  /// The token is valid but does not meet a requirement.
  TORII_ERR_POLICY = 150,
  /// Signing keys unavailable; the token could not be verified.
  TORII_ERR_KEYS_UNAVAILABLE = 200,
  /// The issuer's keys must be fetched first, and this call performs no I/O.
  TORII_ERR_KEYS_PENDING = 201,
  /// The API answered with an error; the error handle has the details.
  TORII_ERR_API = 300,
  /// The API could not be reached, or the connection was lost.
  TORII_ERR_TRANSPORT = 301,
  /// The call took longer than the client's timeout.
  TORII_ERR_TIMEOUT = 302,
  /// The API's successful answer is not JSON, is truncated, or is too long.
  TORII_ERR_RESPONSE = 303,
  /// A webhook header is missing or malformed.
  TORII_ERR_WEBHOOK_HEADER = 350,
  /// No signature of the webhook matches any of the secrets.
  TORII_ERR_WEBHOOK_SIGNATURE = 351,
  /// The webhook's timestamp is outside the tolerance.
  TORII_ERR_WEBHOOK_TIMESTAMP = 352,
  /// A defect of this library. The process and other handles stay usable.
  TORII_ERR_INTERNAL = 900,
} torii_status_t;

/// Types of JSON values, as torii_json_type() returns them.
typedef enum {
  /// There is no value at the pointer.
  TORII_JSON_ABSENT = 0,
  TORII_JSON_NULL = 1,
  TORII_JSON_BOOL = 2,
  TORII_JSON_NUMBER = 3,
  TORII_JSON_STRING = 4,
  TORII_JSON_ARRAY = 5,
  TORII_JSON_OBJECT = 6,
} torii_json_type_t;

/// Flags for torii_requirements_add_flags() and torii_verifier_options_require().
typedef enum {
  /// `email_verified` is true.
  TORII_REQUIRE_EMAIL_VERIFIED = 1,
  /// `profile_complete` is not false.
  TORII_REQUIRE_PROFILE_COMPLETE = 2,
  /// Neither `impersonating` nor `act` says that another party acts as the user.
  TORII_REQUIRE_NOT_IMPERSONATED = 4,
  /// An organization is active.
  TORII_REQUIRE_ORGANIZATION = 8,
} torii_require_t;

/// Flags for `how` of torii_verify_into().
typedef enum {
  /// `text` is the value of an `Authorization` header, not a bare token.
  TORII_VERIFY_HEADER = 1,
  /// Perform no I/O and do not wait for I/O on another thread.
  TORII_VERIFY_NOWAIT = 2,
} torii_verify_t;

/// The identity in a verified token. A handle does not change, and it may outlive the verifier.
///
/// A handle points to the claims themselves and stands for one reference to them. So two results of
/// one token can be the same pointer; each is freed.
typedef struct torii_auth_t torii_auth_t;

/// Options of a client, which copies them: options may serve several clients, change in between, and be
/// freed at once.
typedef struct torii_client_options_t torii_client_options_t;

/// Calls torii's backend API with the secret key of one environment.
typedef struct torii_client_t torii_client_t;

/// Why a call failed: a plain value that any thread may read, and that outlives the handle the call
/// was made on.
typedef struct torii_error_t torii_error_t;

/// A key fetch that the host performs with its own HTTP client.
///
/// The handle belongs to one issuer: a late answer cannot reach another issuer's keys. It may outlive
/// the verifier and move between threads; one thread uses it at a time.
typedef struct torii_fetch_t torii_fetch_t;

/// A JSON text, read value by value without a JSON library.
typedef struct torii_json_t torii_json_t;

/// A JSON object built field by field: a field has a value, is null, or is absent.
typedef struct torii_patch_t torii_patch_t;

/// Requirements that a valid token must meet: flags, claims, organizations. All of them must hold; of
/// several organizations, any one.
typedef struct torii_requirements_t torii_requirements_t;

/// Options of a verifier, which copies them: options may serve several verifiers, change in between,
/// and be freed at once.
typedef struct torii_verifier_options_t torii_verifier_options_t;

/// Verifies tokens of one or several issuers.
///
/// Creating one is cheap, and verifiers of a process share keys. A verifier created before fork()
/// works in the child, with the keys of the parent.
typedef struct torii_verifier_t torii_verifier_t;

/// Verifies webhooks by Standard Webhooks 1.0.0. Keeps the decoded secrets and wipes them when freed.
typedef struct torii_webhook_t torii_webhook_t;

/// A text in a record: an offset from the start of the record, and the length in bytes. Offset 0
/// means absent; an empty text has another offset. The text is followed by NUL.
typedef struct {
  /// From the start of the record; 0: absent.
  uint32_t offset;
  /// In bytes, without the NUL.
  uint32_t len;
} torii_span_t;

/// A result without a handle: this header, followed by the texts its spans point to. Later releases
/// may append fields to the header; the spans of this release stay where they are.
typedef struct {
  /// The size of the record with its texts.
  uint32_t size;
  /// The size of the header in the library that wrote it: a field is present if it ends below this.
  uint32_t header_size;
  /// The TORII_REQUIRE_… flags that this login meets. 0 after a failure.
  uint32_t flags;
  /// 0.
  uint32_t reserved;
  /// Claim `iat` in Unix seconds, rounded down.
  int64_t issued_at;
  /// Claim `exp` in Unix seconds, rounded down.
  int64_t expires_at;
  /// The user id, claim `sub`.
  torii_span_t user_id;
  /// The id of the user's environment, claim `pid`.
  torii_span_t environment_id;
  /// The configured issuer that signed the token, without trailing slashes.
  torii_span_t issuer;
  /// The user's preferred locale.
  torii_span_t locale;
  /// The id of the active organization.
  torii_span_t organization_id;
  /// The user's role in the active organization: check it together with the id.
  torii_span_t organization_role;
  /// The id of the party that acts as the user. Absent does not mean that there is none.
  torii_span_t actor_id;
  /// All claims as JSON, exactly as signed.
  torii_span_t claims_json;
} torii_record_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// == Version ==
/// The dynamic linker checks the ABI version for a linked program. A program that loads the library
/// itself compares torii_abi_version() with TORII_ABI_VERSION.
///
/// Returns the version of the loaded library, such as "0.1.0". The text is static. Since: 0.1.0.
TORII_API const char *torii_version(void);

/// Returns the ABI version of the loaded library, the number in `libtorii.so.N`. A program or binding
/// built for another ABI version must not continue. Since: 0.1.0.
TORII_API uint32_t torii_abi_version(void);

/// == Status ==
///
/// Returns the name of a status, such as "TORII_ERR_TOKEN_EXPIRED"; "TORII_ERR_UNKNOWN" for an unknown
/// number. The text is static. Since: 0.1.0.
TORII_API const char *torii_status_name(uint32_t status);

/// Returns the HTTP status for your own client: 200 for TORII_OK, 401 for an invalid token, 403 for
/// TORII_ERR_POLICY, 503 if keys are missing, 400 for an invalid webhook, else 500. Since: 0.1.0.
TORII_API uint32_t torii_status_http(uint32_t status);

/// == Errors ==
/// Log torii_error_message(), which states the reason. Send your client only torii_error_public_code(),
/// torii_error_public_message() and torii_error_www_authenticate(), which do not.
///
/// Returns the status that the failed call returned. TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
TORII_API torii_status_t torii_error_status(const torii_error_t *error);

/// Returns one line of English that names the argument, option or claim at fault. It never contains a
/// token, a key, a secret or a query string, so it can be logged. Since: 0.1.0.
TORII_API const char *torii_error_message(const torii_error_t *error, size_t *len);

/// Returns the error code to send to a client, such as "authentication_failed", "forbidden" or
/// "keys_unavailable". Since: 0.1.0.
TORII_API const char *torii_error_public_code(const torii_error_t *error, size_t *len);

/// Returns the message to send to a client: a constant for each status, without a claim, a role, a
/// `kid` or a URL. Since: 0.1.0.
TORII_API const char *torii_error_public_message(const torii_error_t *error, size_t *len);

/// Returns the value of the `WWW-Authenticate` header (RFC 6750 §3) for a 401 or a 403, else NULL. It
/// has no `error` parameter if the request carried no bearer token. Since: 0.1.0.
TORII_API const char *torii_error_www_authenticate(const torii_error_t *error, size_t *len);

/// Returns the seconds after which a retry can help, for a `Retry-After` header; -1 if unknown.
/// Since: 0.1.0.
TORII_API int64_t torii_error_retry_after(const torii_error_t *error);

/// Returns the issuer whose keys are missing, for TORII_ERR_KEYS_UNAVAILABLE and
/// TORII_ERR_KEYS_PENDING; else NULL. That of the token if the revocations file is the reason.
/// Since: 0.1.0.
TORII_API const char *torii_error_issuer(const torii_error_t *error, size_t *len);

/// Returns the HTTP status of the answer, for TORII_ERR_API and TORII_ERR_RESPONSE; else 0. Since: 0.1.0.
TORII_API uint32_t torii_error_http_status(const torii_error_t *error);

/// Returns the API's error code, member `code` of its answer; NULL if absent. Since: 0.1.0.
TORII_API const char *torii_error_code(const torii_error_t *error, size_t *len);

/// Returns the id to name to torii's support, member `supportId` of the API's answer; NULL if absent.
/// Since: 0.1.0.
TORII_API const char *torii_error_support_id(const torii_error_t *error, size_t *len);

/// Returns the API's answer, at most 65536 bytes of it; NULL if there was none. Unlike the message it
/// may contain personal data. The secret key and U+0000 are replaced in it. Since: 0.1.0.
TORII_API const char *torii_error_body(const torii_error_t *error, size_t *len);

/// Returns whether nothing of a REST request left this host: repeating it is safe. Since: 0.1.0.
TORII_API bool torii_error_unsent(const torii_error_t *error);

/// Frees an error. Since: 0.1.0.
TORII_API void torii_error_free(torii_error_t *error);

/// == Verifying tokens ==
/// Create one verifier at startup, then pass it each token or each `Authorization` header from any
/// number of threads. The first call fetches the issuer's keys; later calls verify locally.
///
/// Creates a verifier for an issuer such as "https://acme.torii.so". Fetches nothing yet. `options`
/// [may be NULL] are copied.
/// Blocks while it reads the key cache directory and the revocations file, if they are set.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `issuer` is not a valid base URL, or is plain http to another
/// host; TORII_ERR_INVALID_CONFIG for options that contradict each other, and if the revocations file
/// is missing or invalid. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_new(const char *issuer,
                                  size_t issuer_len,
                                  const torii_verifier_options_t *options,
                                  torii_verifier_t **out,
                                  torii_error_t **err);

/// Verifies a token, a compact JWS (RFC 7515). Fetches the issuer's keys if they are missing or
/// expired, and once more if they lack the key the token names.
/// Blocks up to the fetch timeout if keys are fetched, else not at all.
/// Errors: TORII_ERR_TOKEN_… if the token is invalid; TORII_ERR_POLICY if it is valid but does not meet
/// a requirement; TORII_ERR_KEYS_UNAVAILABLE if it could not be verified because keys are missing.
/// Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verify_token(const torii_verifier_t *verifier,
                                  const char *token,
                                  size_t token_len,
                                  torii_auth_t **out,
                                  torii_error_t **err);

/// As torii_verify_token(), without I/O and without waiting for I/O on another thread. On
/// TORII_ERR_KEYS_PENDING, run torii_verifier_refresh_due() on another thread or use
/// torii_verifier_claim_fetch(), then try again. Unless background refresh is off, a thread of this
/// library is fetching the keys by then, and torii_verifier_refresh_due() waits for it.
/// Errors: TORII_ERR_KEYS_PENDING if keys must be fetched, or the revocations file was last checked more
/// than 5 s ago; else as torii_verify_token(). Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verify_token_nowait(const torii_verifier_t *verifier,
                                         const char *token,
                                         size_t token_len,
                                         torii_auth_t **out,
                                         torii_error_t **err);

/// Verifies the token in the value of an `Authorization` header: "Bearer <token>" (RFC 6750), the
/// scheme in any case. Join the values of a repeated header with ", "; they are refused.
/// Blocks as torii_verify_token() does.
/// Errors: TORII_ERR_TOKEN_MISSING for an empty value; TORII_ERR_TOKEN_SCHEME for another scheme; else
/// as torii_verify_token(). Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_authenticate(const torii_verifier_t *verifier,
                                           const char *header,
                                           size_t header_len,
                                           torii_auth_t **out,
                                           torii_error_t **err);

/// As torii_verifier_authenticate(), without I/O and without waiting for I/O on another thread.
/// Errors: TORII_ERR_KEYS_PENDING as from torii_verify_token_nowait(); else as
/// torii_verifier_authenticate(). Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_authenticate_nowait(const torii_verifier_t *verifier,
                                                  const char *header,
                                                  size_t header_len,
                                                  torii_auth_t **out,
                                                  torii_error_t **err);

/// Fetches the keys of every issuer now, on this thread, for example at startup, and checks the
/// revocations file. Joins a fetch in flight; accepts one that ended within the last second; keeps the backoff after a failure.
/// Blocks up to the fetch timeout for each issuer.
/// Errors: TORII_ERR_KEYS_UNAVAILABLE, with the reason; TORII_ERR_KEYS_PENDING if the host fetches and
/// has not claimed the fetch. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_refresh(const torii_verifier_t *verifier,
                                      torii_error_t **err);

/// Returns statistics as JSON:
///
/// - `accepted`: tokens accepted; `hits`: those among them found in the token cache;
/// - `refused`: refusals by the name of their status;
/// - `cached_tokens` and `cache_bytes`: the content of the token cache;
/// - `issuers`, in the order of configuration: `issuer`, `keys` in use, `skipped` unusable keys,
///   `key_age` in seconds (null without keys), `due_in_ms`, the milliseconds until a fetch is due
///   (null for given keys), `fetches` that ended, `failures` among them, `last_error` (null if the
///   last fetch succeeded), `last_success`, seconds since the last successful fetch (null if none),
///   `key_cache_dir` (null without one): key sets `loaded` and `written`, writes that `failed`, files
///   `ignored` by the reason, and `last_error` (null if the last write succeeded).
///   Fetches and files are counted for the process;
/// - `revocations`: `entries` of the three lists, and `file` (null without a file): its `entries`,
///   `last_check`, seconds since it was last checked, `reads` of its content, `failures`, checks that
///   failed, and `last_error` (null if the last check succeeded). The file is counted for the process;
/// - `tables_built` by torii_verifier_options_set_fixed_base(), and `tables_discarded`, since they
///   disagreed with aws-lc. Tables are counted for the process.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_stats_json(const torii_verifier_t *verifier,
                                         torii_json_t **out,
                                         torii_error_t **err);

/// Frees a verifier. Handles that came from it stay valid. Since: 0.1.0.
TORII_API void torii_verifier_free(torii_verifier_t *verifier);

/// Drops the keys of every issuer, for tests: all verifiers of the process fetch again. Answers to
/// fetches in flight are dropped too. Since: 0.1.0.
TORII_API void torii_jwks_cache_clear(void);

/// == Revocation and metrics ==
/// A token stays valid until its `exp`, even after its user was banned. A revocation refuses the
/// tokens issued to a user at or before a moment, with TORII_ERR_TOKEN_REVOKED: those whose `iat` is at
/// most that time plus the leeway. It applies to `sub` and to the actor, whichever issuer the token is
/// from, and to tokens in the token cache. A verifier has three lists: of calls, of JSON, and of the
/// file of torii_verifier_options_set_revocations_file(). A token is refused if one of them says so;
/// replacing one list leaves the others as they are. Each holds at most 100000 entries.
///
/// Revokes the tokens of a user issued at or before `issued_before`, Unix seconds at most one day
/// ahead, or all of them with TORII_REVOKE_ALL. Of several calls for a user the latest time counts. If
/// a maximum lifetime is set, the entry ends at `issued_before` plus that lifetime plus twice the
/// leeway plus one day. Takes effect in this process, from the next verification on; a child of fork() has the
/// entries of its parent. May be called while other threads verify. Does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `user_id` is empty, the time is negative or too far ahead, or
/// the list of calls is full. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_revoke(const torii_verifier_t *verifier,
                                     const char *user_id,
                                     size_t user_id_len,
                                     int64_t issued_before,
                                     torii_error_t **err);

/// Replaces the list that an earlier call of this function set:
/// `{"revoked":[{"sub":"…","before":1732550000}]}`. `before` is as for torii_verifier_revoke(), or
/// "all" for TORII_REVOKE_ALL. An empty list ends these revocations. May be called while other threads
/// verify. Does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT, with line and column, if `json` is not such a list, has other
/// members, or has more than 100000 entries; the earlier list then stays. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_set_revocations_json(const torii_verifier_t *verifier,
                                                   const char *json,
                                                   size_t json_len,
                                                   torii_error_t **err);

/// Writes metrics as OpenMetrics text 1.0.0 into `buf`, without a NUL, and their length to `size`. A
/// scrape answers with it as `application/openmetrics-text; version=1.0.0; charset=utf-8`. The length
/// can grow between two calls: repeat while the buffer is too small.
/// Errors: TORII_ERR_BUFFER_TOO_SMALL if `cap` is less than `size`, which is set. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_metrics(const torii_verifier_t *verifier,
                                      char *buf,
                                      size_t cap,
                                      size_t *size,
                                      torii_error_t **err);

/// == Keys for event loops ==
/// A host that must not block calls the `_nowait` functions and fetches keys in one of two ways: on
/// a thread pool with torii_verifier_refresh_due(), or with its own HTTP client through
/// torii_verifier_claim_fetch().
///
/// Fetches keys if a fetch is due, and waits for a fetch in flight: the job for a thread pool while a
/// request is parked. Checks the revocations file if that is due; the host does so even if it fetches
/// keys by itself. `issuer` [may be NULL, for every issuer] is usually torii_error_issuer() of the
/// refusal. Succeeds at once if no fetch is due, or if the backoff or the cooldown for unknown keys is
/// not over; a key missed during the cooldown makes a fetch due at its end.
/// Blocks up to the fetch timeout.
/// Errors: as torii_verifier_refresh(); TORII_ERR_INVALID_ARGUMENT for an issuer it does not have.
/// Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_refresh_due(const torii_verifier_t *verifier,
                                          const char *issuer,
                                          size_t issuer_len,
                                          torii_error_t **err);

/// Returns the milliseconds until a key fetch or a check of the revocations file is due, for a timer
/// that runs torii_verifier_refresh_due(): then no request waits for keys. 0 if one is due now; -1 if
/// all keys were given and there is no such file, and for NULL. Since: 0.1.0.
TORII_API int64_t torii_verifier_due_in_ms(const torii_verifier_t *verifier);

/// Claims a key fetch that is due. Request torii_fetch_url(), with torii_fetch_etag() as
/// `If-None-Match`, follow no redirect, then call torii_fetch_done() and torii_fetch_free(). Call this
/// after each TORII_ERR_KEYS_PENDING and from a timer set by torii_verifier_due_in_ms().
///
/// From the first call on, the verifier uses keys the host fetches; the library fetches none for it.
/// Keys fetched by hosts and by the library are kept apart.
/// Ownership: the caller frees the handle with torii_fetch_free(). NULL if no fetch is due, if another
/// handle holds it, and for a NULL verifier. A fetch not done within 30 seconds counts as failed.
/// Since: 0.1.0.
TORII_API torii_fetch_t *torii_verifier_claim_fetch(const torii_verifier_t *verifier);

/// Returns the URL to request. Since: 0.1.0.
TORII_API const char *torii_fetch_url(const torii_fetch_t *fetch, size_t *len);

/// Returns the entity tag to send as `If-None-Match`. NULL if there is none. Since: 0.1.0.
TORII_API const char *torii_fetch_etag(const torii_fetch_t *fetch, size_t *len);

/// Hands over the issuer's answer: a 200 with a body, a 304, or anything else, which counts as a
/// failed fetch. A 304 renews only the keys whose entity tag this handle carried. `etag` [may be NULL],
/// `max_age_seconds` of `Cache-Control` and `age_seconds` of `Age` (RFC 9111) are those of the answer;
/// -1 if absent. An age shortens the lifetime to no less than 60 seconds; one above 86400 is ignored.
/// Errors: TORII_ERR_KEYS_UNAVAILABLE if the answer is unusable (the keys at hand stay in use), and if
/// it comes too late: after 30 seconds, after torii_jwks_cache_clear(), or in a child made by fork().
/// Nothing is stored then. TORII_ERR_INVALID_ARGUMENT if the fetch is done already. Since: 0.1.0.
TORII_API
torii_status_t torii_fetch_done(torii_fetch_t *fetch,
                                uint32_t http_status,
                                const char *body,
                                size_t body_len,
                                const char *etag,
                                size_t etag_len,
                                int64_t max_age_seconds,
                                int64_t age_seconds,
                                torii_error_t **err);

/// Frees a fetch. Without torii_fetch_done(), the fetch has failed. Since: 0.1.0.
TORII_API void torii_fetch_free(torii_fetch_t *fetch);

/// == Verifying without a handle ==
/// One call for bindings, and for C without malloc().
///
/// Verifies a token as torii_verify_token() does and writes the result to `buf`: nothing to free.
///
/// `how` is a combination of TORII_VERIFY_… flags, or 0. `requirements` [may be NULL] apply to this call
/// in addition to the verifier's. `buf` receives a torii_record_t with its texts; it must be 8-byte
/// aligned and must not overlap `text`. TORII_RECORD_MAX bytes always suffice. Its header is zeroed on
/// entry, so that a reused buffer never shows an earlier user. `size` [may be NULL] receives the size of
/// the record.
/// Blocks as torii_verify_token() does, unless TORII_VERIFY_NOWAIT is set.
/// Errors: TORII_ERR_BUFFER_TOO_SMALL if the token was accepted but the record does not fit: `*size` is
/// the size it needs, and the call is not counted. TORII_ERR_INVALID_ARGUMENT for an unknown flag, a
/// misaligned or overlapping buffer; else as torii_verify_token() and torii_verifier_authenticate().
/// Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verify_into(const torii_verifier_t *verifier,
                                 const char *text,
                                 size_t text_len,
                                 uint32_t how,
                                 const torii_requirements_t *requirements,
                                 void *buf,
                                 size_t cap,
                                 size_t *size,
                                 torii_error_t **err);

/// == Verifier options ==
/// Every setter names the wrong value in its error and then leaves the options as they were.
///
/// Creates options with the defaults that the setters state. Since: 0.1.0.
TORII_API torii_verifier_options_t *torii_verifier_options_new(void);

/// Trusts a further issuer. A token's `iss` selects among the configured issuers, and the signature
/// must then be made by that issuer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `issuer` is not a valid base URL. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_add_issuer(torii_verifier_options_t *options,
                                                 const char *issuer,
                                                 size_t issuer_len,
                                                 torii_error_t **err);

/// Trusts a further issuer with these keys, a JWK Set (RFC 7517). They do not age; nothing is fetched
/// for that issuer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `issuer` is not a valid base URL, or `jwks` has no usable key.
/// Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_add_issuer_jwks(torii_verifier_options_t *options,
                                                      const char *issuer,
                                                      size_t issuer_len,
                                                      const char *jwks,
                                                      size_t jwks_len,
                                                      torii_error_t **err);

/// Sets the keys of the verifier's own issuer, the one passed to torii_verifier_new(), instead of
/// fetching them.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `jwks` has no usable key. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_jwks_json(torii_verifier_options_t *options,
                                                    const char *jwks,
                                                    size_t jwks_len,
                                                    torii_error_t **err);

/// Requires that `aud` (RFC 7519 §4.1.3) names this audience, or another one added. Default: none, and
/// a token with `aud` is refused.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty text. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_add_audience(torii_verifier_options_t *options,
                                                   const char *audience,
                                                   size_t audience_len,
                                                   torii_error_t **err);

/// Sets whether `aud` is ignored. Default: false. Together with an audience it is
/// TORII_ERR_INVALID_CONFIG when the verifier is created. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_ignore_audience(torii_verifier_options_t *options,
                                                          bool ignore,
                                                          torii_error_t **err);

/// Sets the clock difference to allow between torii and this host: 0 to 300 seconds. Default: 30.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_leeway_seconds(torii_verifier_options_t *options,
                                                         uint32_t seconds,
                                                         torii_error_t **err);

/// Refuses tokens whose `exp` is more than this after `iat`, with TORII_ERR_TOKEN_LIFETIME: tokens made
/// from a template may live longer than session tokens. Default: 0, unlimited. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_max_lifetime_seconds(torii_verifier_options_t *options,
                                                               uint32_t seconds,
                                                               torii_error_t **err);

/// Requires TORII_REQUIRE_… flags of every token; they add up.
/// Errors: TORII_ERR_INVALID_ARGUMENT for 0 or an unknown flag. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_require(torii_verifier_options_t *options,
                                              uint32_t flags,
                                              torii_error_t **err);

/// Sets the requirements of every token, in place of those set before. Flags of
/// torii_verifier_options_require() stay.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_requirements(torii_verifier_options_t *options,
                                                       const torii_requirements_t *requirements,
                                                       torii_error_t **err);

/// Sets whether `org_id` and `org_role`, the older names, are read where a token has no `o`. A token
/// whose `o` and `org_id` differ is then refused. Default: false, since a template may fill these names
/// with what a user wrote. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_legacy_organization(torii_verifier_options_t *options,
                                                              bool read,
                                                              torii_error_t **err);

/// Sets the `realm` of torii_error_www_authenticate(). Default: "torii".
/// Errors: TORII_ERR_INVALID_ARGUMENT unless `realm` is visible ASCII and blanks without quotes and backslashes.
/// Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_options_set_realm(torii_verifier_options_t *options,
                                                const char *realm,
                                                size_t realm_len,
                                                torii_error_t **err);

/// Sets the `resource_metadata` parameter of torii_error_www_authenticate() (RFC 9728 §5.1). Default:
/// none.
/// Errors: TORII_ERR_INVALID_ARGUMENT unless `url` is visible ASCII without quotes and backslashes.
/// Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_options_set_resource_metadata(torii_verifier_options_t *options,
                                                            const char *url,
                                                            size_t url_len,
                                                            torii_error_t **err);

/// Sets the lifetime of fetched keys: 1 to 86400 seconds. Default: the `Cache-Control: max-age` of the
/// issuer, within 60 to 3600 seconds; 300 without one.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_key_lifetime_seconds(torii_verifier_options_t *options,
                                                               uint32_t seconds,
                                                               torii_error_t **err);

/// Sets how long keys stay in use after the last successful fetch while the issuer is unreachable: 0 to
/// 2592000 seconds. 0: not beyond their lifetime. Default: 86400.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_max_stale_seconds(torii_verifier_options_t *options,
                                                            uint32_t seconds,
                                                            torii_error_t **err);

/// Sets the timeout of a key fetch, from the name lookup to the last byte, and of waiting for one: 100
/// to 60000 milliseconds. Default: 5000.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_options_set_fetch_timeout_ms(torii_verifier_options_t *options,
                                                           uint32_t milliseconds,
                                                           torii_error_t **err);

/// Sets whether short-lived threads may fetch keys before they expire. Default: true. A host that uses
/// torii_verifier_claim_fetch() or its own threads sets false. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_options_set_background_refresh(torii_verifier_options_t *options,
                                                             bool allowed,
                                                             torii_error_t **err);

/// Trusts the certificate authorities in this PEM file instead of the platform's. Reads the file now.
/// Errors: TORII_ERR_INVALID_CONFIG if the file cannot be read or has no certificate. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_ca_file(torii_verifier_options_t *options,
                                                  const char *path,
                                                  size_t path_len,
                                                  torii_error_t **err);

/// Fetches keys through an http or https proxy, such as "http://user:password@proxy.example:3128".
/// Default: none; proxy variables of the environment are ignored. A loopback issuer is reached directly.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `url` is not the URL of a proxy. Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_options_set_proxy(torii_verifier_options_t *options,
                                                const char *url,
                                                size_t url_len,
                                                torii_error_t **err);

/// Allows plain http to hosts other than loopback. Default: false. Anyone on the path can then replace
/// the keys, and with them forge every token. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_allow_http(torii_verifier_options_t *options,
                                                     bool allowed,
                                                     torii_error_t **err);

/// Sets the size of the verified token cache: 0 turns it off. Default: 8388608 bytes for each verifier.
/// Since: 0.1.0.
TORII_API
torii_status_t torii_verifier_options_set_token_cache_bytes(torii_verifier_options_t *options,
                                                            size_t bytes,
                                                            torii_error_t **err);

/// Sets whether signatures are verified with a table of multiples of each key: less than half of the
/// time for a new token, about 150 KiB of memory for each key. Default: false. Since: 0.1.0.
/// Errors: TORII_ERR_INVALID_CONFIG if the library was built with the feature `fips`.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_fixed_base(torii_verifier_options_t *options,
                                                     bool on,
                                                     torii_error_t **err);

/// Keeps the key sets that the library fetches in this directory, one file for each key URL, certificate
/// authorities and proxy, so that the next process starts without a fetch, even while the issuer is
/// unreachable. Anyone who can write there can log in as any user: use one directory for each trust domain.
///
/// torii_verifier_new() creates a missing directory (mode 0700; its parent has to exist) and reads the
/// files, so no later call waits for that; a child made by fork() reads them before its first fetch. The
/// thread that fetches keys writes them, after it has woken the calls that wait for it.
///
/// Keys from a file age as if this process had fetched them. Past their lifetime they are used only after
/// a fetch has failed in this process, and never beyond torii_verifier_options_set_max_stale_seconds().
/// Keys set as JSON and keys the host fetches are not written.
///
/// The effective user or root has to own the directory and its files, and group and others must not be able
/// to write to them. Files that differ, symbolic and hard links, damaged files, files of another URL and
/// files from the future are ignored and counted in torii_verifier_stats_json(). Of `path`, only the last
/// component is checked. Default: none.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty text. torii_verifier_new() fails with
/// TORII_ERR_INVALID_CONFIG if the directory is missing and cannot be created, and on Windows.
/// Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_key_cache_dir(torii_verifier_options_t *options,
                                                        const char *path,
                                                        size_t path_len,
                                                        torii_error_t **err);

/// Refuses the tokens that this file revokes, JSON as for torii_verifier_set_revocations_json(). A change
/// takes effect within 2 seconds, without a call. Default: none.
///
/// torii_verifier_new() reads the file. Later, calls that may block check it for changes once a second.
/// The `_nowait` functions leave that to a thread of this library or, without background refresh, to
/// torii_verifier_refresh_due(); they fail with TORII_ERR_KEYS_PENDING if the last check is more than
/// 5 seconds ago. If the file is missing or invalid by then, the last list stays in use;
/// torii_verifier_stats_json() has the reason. A child of fork() has the list and checks the file itself.
///
/// The file is a regular file, or a symbolic link to one, of at most 32 MiB. It belongs to the effective
/// user of the process or to root, and neither group nor others may write to it. Replace it with
/// rename(). A relative path is relative to the working directory during torii_verifier_new().
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty text. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_revocations_file(torii_verifier_options_t *options,
                                                           const char *path,
                                                           size_t path_len,
                                                           torii_error_t **err);

/// Sets whether torii_verifier_metrics() labels what belongs to an issuer with its URL. Default: false,
/// since an issuer can name a tenant. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_metrics_issuer_label(torii_verifier_options_t *options,
                                                               bool label,
                                                               torii_error_t **err);

/// Verifies the time claims by this clock instead of the system's: `now(userdata)` returns Unix
/// seconds. It runs on the thread that verifies, during the call, and on several threads at once; it
/// must return normally (no longjmp, no C++ exception). NULL: the system
/// clock, the default. `userdata` must outlive every verifier created with the options. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_verifier_options_set_clock(torii_verifier_options_t *options,
                                                int64_t (*now)(void *userdata),
                                                void *userdata,
                                                torii_error_t **err);

/// Frees options. Since: 0.1.0.
TORII_API void torii_verifier_options_free(torii_verifier_options_t *options);

/// == Requirements ==
/// Conditions that a valid token must also meet. Set them for a verifier, pass them to one
/// torii_verify_into() call, or check a result with torii_auth_require(): one verifier serves routes
/// with different requirements. An unmet requirement is TORII_ERR_POLICY.
///
/// Creates empty requirements, which every valid token meets. Since: 0.1.0.
TORII_API torii_requirements_t *torii_requirements_new(void);

/// Adds TORII_REQUIRE_… flags.
/// Errors: TORII_ERR_INVALID_ARGUMENT for 0 or an unknown flag. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_requirements_add_flags(torii_requirements_t *requirements,
                                            uint32_t flags,
                                            torii_error_t **err);

/// Requires that the claim at `pointer` (RFC 6901) equals `json`, a string, number or boolean, or is
/// an array that contains it. Strings compare by their decoded bytes, numbers by their exact decimal
/// value. A token without the claim does not meet the requirement.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty or malformed pointer, for null, and for anything
/// that is not a JSON scalar. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_requirements_add_claim(torii_requirements_t *requirements,
                                            const char *pointer,
                                            size_t pointer_len,
                                            const char *json,
                                            size_t json_len,
                                            torii_error_t **err);

/// Requires that this organization is active, in the given role [may be NULL: in any role], or another
/// organization that was added. A role alone cannot be required: anyone can create an organization and
/// own it.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty id or role. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_requirements_add_organization(torii_requirements_t *requirements,
                                                   const char *id,
                                                   size_t id_len,
                                                   const char *role,
                                                   size_t role_len,
                                                   torii_error_t **err);

/// Frees requirements. Since: 0.1.0.
TORII_API void torii_requirements_free(torii_requirements_t *requirements);

/// == Reading a result ==
/// Text from a result never contains U+0000, so C and every other language see the same value.
///
/// Returns the user id, claim `sub`. Since: 0.1.0.
TORII_API const char *torii_auth_user_id(const torii_auth_t *auth, size_t *len);

/// Returns the id of the user's environment, claim `pid`. Since: 0.1.0.
TORII_API const char *torii_auth_environment_id(const torii_auth_t *auth, size_t *len);

/// Returns the configured issuer that signed the token, without trailing slashes. Since: 0.1.0.
TORII_API const char *torii_auth_issuer(const torii_auth_t *auth, size_t *len);

/// Returns the user's preferred locale, claim `locale`. NULL if absent. Since: 0.1.0.
TORII_API const char *torii_auth_locale(const torii_auth_t *auth, size_t *len);

/// Returns the id of the active organization, claim `o`. NULL if none is active. Since: 0.1.0.
TORII_API const char *torii_auth_organization_id(const torii_auth_t *auth, size_t *len);

/// Returns the user's role in the active organization. NULL if absent. Roles are opaque names that an
/// organization's owner assigns: check them together with the organization's id. Since: 0.1.0.
TORII_API const char *torii_auth_organization_role(const torii_auth_t *auth, size_t *len);

/// Returns the id of the party that acts as the user, claim `act` (RFC 8693 §4.1). NULL if absent, which
/// does not mean that there is no such party: see torii_auth_impersonating(). Since: 0.1.0.
TORII_API const char *torii_auth_actor_id(const torii_auth_t *auth, size_t *len);

/// Returns all claims exactly as signed: the payload of the token. Since: 0.1.0.
TORII_API const char *torii_auth_claims_json(const torii_auth_t *auth, size_t *len);

/// Returns whether the user has a verified email address: claim `email_verified` is `true`. torii stamps
/// this claim only through the environment's default JWT template. Since: 0.1.0.
TORII_API bool torii_auth_email_verified(const torii_auth_t *auth);

/// Returns whether required profile fields are set: claim `profile_complete` is not `false`. Since: 0.1.0.
TORII_API bool torii_auth_profile_complete(const torii_auth_t *auth);

/// Returns whether another party acts as the user: `impersonating` is `true`, or `act` present. Since: 0.1.0.
TORII_API bool torii_auth_impersonating(const torii_auth_t *auth);

/// Returns claim `iat` in Unix seconds, rounded down. 0 for NULL. Since: 0.1.0.
TORII_API int64_t torii_auth_issued_at(const torii_auth_t *auth);

/// Returns claim `exp` in Unix seconds, rounded down. 0 for NULL. Since: 0.1.0.
TORII_API int64_t torii_auth_expires_at(const torii_auth_t *auth);

/// Returns a top-level string claim by its name. NULL if it is absent, is not a string, or contains
/// U+0000. Since: 0.1.0.
TORII_API const char *torii_auth_claim_string(const torii_auth_t *auth, const char *name, size_t name_len, size_t *len);

/// Returns all claims as JSON, to read one by one with the torii_json_ functions.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
TORII_API torii_status_t torii_auth_claims(const torii_auth_t *auth, torii_json_t **out, torii_error_t **err);

/// Checks requirements against a result, for one route among many. Looks at the claims only: neither
/// the expiry nor the signature is checked again.
/// Errors: TORII_ERR_POLICY for an unmet requirement; TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_auth_require(const torii_auth_t *auth,
                                  const torii_requirements_t *requirements,
                                  torii_error_t **err);

/// Frees a result. Since: 0.1.0.
TORII_API void torii_auth_free(torii_auth_t *auth);

/// == Webhooks ==
/// Verifies webhooks signed as Standard Webhooks 1.0.0 describes (HMAC-SHA256, `v1`). torii has
/// announced secrets of this form but has not published its scheme; this is the standard's.
///
/// Creates a webhook verifier. `secret` is "whsec_" and at least 24 bytes in base64.
/// Errors: TORII_ERR_INVALID_CONFIG if the secret has another form; its value is never echoed.
/// Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_webhook_new(const char *secret,
                                 size_t secret_len,
                                 torii_webhook_t **out,
                                 torii_error_t **err);

/// Accepts a further secret, while secrets are being rotated.
/// Errors: as torii_webhook_new(). Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_webhook_add_secret(torii_webhook_t *webhook,
                                        const char *secret,
                                        size_t secret_len,
                                        torii_error_t **err);

/// Sets how far the timestamp may lie before or after `now`: 0 to 2147483647 seconds. Default: 300.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_webhook_set_tolerance_seconds(torii_webhook_t *webhook,
                                                   uint32_t seconds,
                                                   torii_error_t **err);

/// Verifies one webhook. `id`, `timestamp` and `signature` are the values of the headers `webhook-id`,
/// `webhook-timestamp` and `webhook-signature` (or `svix-id` and so on); NULL for a missing header,
/// values joined by ", " for a repeated one. `body` is the body as received, before any parsing. `now`
/// is the time in Unix seconds. `sent_at` [may be NULL] receives the timestamp.
///
/// A webhook may be delivered more than once, with the same id: ignore ids you have processed.
/// Errors: TORII_ERR_WEBHOOK_HEADER for a missing or malformed header; TORII_ERR_WEBHOOK_TIMESTAMP
/// outside the tolerance; TORII_ERR_WEBHOOK_SIGNATURE if no signature matches. Since: 0.1.0.
TORII_API
TORII_NODISCARD
torii_status_t torii_webhook_verify(const torii_webhook_t *webhook,
                                    const char *id,
                                    size_t id_len,
                                    const char *timestamp,
                                    size_t timestamp_len,
                                    const char *signature,
                                    size_t signature_len,
                                    const char *body,
                                    size_t body_len,
                                    int64_t now,
                                    int64_t *sent_at,
                                    torii_error_t **err);

/// Frees a webhook verifier and wipes its secrets. Since: 0.1.0.
TORII_API void torii_webhook_free(torii_webhook_t *webhook);

/// == Client options ==
/// A setter that fails leaves the options as they were. An invalid value is TORII_ERR_INVALID_ARGUMENT,
/// and the message names it.
///
/// Creates options with the defaults that the setters state. Since: 0.1.0.
TORII_API torii_client_options_t *torii_client_options_new(void);

/// Sets the base URL of the API. Default: "https://api.torii.so". Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_api_url(torii_client_options_t *options,
                                                const char *url,
                                                size_t url_len,
                                                torii_error_t **err);

/// Sets the timeout of a call, including every retry and the backoff between them: 100 to 600000
/// milliseconds. Default: 30000. Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_timeout_ms(torii_client_options_t *options,
                                                   uint32_t milliseconds,
                                                   torii_error_t **err);

/// Sets the timeout of looking up the API's name, and of connecting to it: 100 to 60000 milliseconds,
/// within the timeout of the call. Default: 5000. Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_connect_timeout_ms(torii_client_options_t *options,
                                                           uint32_t milliseconds,
                                                           torii_error_t **err);

/// Sets how often a call is retried: 0 to 10 times. Default: 2. Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_max_retries(torii_client_options_t *options,
                                                    uint32_t retries,
                                                    torii_error_t **err);

/// Trusts the certificate authorities in this PEM file instead of the platform's. Reads the file now.
/// Errors: TORII_ERR_INVALID_CONFIG if the file cannot be read or has no certificate. Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_ca_file(torii_client_options_t *options,
                                                const char *path,
                                                size_t path_len,
                                                torii_error_t **err);

/// Calls the API through an http or https proxy (CONNECT), such as
/// "http://user:password@proxy.example:3128". Default: none; proxy variables of the environment are ignored.
/// Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_proxy(torii_client_options_t *options,
                                              const char *url,
                                              size_t url_len,
                                              torii_error_t **err);

/// Appends the name of your program to `User-Agent`, such as "shop/1.2": up to 256 characters of visible
/// ASCII and spaces. Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_user_agent_suffix(torii_client_options_t *options,
                                                          const char *suffix,
                                                          size_t suffix_len,
                                                          torii_error_t **err);

/// Allows plain http to hosts other than loopback. Default: false. Anyone on the path can then read the
/// secret key. Since: 0.1.0.
TORII_API
torii_status_t torii_client_options_set_allow_http(torii_client_options_t *options,
                                                   bool allowed,
                                                   torii_error_t **err);

/// Frees options. Since: 0.1.0.
TORII_API void torii_client_options_free(torii_client_options_t *options);

/// == Client ==
/// Calls torii's backend API for the environment of a secret key. Create one client at startup: it keeps
/// connections open between calls. A client created before fork() works in the child, with connections
/// of its own.
///
/// Every call blocks up to the client's timeout. Ids and cursors are UUIDs. Bodies are JSON objects and
/// reach the API as the same value: unknown fields pass, null stays null, absent fields stay absent.
///
/// Lists are paged: an answer has "items", "nextCursor" and "hasMore". `limit` is 1 to 100, or 0 for the
/// API's default. `cursor` [may be NULL] is the "nextCursor" of the previous page; repeat the filters
/// with it.
///
/// A call is retried if nothing of it was sent. An idempotent call is also retried after a lost
/// connection, after 502, 503 and 504, and after 429 with a `Retry-After`. Every call is idempotent unless
/// its comment says otherwise.
///
/// Every call can fail with
///
/// - TORII_ERR_INVALID_ARGUMENT, before anything is sent;
/// - TORII_ERR_API if the API answers with an error, 401 for a wrong secret key:
///   torii_error_http_status(), torii_error_code(), torii_error_support_id(), torii_error_body() and
///   torii_error_retry_after() return the details;
/// - TORII_ERR_TRANSPORT if the API cannot be reached, or the connection is lost;
/// - TORII_ERR_TIMEOUT if the call takes longer than the timeout;
/// - TORII_ERR_RESPONSE if a successful answer is not JSON, is truncated, or exceeds 16777216 bytes.
///
/// `Errors:` of a call lists further HTTP statuses of TORII_ERR_API.
///
/// Creates a client. `secret_key` is "sk_live_…" or "sk_test_…". Sends nothing and does not block.
/// `options` [may be NULL] are copied.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `secret_key` has another form; TORII_ERR_INVALID_CONFIG for
/// plain http to another host. Since: 0.1.0.
TORII_API
torii_status_t torii_client_new(const char *secret_key,
                                size_t secret_key_len,
                                const torii_client_options_t *options,
                                torii_client_t **out,
                                torii_error_t **err);

/// Calls an operation newer than this library. `method` is GET, POST, PUT, PATCH or DELETE. `path` is
/// the whole path below the base URL, such as "/api/server/v1/users". `query` [may be NULL] is
/// percent-encoded, without the question mark. `body` [may be NULL] is a JSON object. An answer without a
/// body is null.
///
/// GET is idempotent; the other methods are never retried once sent. Since: 0.1.0.
TORII_API
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

/// Frees a client, closes its connections and wipes its secret key. Since: 0.1.0.
TORII_API void torii_client_free(torii_client_t *client);

/// == Users ==
///
/// Returns a page of users that match every member of `filter` [may be NULL], a JSON object with
/// "name", "email", "userIds", "emailAddresses", "statuses", "createdAfter", "createdBefore" or
/// "organizationId". An absent member does not filter; null and an empty array are sent as they are.
/// Errors: 400 for a filter the API rejects. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_list_json(const torii_client_t *client,
                                            uint32_t limit,
                                            const char *cursor,
                                            size_t cursor_len,
                                            const char *filter,
                                            size_t filter_len,
                                            torii_json_t **out,
                                            torii_error_t **err);

/// Returns a user.
/// Errors: 403 if the user is deleted or of another environment; 404 if there is none. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_get_json(const torii_client_t *client,
                                           const char *user_id,
                                           size_t user_id_len,
                                           torii_json_t **out,
                                           torii_error_t **err);

/// Creates a user. Never retried once sent: after TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the user may
/// exist. See torii_error_unsent().
/// Errors: 400; 409 if the email address is taken. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_create_json(const torii_client_t *client,
                                              const char *body,
                                              size_t body_len,
                                              torii_json_t **out,
                                              torii_error_t **err);

/// Updates a user: an absent field stays as it is, null clears it, a value sets it. Build such a body
/// with torii_patch_t.
/// Errors: 400, 403, 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_update_json(const torii_client_t *client,
                                              const char *user_id,
                                              size_t user_id_len,
                                              const char *body,
                                              size_t body_len,
                                              torii_json_t **out,
                                              torii_error_t **err);

/// Merges "publicMetadata", "privateMetadata" and "unsafeMetadata" of the body into the user's. A null
/// removes its key.
/// Errors: 400, 403, 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_update_metadata_json(const torii_client_t *client,
                                                       const char *user_id,
                                                       size_t user_id_len,
                                                       const char *body,
                                                       size_t body_len,
                                                       torii_json_t **out,
                                                       torii_error_t **err);

/// Deletes a user. The API answers 403 if the user is deleted already. After a retry whose first answer
/// was lost, a 403 is a success.
/// Errors: 403, 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_delete(const torii_client_t *client,
                                         const char *user_id,
                                         size_t user_id_len,
                                         torii_error_t **err);

/// Bans a user, ends all the user's sessions, and returns the user. Tokens already issued stay valid
/// until they expire.
/// Errors: 403, 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_ban_json(const torii_client_t *client,
                                           const char *user_id,
                                           size_t user_id_len,
                                           torii_json_t **out,
                                           torii_error_t **err);

/// Lifts a ban and returns the user.
/// Errors: 403, 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_unban_json(const torii_client_t *client,
                                             const char *user_id,
                                             size_t user_id_len,
                                             torii_json_t **out,
                                             torii_error_t **err);

/// Returns a page of the user's organizations, each with the role and the metadata of the membership.
/// Errors: 403 if there is no such user. Since: 0.1.0.
TORII_API
torii_status_t torii_client_users_list_organizations_json(const torii_client_t *client,
                                                          const char *user_id,
                                                          size_t user_id_len,
                                                          uint32_t limit,
                                                          const char *cursor,
                                                          size_t cursor_len,
                                                          torii_json_t **out,
                                                          torii_error_t **err);

/// == Sessions ==
/// Lists and ends users' sessions. Tokens already issued stay valid until they expire.
///
/// Returns the user's active sessions as an array, the most recently used first. Not paged.
/// Errors: 403 if there is no such user. Since: 0.1.0.
TORII_API
torii_status_t torii_client_sessions_list_for_user_json(const torii_client_t *client,
                                                        const char *user_id,
                                                        size_t user_id_len,
                                                        torii_json_t **out,
                                                        torii_error_t **err);

/// Ends all sessions of a user.
/// Errors: 403 if there is no such user. Since: 0.1.0.
TORII_API
torii_status_t torii_client_sessions_revoke_all_for_user(const torii_client_t *client,
                                                         const char *user_id,
                                                         size_t user_id_len,
                                                         torii_error_t **err);

/// Ends one session of a user. Succeeds if the session has already ended.
/// Errors: 403 if there is no such user. Since: 0.1.0.
TORII_API
torii_status_t torii_client_sessions_revoke(const torii_client_t *client,
                                            const char *user_id,
                                            size_t user_id_len,
                                            const char *session_id,
                                            size_t session_id_len,
                                            torii_error_t **err);

/// == Organizations ==
///
/// Returns a page of the environment's organizations. `name` [may be NULL] is a part of the name.
/// Since: 0.1.0.
TORII_API
torii_status_t torii_client_organizations_list_json(const torii_client_t *client,
                                                    uint32_t limit,
                                                    const char *cursor,
                                                    size_t cursor_len,
                                                    const char *name,
                                                    size_t name_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

/// Returns an organization.
/// Errors: 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_organizations_get_json(const torii_client_t *client,
                                                   const char *organization_id,
                                                   size_t organization_id_len,
                                                   torii_json_t **out,
                                                   torii_error_t **err);

/// Returns a page of the organization's members, each with the role and the metadata of the membership.
/// Errors: 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_organizations_list_members_json(const torii_client_t *client,
                                                            const char *organization_id,
                                                            size_t organization_id_len,
                                                            uint32_t limit,
                                                            const char *cursor,
                                                            size_t cursor_len,
                                                            torii_json_t **out,
                                                            torii_error_t **err);

/// Merges "publicMetadata" and "privateMetadata" of the body into the organization's. A null removes its
/// key. At least one of the two is required.
/// Errors: 400, 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_organizations_update_metadata_json(const torii_client_t *client,
                                                               const char *organization_id,
                                                               size_t organization_id_len,
                                                               const char *body,
                                                               size_t body_len,
                                                               torii_json_t **out,
                                                               torii_error_t **err);

/// Merges metadata into a membership's, as torii_client_organizations_update_metadata_json() does.
/// Errors: 400, 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_organizations_update_member_metadata_json(const torii_client_t *client,
                                                                      const char *organization_id,
                                                                      size_t organization_id_len,
                                                                      const char *user_id,
                                                                      size_t user_id_len,
                                                                      const char *body,
                                                                      size_t body_len,
                                                                      torii_json_t **out,
                                                                      torii_error_t **err);

/// == Invitations ==
///
/// Creates an invitation and sends its email. torii requires "email", "publicMetadata" and
/// "privateMetadata" in the body; empty metadata is {}. Never retried once sent: after
/// TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the email may be on its way.
/// Errors: 400; 409 if the email address has an account; 429 after too many invitations, with
/// torii_error_retry_after() if the API says when. Since: 0.1.0.
TORII_API
torii_status_t torii_client_invitations_create_json(const torii_client_t *client,
                                                    const char *body,
                                                    size_t body_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

/// Returns a page of the environment's invitations, without metadata. `statuses` [may be NULL] is a JSON
/// array, such as ["PENDING", "ACCEPTED"]. `search` [may be NULL] is a text to search for.
/// Since: 0.1.0.
TORII_API
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

/// Returns an invitation, with its metadata.
/// Errors: 404. Since: 0.1.0.
TORII_API
torii_status_t torii_client_invitations_get_json(const torii_client_t *client,
                                                 const char *invitation_id,
                                                 size_t invitation_id_len,
                                                 torii_json_t **out,
                                                 torii_error_t **err);

/// Sends an invitation again, with a new link. Never retried once sent.
/// Errors: 404, 409. Since: 0.1.0.
TORII_API
torii_status_t torii_client_invitations_resend_json(const torii_client_t *client,
                                                    const char *invitation_id,
                                                    size_t invitation_id_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

/// Revokes an invitation. Never retried once sent: the API does not document the answer to a second
/// call.
/// Errors: 404, 409. Since: 0.1.0.
TORII_API
torii_status_t torii_client_invitations_revoke(const torii_client_t *client,
                                               const char *invitation_id,
                                               size_t invitation_id_len,
                                               torii_error_t **err);

/// Merges "publicMetadata" and "privateMetadata" of the body into those of a pending invitation. A null
/// removes its key. At least one of the two is required.
/// Errors: 400, 404; 409 with the code "invitation_not_pending" or "invitation_patch_conflict".
/// Since: 0.1.0.
TORII_API
torii_status_t torii_client_invitations_update_metadata_json(const torii_client_t *client,
                                                             const char *invitation_id,
                                                             size_t invitation_id_len,
                                                             const char *body,
                                                             size_t body_len,
                                                             torii_json_t **out,
                                                             torii_error_t **err);

/// == Impersonation ==
///
/// Returns a single-use "token" to sign in as the user, and a "url" that redeems it. torii requires
/// "actorUserId" and "reason" in the body. Never retried once sent, since each call counts toward a quota.
/// Errors: 400; 402 if the plan or its quota does not allow it; 403 if there is no such user.
/// Since: 0.1.0.
TORII_API
torii_status_t torii_client_impersonation_create_token_json(const torii_client_t *client,
                                                            const char *user_id,
                                                            size_t user_id_len,
                                                            const char *body,
                                                            size_t body_len,
                                                            torii_json_t **out,
                                                            torii_error_t **err);

/// == Allowed origins ==
///
/// Returns the "origins" from which browsers may call torii. Since: 0.1.0.
TORII_API
torii_status_t torii_client_allowed_origins_get_json(const torii_client_t *client,
                                                     torii_json_t **out,
                                                     torii_error_t **err);

/// Replaces all origins by the "origins" of the body, and returns them.
/// Errors: 400. Since: 0.1.0.
TORII_API
torii_status_t torii_client_allowed_origins_set_json(const torii_client_t *client,
                                                     const char *body,
                                                     size_t body_len,
                                                     torii_json_t **out,
                                                     torii_error_t **err);

/// == JSON ==
/// A `pointer` follows RFC 6901: "" is the whole text, else "/member/0/member", with "~1" for "/" and
/// "~0" for "~" in a member's name.
///
/// Returns the whole text. Since: 0.1.0.
TORII_API const char *torii_json_text(const torii_json_t *json, size_t *len);

/// Returns the type of the value at the pointer. TORII_JSON_ABSENT for NULL. Since: 0.1.0.
TORII_API torii_json_type_t torii_json_type(const torii_json_t *json, const char *pointer, size_t pointer_len);

/// Returns the value at the pointer exactly as it stands in the text, such as `1.50` or `"a\u0000"`.
/// NULL if there is none. Since: 0.1.0.
TORII_API const char *torii_json_raw(const torii_json_t *json, const char *pointer, size_t pointer_len, size_t *len);

/// Returns the string at the pointer, unescaped. NULL if there is none, if it is not a string, or if it
/// contains U+0000; torii_json_raw() returns it then. Since: 0.1.0.
TORII_API const char *torii_json_string(const torii_json_t *json, const char *pointer, size_t pointer_len, size_t *len);

/// Reads the integer at the pointer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is no integer that fits. Since: 0.1.0.
TORII_API
torii_status_t torii_json_int(const torii_json_t *json,
                              const char *pointer,
                              size_t pointer_len,
                              int64_t *out,
                              torii_error_t **err);

/// Reads the number at the pointer, rounded to the nearest double.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is no number, or none a double can hold. Since: 0.1.0.
TORII_API
torii_status_t torii_json_double(const torii_json_t *json,
                                 const char *pointer,
                                 size_t pointer_len,
                                 double *out,
                                 torii_error_t **err);

/// Reads the boolean at the pointer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is no boolean. Since: 0.1.0.
TORII_API
torii_status_t torii_json_bool(const torii_json_t *json,
                               const char *pointer,
                               size_t pointer_len,
                               bool *out,
                               torii_error_t **err);

/// Counts the elements of the array, or the members of the object, at the pointer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is neither. Since: 0.1.0.
TORII_API
torii_status_t torii_json_length(const torii_json_t *json,
                                 const char *pointer,
                                 size_t pointer_len,
                                 size_t *out,
                                 torii_error_t **err);

/// Returns whether the value at the pointer is null. An absent value is not null. Since: 0.1.0.
TORII_API bool torii_json_is_null(const torii_json_t *json, const char *pointer, size_t pointer_len);

/// Frees a JSON handle. Since: 0.1.0.
TORII_API void torii_json_free(torii_json_t *json);

/// == Patches ==
/// Builds a JSON object for torii_client_users_update_json(): set, clear and leave alone are three
/// different things there. Fields keep the order in which they were first named; naming one again
/// replaces its value. An empty name is TORII_ERR_INVALID_ARGUMENT.
///
/// Creates a patch without fields: {}, which changes nothing. Since: 0.1.0.
TORII_API torii_patch_t *torii_patch_new(void);

/// Sets a field to a string, which may contain U+0000.
/// Errors: TORII_ERR_INVALID_ARGUMENT for a value that is not UTF-8. Since: 0.1.0.
TORII_API
torii_status_t torii_patch_set_string(torii_patch_t *patch,
                                      const char *name,
                                      size_t name_len,
                                      const char *value,
                                      size_t value_len,
                                      torii_error_t **err);

/// Sets a field to a boolean. Since: 0.1.0.
TORII_API
torii_status_t torii_patch_set_bool(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    bool value,
                                    torii_error_t **err);

/// Sets a field to an integer. Since: 0.1.0.
TORII_API
torii_status_t torii_patch_set_int(torii_patch_t *patch,
                                   const char *name,
                                   size_t name_len,
                                   int64_t value,
                                   torii_error_t **err);

/// Sets a field to a JSON value, such as an object or an array. The value is sent as written.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `json` is not one JSON value. Since: 0.1.0.
TORII_API
torii_status_t torii_patch_set_json(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    const char *json,
                                    size_t json_len,
                                    torii_error_t **err);

/// Clears a field: it is sent as null. Since: 0.1.0.
TORII_API
torii_status_t torii_patch_set_null(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    torii_error_t **err);

/// Leaves a field alone: it is not sent. Since: 0.1.0.
TORII_API
torii_status_t torii_patch_unset(torii_patch_t *patch,
                                 const char *name,
                                 size_t name_len,
                                 torii_error_t **err);

/// Returns the object as JSON, to pass as a body. Unlike other text it is valid only until the patch
/// changes or is freed. Since: 0.1.0.
TORII_API const char *torii_patch_json(const torii_patch_t *patch, size_t *len);

/// Frees a patch, and with it the text of torii_patch_json(). Since: 0.1.0.
TORII_API void torii_patch_free(torii_patch_t *patch);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TORII_H */
