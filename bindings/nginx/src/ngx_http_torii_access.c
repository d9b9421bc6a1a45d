
/*
 * Who is let in.
 *
 * A token is judged as soon as the location is known, in the rewrite phase
 * and before ngx_http_rewrite_module: a "return" ends the request there, and
 * the access phase never comes.  Subrequests, for which there is no access
 * phase, are judged by their locations as well.
 *
 * With "satisfy any" a refusal is not the last word until the access phase.
 * That, and a "return" at the level of a server, is what the header filter
 * watches over.
 *
 * A request that needs keys is parked: it stays where it is, and the worker
 * goes on, until keys have come or the deadline has passed.
 */


#include "ngx_http_torii.h"


static ngx_http_torii_ctx_t *ngx_http_torii_create_ctx(ngx_http_request_t *r,
    ngx_http_torii_loc_conf_t *conf);
static ngx_int_t ngx_http_torii_ask(ngx_http_torii_ctx_t *ctx);
static ngx_int_t ngx_http_torii_explain(ngx_http_torii_ctx_t *ctx,
    torii_error_t *error);
static void ngx_http_torii_park(ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_deadline(ngx_event_t *ev);
static void ngx_http_torii_cleanup(void *data);


ngx_int_t
ngx_http_torii_rewrite_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_torii_ctx_t       *ctx;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);

    if (tlcf->policy == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_torii_judge(r, tlcf, 1);

    if (rc == NGX_OK || rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    if (rc == NGX_AGAIN) {
        /* NGX_AGAIN would finalize the request in this phase */
        return NGX_DONE;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY && r == r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);
    if (ctx) {
        ctx->refused = 1;
    }

    return rc;
}


ngx_int_t
ngx_http_torii_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_torii_ctx_t       *ctx;
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);

    if (tlcf->policy == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_torii_judge(r, tlcf, 1);

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (rc > NGX_OK && ctx) {
        ctx->refused = 1;
    }

    return rc;
}


/*
 * NGX_OK for a good token, NGX_DECLINED if there may be none and there is
 * none, NGX_AGAIN if the request was parked, else what is to be answered.
 */

ngx_int_t
ngx_http_torii_judge(ngx_http_request_t *r, ngx_http_torii_loc_conf_t *conf,
    ngx_uint_t may_park)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL || ctx->conf != conf) {

        ctx = ngx_http_torii_create_ctx(r, conf);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ctx->parked) {
        /* something else has happened to the connection */
        return NGX_AGAIN;
    }

    if (!ctx->judged) {

        if (ngx_http_torii_ask(ctx) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (ctx->status == TORII_ERR_KEYS_PENDING) {

            if (ctx->until == 0) {
                ngx_http_torii_fetch_keys(conf->policy, r->connection->log);
            }

            if (may_park && !ctx->late) {
                ngx_http_torii_park(ctx);
                return NGX_AGAIN;
            }

            ngx_str_set(&ctx->message, "the keys did not come in time");
            ctx->status = TORII_ERR_KEYS_UNAVAILABLE;
            ctx->answer = NGX_HTTP_SERVICE_UNAVAILABLE;
        }

        ctx->judged = 1;

        if (ctx->answer) {
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "torii: %s, %V", torii_status_name(ctx->status),
                          &ctx->message);
        }
    }

    if (ctx->answer) {
        return ctx->answer;
    }

    return ctx->auth ? NGX_OK : NGX_DECLINED;
}


static ngx_http_torii_ctx_t *
ngx_http_torii_create_ctx(ngx_http_request_t *r,
    ngx_http_torii_loc_conf_t *conf)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_torii_ctx_t  *ctx;

    /*
     * each judgement stays until the request is freed: variables that were
     * evaluated before may point into it
     */

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_torii_ctx_t));

    ctx->request = r;
    ctx->conf = conf;

    cln->handler = ngx_http_torii_cleanup;

    if (conf->token) {
        if (ngx_http_complex_value(r, conf->token, &ctx->token) != NGX_OK) {
            return NULL;
        }

    } else if (r->headers_in.authorization) {
        /* nginx itself refuses a second one */
        ctx->token = r->headers_in.authorization->value;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_torii_module);

    return ctx;
}


static void
ngx_http_torii_cleanup(void *data)
{
    ngx_http_torii_ctx_t *ctx = data;

    torii_auth_free(ctx->auth);
}


static ngx_int_t
ngx_http_torii_ask(ngx_http_torii_ctx_t *ctx)
{
    torii_error_t     *error;
    torii_verifier_t  *verifier;

    verifier = ctx->conf->policy->verifier;

    ctx->answer = 0;

    if (ctx->conf->token) {
        ctx->status = torii_verify_token_nowait(verifier,
                                                (char *) ctx->token.data,
                                                ctx->token.len, &ctx->auth,
                                                &error);
    } else {
        ctx->status = torii_verifier_authenticate_nowait(verifier,
                                                  (char *) ctx->token.data,
                                                  ctx->token.len, &ctx->auth,
                                                  &error);
    }

    if (ctx->status == TORII_OK) {
        return NGX_OK;
    }

    return ngx_http_torii_explain(ctx, error);
}


static ngx_int_t
ngx_http_torii_explain(ngx_http_torii_ctx_t *ctx, torii_error_t *error)
{
    size_t       len;
    int64_t      pause;
    const char  *text;

    if (ctx->status != TORII_ERR_TOKEN_MISSING
        || ctx->conf->mode != NGX_HTTP_TORII_OPTIONAL)
    {
        ctx->answer = torii_status_http(ctx->status);
    }

    pause = torii_error_retry_after(error);
    ctx->retry_after = ngx_max(pause, 1);

    text = torii_error_message(error, &len);

    ctx->message.data = ngx_pnalloc(ctx->request->pool, len);

    if (ctx->message.data) {
        ngx_memcpy(ctx->message.data, text, len);
        ctx->message.len = len;
    }

    torii_error_free(error);

    return ctx->message.data ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_torii_park(ngx_http_torii_ctx_t *ctx)
{
    ngx_msec_int_t            left;
    ngx_http_request_t       *r;
    ngx_http_torii_policy_t  *policy;

    r = ctx->request;
    policy = ctx->conf->policy;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "torii: waiting for keys");

    if (ctx->until == 0) {
        ctx->until = ngx_current_msec + policy->settings.key_timeout;

        ctx->deadline.handler = ngx_http_torii_deadline;
        ctx->deadline.data = ctx;
        ctx->deadline.log = r->connection->log;
    }

    /* a worker that is to end gracefully waits for timers, not for requests */

    left = ctx->until - ngx_current_msec;

    ngx_add_timer(&ctx->deadline, ngx_max(left, 0));

    ngx_queue_insert_tail(&policy->parked, &ctx->queue);

    ctx->parked = 1;
    r->main->blocked++;
}


static void
ngx_http_torii_deadline(ngx_event_t *ev)
{
    ngx_http_torii_ctx_t *ctx = ev->data;

    ctx->late = 1;

    ngx_http_torii_resume(ctx);
}


void
ngx_http_torii_resume(ngx_http_torii_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_queue_remove(&ctx->queue);

    if (ctx->deadline.timer_set) {
        ngx_del_timer(&ctx->deadline);
    }

    ctx->parked = 0;
    r->main->blocked--;

#if (nginx_version >= 1027001)

    if (r->main->terminated) {
        /* what is left to do is done by the handler of the connection */
        c->write->handler(c->write);
        return;
    }

#endif

    r->write_event_handler(r);
    ngx_http_run_posted_requests(c);
}


/*
 * The last judgement of a request.  An internal redirect clears the context
 * but what was found out about the user stays true.
 */

ngx_http_torii_ctx_t *
ngx_http_torii_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_torii_cleanup) {
            ctx = cln->data;

            if (ctx->request == r) {
                return ctx;
            }
        }
    }

    return NULL;
}
