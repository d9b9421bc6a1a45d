
/*
 * Declarations shared by the files of ngx_http_torii_module.
 *
 * A guarded location has a verifier, made of the options that are set for it,
 * and requirements.  Verifiers are created while the configuration is read,
 * and locations with equal options share one.  The context of a request is
 * its verification by the settings of one location.
 */


#ifndef _NGX_HTTP_TORII_H_INCLUDED_
#define _NGX_HTTP_TORII_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <torii.h>

#if !(NGX_THREADS)
#error "ngx_http_torii_module needs nginx configured with --with-threads"
#endif


#define NGX_HTTP_TORII_OFF       0
#define NGX_HTTP_TORII_ON        1
#define NGX_HTTP_TORII_OPTIONAL  2


/* options of a verifier with one value each */

typedef enum {
    NGX_HTTP_TORII_IGNORE_AUDIENCE,
    NGX_HTTP_TORII_LEEWAY,
    NGX_HTTP_TORII_MAX_LIFETIME,
    NGX_HTTP_TORII_LEGACY_ORGANIZATION,
    NGX_HTTP_TORII_REALM,
    NGX_HTTP_TORII_RESOURCE_METADATA,
    NGX_HTTP_TORII_KEY_TIMEOUT,
    NGX_HTTP_TORII_KEY_LIFETIME,
    NGX_HTTP_TORII_MAX_STALE,
    NGX_HTTP_TORII_CA_FILE,
    NGX_HTTP_TORII_PROXY,
    NGX_HTTP_TORII_ALLOW_HTTP,
    NGX_HTTP_TORII_TOKEN_CACHE,
    NGX_HTTP_TORII_FIXED_BASE,
    NGX_HTTP_TORII_KEY_CACHE,
    NGX_HTTP_TORII_REVOCATIONS,
    NGX_HTTP_TORII_NVALUES
} ngx_http_torii_value_e;


/* requirements, by directive: each may be inherited without the others */

typedef enum {
    NGX_HTTP_TORII_FLAGS,
    NGX_HTTP_TORII_CLAIMS,
    NGX_HTTP_TORII_ORGANIZATIONS,
    NGX_HTTP_TORII_NREQUIREMENTS
} ngx_http_torii_requirement_e;


/* where a directive stands, for messages after it was read */

typedef struct {
    u_char                        *file;
    ngx_uint_t                     line;
} ngx_http_torii_place_t;


typedef struct {
    ngx_str_t                      url;
    ngx_str_t                      jwks;       /* data: NULL unless given */
    ngx_http_torii_place_t         place;
} ngx_http_torii_issuer_t;


typedef struct {
    ngx_array_t                   *issuers;    /* ngx_http_torii_issuer_t */
    ngx_array_t                   *audiences;  /* ngx_str_t */
    ngx_str_t                      values[NGX_HTTP_TORII_NVALUES];
} ngx_http_torii_options_t;


typedef struct ngx_http_torii_verifier_s  ngx_http_torii_verifier_t;
typedef struct ngx_http_torii_fetch_s     ngx_http_torii_fetch_t;
typedef struct ngx_http_torii_waiter_s    ngx_http_torii_waiter_t;
typedef struct ngx_http_torii_shared_s    ngx_http_torii_shared_t;


/* the keys of one issuer of a verifier */

typedef struct {
    ngx_http_torii_verifier_t     *verifier;
    ngx_str_t                      issuer;

    ngx_http_torii_fetch_t        *fetch;      /* in flight, or NULL */
    ngx_queue_t                    waiters;
} ngx_http_torii_keys_t;


struct ngx_http_torii_verifier_s {
    ngx_http_torii_options_t       options;
    torii_verifier_t              *handle;
    torii_verifier_options_t      *key_cache;  /* to create it again with one */

    ngx_msec_t                     timeout;
    ngx_array_t                    keys;       /* ngx_http_torii_keys_t */
    ngx_event_t                    renewal;
    ngx_uint_t                     file_error; /* hash of the last, 0: none */
};


/* something that waits for keys, up to a deadline */

struct ngx_http_torii_waiter_s {
    void                         (*handler)(ngx_http_torii_waiter_t *waiter);
    void                          *data;
    ngx_event_t                    deadline;
    ngx_msec_t                     until;
    ngx_queue_t                    queue;
    unsigned                       late:1;     /* the deadline has passed */
};


typedef struct {
    ngx_array_t                    verifiers;  /* ngx_http_torii_verifier_t * */
    ngx_thread_pool_t             *thread_pool;

    ngx_shm_zone_t                *zone;       /* NULL without metrics */
    ngx_event_t                    publication;
} ngx_http_torii_main_conf_t;


typedef struct {
    ngx_uint_t                     mode;
    ngx_http_torii_place_t         place;      /* of "torii" */
    ngx_http_torii_options_t       options;
    ngx_http_torii_verifier_t     *verifier;   /* NULL if nothing is guarded */

    torii_requirements_t          *requirements[NGX_HTTP_TORII_NREQUIREMENTS];

    ngx_str_t                      header;     /* its name, in lower case */
    ngx_str_t                      cookie;
    ngx_http_complex_value_t      *token;      /* instead of both */
    ngx_flag_t                     forward_token;
} ngx_http_torii_loc_conf_t;


typedef struct {
    ngx_http_request_t            *request;
    ngx_http_torii_loc_conf_t     *conf;
    ngx_str_t                      credentials;

    torii_status_t                 status;
    torii_auth_t                  *auth;       /* NULL unless accepted */
    torii_json_t                  *claims;     /* read at the first access */
    torii_error_t                 *error;      /* NULL unless refused */
    ngx_int_t                      answer;     /* HTTP status, 0: go on */
    ngx_str_t                      text;       /* body instead of nginx's */

    ngx_http_torii_waiter_t        waiter;
    ngx_list_t                     headers;    /* with the token */

    unsigned                       is_header:1;
    unsigned                       verified:1;
    unsigned                       parked:1;
    unsigned                       server:1;   /* by a server, no location */
    unsigned                       refused:1;  /* the answer was given */
    unsigned                       replace:1;  /* the body */
    unsigned                       stripped:1; /* the request has no token */
} ngx_http_torii_ctx_t;


ngx_http_torii_verifier_t *ngx_http_torii_verifier(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf, ngx_http_torii_loc_conf_t *conf);
char *ngx_http_torii_value(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_torii_invalid(ngx_conf_t *cf, torii_error_t *error);

void ngx_http_torii_log_file_error(ngx_http_torii_verifier_t *verifier,
    ngx_log_t *log);

ngx_uint_t ngx_http_torii_equal_str(ngx_str_t *a, ngx_str_t *b);

char *ngx_http_torii_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void ngx_http_torii_init_metrics(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);
void ngx_http_torii_exit_metrics(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);

ngx_array_t *ngx_http_torii_families(ngx_pool_t *pool);
ngx_int_t ngx_http_torii_add_own(ngx_array_t *families, ngx_str_t *text,
    ngx_http_torii_verifier_t **verifiers, ngx_uint_t current);
ngx_int_t ngx_http_torii_add_worker(ngx_array_t *families, ngx_str_t *text);
ngx_int_t ngx_http_torii_add_counters(ngx_array_t *families, ngx_str_t *text);
ngx_int_t ngx_http_torii_write_families(ngx_array_t *families,
    ngx_pool_t *pool, ngx_str_t *text);

char *ngx_http_torii_check_key_cache(ngx_conf_t *cf, ngx_str_t *path);
void ngx_http_torii_create_key_caches(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);
void ngx_http_torii_open_key_caches(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);

ngx_int_t ngx_http_torii_add_keys(ngx_conf_t *cf,
    ngx_http_torii_verifier_t *verifier);
void ngx_http_torii_init_keys(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);
void ngx_http_torii_free_keys(ngx_http_torii_verifier_t *verifier);
ngx_int_t ngx_http_torii_wait(ngx_http_torii_verifier_t *verifier,
    torii_error_t *error, ngx_http_torii_waiter_t *waiter);

ngx_int_t ngx_http_torii_read_credentials(ngx_http_torii_ctx_t *ctx);
ngx_int_t ngx_http_torii_strip_handler(ngx_http_request_t *r);

ngx_int_t ngx_http_torii_verify(ngx_http_request_t *r,
    ngx_http_torii_loc_conf_t *conf, ngx_uint_t may_park);
ngx_int_t ngx_http_torii_server_rewrite_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_torii_rewrite_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_torii_access_handler(ngx_http_request_t *r);
void ngx_http_torii_refuse(ngx_http_torii_ctx_t *ctx);
ngx_http_torii_ctx_t *ngx_http_torii_get_ctx(ngx_http_request_t *r);

void ngx_http_torii_init_filters(void);

ngx_int_t ngx_http_torii_add_variables(ngx_conf_t *cf);
char *ngx_http_torii_claim(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


extern ngx_module_t  ngx_http_torii_module;


#endif /* _NGX_HTTP_TORII_H_INCLUDED_ */
