
/*
 * Fetching the keys of issuers, and waiting for them.
 *
 * The library decides whether a fetch is due, and shares keys between the
 * verifiers of the process.  This file runs it on a thread of the pool: when
 * the worker starts, when a renewal is due, and when a request needs missing
 * keys.
 */


#include "ngx_http_torii.h"


/* the least time between two renewals, and after a pool that is full */

#define NGX_HTTP_TORII_RENEWAL_MIN  100
#define NGX_HTTP_TORII_RETRY        1000


/*
 * On the heap: when one process, without workers, reads new files, the pool
 * of the old cycle may go while its threads are still at work.
 */

struct ngx_http_torii_fetch_s {
    ngx_thread_task_t              task;
    ngx_http_torii_keys_t         *keys;       /* NULL: the cycle is gone */
    torii_error_t                 *error;      /* NULL: it has succeeded */
    volatile ngx_uint_t            ended;
};


static void ngx_http_torii_fetch(ngx_http_torii_keys_t *keys);
static void ngx_http_torii_fetch_thread(void *data, ngx_log_t *log);
static void ngx_http_torii_fetch_done(ngx_event_t *ev);
static void ngx_http_torii_schedule(ngx_http_torii_verifier_t *verifier);
static void ngx_http_torii_renew(ngx_event_t *ev);
static void ngx_http_torii_deadline(ngx_event_t *ev);
static void ngx_http_torii_wake(ngx_http_torii_waiter_t *waiter);


static ngx_thread_pool_t  *ngx_http_torii_thread_pool;


/*
 * An entry for each issuer of the verifier whose keys were not given.  A job
 * for it checks the revocations file as well: with one, each issuer has an entry.
 */

ngx_int_t
ngx_http_torii_add_keys(ngx_conf_t *cf, ngx_http_torii_verifier_t *verifier)
{
    ngx_uint_t                i, n;
    ngx_http_torii_keys_t    *keys;
    ngx_http_torii_issuer_t  *issuer;

    issuer = verifier->options.issuers->elts;
    n = verifier->options.issuers->nelts;

    if (ngx_array_init(&verifier->keys, cf->pool, n,
                       sizeof(ngx_http_torii_keys_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (issuer[i].jwks.data
            && verifier->options.values[NGX_HTTP_TORII_REVOCATIONS].data
               == NULL)
        {
            continue;
        }

        /* within the size of the array, so that no entry moves */

        keys = ngx_array_push(&verifier->keys);

        ngx_memzero(keys, sizeof(ngx_http_torii_keys_t));

        keys->verifier = verifier;
        keys->issuer = issuer[i].url;
        ngx_queue_init(&keys->waiters);

        /* as the library names it */

        while (keys->issuer.data[keys->issuer.len - 1] == '/') {
            keys->issuer.len--;
        }
    }

    return NGX_OK;
}


/* fetches all keys; the worker does not wait for them */

void
ngx_http_torii_init_keys(ngx_cycle_t *cycle, ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                   i;
    ngx_http_torii_verifier_t  **vp;

    ngx_http_torii_thread_pool = tmcf->thread_pool;

    vp = tmcf->verifiers.elts;

    for (i = 0; i < tmcf->verifiers.nelts; i++) {
        vp[i]->renewal.handler = ngx_http_torii_renew;
        vp[i]->renewal.data = vp[i];
        vp[i]->renewal.log = cycle->log;
        vp[i]->renewal.cancelable = 1;

        ngx_http_torii_renew(&vp[i]->renewal);
    }
}


/* before the memory of the cycle is freed */

void
ngx_http_torii_free_keys(ngx_http_torii_verifier_t *verifier)
{
    ngx_uint_t               i;
    ngx_http_torii_keys_t   *keys;
    ngx_http_torii_fetch_t  *fetch;

    if (verifier->renewal.timer_set) {
        ngx_del_timer(&verifier->renewal);
    }

    keys = verifier->keys.elts;

    for (i = 0; i < verifier->keys.nelts; i++) {
        fetch = keys[i].fetch;

        if (fetch == NULL) {
            continue;
        }

        /* the thread uses the verifier, for as long as a fetch may take */

        while (!fetch->ended) {
            ngx_msleep(10);
        }

        if (ngx_exiting || ngx_quit || ngx_terminate) {
            /* its event will not come */
            torii_error_free(fetch->error);
            ngx_free(fetch);

        } else {
            fetch->keys = NULL;
        }
    }
}


static void
ngx_http_torii_fetch(ngx_http_torii_keys_t *keys)
{
    ngx_event_t             *renewal;
    ngx_http_torii_fetch_t  *fetch;

    renewal = &keys->verifier->renewal;

    /* a cycle that was not initialized, with "master_process off", has none */

    if (keys->fetch || renewal->handler == NULL) {
        return;
    }

    fetch = ngx_calloc(sizeof(ngx_http_torii_fetch_t), renewal->log);

    if (fetch) {
        fetch->keys = keys;
        fetch->task.ctx = fetch;
        fetch->task.handler = ngx_http_torii_fetch_thread;
        fetch->task.event.handler = ngx_http_torii_fetch_done;
        fetch->task.event.data = fetch;

        if (ngx_thread_task_post(ngx_http_torii_thread_pool, &fetch->task)
            == NGX_OK)
        {
            keys->fetch = fetch;
            return;
        }

        ngx_free(fetch);
    }

    /* the log says why */

    if (!renewal->timer_set) {
        ngx_add_timer(renewal, NGX_HTTP_TORII_RETRY);
    }
}


static void
ngx_http_torii_fetch_thread(void *data, ngx_log_t *log)
{
    ngx_http_torii_fetch_t *fetch = data;

    ngx_http_torii_keys_t  *keys;

    keys = fetch->keys;

    (void) torii_verifier_refresh_due(keys->verifier->handle,
                                      (char *) keys->issuer.data,
                                      keys->issuer.len, &fetch->error);
    ngx_memory_barrier();

    fetch->ended = 1;
}


static void
ngx_http_torii_fetch_done(ngx_event_t *ev)
{
    ngx_http_torii_fetch_t *fetch = ev->data;

    ngx_queue_t            *q, awake;
    ngx_http_torii_keys_t  *keys;

    keys = fetch->keys;

    if (keys) {
        keys->fetch = NULL;

        if (fetch->error) {
            ngx_log_error(NGX_LOG_ERR, keys->verifier->renewal.log, 0,
                          "torii: %s", torii_error_message(fetch->error, NULL));
        }

        ngx_http_torii_log_file_error(keys->verifier, keys->verifier->renewal.log);
        ngx_http_torii_schedule(keys->verifier);
    }

    torii_error_free(fetch->error);
    ngx_free(fetch);

    if (keys == NULL || ngx_queue_empty(&keys->waiters)) {
        return;
    }

    /* one that still needs keys, or others, waits again */

    ngx_queue_init(&awake);
    ngx_queue_add(&awake, &keys->waiters);
    ngx_queue_init(&keys->waiters);

    while (!ngx_queue_empty(&awake)) {
        q = ngx_queue_head(&awake);

        ngx_http_torii_wake(ngx_queue_data(q, ngx_http_torii_waiter_t, queue));
    }
}


static void
ngx_http_torii_schedule(ngx_http_torii_verifier_t *verifier)
{
    int64_t     due;
    ngx_msec_t  next;

    if (verifier->renewal.timer_set) {
        ngx_del_timer(&verifier->renewal);
    }

    due = torii_verifier_due_in_ms(verifier->handle);

    next = ngx_max(due, NGX_HTTP_TORII_RENEWAL_MIN);

    /* workers that started together do not stay together */

    ngx_add_timer(&verifier->renewal, next + ngx_random() % (next / 16));
}


static void
ngx_http_torii_renew(ngx_event_t *ev)
{
    ngx_http_torii_verifier_t *verifier = ev->data;

    ngx_uint_t              i;
    ngx_http_torii_keys_t  *keys;

    keys = verifier->keys.elts;

    for (i = 0; i < verifier->keys.nelts; i++) {
        ngx_http_torii_fetch(&keys[i]);
    }
}


/* NGX_DECLINED if the error names no keys that are fetched here */

ngx_int_t
ngx_http_torii_wait(ngx_http_torii_verifier_t *verifier, torii_error_t *error,
    ngx_http_torii_waiter_t *waiter)
{
    size_t                  len;
    ngx_uint_t              i;
    const char             *issuer;
    ngx_msec_int_t          left;
    ngx_http_torii_keys_t  *keys;

    issuer = torii_error_issuer(error, &len);
    keys = verifier->keys.elts;

    for (i = 0; i < verifier->keys.nelts; i++, keys++) {

        if (keys->issuer.len == len
            && ngx_memcmp(keys->issuer.data, issuer, len) == 0)
        {
            goto found;
        }
    }

    return NGX_DECLINED;

found:

    if (waiter->until == 0) {
        waiter->until = ngx_current_msec + verifier->timeout;
    }

    waiter->deadline.handler = ngx_http_torii_deadline;
    waiter->deadline.data = waiter;

    /* a worker that is to end gracefully waits for timers, not for requests */

    left = waiter->until - ngx_current_msec;

    ngx_add_timer(&waiter->deadline, ngx_max(left, 0));

    ngx_queue_insert_tail(&keys->waiters, &waiter->queue);

    ngx_http_torii_fetch(keys);

    return NGX_OK;
}


static void
ngx_http_torii_deadline(ngx_event_t *ev)
{
    ngx_http_torii_waiter_t *waiter = ev->data;

    waiter->late = 1;

    ngx_http_torii_wake(waiter);
}


static void
ngx_http_torii_wake(ngx_http_torii_waiter_t *waiter)
{
    ngx_queue_remove(&waiter->queue);

    if (waiter->deadline.timer_set) {
        ngx_del_timer(&waiter->deadline);
    }

    waiter->handler(waiter);
}
