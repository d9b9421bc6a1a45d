
/*
 * The answer to a request that is not let in.
 *
 * The handlers just return a status, so that "error_page" and "satisfy" work
 * as for any other module.  The library says what the client is told: a
 * challenge is added on the way out, and a body in JSON where nginx would
 * have sent its own page.
 *
 * The header filter also sees answers made in the rewrite phase that the
 * rewrite handler could not refuse: of a "return" of a server, where the
 * location is not known yet, and under "satisfy any".  None of them leaves
 * without a valid token.
 */


#include "ngx_http_torii.h"


static ngx_int_t ngx_http_torii_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_torii_guard(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_headers(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_table_elt_t *ngx_http_torii_add_header(ngx_http_request_t *r,
    const char *name, const char *value);
static ngx_int_t ngx_http_torii_body(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_torii_init_filters(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_torii_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_torii_body_filter;
}


static ngx_int_t
ngx_http_torii_header_filter(ngx_http_request_t *r)
{
    ngx_http_torii_ctx_t  *ctx;

    if (ngx_http_torii_guard(r) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx = ngx_http_torii_get_ctx(r);

    if (ctx == NULL || !ctx->refused
        || r->headers_out.status != (ngx_uint_t) ctx->answer)
    {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_torii_headers(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx == ngx_http_get_module_ctx(r, ngx_http_torii_module)
        && (ctx->replace || r->err_status == (ngx_uint_t) ctx->answer)
        && ngx_http_torii_body(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


/*
 * Turns an answer of the rewrite phase into a refusal, unless the token is
 * valid.  After a refusal by the handlers the answer is that refusal.
 */

static ngx_int_t
ngx_http_torii_guard(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_torii_ctx_t       *ctx;
    ngx_http_phase_handler_t   *ph;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);

    if (tlcf->verifier == NULL
        || r->write_event_handler != ngx_http_core_run_phases)
    {
        return NGX_OK;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    ph = &cmcf->phase_engine.handlers[r->phase_handler];

    if (ph->checker != ngx_http_core_rewrite_phase) {
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx && ctx->refused) {
        return NGX_OK;
    }

    rc = ngx_http_torii_verify(r, tlcf, 0);

    if (rc == NGX_OK || rc == NGX_DECLINED) {
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL || !ctx->verified) {
        return NGX_ERROR;
    }

    ngx_http_torii_refuse(ctx);
    ctx->replace = 1;

    ngx_http_clean_header(r);

    r->err_status = 0;
    r->headers_out.status = rc;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_headers(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char           *p;
    const char       *challenge;
    ngx_table_elt_t  *h;

    if (ngx_http_torii_add_header(r, "Cache-Control", "no-store") == NULL) {
        return NGX_ERROR;
    }

    if (ctx->answer == NGX_HTTP_SERVICE_UNAVAILABLE) {

        p = ngx_pnalloc(r->pool, NGX_INT64_LEN + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_sprintf(p, "%L%Z", ngx_max(torii_error_retry_after(ctx->error), 1));

        return ngx_http_torii_add_header(r, "Retry-After", (char *) p)
               ? NGX_OK : NGX_ERROR;
    }

    challenge = torii_error_www_authenticate(ctx->error, NULL);

    if (challenge == NULL) {
        return NGX_OK;
    }

    h = ngx_http_torii_add_header(r, "WWW-Authenticate", challenge);
    if (h == NULL) {
        return NGX_ERROR;
    }

#if (nginx_version >= 1023000)
    h->next = r->headers_out.www_authenticate;
#endif

    /* ngx_http_auth_request_module takes it from here */
    r->headers_out.www_authenticate = h;

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_torii_add_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return h;
}


static ngx_int_t
ngx_http_torii_body(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    size_t       len;
    ngx_str_t   *body;
    const char  *code, *message;

    /* constants, fit for JSON as they are */

    code = torii_error_public_code(ctx->error, NULL);
    message = torii_error_public_message(ctx->error, NULL);

    len = sizeof("{\"error\":{\"code\":\"\",\"message\":\"\"}}") - 1
          + ngx_strlen(code) + ngx_strlen(message);

    body = &ctx->text;

    body->data = ngx_pnalloc(r->pool, len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    body->len = ngx_sprintf(body->data, "{\"error\":{\"code\":\"%s\","
                            "\"message\":\"%s\"}}", code, message)
                - body->data;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    r->headers_out.status_line.len = 0;
    r->headers_out.content_length_n = body->len;
    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_lowcase = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t             *b;
    ngx_chain_t            out, *cl;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL || ctx->text.data == NULL || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    /* nginx's own answers come in one piece */

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->text.data;
    b->last = ctx->text.data + ctx->text.len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    ngx_str_null(&ctx->text);

    out.buf = b;
    out.next = NULL;

    return ngx_http_next_body_filter(r, &out);
}
