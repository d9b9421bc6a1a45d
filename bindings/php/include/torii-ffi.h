#define FFI_SCOPE "TORII"
#define FFI_LIB "libtorii.so.0"
/* The declarations of torii.h for PHP. Made by header.sh; do not edit. */

#ifndef TORII_H
#define TORII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  TORII_OK = 0,
  TORII_ERR_INVALID_ARGUMENT = 1,
  TORII_ERR_INVALID_CONFIG = 2,
  TORII_ERR_BUFFER_TOO_SMALL = 3,
  TORII_ERR_TOKEN_MISSING = 100,
  TORII_ERR_TOKEN_SCHEME = 101,
  TORII_ERR_TOKEN_MALFORMED = 102,
  TORII_ERR_TOKEN_TOO_LARGE = 103,
  TORII_ERR_TOKEN_ALGORITHM = 104,
  TORII_ERR_TOKEN_KEY_UNKNOWN = 105,
  TORII_ERR_TOKEN_SIGNATURE = 106,
  TORII_ERR_TOKEN_EXPIRED = 107,
  TORII_ERR_TOKEN_NOT_YET_VALID = 108,
  TORII_ERR_TOKEN_ISSUER = 109,
  TORII_ERR_TOKEN_AUDIENCE = 110,
  TORII_ERR_TOKEN_CLAIM = 111,
  TORII_ERR_TOKEN_REVOKED = 112,
  TORII_ERR_TOKEN_LIFETIME = 113,
  TORII_ERR_POLICY = 150,
  TORII_ERR_KEYS_UNAVAILABLE = 200,
  TORII_ERR_KEYS_PENDING = 201,
  TORII_ERR_API = 300,
  TORII_ERR_TRANSPORT = 301,
  TORII_ERR_TIMEOUT = 302,
  TORII_ERR_RESPONSE = 303,
  TORII_ERR_WEBHOOK_HEADER = 350,
  TORII_ERR_WEBHOOK_SIGNATURE = 351,
  TORII_ERR_WEBHOOK_TIMESTAMP = 352,
  TORII_ERR_INTERNAL = 900,
} torii_status_t;

typedef enum {
  TORII_JSON_ABSENT = 0,
  TORII_JSON_NULL = 1,
  TORII_JSON_BOOL = 2,
  TORII_JSON_NUMBER = 3,
  TORII_JSON_STRING = 4,
  TORII_JSON_ARRAY = 5,
  TORII_JSON_OBJECT = 6,
} torii_json_type_t;

typedef enum {
  TORII_REQUIRE_EMAIL_VERIFIED = 1,
  TORII_REQUIRE_PROFILE_COMPLETE = 2,
  TORII_REQUIRE_NOT_IMPERSONATED = 4,
  TORII_REQUIRE_ORGANIZATION = 8,
} torii_require_t;

typedef enum {
  TORII_VERIFY_HEADER = 1,
  TORII_VERIFY_NOWAIT = 2,
} torii_verify_t;

typedef struct torii_auth_t torii_auth_t;

typedef struct torii_client_options_t torii_client_options_t;

typedef struct torii_client_t torii_client_t;

typedef struct torii_error_t torii_error_t;

typedef struct torii_fetch_t torii_fetch_t;

typedef struct torii_json_t torii_json_t;

typedef struct torii_patch_t torii_patch_t;

typedef struct torii_requirements_t torii_requirements_t;

typedef struct torii_verifier_options_t torii_verifier_options_t;

typedef struct torii_verifier_t torii_verifier_t;

typedef struct torii_webhook_t torii_webhook_t;

typedef struct {
  uint32_t offset;
  uint32_t len;
} torii_span_t;

typedef struct {
  uint32_t size;
  uint32_t header_size;
  uint32_t flags;
  uint32_t reserved;
  int64_t issued_at;
  int64_t expires_at;
  torii_span_t user_id;
  torii_span_t environment_id;
  torii_span_t issuer;
  torii_span_t locale;
  torii_span_t organization_id;
  torii_span_t organization_role;
  torii_span_t actor_id;
  torii_span_t claims_json;
} torii_record_t;

const char *torii_version(void);

uint32_t torii_abi_version(void);

const char *torii_status_name(uint32_t status);

uint32_t torii_status_http(uint32_t status);

torii_status_t torii_error_status(const torii_error_t *error);

const char *torii_error_message(const torii_error_t *error, size_t *len);

const char *torii_error_public_code(const torii_error_t *error, size_t *len);

const char *torii_error_public_message(const torii_error_t *error, size_t *len);

const char *torii_error_www_authenticate(const torii_error_t *error, size_t *len);

int64_t torii_error_retry_after(const torii_error_t *error);

const char *torii_error_issuer(const torii_error_t *error, size_t *len);

uint32_t torii_error_http_status(const torii_error_t *error);

const char *torii_error_code(const torii_error_t *error, size_t *len);

const char *torii_error_support_id(const torii_error_t *error, size_t *len);

const char *torii_error_body(const torii_error_t *error, size_t *len);

bool torii_error_unsent(const torii_error_t *error);

void torii_error_free(torii_error_t *error);

torii_status_t torii_verifier_new(const char *issuer,
                                  size_t issuer_len,
                                  const torii_verifier_options_t *options,
                                  torii_verifier_t **out,
                                  torii_error_t **err);

torii_status_t torii_verify_token(const torii_verifier_t *verifier,
                                  const char *token,
                                  size_t token_len,
                                  torii_auth_t **out,
                                  torii_error_t **err);

torii_status_t torii_verify_token_nowait(const torii_verifier_t *verifier,
                                         const char *token,
                                         size_t token_len,
                                         torii_auth_t **out,
                                         torii_error_t **err);

torii_status_t torii_verifier_authenticate(const torii_verifier_t *verifier,
                                           const char *header,
                                           size_t header_len,
                                           torii_auth_t **out,
                                           torii_error_t **err);

torii_status_t torii_verifier_authenticate_nowait(const torii_verifier_t *verifier,
                                                  const char *header,
                                                  size_t header_len,
                                                  torii_auth_t **out,
                                                  torii_error_t **err);

torii_status_t torii_verifier_refresh(const torii_verifier_t *verifier, torii_error_t **err);

torii_status_t torii_verifier_stats_json(const torii_verifier_t *verifier, torii_json_t **out, torii_error_t **err);

void torii_verifier_free(torii_verifier_t *verifier);

void torii_jwks_cache_clear(void);

torii_status_t torii_verifier_revoke(const torii_verifier_t *verifier,
                                     const char *user_id,
                                     size_t user_id_len,
                                     int64_t issued_before,
                                     torii_error_t **err);

torii_status_t torii_verifier_set_revocations_json(const torii_verifier_t *verifier,
                                                   const char *json,
                                                   size_t json_len,
                                                   torii_error_t **err);

torii_status_t torii_verifier_metrics(const torii_verifier_t *verifier,
                                      char *buf,
                                      size_t cap,
                                      size_t *size,
                                      torii_error_t **err);

torii_status_t torii_verifier_refresh_due(const torii_verifier_t *verifier,
                                          const char *issuer,
                                          size_t issuer_len,
                                          torii_error_t **err);

int64_t torii_verifier_due_in_ms(const torii_verifier_t *verifier);

torii_fetch_t *torii_verifier_claim_fetch(const torii_verifier_t *verifier);

const char *torii_fetch_url(const torii_fetch_t *fetch, size_t *len);

const char *torii_fetch_etag(const torii_fetch_t *fetch, size_t *len);

torii_status_t torii_fetch_done(torii_fetch_t *fetch,
                                uint32_t http_status,
                                const char *body,
                                size_t body_len,
                                const char *etag,
                                size_t etag_len,
                                int64_t max_age_seconds,
                                int64_t age_seconds,
                                torii_error_t **err);

void torii_fetch_free(torii_fetch_t *fetch);

torii_status_t torii_verify_into(const torii_verifier_t *verifier,
                                 const char *text,
                                 size_t text_len,
                                 uint32_t how,
                                 const torii_requirements_t *requirements,
                                 void *buf,
                                 size_t cap,
                                 size_t *size,
                                 torii_error_t **err);

torii_verifier_options_t *torii_verifier_options_new(void);

torii_status_t torii_verifier_options_add_issuer(torii_verifier_options_t *options,
                                                 const char *issuer,
                                                 size_t issuer_len,
                                                 torii_error_t **err);

torii_status_t torii_verifier_options_add_issuer_jwks(torii_verifier_options_t *options,
                                                      const char *issuer,
                                                      size_t issuer_len,
                                                      const char *jwks,
                                                      size_t jwks_len,
                                                      torii_error_t **err);

torii_status_t torii_verifier_options_set_jwks_json(torii_verifier_options_t *options,
                                                    const char *jwks,
                                                    size_t jwks_len,
                                                    torii_error_t **err);

torii_status_t torii_verifier_options_add_audience(torii_verifier_options_t *options,
                                                   const char *audience,
                                                   size_t audience_len,
                                                   torii_error_t **err);

torii_status_t torii_verifier_options_set_ignore_audience(torii_verifier_options_t *options,
                                                          bool ignore,
                                                          torii_error_t **err);

torii_status_t torii_verifier_options_set_leeway_seconds(torii_verifier_options_t *options,
                                                         uint32_t seconds,
                                                         torii_error_t **err);

torii_status_t torii_verifier_options_set_max_lifetime_seconds(torii_verifier_options_t *options,
                                                               uint32_t seconds,
                                                               torii_error_t **err);

torii_status_t torii_verifier_options_require(torii_verifier_options_t *options, uint32_t flags, torii_error_t **err);

torii_status_t torii_verifier_options_set_requirements(torii_verifier_options_t *options,
                                                       const torii_requirements_t *requirements,
                                                       torii_error_t **err);

torii_status_t torii_verifier_options_set_legacy_organization(torii_verifier_options_t *options,
                                                              bool read,
                                                              torii_error_t **err);

torii_status_t torii_verifier_options_set_realm(torii_verifier_options_t *options,
                                                const char *realm,
                                                size_t realm_len,
                                                torii_error_t **err);

torii_status_t torii_verifier_options_set_resource_metadata(torii_verifier_options_t *options,
                                                            const char *url,
                                                            size_t url_len,
                                                            torii_error_t **err);

torii_status_t torii_verifier_options_set_key_lifetime_seconds(torii_verifier_options_t *options,
                                                               uint32_t seconds,
                                                               torii_error_t **err);

torii_status_t torii_verifier_options_set_max_stale_seconds(torii_verifier_options_t *options,
                                                            uint32_t seconds,
                                                            torii_error_t **err);

torii_status_t torii_verifier_options_set_fetch_timeout_ms(torii_verifier_options_t *options,
                                                           uint32_t milliseconds,
                                                           torii_error_t **err);

torii_status_t torii_verifier_options_set_background_refresh(torii_verifier_options_t *options,
                                                             bool allowed,
                                                             torii_error_t **err);

torii_status_t torii_verifier_options_set_ca_file(torii_verifier_options_t *options,
                                                  const char *path,
                                                  size_t path_len,
                                                  torii_error_t **err);

torii_status_t torii_verifier_options_set_proxy(torii_verifier_options_t *options,
                                                const char *url,
                                                size_t url_len,
                                                torii_error_t **err);

torii_status_t torii_verifier_options_set_allow_http(torii_verifier_options_t *options,
                                                     bool allowed,
                                                     torii_error_t **err);

torii_status_t torii_verifier_options_set_token_cache_bytes(torii_verifier_options_t *options,
                                                            size_t bytes,
                                                            torii_error_t **err);

torii_status_t torii_verifier_options_set_fixed_base(torii_verifier_options_t *options, bool on, torii_error_t **err);

torii_status_t torii_verifier_options_set_key_cache_dir(torii_verifier_options_t *options,
                                                        const char *path,
                                                        size_t path_len,
                                                        torii_error_t **err);

torii_status_t torii_verifier_options_set_revocations_file(torii_verifier_options_t *options,
                                                           const char *path,
                                                           size_t path_len,
                                                           torii_error_t **err);

torii_status_t torii_verifier_options_set_metrics_issuer_label(torii_verifier_options_t *options,
                                                               bool label,
                                                               torii_error_t **err);

torii_status_t torii_verifier_options_set_clock(torii_verifier_options_t *options,
                                                int64_t (*now)(void *userdata),
                                                void *userdata,
                                                torii_error_t **err);

void torii_verifier_options_free(torii_verifier_options_t *options);

torii_requirements_t *torii_requirements_new(void);

torii_status_t torii_requirements_add_flags(torii_requirements_t *requirements, uint32_t flags, torii_error_t **err);

torii_status_t torii_requirements_add_claim(torii_requirements_t *requirements,
                                            const char *pointer,
                                            size_t pointer_len,
                                            const char *json,
                                            size_t json_len,
                                            torii_error_t **err);

torii_status_t torii_requirements_add_organization(torii_requirements_t *requirements,
                                                   const char *id,
                                                   size_t id_len,
                                                   const char *role,
                                                   size_t role_len,
                                                   torii_error_t **err);

void torii_requirements_free(torii_requirements_t *requirements);

const char *torii_auth_user_id(const torii_auth_t *auth, size_t *len);

const char *torii_auth_environment_id(const torii_auth_t *auth, size_t *len);

const char *torii_auth_issuer(const torii_auth_t *auth, size_t *len);

const char *torii_auth_locale(const torii_auth_t *auth, size_t *len);

const char *torii_auth_organization_id(const torii_auth_t *auth, size_t *len);

const char *torii_auth_organization_role(const torii_auth_t *auth, size_t *len);

const char *torii_auth_actor_id(const torii_auth_t *auth, size_t *len);

const char *torii_auth_claims_json(const torii_auth_t *auth, size_t *len);

bool torii_auth_email_verified(const torii_auth_t *auth);

bool torii_auth_profile_complete(const torii_auth_t *auth);

bool torii_auth_impersonating(const torii_auth_t *auth);

int64_t torii_auth_issued_at(const torii_auth_t *auth);

int64_t torii_auth_expires_at(const torii_auth_t *auth);

const char *torii_auth_claim_string(const torii_auth_t *auth, const char *name, size_t name_len, size_t *len);

torii_status_t torii_auth_claims(const torii_auth_t *auth, torii_json_t **out, torii_error_t **err);

torii_status_t torii_auth_require(const torii_auth_t *auth,
                                  const torii_requirements_t *requirements,
                                  torii_error_t **err);

void torii_auth_free(torii_auth_t *auth);

torii_status_t torii_webhook_new(const char *secret, size_t secret_len, torii_webhook_t **out, torii_error_t **err);

torii_status_t torii_webhook_add_secret(torii_webhook_t *webhook,
                                        const char *secret,
                                        size_t secret_len,
                                        torii_error_t **err);

torii_status_t torii_webhook_set_tolerance_seconds(torii_webhook_t *webhook, uint32_t seconds, torii_error_t **err);

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

void torii_webhook_free(torii_webhook_t *webhook);

torii_client_options_t *torii_client_options_new(void);

torii_status_t torii_client_options_set_api_url(torii_client_options_t *options,
                                                const char *url,
                                                size_t url_len,
                                                torii_error_t **err);

torii_status_t torii_client_options_set_timeout_ms(torii_client_options_t *options,
                                                   uint32_t milliseconds,
                                                   torii_error_t **err);

torii_status_t torii_client_options_set_connect_timeout_ms(torii_client_options_t *options,
                                                           uint32_t milliseconds,
                                                           torii_error_t **err);

torii_status_t torii_client_options_set_max_retries(torii_client_options_t *options,
                                                    uint32_t retries,
                                                    torii_error_t **err);

torii_status_t torii_client_options_set_ca_file(torii_client_options_t *options,
                                                const char *path,
                                                size_t path_len,
                                                torii_error_t **err);

torii_status_t torii_client_options_set_proxy(torii_client_options_t *options,
                                              const char *url,
                                              size_t url_len,
                                              torii_error_t **err);

torii_status_t torii_client_options_set_user_agent_suffix(torii_client_options_t *options,
                                                          const char *suffix,
                                                          size_t suffix_len,
                                                          torii_error_t **err);

torii_status_t torii_client_options_set_allow_http(torii_client_options_t *options, bool allowed, torii_error_t **err);

void torii_client_options_free(torii_client_options_t *options);

torii_status_t torii_client_new(const char *secret_key,
                                size_t secret_key_len,
                                const torii_client_options_t *options,
                                torii_client_t **out,
                                torii_error_t **err);

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

void torii_client_free(torii_client_t *client);

torii_status_t torii_client_users_list_json(const torii_client_t *client,
                                            uint32_t limit,
                                            const char *cursor,
                                            size_t cursor_len,
                                            const char *filter,
                                            size_t filter_len,
                                            torii_json_t **out,
                                            torii_error_t **err);

torii_status_t torii_client_users_get_json(const torii_client_t *client,
                                           const char *user_id,
                                           size_t user_id_len,
                                           torii_json_t **out,
                                           torii_error_t **err);

torii_status_t torii_client_users_create_json(const torii_client_t *client,
                                              const char *body,
                                              size_t body_len,
                                              torii_json_t **out,
                                              torii_error_t **err);

torii_status_t torii_client_users_update_json(const torii_client_t *client,
                                              const char *user_id,
                                              size_t user_id_len,
                                              const char *body,
                                              size_t body_len,
                                              torii_json_t **out,
                                              torii_error_t **err);

torii_status_t torii_client_users_update_metadata_json(const torii_client_t *client,
                                                       const char *user_id,
                                                       size_t user_id_len,
                                                       const char *body,
                                                       size_t body_len,
                                                       torii_json_t **out,
                                                       torii_error_t **err);

torii_status_t torii_client_users_delete(const torii_client_t *client,
                                         const char *user_id,
                                         size_t user_id_len,
                                         torii_error_t **err);

torii_status_t torii_client_users_ban_json(const torii_client_t *client,
                                           const char *user_id,
                                           size_t user_id_len,
                                           torii_json_t **out,
                                           torii_error_t **err);

torii_status_t torii_client_users_unban_json(const torii_client_t *client,
                                             const char *user_id,
                                             size_t user_id_len,
                                             torii_json_t **out,
                                             torii_error_t **err);

torii_status_t torii_client_users_list_organizations_json(const torii_client_t *client,
                                                          const char *user_id,
                                                          size_t user_id_len,
                                                          uint32_t limit,
                                                          const char *cursor,
                                                          size_t cursor_len,
                                                          torii_json_t **out,
                                                          torii_error_t **err);

torii_status_t torii_client_sessions_list_for_user_json(const torii_client_t *client,
                                                        const char *user_id,
                                                        size_t user_id_len,
                                                        torii_json_t **out,
                                                        torii_error_t **err);

torii_status_t torii_client_sessions_revoke_all_for_user(const torii_client_t *client,
                                                         const char *user_id,
                                                         size_t user_id_len,
                                                         torii_error_t **err);

torii_status_t torii_client_sessions_revoke(const torii_client_t *client,
                                            const char *user_id,
                                            size_t user_id_len,
                                            const char *session_id,
                                            size_t session_id_len,
                                            torii_error_t **err);

torii_status_t torii_client_organizations_list_json(const torii_client_t *client,
                                                    uint32_t limit,
                                                    const char *cursor,
                                                    size_t cursor_len,
                                                    const char *name,
                                                    size_t name_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

torii_status_t torii_client_organizations_get_json(const torii_client_t *client,
                                                   const char *organization_id,
                                                   size_t organization_id_len,
                                                   torii_json_t **out,
                                                   torii_error_t **err);

torii_status_t torii_client_organizations_list_members_json(const torii_client_t *client,
                                                            const char *organization_id,
                                                            size_t organization_id_len,
                                                            uint32_t limit,
                                                            const char *cursor,
                                                            size_t cursor_len,
                                                            torii_json_t **out,
                                                            torii_error_t **err);

torii_status_t torii_client_organizations_update_metadata_json(const torii_client_t *client,
                                                               const char *organization_id,
                                                               size_t organization_id_len,
                                                               const char *body,
                                                               size_t body_len,
                                                               torii_json_t **out,
                                                               torii_error_t **err);

torii_status_t torii_client_organizations_update_member_metadata_json(const torii_client_t *client,
                                                                      const char *organization_id,
                                                                      size_t organization_id_len,
                                                                      const char *user_id,
                                                                      size_t user_id_len,
                                                                      const char *body,
                                                                      size_t body_len,
                                                                      torii_json_t **out,
                                                                      torii_error_t **err);

torii_status_t torii_client_invitations_create_json(const torii_client_t *client,
                                                    const char *body,
                                                    size_t body_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

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

torii_status_t torii_client_invitations_get_json(const torii_client_t *client,
                                                 const char *invitation_id,
                                                 size_t invitation_id_len,
                                                 torii_json_t **out,
                                                 torii_error_t **err);

torii_status_t torii_client_invitations_resend_json(const torii_client_t *client,
                                                    const char *invitation_id,
                                                    size_t invitation_id_len,
                                                    torii_json_t **out,
                                                    torii_error_t **err);

torii_status_t torii_client_invitations_revoke(const torii_client_t *client,
                                               const char *invitation_id,
                                               size_t invitation_id_len,
                                               torii_error_t **err);

torii_status_t torii_client_invitations_update_metadata_json(const torii_client_t *client,
                                                             const char *invitation_id,
                                                             size_t invitation_id_len,
                                                             const char *body,
                                                             size_t body_len,
                                                             torii_json_t **out,
                                                             torii_error_t **err);

torii_status_t torii_client_impersonation_create_token_json(const torii_client_t *client,
                                                            const char *user_id,
                                                            size_t user_id_len,
                                                            const char *body,
                                                            size_t body_len,
                                                            torii_json_t **out,
                                                            torii_error_t **err);

torii_status_t torii_client_allowed_origins_get_json(const torii_client_t *client,
                                                     torii_json_t **out,
                                                     torii_error_t **err);

torii_status_t torii_client_allowed_origins_set_json(const torii_client_t *client,
                                                     const char *body,
                                                     size_t body_len,
                                                     torii_json_t **out,
                                                     torii_error_t **err);

const char *torii_json_text(const torii_json_t *json, size_t *len);

torii_json_type_t torii_json_type(const torii_json_t *json, const char *pointer, size_t pointer_len);

const char *torii_json_raw(const torii_json_t *json, const char *pointer, size_t pointer_len, size_t *len);

const char *torii_json_string(const torii_json_t *json, const char *pointer, size_t pointer_len, size_t *len);

torii_status_t torii_json_int(const torii_json_t *json,
                              const char *pointer,
                              size_t pointer_len,
                              int64_t *out,
                              torii_error_t **err);

torii_status_t torii_json_double(const torii_json_t *json,
                                 const char *pointer,
                                 size_t pointer_len,
                                 double *out,
                                 torii_error_t **err);

torii_status_t torii_json_bool(const torii_json_t *json,
                               const char *pointer,
                               size_t pointer_len,
                               bool *out,
                               torii_error_t **err);

torii_status_t torii_json_length(const torii_json_t *json,
                                 const char *pointer,
                                 size_t pointer_len,
                                 size_t *out,
                                 torii_error_t **err);

bool torii_json_is_null(const torii_json_t *json, const char *pointer, size_t pointer_len);

void torii_json_free(torii_json_t *json);

torii_patch_t *torii_patch_new(void);

torii_status_t torii_patch_set_string(torii_patch_t *patch,
                                      const char *name,
                                      size_t name_len,
                                      const char *value,
                                      size_t value_len,
                                      torii_error_t **err);

torii_status_t torii_patch_set_bool(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    bool value,
                                    torii_error_t **err);

torii_status_t torii_patch_set_int(torii_patch_t *patch,
                                   const char *name,
                                   size_t name_len,
                                   int64_t value,
                                   torii_error_t **err);

torii_status_t torii_patch_set_json(torii_patch_t *patch,
                                    const char *name,
                                    size_t name_len,
                                    const char *json,
                                    size_t json_len,
                                    torii_error_t **err);

torii_status_t torii_patch_set_null(torii_patch_t *patch, const char *name, size_t name_len, torii_error_t **err);

torii_status_t torii_patch_unset(torii_patch_t *patch, const char *name, size_t name_len, torii_error_t **err);

const char *torii_patch_json(const torii_patch_t *patch, size_t *len);

void torii_patch_free(torii_patch_t *patch);

#endif  /* TORII_H */
