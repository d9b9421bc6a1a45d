
/*
 * What a request that is not let in is answered.
 *
 * The handlers just return a status, so that "error_page" and "satisfy" work
 * as for any other module.  What RFC 6750 asks for is added on the way out:
 * the challenge always, and a body in JSON where nginx would have sent its
 * own page.
 *
 * The header filter also sees answers made in the rewrite phase that the
 * rewrite handler could not refuse: of a "return" of a server, where the
 * location is not known yet, and under "satisfy any".  None of them leaves
 * without a good token.
 */


#include "ngx_http_torii.h"


static ngx_int_t ngx_http_torii_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_torii_guard(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_challenge(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
static ngx_table_elt_t *ngx_http_torii_add_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_torii_body(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);


static ngx_str_t  ngx_http_torii_www_authenticate =
    ngx_string("WWW-Authenticate");
static ngx_str_t  ngx_http_torii_retry_after = ngx_string("Retry-After");
static ngx_str_t  ngx_http_torii_cache_control = ngx_string("Cache-Control");
static ngx_str_t  ngx_http_torii_no_store = ngx_string("no-store");


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

    if (ngx_http_torii_challenge(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx == ngx_http_get_module_ctx(r, ngx_http_torii_module)
        && (ctx->body || r->err_status == (ngx_uint_t) ctx->answer)
        && ngx_http_torii_body(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


/*
 * Turns an answer of the rewrite phase into a refusal, unless the token is
 * good.  After a refusal by the handlers the answer is that refusal.
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

    if (tlcf->policy == NULL
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

    rc = ngx_http_torii_judge(r, tlcf, 0);

    if (rc == NGX_OK || rc == NGX_DECLINED) {
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (ctx == NULL || !ctx->judged) {
        return NGX_ERROR;
    }

    ctx->refused = 1;
    ctx->body = 1;

    ngx_http_clean_header(r);

    r->err_status = 0;
    r->headers_out.status = rc;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_challenge(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char           *p;
    ngx_str_t         value;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    if (ngx_http_torii_add_header(r, &ngx_http_torii_cache_control,
                                  &ngx_http_torii_no_store)
        == NULL)
    {
        return NGX_ERROR;
    }

    if (ctx->answer == NGX_HTTP_SERVICE_UNAVAILABLE) {

        value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        value.len = ngx_sprintf(value.data, "%ui", ctx->retry_after)
                    - value.data;

        return ngx_http_torii_add_header(r, &ngx_http_torii_retry_after,
                                         &value)
               ? NGX_OK : NGX_ERROR;
    }

    if (ctx->answer != NGX_HTTP_UNAUTHORIZED) {
        return NGX_OK;
    }

    /* RFC 6750, 3.1: no error where there was no token */

    if (ctx->status == TORII_ERR_TOKEN_MISSING
        || ctx->status == TORII_ERR_TOKEN_SCHEME)
    {
        ngx_str_set(&value, "Bearer realm=\"torii\"");

    } else {
        value.data = ngx_pnalloc(r->pool,
                           sizeof("Bearer realm=\"torii\", "
                                  "error=\"invalid_token\", "
                                  "error_description=\"\"") - 1
                           + ctx->message.len);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(value.data, "Bearer realm=\"torii\", "
                                   "error=\"invalid_token\", "
                                   "error_description=\"",
                       sizeof("Bearer realm=\"torii\", "
                              "error=\"invalid_token\", "
                              "error_description=\"") - 1);

        /* RFC 6750, 3: printable ASCII without quotes and backslashes */

        for (i = 0; i < ctx->message.len; i++) {
            *p = ctx->message.data[i];

            if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\') {
                *p = '\'';
            }

            p++;
        }

        *p++ = '"';
        value.len = p - value.data;
    }

    h = ngx_http_torii_add_header(r, &ngx_http_torii_www_authenticate, &value);
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
ngx_http_torii_add_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
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
    h->key = *name;
    h->value = *value;

    return h;
}


static ngx_int_t
ngx_http_torii_body(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx)
{
    u_char     *p;
    size_t      escaped;
    ngx_str_t   code, message, *body;

    message = ctx->message;

    switch (ctx->answer) {

    case NGX_HTTP_UNAUTHORIZED:
        ngx_str_set(&code, "authentication_failed");
        break;

    case NGX_HTTP_FORBIDDEN:
        ngx_str_set(&code, "forbidden");
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        /* why is nothing the client should know */
        ngx_str_set(&code, "keys_unavailable");
        ngx_str_set(&message, "The login cannot be checked at the moment");
        break;

    default: /* NGX_HTTP_INTERNAL_SERVER_ERROR */
        ngx_str_set(&code, "internal_error");
        ngx_str_set(&message, "Internal error");
    }

    escaped = ngx_escape_json(NULL, message.data, message.len);

    body = &ctx->text;

    body->data = ngx_pnalloc(r->pool,
                             sizeof("{\"error\":{\"code\":\"\","
                                    "\"message\":\"\"}}") - 1
                             + code.len + message.len + escaped);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(body->data, "{\"error\":{\"code\":\"%V\",\"message\":\"",
                    &code);
    p = (u_char *) ngx_escape_json(p, message.data, message.len);
    p = ngx_cpymem(p, "\"}}", sizeof("\"}}") - 1);

    body->len = p - body->data;

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
