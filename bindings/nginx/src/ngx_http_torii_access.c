
/*
 * Verifies requests, and refuses or parks them.
 *
 * A token is verified as soon as the location is known, in the rewrite phase
 * and before ngx_http_rewrite_module: a "return" ends the request there, and
 * the access phase never comes.  Subrequests, for which there is no access
 * phase, are verified by their locations as well.
 *
 * Before the location is known, the settings of the server count for what
 * its own rewrite rules answer.  The header filter refuses such answers, and
 * those of locations with "satisfy any", where a refusal is not the last
 * word until the access phase.
 *
 * A request that needs keys is parked: it stays where it is, and the worker
 * goes on, until keys have come or the deadline has passed.
 */


#include "ngx_http_torii.h"


static ngx_http_torii_ctx_t *ngx_http_torii_create_ctx(ngx_http_request_t *r,
    ngx_http_torii_loc_conf_t *conf);
static ngx_uint_t ngx_http_torii_same(ngx_http_torii_loc_conf_t *a,
    ngx_http_torii_loc_conf_t *b);
static void ngx_http_torii_restore(ngx_http_request_t *r);
static void ngx_http_torii_check(ngx_http_torii_ctx_t *ctx);
static void ngx_http_torii_resume(ngx_http_torii_waiter_t *waiter);
static void ngx_http_torii_free_ctx(void *data);


/* parks, and sets variables for rules of the server; refuses nothing yet */

ngx_int_t
ngx_http_torii_server_rewrite_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_torii_ctx_t       *ctx;
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);

    if (tlcf->verifier == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_torii_verify(r, tlcf, 1);

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx) {
        ctx->server = 1;
    }

    return (rc == NGX_AGAIN) ? NGX_DONE : NGX_DECLINED;
}


ngx_int_t
ngx_http_torii_rewrite_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_torii_ctx_t       *ctx;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);

    if (tlcf->verifier == NULL) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

        if (ctx && ctx->server) {
            ngx_http_set_ctx(r, NULL, ngx_http_torii_module);
        }

        return NGX_DECLINED;
    }

    rc = ngx_http_torii_verify(r, tlcf, 1);

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

    ngx_http_torii_refuse(ngx_http_get_module_ctx(r, ngx_http_torii_module));

    return rc;
}


ngx_int_t
ngx_http_torii_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);

    if (tlcf->verifier == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_torii_verify(r, tlcf, 1);

    if (rc > NGX_OK) {
        ngx_http_torii_refuse(ngx_http_get_module_ctx(r,
                                                      ngx_http_torii_module));
    }

    return rc;
}


/*
 * NGX_OK for a valid token, NGX_DECLINED for a request that needs none and
 * has none, NGX_AGAIN if it was parked, else what is to be answered.
 */

ngx_int_t
ngx_http_torii_verify(ngx_http_request_t *r, ngx_http_torii_loc_conf_t *conf,
    ngx_uint_t may_park)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL || !ngx_http_torii_same(ctx->conf, conf)) {

        ctx = ngx_http_torii_create_ctx(r, conf);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ctx->parked) {
        /* something else has happened to the connection */
        return NGX_AGAIN;
    }

    ctx->conf = conf;
    ctx->server = 0;

    if (!ctx->verified) {

        ngx_http_torii_check(ctx);

        if (ctx->status == TORII_ERR_KEYS_PENDING) {

            if (may_park
                && !ctx->waiter.late
                && ngx_http_torii_wait(conf->verifier, ctx->error,
                                       &ctx->waiter)
                   == NGX_OK)
            {
                ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                               "torii: waiting for keys");

                ctx->parked = 1;
                r->main->blocked++;

                return NGX_AGAIN;
            }

            ctx->status = TORII_ERR_KEYS_UNAVAILABLE;
        }

        ctx->verified = 1;
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

    /* freed with the request: variables may point into it */

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_torii_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_torii_ctx_t));

    ctx->request = r;
    ctx->conf = conf;
    ctx->waiter.handler = ngx_http_torii_resume;
    ctx->waiter.data = ctx;
    ctx->waiter.deadline.log = r->connection->log;

    if (r->internal) {
        ngx_http_torii_restore(r);
    }

    cln->handler = ngx_http_torii_free_ctx;

    if (ngx_http_torii_read_credentials(ctx) != NGX_OK) {
        return NULL;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_torii_module);

    return ctx;
}


/* whether a request that was verified by one need not be by the other */

static ngx_uint_t
ngx_http_torii_same(ngx_http_torii_loc_conf_t *a, ngx_http_torii_loc_conf_t *b)
{
    if (a == b) {
        return 1;
    }

    return a->verifier == b->verifier
           && a->mode == b->mode
           && a->header.data == b->header.data
           && a->cookie.data == b->cookie.data
           && a->token == NULL && b->token == NULL
           && ngx_memcmp(a->requirements, b->requirements,
                         sizeof(a->requirements))
              == 0;
}


/*
 * A location that is reached from one without the token, by an internal
 * redirect or in a subrequest, reads what the client has sent.
 */

static void
ngx_http_torii_restore(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_torii_ctx_t  *ctx;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_torii_free_ctx) {
            ctx = cln->data;

            if (ctx->stripped) {
                r->headers_in.headers = ctx->headers;
                return;
            }
        }
    }
}


static void
ngx_http_torii_check(ngx_http_torii_ctx_t *ctx)
{
    ngx_uint_t                  i, required;
    torii_verifier_t           *verifier;
    ngx_http_torii_loc_conf_t  *conf;

    conf = ctx->conf;
    verifier = conf->verifier->handle;

    required = (conf->mode != NGX_HTTP_TORII_OPTIONAL);

    for (i = 0; i < NGX_HTTP_TORII_NREQUIREMENTS; i++) {
        required |= (conf->requirements[i] != NULL);
    }

    ctx->answer = 0;

    if (ctx->credentials.len == 0 && !required) {
        ctx->status = TORII_ERR_TOKEN_MISSING;
        return;
    }

    torii_error_free(ctx->error);

    /* a handle, which refers to the claims: a record would copy them */

    if (ctx->is_header) {
        ctx->status = torii_verifier_authenticate_nowait(verifier,
                                              (char *) ctx->credentials.data,
                                              ctx->credentials.len,
                                              &ctx->auth, &ctx->error);
    } else {
        ctx->status = torii_verify_token_nowait(verifier,
                                              (char *) ctx->credentials.data,
                                              ctx->credentials.len,
                                              &ctx->auth, &ctx->error);
    }

    for (i = 0;
         ctx->status == TORII_OK && i < NGX_HTTP_TORII_NREQUIREMENTS;
         i++)
    {
        if (conf->requirements[i]) {
            ctx->status = torii_auth_require(ctx->auth, conf->requirements[i],
                                             &ctx->error);
        }
    }

    if (ctx->status != TORII_OK) {
        torii_auth_free(ctx->auth);
        ctx->auth = NULL;

        ctx->answer = torii_status_http(ctx->status);
    }
}


/* marks the answer as a refusal, and logs the reason */

void
ngx_http_torii_refuse(ngx_http_torii_ctx_t *ctx)
{
    if (ctx == NULL || ctx->refused || ctx->answer == 0) {
        return;
    }

    ctx->refused = 1;

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "torii: %s, %s", torii_status_name(ctx->status),
                  torii_error_message(ctx->error, NULL));
}


static void
ngx_http_torii_resume(ngx_http_torii_waiter_t *waiter)
{
    ngx_http_torii_ctx_t *ctx = waiter->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ctx->parked = 0;
    r->main->blocked--;

#if (nginx_version >= 1027001)

    if (r->main->terminated) {
        /* the handler of the connection does the rest */
        c->write->handler(c->write);
        return;
    }

#endif

    r->write_event_handler(r);
    ngx_http_run_posted_requests(c);
}


/*
 * The last verification of a request.  An internal redirect clears the
 * context, but the identity of the user stays valid.
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

        if (cln->handler == ngx_http_torii_free_ctx) {
            ctx = cln->data;

            if (ctx->request == r && !ctx->server) {
                return ctx;
            }
        }
    }

    return NULL;
}


static void
ngx_http_torii_free_ctx(void *data)
{
    ngx_http_torii_ctx_t *ctx = data;

    torii_json_free(ctx->claims);
    torii_auth_free(ctx->auth);
    torii_error_free(ctx->error);
}
