
/*
 * The directives, and where the module hooks into nginx.
 */


#include "ngx_http_torii.h"


typedef torii_status_t (*ngx_http_torii_set_number_pt)(
    torii_verifier_options_t *options, uint32_t number, torii_error_t **err);

typedef struct {
    ngx_conf_post_handler_pt       post_handler;
    ngx_http_torii_set_number_pt   set;
} ngx_http_torii_number_t;


static char *ngx_http_torii_mode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_issuer(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_audience(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_ca_file(ngx_conf_t *cf, void *post, void *data);
static char *ngx_http_torii_seconds(ngx_conf_t *cf, void *post, void *data);
static char *ngx_http_torii_milliseconds(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_torii_number(ngx_conf_t *cf,
    ngx_http_torii_number_t *number, uint64_t value);
static char *ngx_http_torii_invalid(ngx_conf_t *cf, torii_error_t *error);
static ngx_int_t ngx_http_torii_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);

static void *ngx_http_torii_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_torii_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_torii_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_torii_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_torii_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_torii_init_process(ngx_cycle_t *cycle);
static void ngx_http_torii_exit_process(ngx_cycle_t *cycle);


/* a key set is at most 256 KiB, as it is when it is fetched */
#define NGX_HTTP_TORII_MAX_JWKS  262144

#define NGX_HTTP_TORII_CONF                                                   \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF


static ngx_http_torii_number_t  ngx_http_torii_leeway = {
    ngx_http_torii_seconds, torii_verifier_options_set_leeway
};

static ngx_http_torii_number_t  ngx_http_torii_key_lifetime = {
    ngx_http_torii_seconds, torii_verifier_options_set_key_lifetime
};

static ngx_http_torii_number_t  ngx_http_torii_max_stale = {
    ngx_http_torii_seconds, torii_verifier_options_set_max_stale
};

static ngx_http_torii_number_t  ngx_http_torii_key_timeout = {
    ngx_http_torii_milliseconds, torii_verifier_options_set_fetch_timeout_ms
};

static ngx_conf_post_t  ngx_http_torii_ca_file_post = {
    ngx_http_torii_ca_file
};


static ngx_conf_enum_t  ngx_http_torii_modes[] = {
    { ngx_string("off"), NGX_HTTP_TORII_OFF },
    { ngx_string("on"), NGX_HTTP_TORII_ON },
    { ngx_string("optional"), NGX_HTTP_TORII_OPTIONAL },
    { ngx_null_string, 0 }
};


/* the lowest bit says that there was a directive */

static ngx_conf_bitmask_t  ngx_http_torii_requirements[] = {
    { ngx_string("off"), NGX_CONF_BITMASK_SET },
    { ngx_string("email_verified"), TORII_REQUIRE_EMAIL_VERIFIED << 1 },
    { ngx_string("profile_complete"), TORII_REQUIRE_PROFILE_COMPLETE << 1 },
    { ngx_string("not_impersonated"), TORII_REQUIRE_NOT_IMPERSONATED << 1 },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_torii_commands[] = {

    { ngx_string("torii"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE1,
      ngx_http_torii_mode,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, mode),
      &ngx_http_torii_modes },

    { ngx_string("torii_issuer"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE12,
      ngx_http_torii_issuer,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_audience"),
      NGX_HTTP_TORII_CONF|NGX_CONF_1MORE,
      ngx_http_torii_audience,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("torii_leeway"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, options.leeway),
      &ngx_http_torii_leeway },

    { ngx_string("torii_token"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, token),
      NULL },

    { ngx_string("torii_require"),
      NGX_HTTP_TORII_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, options.require),
      &ngx_http_torii_requirements },

    { ngx_string("torii_key_timeout"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, options.key_timeout),
      &ngx_http_torii_key_timeout },

    { ngx_string("torii_key_lifetime"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, options.key_lifetime),
      &ngx_http_torii_key_lifetime },

    { ngx_string("torii_max_stale"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, options.max_stale),
      &ngx_http_torii_max_stale },

    { ngx_string("torii_ca_file"),
      NGX_HTTP_TORII_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, options.ca_file),
      &ngx_http_torii_ca_file_post },

    { ngx_string("torii_allow_http"),
      NGX_HTTP_TORII_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_torii_loc_conf_t, options.allow_http),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_torii_module_ctx = {
    ngx_http_torii_preconfiguration,       /* preconfiguration */
    ngx_http_torii_postconfiguration,      /* postconfiguration */

    ngx_http_torii_create_main_conf,       /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_torii_create_loc_conf,        /* create location configuration */
    ngx_http_torii_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_http_torii_module = {
    NGX_MODULE_V1,
    &ngx_http_torii_module_ctx,            /* module context */
    ngx_http_torii_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_torii_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_torii_exit_process,           /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_torii_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_loc_conf_t  *tlcf = conf;

    tlcf->place.file = cf->conf_file->file.name.data;
    tlcf->place.line = cf->conf_file->line;

    return ngx_conf_set_enum_slot(cf, cmd, conf);
}


static char *
ngx_http_torii_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_loc_conf_t  *tlcf = conf;

    char                       *rv;
    ngx_str_t                  *value, name;
    torii_error_t              *error;
    torii_status_t              status;
    torii_verifier_t           *verifier;
    ngx_http_torii_issuer_t    *issuer;
    torii_verifier_options_t   *options;

    if (tlcf->options.issuers == NGX_CONF_UNSET_PTR) {
        tlcf->options.issuers = ngx_array_create(cf->pool, 1,
                                              sizeof(ngx_http_torii_issuer_t));
        if (tlcf->options.issuers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    issuer = ngx_array_push(tlcf->options.issuers);
    if (issuer == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    issuer->url = value[1];
    issuer->place.file = cf->conf_file->file.name.data;
    issuer->place.line = cf->conf_file->line;
    ngx_str_null(&issuer->jwks);

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "jwks_file=", 10) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        name.data = value[2].data + 10;
        name.len = value[2].len - 10;

        if (ngx_http_torii_read_file(cf, &name, &issuer->jwks) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    options = torii_verifier_options_new();
    verifier = NULL;

    /* whether plain http is allowed here is known after merging */
    torii_verifier_options_set_allow_http(options, true);

    if (issuer->jwks.data) {
        status = torii_verifier_options_set_jwks_json(options,
                                                  (char *) issuer->jwks.data,
                                                  issuer->jwks.len, &error);
        if (status != TORII_OK) {
            goto invalid;
        }
    }

    status = torii_verifier_new((char *) issuer->url.data, issuer->url.len,
                                options, &verifier, &error);

invalid:

    rv = (status == TORII_OK) ? NGX_CONF_OK
                              : ngx_http_torii_invalid(cf, error);

    torii_verifier_free(verifier);
    torii_verifier_options_free(options);

    return rv;
}


static char *
ngx_http_torii_audience(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_loc_conf_t  *tlcf = conf;

    ngx_str_t   *value, *audience;
    ngx_uint_t   i;

    if (tlcf->options.audiences == NGX_CONF_UNSET_PTR) {
        tlcf->options.audiences = ngx_array_create(cf->pool, 1,
                                                   sizeof(ngx_str_t));
        if (tlcf->options.audiences == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "empty audience");
            return NGX_CONF_ERROR;
        }

        audience = ngx_array_push(tlcf->options.audiences);
        if (audience == NULL) {
            return NGX_CONF_ERROR;
        }

        *audience = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_torii_ca_file(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *name = data;

    char                      *rv;
    torii_error_t             *error;
    torii_status_t             status;
    torii_verifier_options_t  *options;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    options = torii_verifier_options_new();

    status = torii_verifier_options_set_ca_file(options, (char *) name->data,
                                                name->len, &error);
    rv = (status == TORII_OK) ? NGX_CONF_OK
                              : ngx_http_torii_invalid(cf, error);

    torii_verifier_options_free(options);

    return rv;
}


static char *
ngx_http_torii_seconds(ngx_conf_t *cf, void *post, void *data)
{
    time_t  *value = data;

    return ngx_http_torii_number(cf, post, *value);
}


static char *
ngx_http_torii_milliseconds(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t  *value = data;

    return ngx_http_torii_number(cf, post, *value);
}


/* the library knows the range of each number */

static char *
ngx_http_torii_number(ngx_conf_t *cf, ngx_http_torii_number_t *number,
    uint64_t value)
{
    char                      *rv;
    torii_error_t             *error;
    torii_verifier_options_t  *options;

    options = torii_verifier_options_new();

    rv = NGX_CONF_OK;

    if (number->set(options, ngx_min(value, NGX_MAX_UINT32_VALUE), &error)
        != TORII_OK)
    {
        rv = ngx_http_torii_invalid(cf, error);
    }

    torii_verifier_options_free(options);

    return rv;
}


static char *
ngx_http_torii_invalid(ngx_conf_t *cf, torii_error_t *error)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\": %s",
                       &value[0], torii_error_message(error, NULL));

    torii_error_free(error);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_torii_read_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text)
{
    off_t            size;
    ssize_t          n;
    ngx_int_t        rc;
    ngx_file_t       file;
    ngx_file_info_t  fi;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));
    file.name = *name;
    file.log = cf->log;

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(file.fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    size = ngx_file_size(&fi);

    if (!ngx_is_file(&fi) || size > NGX_HTTP_TORII_MAX_JWKS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a file of at most %d bytes", name,
                           NGX_HTTP_TORII_MAX_JWKS);
        goto done;
    }

    /* not NULL, even if the file is empty */

    text->data = ngx_pnalloc(cf->pool, size + 1);
    if (text->data == NULL) {
        goto done;
    }

    n = ngx_read_file(&file, text->data, (size_t) size, 0);

    if (n != size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, (n == NGX_ERROR) ? ngx_errno : 0,
                           ngx_read_file_n " \"%V\" failed", name);
        goto done;
    }

    text->len = size;
    rc = NGX_OK;

done:

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


static void *
ngx_http_torii_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_torii_main_conf_t));
    if (tmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&tmcf->policies, cf->pool, 4,
                       sizeof(ngx_http_torii_policy_t *))
        != NGX_OK
        || ngx_array_init(&tmcf->keys, cf->pool, 4,
                          sizeof(ngx_http_torii_keys_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return tmcf;
}


static void *
ngx_http_torii_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_torii_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_torii_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->options.require = 0;
     *     conf->options.ca_file = { 0, NULL };
     *     conf->policy = NULL;
     */

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->token = NGX_CONF_UNSET_PTR;
    conf->options.issuers = NGX_CONF_UNSET_PTR;
    conf->options.audiences = NGX_CONF_UNSET_PTR;
    conf->options.leeway = NGX_CONF_UNSET;
    conf->options.key_timeout = NGX_CONF_UNSET_MSEC;
    conf->options.key_lifetime = NGX_CONF_UNSET;
    conf->options.max_stale = NGX_CONF_UNSET;
    conf->options.allow_http = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_torii_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_torii_loc_conf_t *prev = parent;
    ngx_http_torii_loc_conf_t *conf = child;

    ngx_http_torii_main_conf_t  *tmcf;

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->place = prev->place;
    }

    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_TORII_OFF);
    ngx_conf_merge_ptr_value(conf->token, prev->token, NULL);
    ngx_conf_merge_ptr_value(conf->options.issuers, prev->options.issuers,
                             NULL);
    ngx_conf_merge_ptr_value(conf->options.audiences, prev->options.audiences,
                             NULL);
    ngx_conf_merge_sec_value(conf->options.leeway, prev->options.leeway, 30);
    ngx_conf_merge_bitmask_value(conf->options.require, prev->options.require,
                                 NGX_CONF_BITMASK_SET);
    ngx_conf_merge_msec_value(conf->options.key_timeout,
                              prev->options.key_timeout, 5000);
    ngx_conf_merge_sec_value(conf->options.key_lifetime,
                             prev->options.key_lifetime, 0);
    ngx_conf_merge_sec_value(conf->options.max_stale, prev->options.max_stale,
                             86400);
    ngx_conf_merge_str_value(conf->options.ca_file, prev->options.ca_file, "");
    ngx_conf_merge_value(conf->options.allow_http, prev->options.allow_http,
                         0);

    if (conf->mode == NGX_HTTP_TORII_OFF) {
        return NGX_CONF_OK;
    }

    if (conf->options.issuers == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"torii\" needs a \"torii_issuer\" in %s:%ui",
                      conf->place.file, conf->place.line);
        return NGX_CONF_ERROR;
    }

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_torii_module);

    conf->policy = ngx_http_torii_policy(cf, tmcf, conf);

    return conf->policy ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_torii_preconfiguration(ngx_conf_t *cf)
{
    if (torii_abi_version() != TORII_ABI_VERSION) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "libtorii %s has ABI %uD, but ngx_http_torii_module "
                      "was built for ABI %d", torii_version(),
                      torii_abi_version(), TORII_ABI_VERSION);
        return NGX_ERROR;
    }

    return ngx_http_torii_add_variables(cf);
}


static ngx_int_t
ngx_http_torii_postconfiguration(ngx_conf_t *cf)
{
    ngx_array_t                 *handlers;
    ngx_http_handler_pt         *h;
    ngx_http_core_main_conf_t   *cmcf;
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_torii_module);

    if (tmcf->policies.nelts == 0) {
        return NGX_OK;
    }

    if (tmcf->keys.nelts) {
        tmcf->thread_pool = ngx_thread_pool_add(cf, NULL);
        if (tmcf->thread_pool == NULL) {
            return NGX_ERROR;
        }
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    /* runs before "return" and "rewrite", which end or leave a location */

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_torii_rewrite_handler;

    /*
     * handlers run from the last to the first; with "satisfy any" this one is
     * the last to be asked, so that an address which is allowed is let in
     * even while the keys cannot be had
     */

    handlers = &cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers;

    if (ngx_array_push(handlers) == NULL) {
        return NGX_ERROR;
    }

    h = handlers->elts;
    ngx_memmove(&h[1], &h[0], (handlers->nelts - 1) * sizeof(*h));
    h[0] = ngx_http_torii_access_handler;

    ngx_http_torii_init_filters();

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_init_process(ngx_cycle_t *cycle)
{
    ngx_http_torii_main_conf_t  *tmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_torii_module);

    if (tmcf == NULL) {
        return NGX_OK;
    }

    if (ngx_http_torii_init_policies(cycle, tmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_torii_init_keys(cycle, tmcf);
}


static void
ngx_http_torii_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_torii_module);

    if (tmcf) {
        ngx_http_torii_exit_keys(tmcf);
    }
}
