
/*
 * A claim for a variable.
 *
 * The name of a variable has no capitals and only letters, digits and "_".
 * So "$torii_claim_tenant_id" is the claim "tenant_id" or, without that one,
 * the only claim that is written so when its capitals are made small and all
 * other characters "_".  What is looked at has been judged: JSON without
 * flaws, signed by the issuer.
 */


#include "ngx_http_torii.h"


static u_char *ngx_http_torii_skip_blanks(u_char *p, u_char *last);
static u_char *ngx_http_torii_skip_string(u_char *p, u_char *last);
static u_char *ngx_http_torii_skip_value(u_char *p, u_char *last);
static ngx_uint_t ngx_http_torii_same_name(ngx_str_t *key, ngx_str_t *name);
static ngx_int_t ngx_http_torii_value(ngx_http_request_t *r,
    torii_auth_t *auth, ngx_str_t *key, ngx_str_t *value);


/* an empty value for none */

ngx_int_t
ngx_http_torii_claim(ngx_http_request_t *r, torii_auth_t *auth,
    ngx_str_t *name, ngx_str_t *value)
{
    size_t       len;
    u_char      *p, *last;
    ngx_str_t    key, found, text;
    ngx_uint_t   n;

    p = (u_char *) torii_auth_claims_json(auth, &len);
    last = p + len;

    n = 0;
    ngx_str_null(&found);
    ngx_str_null(value);

    p = ngx_http_torii_skip_blanks(p, last) + 1;           /* { */

    for ( ;; ) {

        p = ngx_http_torii_skip_blanks(p, last);

        if (p >= last || *p != '"') {
            break;
        }

        key.data = p + 1;
        p = ngx_http_torii_skip_string(p, last);
        key.len = p - 1 - key.data;

        p = ngx_http_torii_skip_blanks(p, last) + 1;       /* : */
        p = ngx_http_torii_skip_blanks(p, last);

        text.data = p;
        p = ngx_http_torii_skip_value(p, last);
        text.len = p - text.data;

        p = ngx_http_torii_skip_blanks(p, last) + 1;       /* , or } */

        if (key.len == name->len
            && ngx_memcmp(key.data, name->data, name->len) == 0)
        {
            *value = text;
            return ngx_http_torii_value(r, auth, &key, value);
        }

        if (ngx_http_torii_same_name(&key, name)) {
            n++;
            found = key;
            *value = text;
        }
    }

    if (n != 1) {
        ngx_str_null(value);
        return NGX_OK;
    }

    return ngx_http_torii_value(r, auth, &found, value);
}


static u_char *
ngx_http_torii_skip_blanks(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF)) {
        p++;
    }

    return p;
}


static u_char *
ngx_http_torii_skip_string(u_char *p, u_char *last)
{
    for (p++; p < last; p++) {

        if (*p == '\\') {
            p++;

        } else if (*p == '"') {
            return p + 1;
        }
    }

    return last;
}


static u_char *
ngx_http_torii_skip_value(u_char *p, u_char *last)
{
    ngx_uint_t  depth;

    depth = 0;

    while (p < last) {

        switch (*p) {

        case '"':
            p = ngx_http_torii_skip_string(p, last);

            if (depth == 0) {
                return p;
            }

            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                return p;
            }

            if (--depth == 0) {
                return p + 1;
            }

            break;

        case ',':
        case ' ':
        case '\t':
        case CR:
        case LF:
            if (depth == 0) {
                return p;
            }
        }

        p++;
    }

    return last;
}


static ngx_uint_t
ngx_http_torii_same_name(ngx_str_t *key, ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    if (key->len != name->len) {
        return 0;
    }

    for (i = 0; i < key->len; i++) {
        ch = ngx_tolower(key->data[i]);

        if (ch == '\\') {
            /* written in another way than it reads */
            return 0;
        }

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9')) {
            ch = '_';
        }

        if (ch != name->data[i]) {
            return 0;
        }
    }

    return 1;
}


/* strings as text, null as nothing, all else as JSON on one line */

static ngx_int_t
ngx_http_torii_value(ngx_http_request_t *r, torii_auth_t *auth, ngx_str_t *key,
    ngx_str_t *value)
{
    if (value->data[0] == '"') {
        value->data = (u_char *) torii_auth_claim_string(auth,
                                                         (char *) key->data,
                                                         key->len,
                                                         &value->len);
        if (value->data == NULL) {
            value->len = 0;
        }

        return NGX_OK;
    }

    if (value->len == 4 && ngx_strncmp(value->data, "null", 4) == 0) {
        ngx_str_null(value);
        return NGX_OK;
    }

    return ngx_http_torii_one_line(r, value);
}


/*
 * The same JSON, fit for a header: blanks between its tokens may be line
 * ends, and DEL may stand in its strings.
 */

ngx_int_t
ngx_http_torii_one_line(ngx_http_request_t *r, ngx_str_t *json)
{
    u_char      *p;
    ngx_str_t    line;
    ngx_uint_t   i, blanks, dels;

    blanks = 0;
    dels = 0;

    for (i = 0; i < json->len; i++) {
        blanks += json->data[i] < ' ';
        dels += json->data[i] == 0x7f;
    }

    if (blanks + dels == 0) {
        return NGX_OK;
    }

    line.len = json->len + dels * (sizeof("\\u007f") - 2);

    line.data = ngx_pnalloc(r->pool, line.len);
    if (line.data == NULL) {
        return NGX_ERROR;
    }

    p = line.data;

    for (i = 0; i < json->len; i++) {

        if (json->data[i] == 0x7f) {
            p = ngx_cpymem(p, "\\u007f", sizeof("\\u007f") - 1);
            continue;
        }

        *p++ = json->data[i] < ' ' ? ' ' : json->data[i];
    }

    *json = line;

    return NGX_OK;
}
