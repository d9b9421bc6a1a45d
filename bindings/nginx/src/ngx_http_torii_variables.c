
/*
 * Variables.  All are empty unless a token was accepted, but $torii_status,
 * which is empty where nothing is guarded.
 */


#include "ngx_http_torii.h"


typedef const char *(*ngx_http_torii_text_pt)(const torii_auth_t *auth,
    size_t *len);
typedef bool (*ngx_http_torii_flag_pt)(const torii_auth_t *auth);


static ngx_int_t ngx_http_torii_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_flag_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_claim_prefix_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_torii_claim_value(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *pointer, ngx_str_t *value);
static ngx_int_t ngx_http_torii_one_line(ngx_http_request_t *r,
    ngx_str_t *json);
static ngx_http_torii_ctx_t *ngx_http_torii_variable_ctx(
    ngx_http_request_t *r);
static ngx_http_torii_ctx_t *ngx_http_torii_identity(ngx_http_request_t *r);
static ngx_int_t ngx_http_torii_set_variable(ngx_http_variable_value_t *v,
    ngx_str_t *value);


/* the pointer to all claims */

static ngx_str_t  ngx_http_torii_all_claims = ngx_string("");


static ngx_http_variable_t  ngx_http_torii_vars[] = {

    { ngx_string("torii_user_id"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_user_id, 0, 0 },

    { ngx_string("torii_environment_id"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_environment_id, 0, 0 },

    { ngx_string("torii_organization_id"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_organization_id, 0, 0 },

    { ngx_string("torii_organization_role"), NULL,
      ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_organization_role, 0, 0 },

    { ngx_string("torii_actor_id"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_actor_id, 0, 0 },

    { ngx_string("torii_locale"), NULL, ngx_http_torii_text_variable,
      (uintptr_t) torii_auth_locale, 0, 0 },

    { ngx_string("torii_email_verified"), NULL, ngx_http_torii_flag_variable,
      (uintptr_t) torii_auth_email_verified, 0, 0 },

    { ngx_string("torii_profile_complete"), NULL, ngx_http_torii_flag_variable,
      (uintptr_t) torii_auth_profile_complete, 0, 0 },

    { ngx_string("torii_impersonating"), NULL, ngx_http_torii_flag_variable,
      (uintptr_t) torii_auth_impersonating, 0, 0 },

    { ngx_string("torii_claims"), NULL, ngx_http_torii_claim_variable,
      (uintptr_t) &ngx_http_torii_all_claims, 0, 0 },

    { ngx_string("torii_claim_"), NULL, ngx_http_torii_claim_prefix_variable,
      0, NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("torii_status"), NULL, ngx_http_torii_status_variable,
      0, 0, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_torii_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_torii_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name,
                                    v->flags|NGX_HTTP_VAR_NOCACHEABLE);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* "torii_claim $variable pointer" */

char *
ngx_http_torii_claim(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t             *arg, name, *pointer;
    torii_error_t         *error;
    torii_status_t         status;
    ngx_http_variable_t   *var;
    torii_requirements_t  *requirements;

    arg = cf->args->elts;

    if (arg[1].data[0] != '$') {
        return ngx_http_torii_invalid(cf, NULL);
    }

    /* a requirement knows what a pointer is */

    requirements = torii_requirements_new();

    status = torii_requirements_add_claim(requirements, (char *) arg[2].data,
                                          arg[2].len, TORII_STR("true"),
                                          &error);
    torii_requirements_free(requirements);

    if (status != TORII_OK) {
        return ngx_http_torii_invalid(cf, error);
    }

    pointer = ngx_palloc(cf->pool, sizeof(ngx_str_t));
    if (pointer == NULL) {
        return NGX_CONF_ERROR;
    }

    *pointer = arg[2];

    name.data = arg[1].data + 1;
    name.len = arg[1].len - 1;

    var = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_CONF_ERROR;
    }

    var->get_handler = ngx_http_torii_claim_variable;
    var->data = (uintptr_t) pointer;

    return NGX_CONF_OK;
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
    }

    return ngx_http_torii_set_variable(v, &value);
}


static ngx_int_t
ngx_http_torii_flag_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_torii_flag_pt  get = (ngx_http_torii_flag_pt) data;

    ngx_str_t              value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_identity(r);

    if (ctx == NULL) {
        ngx_str_null(&value);

    } else if (get(ctx->auth)) {
        ngx_str_set(&value, "true");

    } else {
        ngx_str_set(&value, "false");
    }

    return ngx_http_torii_set_variable(v, &value);
}


static ngx_int_t
ngx_http_torii_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *pointer = (ngx_str_t *) data;

    ngx_str_t              value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_identity(r);

    ngx_str_null(&value);

    if (ctx
        && ngx_http_torii_claim_value(r, ctx, pointer, &value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_torii_set_variable(v, &value);
}


/* letters in lower case, digits and "_": nothing to escape in a pointer */

static ngx_int_t
ngx_http_torii_claim_prefix_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_str_t  pointer;

    pointer.len = name->len - (sizeof("torii_claim_") - 1) + 1;

    pointer.data = ngx_pnalloc(r->pool, pointer.len);
    if (pointer.data == NULL) {
        return NGX_ERROR;
    }

    pointer.data[0] = '/';
    ngx_memcpy(&pointer.data[1], name->data + sizeof("torii_claim_") - 1,
               pointer.len - 1);

    return ngx_http_torii_claim_variable(r, v, (uintptr_t) &pointer);
}


static ngx_int_t
ngx_http_torii_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              value;
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_variable_ctx(r);

    ngx_str_null(&value);

    if (ctx && ctx->verified) {
        value.data = (u_char *) torii_status_name(ctx->status);
        value.len = ngx_strlen(value.data);
    }

    return ngx_http_torii_set_variable(v, &value);
}


/* strings as text, null as nothing, all else as JSON on one line */

static ngx_int_t
ngx_http_torii_claim_value(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *pointer, ngx_str_t *value)
{
    const char  *path;

    if (ctx->claims == NULL
        && torii_auth_claims(ctx->auth, &ctx->claims, NULL) != TORII_OK)
    {
        return NGX_ERROR;
    }

    path = (char *) pointer->data;

    switch (torii_json_type(ctx->claims, path, pointer->len)) {

    case TORII_JSON_ABSENT:
    case TORII_JSON_NULL:
        return NGX_OK;

    case TORII_JSON_STRING:
        value->data = (u_char *) torii_json_string(ctx->claims, path,
                                                   pointer->len, &value->len);
        return NGX_OK;

    default:
        value->data = (u_char *) torii_json_raw(ctx->claims, path,
                                                pointer->len, &value->len);
        return ngx_http_torii_one_line(r, value);
    }
}


/*
 * The same JSON, fit for a header: blanks between its tokens may be line
 * ends, and DEL may stand in its strings.
 */

static ngx_int_t
ngx_http_torii_one_line(ngx_http_request_t *r, ngx_str_t *json)
{
    u_char      *p;
    ngx_str_t    line;
    ngx_uint_t   i, blanks, dels;

    while (json->len && json->data[0] <= ' ') {
        json->data++;
        json->len--;
    }

    while (json->len && json->data[json->len - 1] <= ' ') {
        json->len--;
    }

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


/* in a subrequest that no location has verified, that of the main request */

static ngx_http_torii_ctx_t *
ngx_http_torii_variable_ctx(ngx_http_request_t *r)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_get_ctx(r);

    return (ctx || r == r->main) ? ctx : ngx_http_torii_get_ctx(r->main);
}


static ngx_http_torii_ctx_t *
ngx_http_torii_identity(ngx_http_request_t *r)
{
    ngx_http_torii_ctx_t  *ctx;

    ctx = ngx_http_torii_variable_ctx(r);

    return (ctx && ctx->auth) ? ctx : NULL;
}


/*
 * A value that a header cannot carry unchanged is empty: control characters
 * would split it, and recipients drop blanks around it (RFC 9110, 5.5), which
 * could turn one user's name into another's.
 */

static ngx_int_t
ngx_http_torii_set_variable(ngx_http_variable_value_t *v, ngx_str_t *value)
{
    size_t  i;

    if (value->data == NULL) {
        value->len = 0;
    }

    if (value->len
        && (value->data[0] == ' ' || value->data[value->len - 1] == ' '))
    {
        value->len = 0;
    }

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
