
/*
 * The metrics of all workers: "torii_metrics".
 *
 * A worker publishes the text of its metrics in shared memory, once a second
 * and when it ends.  A scrape merges the texts.  The counters of workers that
 * have ended are kept, so that no counter falls.
 */


#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_METRICS_ZONE      (2 * 1024 * 1024)
#define NGX_HTTP_TORII_METRICS_INTERVAL  1000


/* all but the queue's members change under the mutex of the zone */

typedef struct {
    ngx_queue_t                    queue;
    ngx_pid_t                      pid;
    ngx_str_t                      text;
} ngx_http_torii_slot_t;


struct ngx_http_torii_shared_s {
    ngx_queue_t                    slots;
    ngx_str_t                      ended;      /* counters of past workers */
};


static ngx_int_t ngx_http_torii_init_zone(ngx_shm_zone_t *zone, void *data);
static void ngx_http_torii_publish_metrics(ngx_event_t *ev);
static ngx_int_t ngx_http_torii_publish(ngx_http_torii_main_conf_t *tmcf,
    ngx_log_t *log);
static ngx_int_t ngx_http_torii_own_metrics(ngx_http_torii_main_conf_t *tmcf,
    ngx_pool_t *pool, ngx_str_t *text);
static ngx_http_torii_slot_t *ngx_http_torii_slot(ngx_slab_pool_t *shpool,
    ngx_http_torii_shared_t *shared);
static void ngx_http_torii_end_slot(ngx_slab_pool_t *shpool,
    ngx_http_torii_shared_t *shared, ngx_http_torii_slot_t *slot,
    ngx_pool_t *pool);
static ngx_int_t ngx_http_torii_replace(ngx_slab_pool_t *shpool,
    ngx_str_t *to, ngx_str_t *text);
static ngx_int_t ngx_http_torii_metrics_handler(ngx_http_request_t *r);


char *
ngx_http_torii_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                    name;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_torii_module);

    ngx_str_set(&name, "torii_metrics");

    tmcf->zone = ngx_shared_memory_add(cf, &name, NGX_HTTP_TORII_METRICS_ZONE,
                                       &ngx_http_torii_module);
    if (tmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    tmcf->zone->init = ngx_http_torii_init_zone;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_torii_metrics_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_torii_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t          *shpool;
    ngx_http_torii_shared_t  *shared;

    /* that of the last configuration, with its counters */

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    shared = ngx_slab_calloc(shpool, sizeof(ngx_http_torii_shared_t));
    if (shared == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_init(&shared->slots);

    zone->data = shared;
    shpool->data = shared;

    return NGX_OK;
}


void
ngx_http_torii_init_metrics(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    if (tmcf->zone == NULL) {
        return;
    }

    tmcf->publication.handler = ngx_http_torii_publish_metrics;
    tmcf->publication.data = tmcf;
    tmcf->publication.log = cycle->log;
    tmcf->publication.cancelable = 1;

    ngx_http_torii_publish_metrics(&tmcf->publication);
}


/* the counters of this worker stay */

void
ngx_http_torii_exit_metrics(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_pool_t               *pool;
    ngx_slab_pool_t          *shpool;
    ngx_http_torii_slot_t    *slot;
    ngx_http_torii_shared_t  *shared;

    if (tmcf->zone == NULL || tmcf->publication.handler == NULL) {
        return;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, cycle->log);
    if (pool == NULL) {
        return;
    }

    if (ngx_http_torii_publish(tmcf, cycle->log) == NGX_OK) {

        shared = tmcf->zone->data;
        shpool = (ngx_slab_pool_t *) tmcf->zone->shm.addr;

        ngx_shmtx_lock(&shpool->mutex);

        slot = ngx_http_torii_slot(shpool, shared);

        if (slot) {
            ngx_http_torii_end_slot(shpool, shared, slot, pool);
        }

        ngx_shmtx_unlock(&shpool->mutex);
    }

    ngx_destroy_pool(pool);
}


static void
ngx_http_torii_publish_metrics(ngx_event_t *ev)
{
    ngx_http_torii_main_conf_t *tmcf = ev->data;

    (void) ngx_http_torii_publish(tmcf, ev->log);

    ngx_add_timer(ev, NGX_HTTP_TORII_METRICS_INTERVAL);
}


static ngx_int_t
ngx_http_torii_publish(ngx_http_torii_main_conf_t *tmcf, ngx_log_t *log)
{
    ngx_int_t               rc;
    ngx_str_t               text;
    ngx_pool_t             *pool;
    ngx_slab_pool_t        *shpool;
    ngx_http_torii_slot_t  *slot;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_torii_own_metrics(tmcf, pool, &text);

    if (rc == NGX_OK) {
        shpool = (ngx_slab_pool_t *) tmcf->zone->shm.addr;

        ngx_shmtx_lock(&shpool->mutex);

        slot = ngx_http_torii_slot(shpool, tmcf->zone->data);

        rc = slot ? ngx_http_torii_replace(shpool, &slot->text, &text)
                  : NGX_ERROR;

        ngx_shmtx_unlock(&shpool->mutex);
    }

    ngx_destroy_pool(pool);

    return rc;
}


/* of all verifiers of this worker */

static ngx_int_t
ngx_http_torii_own_metrics(ngx_http_torii_main_conf_t *tmcf, ngx_pool_t *pool,
    ngx_str_t *text)
{
    char                        *buf;
    size_t                       cap, size;
    ngx_str_t                    one;
    ngx_uint_t                   i;
    ngx_array_t                 *families;
    torii_status_t               status;
    ngx_http_torii_verifier_t  **vp;

    families = ngx_http_torii_families(pool);
    if (families == NULL) {
        return NGX_ERROR;
    }

    vp = tmcf->verifiers.elts;

    for (i = 0; i < tmcf->verifiers.nelts; i++) {
        buf = NULL;
        cap = 0;

        for ( ;; ) {
            status = torii_verifier_metrics(vp[i]->handle, buf, cap, &size,
                                            NULL);
            if (status != TORII_ERR_BUFFER_TOO_SMALL) {
                break;
            }

            cap = size + 256;

            buf = ngx_pnalloc(pool, cap);
            if (buf == NULL) {
                return NGX_ERROR;
            }
        }

        if (status != TORII_OK) {
            return NGX_ERROR;
        }

        one.data = (u_char *) buf;
        one.len = size;

        if (ngx_http_torii_add_own(families, &one, vp, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_torii_write_families(families, pool, text);
}


/* the slot of this worker; the mutex is locked */

static ngx_http_torii_slot_t *
ngx_http_torii_slot(ngx_slab_pool_t *shpool, ngx_http_torii_shared_t *shared)
{
    ngx_queue_t            *q;
    ngx_http_torii_slot_t  *slot;

    for (q = ngx_queue_head(&shared->slots);
         q != ngx_queue_sentinel(&shared->slots);
         q = ngx_queue_next(q))
    {
        slot = ngx_queue_data(q, ngx_http_torii_slot_t, queue);

        if (slot->pid == ngx_pid) {
            return slot;
        }
    }

    slot = ngx_slab_calloc_locked(shpool, sizeof(ngx_http_torii_slot_t));

    if (slot) {
        slot->pid = ngx_pid;
        ngx_queue_insert_tail(&shared->slots, &slot->queue);
    }

    return slot;
}


/* adds its counters to those of past workers; the mutex is locked */

static void
ngx_http_torii_end_slot(ngx_slab_pool_t *shpool,
    ngx_http_torii_shared_t *shared, ngx_http_torii_slot_t *slot,
    ngx_pool_t *pool)
{
    ngx_str_t     text;
    ngx_array_t  *families;

    families = ngx_http_torii_families(pool);

    if (families == NULL
        || ngx_http_torii_add_counters(families, &shared->ended) != NGX_OK
        || ngx_http_torii_add_counters(families, &slot->text) != NGX_OK
        || ngx_http_torii_write_families(families, pool, &text) != NGX_OK
        || ngx_http_torii_replace(shpool, &shared->ended, &text) != NGX_OK)
    {
        /* the slot stays, and is tried again with the next scrape */
        return;
    }

    ngx_queue_remove(&slot->queue);

    if (slot->text.data) {
        ngx_slab_free_locked(shpool, slot->text.data);
    }

    ngx_slab_free_locked(shpool, slot);
}


/* a worker that is killed leaves the old text or the new one */

static ngx_int_t
ngx_http_torii_replace(ngx_slab_pool_t *shpool, ngx_str_t *to,
    ngx_str_t *text)
{
    u_char  *data, *old;

    data = ngx_slab_alloc_locked(shpool, text->len + 1);
    if (data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(data, text->data, text->len);

    old = to->data;

    to->len = 0;
    ngx_memory_barrier();
    to->data = data;
    ngx_memory_barrier();
    to->len = text->len;

    if (old) {
        ngx_slab_free_locked(shpool, old);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_buf_t                   *b;
    ngx_str_t                    text;
    ngx_chain_t                  out;
    ngx_queue_t                 *q, *next;
    ngx_array_t                 *families;
    ngx_slab_pool_t             *shpool;
    ngx_http_torii_slot_t       *slot;
    ngx_http_torii_shared_t     *shared;
    ngx_http_torii_main_conf_t  *tmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_torii_module);

    shared = tmcf->zone->data;
    shpool = (ngx_slab_pool_t *) tmcf->zone->shm.addr;

    families = ngx_http_torii_families(r->pool);

    if (families == NULL
        || ngx_http_torii_publish(tmcf, r->connection->log) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_shmtx_lock(&shpool->mutex);

    /* a worker that was killed has not ended its slot */

    for (q = ngx_queue_head(&shared->slots);
         q != ngx_queue_sentinel(&shared->slots);
         q = next)
    {
        next = ngx_queue_next(q);
        slot = ngx_queue_data(q, ngx_http_torii_slot_t, queue);

        if (kill(slot->pid, 0) == -1 && ngx_errno == ESRCH) {
            ngx_http_torii_end_slot(shpool, shared, slot, r->pool);
        }
    }

    /* families point into texts of the zone until they are written */

    rc = NGX_OK;

    for (q = ngx_queue_head(&shared->slots);
         rc == NGX_OK && q != ngx_queue_sentinel(&shared->slots);
         q = ngx_queue_next(q))
    {
        slot = ngx_queue_data(q, ngx_http_torii_slot_t, queue);

        rc = ngx_http_torii_add_worker(families, &slot->text);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_torii_add_worker(families, &shared->ended);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_torii_write_families(families, r->pool, &text);
    }

    ngx_shmtx_unlock(&shpool->mutex);

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type,
                "application/openmetrics-text; version=1.0.0; charset=utf-8");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = text.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
