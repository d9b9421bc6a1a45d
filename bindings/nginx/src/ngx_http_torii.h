
/*
 * What the files of ngx_http_torii_module share.
 *
 * A location that is guarded has a policy: the options of one verifier.
 * Policies are made while the configuration is read, and equal ones are one;
 * their verifiers are made in each worker.  A judgement of a request by
 * the policy of a location is its context.
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


/* where a directive stands, for messages that come after it was read */

typedef struct {
    u_char                        *file;
    ngx_uint_t                     line;
} ngx_http_torii_place_t;


typedef struct {
    ngx_str_t                      url;
    ngx_str_t                      jwks;       /* the keys, if given */
    ngx_http_torii_place_t         place;
} ngx_http_torii_issuer_t;


/* what makes a verifier: the merged directives of a location */

typedef struct {
    ngx_array_t                   *issuers;    /* ngx_http_torii_issuer_t */
    ngx_array_t                   *audiences;  /* ngx_str_t */
    time_t                         leeway;
    ngx_uint_t                     require;
    ngx_msec_t                     key_timeout;
    time_t                         key_lifetime;
    time_t                         max_stale;
    ngx_str_t                      ca_file;
    ngx_flag_t                     allow_http;
} ngx_http_torii_options_t;


/* the keys of an issuer, and their fetching in this worker */

typedef struct {
    ngx_str_t                      url;
    ngx_http_torii_options_t      *settings;

    torii_verifier_options_t      *options;
    torii_verifier_t              *verifier;
    ngx_array_t                    policies;   /* those that need the keys */

    ngx_event_t                    renewal;
    ngx_thread_task_t             *task;
    ngx_msec_t                     ended;      /* the last fetch */
    unsigned                       fetching:1;
    unsigned                       had:1;      /* by the last fetch */
    unsigned                       failing:1;
} ngx_http_torii_keys_t;


typedef struct {
    ngx_http_torii_options_t       settings;

    torii_verifier_options_t      *options;
    torii_verifier_t              *verifier;
    ngx_array_t                    keys;       /* ngx_http_torii_keys_t * */

    ngx_queue_t                    parked;     /* requests, by their context */
} ngx_http_torii_policy_t;


typedef struct {
    ngx_array_t                    policies;   /* ngx_http_torii_policy_t * */
    ngx_array_t                    keys;       /* ngx_http_torii_keys_t * */
    ngx_thread_pool_t             *thread_pool;
} ngx_http_torii_main_conf_t;


typedef struct {
    ngx_uint_t                     mode;
    ngx_http_torii_place_t         place;      /* of "torii" */
    ngx_http_complex_value_t      *token;
    ngx_http_torii_options_t       options;
    ngx_http_torii_policy_t       *policy;     /* NULL if nothing is guarded */
} ngx_http_torii_loc_conf_t;


typedef struct {
    ngx_http_request_t            *request;
    ngx_http_torii_loc_conf_t     *conf;       /* whose judgement it is */
    ngx_str_t                      token;

    torii_status_t                 status;
    torii_auth_t                  *auth;       /* NULL unless accepted */
    ngx_str_t                      message;    /* why not */
    ngx_int_t                      answer;     /* HTTP status, 0: go on */
    ngx_uint_t                     retry_after;
    ngx_str_t                      text;       /* body instead of nginx's */

    ngx_event_t                    deadline;
    ngx_msec_t                     until;      /* when it will be */
    ngx_queue_t                    queue;      /* in policy->parked */

    unsigned                       judged:1;
    unsigned                       parked:1;
    unsigned                       late:1;     /* the deadline has passed */
    unsigned                       refused:1;  /* the answer was given */
    unsigned                       body:1;     /* the body is to be replaced */
} ngx_http_torii_ctx_t;


ngx_http_torii_policy_t *ngx_http_torii_policy(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf, ngx_http_torii_loc_conf_t *conf);
ngx_int_t ngx_http_torii_init_policies(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);

ngx_http_torii_keys_t *ngx_http_torii_keys(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf, ngx_http_torii_policy_t *policy,
    ngx_str_t *url);
ngx_int_t ngx_http_torii_init_keys(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);
void ngx_http_torii_exit_keys(ngx_http_torii_main_conf_t *tmcf);
void ngx_http_torii_fetch_keys(ngx_http_torii_policy_t *policy,
    ngx_log_t *log);

ngx_int_t ngx_http_torii_judge(ngx_http_request_t *r,
    ngx_http_torii_loc_conf_t *conf, ngx_uint_t may_park);
ngx_int_t ngx_http_torii_rewrite_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_torii_access_handler(ngx_http_request_t *r);
void ngx_http_torii_resume(ngx_http_torii_ctx_t *ctx);
ngx_http_torii_ctx_t *ngx_http_torii_get_ctx(ngx_http_request_t *r);

void ngx_http_torii_init_filters(void);

ngx_int_t ngx_http_torii_add_variables(ngx_conf_t *cf);
ngx_int_t ngx_http_torii_claim(ngx_http_request_t *r, torii_auth_t *auth,
    ngx_str_t *name, ngx_str_t *value);
ngx_int_t ngx_http_torii_one_line(ngx_http_request_t *r, ngx_str_t *json);


extern ngx_module_t  ngx_http_torii_module;


#endif /* _NGX_HTTP_TORII_H_INCLUDED_ */
