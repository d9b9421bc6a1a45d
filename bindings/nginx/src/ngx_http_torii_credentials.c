
/*
 * Reads the credentials of a request, and removes them for the backend.
 *
 * Values come from the list of all headers, which shows repeated headers in
 * every version of nginx.
 */


#include "ngx_http_torii.h"


static ngx_int_t ngx_http_torii_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *separator, ngx_str_t *value);
static ngx_table_elt_t *ngx_http_torii_next_header(ngx_list_part_t **part,
    ngx_uint_t *i);
static ngx_uint_t ngx_http_torii_is_named(ngx_table_elt_t *h, ngx_str_t *name);
static ngx_int_t ngx_http_torii_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);
static ngx_uint_t ngx_http_torii_next_cookie(ngx_str_t *rest, ngx_str_t *pair,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_torii_without_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *header);
static void ngx_http_torii_trim(ngx_str_t *value);


static ngx_str_t  ngx_http_torii_cookie_name = ngx_string("cookie");
static ngx_str_t  ngx_http_torii_comma = ngx_string(", ");
static ngx_str_t  ngx_http_torii_semicolon = ngx_string("; ");


/*
 * The header, if it has a value, decides alone.  What is empty carries no
 * credentials.
 */

ngx_int_t
ngx_http_torii_read_credentials(ngx_http_torii_ctx_t *ctx)
{
    ngx_str_t                   value;
    ngx_http_request_t         *r;
    ngx_http_torii_loc_conf_t  *conf;

    r = ctx->request;
    conf = ctx->conf;

    if (conf->token) {
        return ngx_http_complex_value(r, conf->token, &ctx->credentials);
    }

    if (ngx_http_torii_header(r, &conf->header, &ngx_http_torii_comma,
                              &ctx->credentials)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    value = ctx->credentials;
    ngx_http_torii_trim(&value);

    if (value.len) {
        ctx->is_header = 1;
        return NGX_OK;
    }

    ngx_str_null(&ctx->credentials);

    return conf->cookie.len ? ngx_http_torii_cookie(r, &conf->cookie,
                                                    &ctx->credentials)
                            : NGX_OK;
}


/* all values of a header, as one (RFC 9110, 5.3) */

static ngx_int_t
ngx_http_torii_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *separator, ngx_str_t *value)
{
    u_char           *p;
    size_t            len;
    ngx_uint_t        i, n;
    ngx_table_elt_t  *h;
    ngx_list_part_t  *part;

    ngx_str_null(value);

    len = 0;
    n = 0;

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_torii_next_header(&part, &i)) != NULL) {

        if (ngx_http_torii_is_named(h, name)) {
            *value = h->value;
            len += h->value.len + separator->len;
            n++;
        }
    }

    if (n < 2) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = len - separator->len;

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_torii_next_header(&part, &i)) != NULL) {

        if (ngx_http_torii_is_named(h, name)) {
            p = ngx_cpymem(p, h->value.data, h->value.len);
            p = ngx_cpymem(p, separator->data, separator->len);
        }
    }

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_torii_next_header(ngx_list_part_t **part, ngx_uint_t *i)
{
    ngx_table_elt_t  *h;

    while (*i >= (*part)->nelts) {

        if ((*part)->next == NULL) {
            return NULL;
        }

        *part = (*part)->next;
        *i = 0;
    }

    h = (*part)->elts;

    return &h[(*i)++];
}


static ngx_uint_t
ngx_http_torii_is_named(ngx_table_elt_t *h, ngx_str_t *name)
{
    return h->key.len == name->len
           && ngx_memcmp(h->lowcase_key, name->data, name->len) == 0;
}


/* a name that comes twice becomes an invalid token */

static ngx_int_t
ngx_http_torii_cookie(ngx_http_request_t *r, ngx_str_t *name, ngx_str_t *value)
{
    ngx_str_t  rest, pair, key, found;

    if (ngx_http_torii_header(r, &ngx_http_torii_cookie_name,
                              &ngx_http_torii_semicolon, &rest)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    while (ngx_http_torii_next_cookie(&rest, &pair, &key, &found)) {

        if (key.len != name->len
            || ngx_memcmp(key.data, name->data, name->len) != 0)
        {
            continue;
        }

        if (value->data) {
            *value = ngx_http_torii_comma;
            return NGX_OK;
        }

        /* RFC 6265, 4.1.1 */

        if (found.len > 1
            && found.data[0] == '"'
            && found.data[found.len - 1] == '"')
        {
            found.data++;
            found.len -= 2;
            ngx_http_torii_trim(&found);
        }

        *value = found;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_torii_next_cookie(ngx_str_t *rest, ngx_str_t *pair, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char  *p, *last;

    if (rest->len == 0) {
        return 0;
    }

    last = rest->data + rest->len;

    p = ngx_strlchr(rest->data, last, ';');

    pair->data = rest->data;
    pair->len = (p ? p : last) - rest->data;

    rest->data = p ? p + 1 : last;
    rest->len = last - rest->data;

    ngx_http_torii_trim(pair);

    last = pair->data + pair->len;

    p = ngx_strlchr(pair->data, last, '=');

    name->data = pair->data;
    name->len = p ? (size_t) (p - pair->data) : 0;

    value->data = p ? p + 1 : last;
    value->len = last - value->data;

    ngx_http_torii_trim(name);
    ngx_http_torii_trim(value);

    return 1;
}


static ngx_int_t
ngx_http_torii_without_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *header)
{
    u_char     *p;
    ngx_str_t   rest, pair, key, value;

    rest = *header;

    /* a separator may be longer than it was */

    p = ngx_pnalloc(r->pool, 2 * rest.len + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    header->data = p;

    while (ngx_http_torii_next_cookie(&rest, &pair, &key, &value)) {

        if (key.len == name->len
            && ngx_memcmp(key.data, name->data, name->len) == 0)
        {
            continue;
        }

        if (p != header->data) {
            p = ngx_cpymem(p, "; ", 2);
        }

        p = ngx_cpymem(p, pair.data, pair.len);
    }

    header->len = p - header->data;

    return NGX_OK;
}


static void
ngx_http_torii_trim(ngx_str_t *value)
{
    while (value->len && (*value->data == ' ' || *value->data == '\t')) {
        value->data++;
        value->len--;
    }

    while (value->len
           && (value->data[value->len - 1] == ' '
               || value->data[value->len - 1] == '\t'))
    {
        value->len--;
    }
}


/*
 * "torii_forward_token off": the last step before the content.  Upstream
 * modules send the headers of this list, so the request gets another one.
 */

ngx_int_t
ngx_http_torii_strip_handler(ngx_http_request_t *r)
{
    ngx_str_t                   value;
    ngx_uint_t                  i;
    ngx_table_elt_t            *h, *copy;
    ngx_list_part_t            *part;
    ngx_http_torii_ctx_t       *ctx;
    ngx_http_torii_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_torii_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_torii_module);

    if (tlcf->verifier == NULL || tlcf->forward_token
        || ctx == NULL || ctx->stripped)
    {
        return NGX_DECLINED;
    }

    ctx->headers = r->headers_in.headers;
    ctx->stripped = 1;

    if (ngx_list_init(&r->headers_in.headers, r->pool, 20,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    part = &ctx->headers.part;
    i = 0;

    while ((h = ngx_http_torii_next_header(&part, &i)) != NULL) {

        if (ngx_http_torii_is_named(h, &tlcf->header)) {
            continue;
        }

        value = h->value;

        if (tlcf->cookie.len
            && ngx_http_torii_is_named(h, &ngx_http_torii_cookie_name))
        {
            if (ngx_http_torii_without_cookie(r, &tlcf->cookie, &value)
                != NGX_OK)
            {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            if (value.len == 0) {
                continue;
            }
        }

        copy = ngx_list_push(&r->headers_in.headers);
        if (copy == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        *copy = *h;
        copy->value = value;
    }

    return NGX_DECLINED;
}
