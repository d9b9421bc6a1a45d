
/*
 * Variables.  All are empty unless a token was accepted, but $torii_status,
 * which is empty where nothing is guarded.
 */


#include "ngx_http_torii.h"


typedef const char *(*ngx_http_torii_text_pt)(const torii_auth_t *auth,
    size_t *len);


static ngx_int_t ngx_http_torii_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_email_verified_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_claims_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_http_torii_ctx_t *ngx_http_torii_identity(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_set(ngx_http_variable_value_t *v,
    ngx_str_t *value);


static ngx_http_variable_t  ngx_http_torii_vars[] = {

    { ngx_string("torii_user_id"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_user_id, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_environment_id"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_environment_id, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_locale"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_locale, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_email_verified"), NULL,
      ngx_http_torii_email_verified_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_claims"), NULL, ngx_http_torii_claims_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("torii_claim_"), NULL, ngx_http_torii_claim_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("torii_status"), NULL, ngx_http_torii_status_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_torii_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_torii_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_torii_text_pt  get = (ngx_http_torii_text_pt) data;

    ngx_str_t              value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_identity(r);

    ngx_str_null(&value);

    if (ctx) {
        value.data = (u_char *) get(ctx->auth, &value.len);
        if (value.data == NULL) {
            value.len = 0;
        }
    }

    return ngx_http_torii_set(v, &value);
}


static ngx_int_t
ngx_http_torii_email_verified_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_identity(r);

    if (ctx == NULL) {
        ngx_str_null(&value);

    } else if (torii_auth_email_verified(ctx->auth)) {
        ngx_str_set(&value, "true");

    } else {
        ngx_str_set(&value, "false");
    }

    return ngx_http_torii_set(v, &value);
}


static ngx_int_t
ngx_http_torii_claims_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_identity(r);

    ngx_str_null(&value);

    if (ctx) {
        value.data = (u_char *) torii_auth_claims_json(ctx->auth, &value.len);

        if (ngx_http_torii_one_line(r, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_torii_set(v, &value);
}


static ngx_int_t
ngx_http_torii_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *var = (ngx_str_t *) data;

    ngx_str_t              name, value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_identity(r);

    ngx_str_null(&value);

    if (ctx) {
        name.data = var->data + sizeof("torii_claim_") - 1;
        name.len = var->len - (sizeof("torii_claim_") - 1);

        if (ngx_http_torii_claim(r, ctx->auth, &name, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_torii_set(v, &value);
}


static ngx_int_t
ngx_http_torii_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_get_ctx(r);

    if (ctx == NULL && r != r->main) {
        ctx = ngx_http_torii_get_ctx(r->main);
    }

    ngx_str_null(&value);

    if (ctx && ctx->judged) {
        value.data = (u_char *) torii_status_name(ctx->status);
        value.len = ngx_strlen(value.data);
    }

    return ngx_http_torii_set(v, &value);
}


/*
 * Who a request is made by: what its own token says or, in a subrequest
 * that no location has judged, that of the main request.
 */

static ngx_http_torii_ctx_t *
ngx_http_torii_identity(ngx_http_request_t *r)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_get_ctx(r);

    if (ctx == NULL && r != r->main) {
        ctx = ngx_http_torii_get_ctx(r->main);
    }

    return (ctx && ctx->auth) ? ctx : NULL;
}


/*
 * A value with control characters, which would tear a header apart, is
 * empty.
 */

static ngx_int_t
ngx_http_torii_set(ngx_http_variable_value_t *v, ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < ' ' || value->data[i] == 0x7f) {
            value->len = 0;
        }
    }

    v->data = value->data;
    v->len = value->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
