
/*
 * Policies: options made of directives, and a verifier for each in a worker.
 */


#include "ngx_http_torii.h"


static ngx_uint_t ngx_http_torii_equal(ngx_http_torii_options_t *a,
    ngx_http_torii_options_t *b);
static ngx_uint_t ngx_http_torii_equal_str(ngx_str_t *a, ngx_str_t *b);
static ngx_int_t ngx_http_torii_make(ngx_conf_t *cf,
    ngx_http_torii_policy_t *policy, ngx_http_torii_loc_conf_t *conf);
static ngx_int_t ngx_http_torii_refuse(ngx_conf_t *cf,
    ngx_http_torii_place_t *place, torii_error_t *error);
static void ngx_http_torii_free_policy(void *data);


/*
 * The policy of a location: one that is there, or a new one, which is tried
 * out, so that what a worker will do cannot fail there.
 */

ngx_http_torii_policy_t *
ngx_http_torii_policy(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf,
    ngx_http_torii_loc_conf_t *conf)
{
    ngx_uint_t                  i;
    ngx_pool_cleanup_t         *cln;
    ngx_http_torii_keys_t     **kp;
    ngx_http_torii_issuer_t    *issuer;
    ngx_http_torii_policy_t   **pp, *policy;

    pp = tmcf->policies.elts;

    for (i = 0; i < tmcf->policies.nelts; i++) {
        if (ngx_http_torii_equal(&pp[i]->settings, &conf->options)) {
            return pp[i];
        }
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_torii_policy_t));
    if (cln == NULL) {
        return NULL;
    }

    policy = cln->data;
    ngx_memzero(policy, sizeof(ngx_http_torii_policy_t));

    policy->settings = conf->options;
    policy->options = torii_verifier_options_new();
    ngx_queue_init(&policy->parked);

    cln->handler = ngx_http_torii_free_policy;

    if (ngx_http_torii_make(cf, policy, conf) != NGX_OK) {
        return NULL;
    }

    issuer = policy->settings.issuers->elts;

    if (ngx_array_init(&policy->keys, cf->pool,
                       policy->settings.issuers->nelts,
                       sizeof(ngx_http_torii_keys_t *))
        != NGX_OK)
    {
        return NULL;
    }

    for (i = 0; i < policy->settings.issuers->nelts; i++) {

        if (issuer[i].jwks.data) {
            continue;
        }

        kp = ngx_array_push(&policy->keys);
        if (kp == NULL) {
            return NULL;
        }

        *kp = ngx_http_torii_keys(cf, tmcf, policy, &issuer[i].url);
        if (*kp == NULL) {
            return NULL;
        }
    }

    pp = ngx_array_push(&tmcf->policies);
    if (pp == NULL) {
        return NULL;
    }

    *pp = policy;

    return policy;
}


static ngx_uint_t
ngx_http_torii_equal(ngx_http_torii_options_t *a, ngx_http_torii_options_t *b)
{
    ngx_str_t                *aa, *ba;
    ngx_uint_t                i;
    ngx_http_torii_issuer_t  *ai, *bi;

    if (a->leeway != b->leeway
        || a->require != b->require
        || a->key_timeout != b->key_timeout
        || a->key_lifetime != b->key_lifetime
        || a->max_stale != b->max_stale
        || a->allow_http != b->allow_http
        || !ngx_http_torii_equal_str(&a->ca_file, &b->ca_file)
        || a->issuers->nelts != b->issuers->nelts)
    {
        return 0;
    }

    ai = a->issuers->elts;
    bi = b->issuers->elts;

    for (i = 0; i < a->issuers->nelts; i++) {
        if (!ngx_http_torii_equal_str(&ai[i].url, &bi[i].url)
            || (ai[i].jwks.data == NULL) != (bi[i].jwks.data == NULL)
            || !ngx_http_torii_equal_str(&ai[i].jwks, &bi[i].jwks))
        {
            return 0;
        }
    }

    if (a->audiences == b->audiences) {
        return 1;
    }

    if (a->audiences == NULL || b->audiences == NULL
        || a->audiences->nelts != b->audiences->nelts)
    {
        return 0;
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


static ngx_uint_t
ngx_http_torii_equal_str(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


static ngx_int_t
ngx_http_torii_make(ngx_conf_t *cf, ngx_http_torii_policy_t *policy,
    ngx_http_torii_loc_conf_t *conf)
{
    ngx_str_t                 *audience;
    ngx_uint_t                 i;
    torii_error_t             *error;
    torii_status_t             status;
    torii_verifier_t          *verifier;
    ngx_http_torii_issuer_t   *issuer;
    ngx_http_torii_options_t  *settings;
    torii_verifier_options_t  *options;

    settings = &policy->settings;
    options = policy->options;

    /* the directives have checked the numbers */

    torii_verifier_options_set_leeway(options, settings->leeway, NULL);
    torii_verifier_options_set_max_stale(options, settings->max_stale, NULL);
    torii_verifier_options_require(options, settings->require >> 1, NULL);
    torii_verifier_options_set_allow_http(options, settings->allow_http);
    torii_verifier_options_set_background_refresh(options, false);

    torii_verifier_options_set_fetch_timeout_ms(options, settings->key_timeout,
                                                NULL);

    if (settings->key_lifetime) {
        torii_verifier_options_set_key_lifetime(options, settings->key_lifetime,
                                                NULL);
    }

    if (settings->ca_file.len
        && torii_verifier_options_set_ca_file(options,
                                              (char *) settings->ca_file.data,
                                              settings->ca_file.len, &error)
           != TORII_OK)
    {
        return ngx_http_torii_refuse(cf, &conf->place, error);
    }

    if (settings->audiences) {
        audience = settings->audiences->elts;

        for (i = 0; i < settings->audiences->nelts; i++) {
            if (torii_verifier_options_add_audience(options,
                                                    (char *) audience[i].data,
                                                    audience[i].len, &error)
                != TORII_OK)
            {
                return ngx_http_torii_refuse(cf, &conf->place, error);
            }
        }
    }

    issuer = settings->issuers->elts;

    for (i = 0; i < settings->issuers->nelts; i++) {

        status = TORII_OK;

        if (i > 0) {
            status = torii_verifier_options_add_issuer(options,
                                                   (char *) issuer[i].url.data,
                                                   issuer[i].url.len, &error);
        }

        if (status == TORII_OK && issuer[i].jwks.data) {
            status = torii_verifier_options_set_jwks_json(options,
                                                  (char *) issuer[i].jwks.data,
                                                  issuer[i].jwks.len, &error);
        }

        if (status == TORII_OK) {
            status = torii_verifier_new((char *) issuer[0].url.data,
                                        issuer[0].url.len, options, &verifier,
                                        &error);
        }

        if (status != TORII_OK) {
            return ngx_http_torii_refuse(cf, &issuer[i].place, error);
        }

        torii_verifier_free(verifier);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_refuse(ngx_conf_t *cf, ngx_http_torii_place_t *place,
    torii_error_t *error)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "torii: %s in %s:%ui",
                  torii_error_message(error, NULL), place->file, place->line);

    torii_error_free(error);

    return NGX_ERROR;
}


/* at the end of a cycle, in the master and in its workers */

static void
ngx_http_torii_free_policy(void *data)
{
    ngx_http_torii_policy_t *policy = data;

    torii_verifier_free(policy->verifier);
    torii_verifier_options_free(policy->options);
}


ngx_int_t
ngx_http_torii_init_policies(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                 i;
    torii_error_t             *error;
    ngx_http_torii_issuer_t   *issuer;
    ngx_http_torii_policy_t  **pp;

    pp = tmcf->policies.elts;

    for (i = 0; i < tmcf->policies.nelts; i++) {
        issuer = pp[i]->settings.issuers->elts;

        if (torii_verifier_new((char *) issuer[0].url.data, issuer[0].url.len,
                               pp[i]->options, &pp[i]->verifier, &error)
            != TORII_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "torii: %s",
                          torii_error_message(error, NULL));
            torii_error_free(error);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
