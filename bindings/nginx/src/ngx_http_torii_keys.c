
/*
 * The keys of issuers.
 *
 * The library keeps keys for the whole process, whichever verifier fetched
 * them.  So there is one verifier for each issuer that does nothing but
 * fetch, on a thread of the pool: when the worker starts, in time before
 * the keys are too old, and when requests are parked because they are
 * missing.  Then those requests are asked again.
 */


#include "ngx_http_torii.h"


/*
 * Which issuer a parked request needs is not known here, so all of its policy
 * are asked, but one that has just answered is left alone for so long.
 */

#define NGX_HTTP_TORII_REST  100


/* what a fetch brought, written by the thread */

typedef struct {
    ngx_http_torii_keys_t         *keys;
    torii_status_t                 status;
    torii_error_t                 *error;
} ngx_http_torii_fetch_t;


static void ngx_http_torii_free_keys(void *data);
static void ngx_http_torii_fetch(ngx_http_torii_keys_t *keys, ngx_log_t *log);
static void ngx_http_torii_fetch_thread(void *data, ngx_log_t *log);
static void ngx_http_torii_fetch_done(ngx_event_t *ev);
static ngx_msec_t ngx_http_torii_due_in(ngx_http_torii_keys_t *keys);
static void ngx_http_torii_fetch_soon(ngx_http_torii_keys_t *keys);
static void ngx_http_torii_renewal(ngx_event_t *ev);
static void ngx_http_torii_wake(ngx_http_torii_policy_t *policy);


static ngx_thread_pool_t  *ngx_http_torii_thread_pool;


/* the keys of an issuer of the policy: those that are there, or new ones */

ngx_http_torii_keys_t *
ngx_http_torii_keys(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf,
    ngx_http_torii_policy_t *policy, ngx_str_t *url)
{
    ngx_uint_t                  i;
    torii_error_t              *error;
    ngx_pool_cleanup_t         *cln;
    ngx_http_torii_keys_t     **kp, *keys;
    ngx_http_torii_policy_t   **pp;
    ngx_http_torii_options_t   *settings;

    settings = &policy->settings;
    kp = tmcf->keys.elts;

    for (i = 0; i < tmcf->keys.nelts; i++) {
        keys = kp[i];

        if (keys->url.len == url->len
            && ngx_memcmp(keys->url.data, url->data, url->len) == 0
            && keys->settings->ca_file.len == settings->ca_file.len
            && ngx_memcmp(keys->settings->ca_file.data, settings->ca_file.data,
                          settings->ca_file.len) == 0
            && keys->settings->key_timeout == settings->key_timeout
            && keys->settings->key_lifetime == settings->key_lifetime
            && keys->settings->allow_http == settings->allow_http)
        {
            goto found;
        }
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_torii_keys_t));
    if (cln == NULL) {
        return NULL;
    }

    keys = cln->data;
    ngx_memzero(keys, sizeof(ngx_http_torii_keys_t));

    keys->url = *url;
    keys->settings = settings;
    keys->options = torii_verifier_options_new();

    cln->handler = ngx_http_torii_free_keys;

    torii_verifier_options_set_allow_http(keys->options, settings->allow_http);
    torii_verifier_options_set_background_refresh(keys->options, false);
    torii_verifier_options_set_verdict_cache_bytes(keys->options, 0);
    torii_verifier_options_set_fetch_timeout_ms(keys->options,
                                                settings->key_timeout, NULL);

    if (settings->key_lifetime) {
        torii_verifier_options_set_key_lifetime(keys->options,
                                                settings->key_lifetime, NULL);
    }

    if (settings->ca_file.len
        && torii_verifier_options_set_ca_file(keys->options,
                                              (char *) settings->ca_file.data,
                                              settings->ca_file.len, &error)
           != TORII_OK)
    {
        /* it has changed since the policy was made with it */
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "torii: %s",
                      torii_error_message(error, NULL));
        torii_error_free(error);
        return NULL;
    }

    if (ngx_array_init(&keys->policies, cf->pool, 1,
                       sizeof(ngx_http_torii_policy_t *))
        != NGX_OK)
    {
        return NULL;
    }

    keys->task = ngx_thread_task_alloc(cf->pool,
                                       sizeof(ngx_http_torii_fetch_t));
    if (keys->task == NULL) {
        return NULL;
    }

    kp = ngx_array_push(&tmcf->keys);
    if (kp == NULL) {
        return NULL;
    }

    *kp = keys;

found:

    pp = ngx_array_push(&keys->policies);
    if (pp == NULL) {
        return NULL;
    }

    *pp = policy;

    return keys;
}


static void
ngx_http_torii_free_keys(void *data)
{
    ngx_http_torii_keys_t *keys = data;

    if (keys->renewal.timer_set) {
        ngx_del_timer(&keys->renewal);
    }

    torii_verifier_options_free(keys->options);

    /* a thread has it when one process, without workers, reads new files */

    if (!keys->fetching) {
        torii_verifier_free(keys->verifier);
    }
}


/* begins to fetch all keys, the worker does not wait for them */

ngx_int_t
ngx_http_torii_init_keys(ngx_cycle_t *cycle, ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                i;
    torii_error_t            *error;
    ngx_http_torii_keys_t   **kp, *keys;
    ngx_http_torii_fetch_t   *fetch;

    ngx_http_torii_thread_pool = tmcf->thread_pool;

    kp = tmcf->keys.elts;

    for (i = 0; i < tmcf->keys.nelts; i++) {
        keys = kp[i];

        if (torii_verifier_new((char *) keys->url.data, keys->url.len,
                               keys->options, &keys->verifier, &error)
            != TORII_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "torii: %s",
                          torii_error_message(error, NULL));
            torii_error_free(error);
            return NGX_ERROR;
        }

        keys->renewal.handler = ngx_http_torii_renewal;
        keys->renewal.data = keys;
        keys->renewal.log = cycle->log;
        keys->renewal.cancelable = 1;

        fetch = keys->task->ctx;
        fetch->keys = keys;

        keys->task->handler = ngx_http_torii_fetch_thread;
        keys->task->event.handler = ngx_http_torii_fetch_done;
        keys->task->event.data = fetch;
        keys->task->event.log = cycle->log;

        ngx_http_torii_fetch(keys, cycle->log);
    }

    return NGX_OK;
}


/* the threads of the pool have ended by now, and with them every fetch */

void
ngx_http_torii_exit_keys(ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                i;
    ngx_http_torii_keys_t   **kp;
    ngx_http_torii_fetch_t   *fetch;

    kp = tmcf->keys.elts;

    for (i = 0; i < tmcf->keys.nelts; i++) {

        if (kp[i]->fetching) {
            fetch = kp[i]->task->ctx;
            torii_error_free(fetch->error);
            kp[i]->fetching = 0;
        }
    }
}


/* for a request that is going to be parked */

void
ngx_http_torii_fetch_keys(ngx_http_torii_policy_t *policy, ngx_log_t *log)
{
    ngx_uint_t                i;
    ngx_http_torii_keys_t   **kp, *keys;

    kp = policy->keys.elts;

    for (i = 0; i < policy->keys.nelts; i++) {
        keys = kp[i];

        if (keys->had && ngx_current_msec - keys->ended < NGX_HTTP_TORII_REST) {
            ngx_http_torii_fetch_soon(keys);

        } else {
            ngx_http_torii_fetch(keys, log);
        }
    }
}


static void
ngx_http_torii_fetch(ngx_http_torii_keys_t *keys, ngx_log_t *log)
{
    ngx_http_torii_fetch_t  *fetch;

    if (keys->fetching) {
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, log, 0,
                   "torii: fetching keys of \"%V\"", &keys->url);

    if (keys->renewal.timer_set) {
        ngx_del_timer(&keys->renewal);
    }

    fetch = keys->task->ctx;
    fetch->error = NULL;

    if (ngx_thread_task_post(ngx_http_torii_thread_pool, keys->task)
        != NGX_OK)
    {
        /* the pool has said why */
        ngx_add_timer(&keys->renewal, 1000);
        return;
    }

    keys->fetching = 1;
}


static void
ngx_http_torii_fetch_thread(void *data, ngx_log_t *log)
{
    ngx_http_torii_fetch_t *fetch = data;

    fetch->status = torii_verifier_refresh(fetch->keys->verifier,
                                           &fetch->error);
}


static void
ngx_http_torii_fetch_done(ngx_event_t *ev)
{
    ngx_http_torii_fetch_t *fetch = ev->data;

    int64_t                    pause;
    ngx_uint_t                 i;
    ngx_msec_t                 next;
    ngx_http_torii_keys_t     *keys;
    ngx_http_torii_policy_t  **pp;

    keys = fetch->keys;
    keys->fetching = 0;
    keys->had = (fetch->status == TORII_OK);
    keys->ended = ngx_current_msec;

    if (keys->had) {

        if (keys->failing) {
            ngx_log_error(NGX_LOG_NOTICE, ev->log, 0,
                          "torii: the keys of \"%V\" can be had again",
                          &keys->url);
            keys->failing = 0;
        }

        /* workers that started together do not stay together */

        next = ngx_http_torii_due_in(keys);
        next -= ngx_random() % (next / 8);

    } else {
        pause = torii_error_retry_after(fetch->error);
        next = ngx_max(pause, 1) * 1000;

        ngx_log_error(NGX_LOG_ERR, ev->log, 0, "torii: %s",
                      torii_error_message(fetch->error, NULL));

        torii_error_free(fetch->error);
        keys->failing = 1;
    }

    ngx_add_timer(&keys->renewal, next);

    pp = keys->policies.elts;

    for (i = 0; i < keys->policies.nelts; i++) {
        ngx_http_torii_wake(pp[i]);

        if (keys->had && !ngx_queue_empty(&pp[i]->parked)) {
            ngx_http_torii_fetch_soon(keys);
        }
    }
}


/* in time before the keys are too old for the issuer, or for the operator */

static ngx_msec_t
ngx_http_torii_due_in(ngx_http_torii_keys_t *keys)
{
    int64_t        due;
    torii_json_t  *stats;

    due = 0;

    if (torii_verifier_stats_json(keys->verifier, &stats, NULL) == TORII_OK) {
        torii_json_int(stats, TORII_STR("/issuers/0/due_in_ms"), &due, NULL);
        torii_json_free(stats);
    }

    return ngx_max(due, NGX_HTTP_TORII_REST);
}


static void
ngx_http_torii_fetch_soon(ngx_http_torii_keys_t *keys)
{
    ngx_msec_int_t  left;

    if (keys->fetching) {
        return;
    }

    if (keys->renewal.timer_set) {
        left = keys->renewal.timer.key - ngx_current_msec;

        if (left <= NGX_HTTP_TORII_REST) {
            return;
        }

        ngx_del_timer(&keys->renewal);
    }

    ngx_add_timer(&keys->renewal, NGX_HTTP_TORII_REST);
}


static void
ngx_http_torii_renewal(ngx_event_t *ev)
{
    ngx_http_torii_fetch(ev->data, ev->log);
}


/* asks all requests again; one that has to wait on is parked anew */

static void
ngx_http_torii_wake(ngx_http_torii_policy_t *policy)
{
    ngx_queue_t           *q, awake;
    ngx_http_torii_ctx_t  *ctx;

    if (ngx_queue_empty(&policy->parked)) {
        return;
    }

    ngx_queue_init(&awake);
    ngx_queue_add(&awake, &policy->parked);
    ngx_queue_init(&policy->parked);

    while (!ngx_queue_empty(&awake)) {
        q = ngx_queue_head(&awake);
        ctx = ngx_queue_data(q, ngx_http_torii_ctx_t, queue);

        ngx_http_torii_resume(ctx);
    }
}
