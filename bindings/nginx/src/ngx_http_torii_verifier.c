
/*
 * Verifiers, made of the options of locations.
 *
 * An option keeps the argument of its directive.  The library knows its
 * range and its default, so each is tried out when its directive is read.
 */


#include "ngx_http_torii.h"


#define NGX_HTTP_TORII_KEY_TIMEOUT_DEFAULT  5000


typedef enum {
    NGX_HTTP_TORII_FLAG,
    NGX_HTTP_TORII_SECONDS,
    NGX_HTTP_TORII_MILLISECONDS,
    NGX_HTTP_TORII_SIZE,
    NGX_HTTP_TORII_TEXT,
    NGX_HTTP_TORII_FILE,
    NGX_HTTP_TORII_DIRECTORY
} ngx_http_torii_type_e;


typedef struct {
    ngx_http_torii_type_e     type;

    union {
        torii_status_t      (*flag)(torii_verifier_options_t *options,
                                bool value, torii_error_t **err);
        torii_status_t      (*number)(torii_verifier_options_t *options,
                                uint32_t value, torii_error_t **err);
        torii_status_t      (*size)(torii_verifier_options_t *options,
                                size_t value, torii_error_t **err);
        torii_status_t      (*text)(torii_verifier_options_t *options,
                                const char *value, size_t len,
                                torii_error_t **err);
    } set;
} ngx_http_torii_setter_t;


static ngx_http_torii_setter_t  ngx_http_torii_setters[] = {
    [NGX_HTTP_TORII_IGNORE_AUDIENCE] = {
        NGX_HTTP_TORII_FLAG,
        { .flag = torii_verifier_options_set_ignore_audience } },
    [NGX_HTTP_TORII_LEEWAY] = {
        NGX_HTTP_TORII_SECONDS,
        { .number = torii_verifier_options_set_leeway_seconds } },
    [NGX_HTTP_TORII_MAX_LIFETIME] = {
        NGX_HTTP_TORII_SECONDS,
        { .number = torii_verifier_options_set_max_lifetime_seconds } },
    [NGX_HTTP_TORII_LEGACY_ORGANIZATION] = {
        NGX_HTTP_TORII_FLAG,
        { .flag = torii_verifier_options_set_legacy_organization } },
    [NGX_HTTP_TORII_REALM] = {
        NGX_HTTP_TORII_TEXT,
        { .text = torii_verifier_options_set_realm } },
    [NGX_HTTP_TORII_RESOURCE_METADATA] = {
        NGX_HTTP_TORII_TEXT,
        { .text = torii_verifier_options_set_resource_metadata } },
    [NGX_HTTP_TORII_KEY_TIMEOUT] = {
        NGX_HTTP_TORII_MILLISECONDS,
        { .number = torii_verifier_options_set_fetch_timeout_ms } },
    [NGX_HTTP_TORII_KEY_LIFETIME] = {
        NGX_HTTP_TORII_SECONDS,
        { .number = torii_verifier_options_set_key_lifetime_seconds } },
    [NGX_HTTP_TORII_MAX_STALE] = {
        NGX_HTTP_TORII_SECONDS,
        { .number = torii_verifier_options_set_max_stale_seconds } },
    [NGX_HTTP_TORII_CA_FILE] = {
        NGX_HTTP_TORII_FILE,
        { .text = torii_verifier_options_set_ca_file } },
    [NGX_HTTP_TORII_PROXY] = {
        NGX_HTTP_TORII_TEXT,
        { .text = torii_verifier_options_set_proxy } },
    [NGX_HTTP_TORII_ALLOW_HTTP] = {
        NGX_HTTP_TORII_FLAG,
        { .flag = torii_verifier_options_set_allow_http } },
    [NGX_HTTP_TORII_TOKEN_CACHE] = {
        NGX_HTTP_TORII_SIZE,
        { .size = torii_verifier_options_set_token_cache_bytes } },
    [NGX_HTTP_TORII_FIXED_BASE] = {
        NGX_HTTP_TORII_FLAG,
        { .flag = torii_verifier_options_set_fixed_base } },
    [NGX_HTTP_TORII_KEY_CACHE] = {
        NGX_HTTP_TORII_DIRECTORY,
        { .text = torii_verifier_options_set_key_cache_dir } },
    [NGX_HTTP_TORII_REVOCATIONS] = {
        NGX_HTTP_TORII_FILE,
        { .text = torii_verifier_options_set_revocations_file } },
};


static ngx_uint_t ngx_http_torii_equal(ngx_http_torii_options_t *a,
    ngx_http_torii_options_t *b);
static ngx_int_t ngx_http_torii_create(ngx_conf_t *cf,
    ngx_http_torii_verifier_t *verifier, torii_verifier_options_t *options,
    ngx_http_torii_place_t *place);
static torii_status_t ngx_http_torii_set(torii_verifier_options_t *options,
    ngx_uint_t option, ngx_str_t *value, torii_error_t **err);
static void ngx_http_torii_free_verifier(void *data);


/* the verifier of a location: an equal one, or a new one */

ngx_http_torii_verifier_t *
ngx_http_torii_verifier(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf,
    ngx_http_torii_loc_conf_t *conf)
{
    ngx_int_t                    rc;
    ngx_str_t                   *timeout;
    ngx_uint_t                   i;
    ngx_pool_cleanup_t          *cln;
    torii_verifier_options_t    *options;
    ngx_http_torii_verifier_t  **vp, *verifier;

    vp = tmcf->verifiers.elts;

    for (i = 0; i < tmcf->verifiers.nelts; i++) {
        if (ngx_http_torii_equal(&vp[i]->options, &conf->options)) {
            return vp[i];
        }
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_torii_verifier_t));
    if (cln == NULL) {
        return NULL;
    }

    verifier = cln->data;
    ngx_memzero(verifier, sizeof(ngx_http_torii_verifier_t));

    cln->handler = ngx_http_torii_free_verifier;

    verifier->options = conf->options;

    timeout = &conf->options.values[NGX_HTTP_TORII_KEY_TIMEOUT];

    verifier->timeout = timeout->data ? (ngx_msec_t) ngx_parse_time(timeout, 0)
                                      : NGX_HTTP_TORII_KEY_TIMEOUT_DEFAULT;

    options = torii_verifier_options_new();

    rc = ngx_http_torii_create(cf, verifier, options, &conf->place);

    if (rc == NGX_OK && conf->options.values[NGX_HTTP_TORII_KEY_CACHE].data) {
        verifier->key_cache = options;

    } else {
        torii_verifier_options_free(options);
    }

    if (rc != NGX_OK || ngx_http_torii_add_keys(cf, verifier) != NGX_OK) {
        return NULL;
    }

    vp = ngx_array_push(&tmcf->verifiers);
    if (vp == NULL) {
        return NULL;
    }

    *vp = verifier;

    return verifier;
}


static ngx_uint_t
ngx_http_torii_equal(ngx_http_torii_options_t *a, ngx_http_torii_options_t *b)
{
    ngx_str_t                *aa, *ba;
    ngx_uint_t                i;
    ngx_http_torii_issuer_t  *ai, *bi;

    for (i = 0; i < NGX_HTTP_TORII_NVALUES; i++) {
        if (!ngx_http_torii_equal_str(&a->values[i], &b->values[i])) {
            return 0;
        }
    }

    if (a->issuers->nelts != b->issuers->nelts
        || a->audiences->nelts != b->audiences->nelts)
    {
        return 0;
    }

    ai = a->issuers->elts;
    bi = b->issuers->elts;

    for (i = 0; i < a->issuers->nelts; i++) {
        if (!ngx_http_torii_equal_str(&ai[i].url, &bi[i].url)
            || !ngx_http_torii_equal_str(&ai[i].jwks, &bi[i].jwks))
        {
            return 0;
        }
    }

    aa = a->audiences->elts;
    ba = b->audiences->elts;

    for (i = 0; i < a->audiences->nelts; i++) {
        if (!ngx_http_torii_equal_str(&aa[i], &ba[i])) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_torii_equal_str(ngx_str_t *a, ngx_str_t *b)
{
    return (a->data == NULL) == (b->data == NULL)
           && a->len == b->len
           && ngx_memcmp(a->data, b->data, a->len) == 0;
}


static ngx_int_t
ngx_http_torii_create(ngx_conf_t *cf, ngx_http_torii_verifier_t *verifier,
    torii_verifier_options_t *options, ngx_http_torii_place_t *place)
{
    ngx_str_t                *value, *audience;
    ngx_uint_t                i;
    torii_error_t            *error;
    torii_status_t            status;
    ngx_http_torii_issuer_t  *issuer;

    status = torii_verifier_options_set_background_refresh(options, false,
                                                           &error);

    /* for torii_metrics, which removes the label again */

    if (status == TORII_OK) {
        status = torii_verifier_options_set_metrics_issuer_label(options, true,
                                                                 &error);
    }

    value = verifier->options.values;

    for (i = 0; status == TORII_OK && i < NGX_HTTP_TORII_NVALUES; i++) {
        /* the worker opens its own key cache directory */

        if (value[i].data && i != NGX_HTTP_TORII_KEY_CACHE) {
            status = ngx_http_torii_set(options, i, &value[i], &error);
        }
    }

    audience = verifier->options.audiences->elts;

    for (i = 0;
         status == TORII_OK && i < verifier->options.audiences->nelts;
         i++)
    {
        status = torii_verifier_options_add_audience(options,
                                                    (char *) audience[i].data,
                                                    audience[i].len, &error);
    }

    issuer = verifier->options.issuers->elts;

    /* a verifier after each issuer, so that an error has its place */

    for (i = 0;
         status == TORII_OK && i < verifier->options.issuers->nelts;
         i++)
    {
        place = &issuer[i].place;

        if (issuer[i].jwks.data == NULL) {

            if (i > 0) {
                status = torii_verifier_options_add_issuer(options,
                                                   (char *) issuer[i].url.data,
                                                   issuer[i].url.len, &error);
            }

        } else if (i == 0) {
            status = torii_verifier_options_set_jwks_json(options,
                                                  (char *) issuer[i].jwks.data,
                                                  issuer[i].jwks.len, &error);
        } else {
            status = torii_verifier_options_add_issuer_jwks(options,
                                                  (char *) issuer[i].url.data,
                                                  issuer[i].url.len,
                                                  (char *) issuer[i].jwks.data,
                                                  issuer[i].jwks.len, &error);
        }

        if (status == TORII_OK) {
            torii_verifier_free(verifier->handle);

            status = torii_verifier_new((char *) issuer[0].url.data,
                                        issuer[0].url.len, options,
                                        &verifier->handle, &error);
        }
    }

    if (status == TORII_OK) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "torii: %s in %s:%ui",
                  torii_error_message(error, NULL), place->file, place->line);

    torii_error_free(error);

    return NGX_ERROR;
}


/* without an error if the value is not of the option's type */

static torii_status_t
ngx_http_torii_set(torii_verifier_options_t *options, ngx_uint_t option,
    ngx_str_t *value, torii_error_t **err)
{
    ssize_t                   size;
    ngx_int_t                 number;
    ngx_http_torii_setter_t  *setter;

    *err = NULL;

    setter = &ngx_http_torii_setters[option];

    switch (setter->type) {

    case NGX_HTTP_TORII_FLAG:

        if (ngx_strcasecmp(value->data, (u_char *) "on") == 0) {
            return setter->set.flag(options, true, err);
        }

        if (ngx_strcasecmp(value->data, (u_char *) "off") == 0) {
            return setter->set.flag(options, false, err);
        }

        return TORII_ERR_INVALID_ARGUMENT;

    case NGX_HTTP_TORII_SECONDS:
    case NGX_HTTP_TORII_MILLISECONDS:

        number = ngx_parse_time(value, setter->type == NGX_HTTP_TORII_SECONDS);

        if (number == NGX_ERROR) {
            return TORII_ERR_INVALID_ARGUMENT;
        }

        return setter->set.number(options,
                             ngx_min((uint64_t) number, NGX_MAX_UINT32_VALUE),
                             err);

    case NGX_HTTP_TORII_SIZE:

        size = ngx_parse_size(value);

        if (size == NGX_ERROR) {
            return TORII_ERR_INVALID_ARGUMENT;
        }

        return setter->set.size(options, size, err);

    default:
        return setter->set.text(options, (char *) value->data, value->len,
                                err);
    }
}


char *
ngx_http_torii_value(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_loc_conf_t  *tlcf = conf;

    ngx_str_t                 *arg, *value;
    torii_error_t             *error;
    torii_status_t             status;
    torii_verifier_t          *verifier;
    ngx_http_torii_type_e      type;
    torii_verifier_options_t  *options;

    arg = cf->args->elts;
    value = &tlcf->options.values[cmd->offset];

    if (value->data) {
        return "is duplicate";
    }

    *value = arg[1];

    type = ngx_http_torii_setters[cmd->offset].type;

    /* the library takes an empty path for a mistake, nginx for its prefix */

    if (value->len
        && (type == NGX_HTTP_TORII_FILE || type == NGX_HTTP_TORII_DIRECTORY)
        && ngx_conf_full_name(cf->cycle, value, type == NGX_HTTP_TORII_FILE)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    options = torii_verifier_options_new();

    status = ngx_http_torii_set(options, cmd->offset, value, &error);

    if (status == TORII_OK && cmd->offset == NGX_HTTP_TORII_REVOCATIONS) {

        /* only a new verifier reads the file; its issuer does not matter */

        status = torii_verifier_new(TORII_STR("https://localhost"), options,
                                    &verifier, &error);
        torii_verifier_free(verifier);
    }

    torii_verifier_options_free(options);

    if (status != TORII_OK) {
        return ngx_http_torii_invalid(cf, error);
    }

    return (type == NGX_HTTP_TORII_DIRECTORY)
           ? ngx_http_torii_check_key_cache(cf, value) : NGX_CONF_OK;
}


char *
ngx_http_torii_invalid(ngx_conf_t *cf, torii_error_t *error)
{
    ngx_str_t  *arg;

    arg = cf->args->elts;

    if (error == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%V\"", &arg[1], &arg[0]);
        return NGX_CONF_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\": %s", &arg[0],
                       torii_error_message(error, NULL));

    torii_error_free(error);

    return NGX_CONF_ERROR;
}


/* at the end of a cycle, in the master and in its workers */

static void
ngx_http_torii_free_verifier(void *data)
{
    ngx_http_torii_verifier_t *verifier = data;

    ngx_http_torii_free_keys(verifier);

    torii_verifier_free(verifier->handle);
    torii_verifier_options_free(verifier->key_cache);
}
