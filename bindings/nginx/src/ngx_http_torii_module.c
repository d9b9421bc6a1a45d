
/*
 * The directives, and where the module hooks into nginx.
 */


#include "ngx_http_torii.h"


static char *ngx_http_torii_mode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_issuer(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_torii_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);
static char *ngx_http_torii_audience(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_torii_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static torii_status_t ngx_http_torii_add_flags(
    torii_requirements_t *requirements, ngx_array_t *args,
    torii_error_t **err);
static void ngx_http_torii_free_requirements(void *data);
static char *ngx_http_torii_name(ngx_conf_t *cf, void *post, void *data);

static void *ngx_http_torii_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_torii_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_torii_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_torii_misconfigured(ngx_conf_t *cf,
    ngx_http_torii_loc_conf_t *conf, const char *problem);
static ngx_int_t ngx_http_torii_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_torii_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_torii_add_handler(ngx_conf_t *cf,
    ngx_http_phases phase, ngx_http_handler_pt handler, ngx_uint_t last);
static ngx_int_t ngx_http_torii_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_torii_init_process(ngx_cycle_t *cycle);


/* a key set is at most 256 KiB, as it is when it is fetched */
#define NGX_HTTP_TORII_MAX_JWKS  262144

/* a directive of a location; one for an option of its verifier */

#define ngx_http_torii_directive(name, args, set, offset, post)               \
    { ngx_string(name),                                                       \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF                  \
                        |NGX_HTTP_LMT_CONF|args,                              \
      set, NGX_HTTP_LOC_CONF_OFFSET, offset, post }

#define ngx_http_torii_option(name, option)                                   \
    ngx_http_torii_directive(name, NGX_CONF_TAKE1, ngx_http_torii_value,      \
                             option, NULL)

#define ngx_http_torii_offset(member)                                         \
    offsetof(ngx_http_torii_loc_conf_t, member)


static ngx_conf_enum_t  ngx_http_torii_modes[] = {
    { ngx_string("off"), NGX_HTTP_TORII_OFF },
    { ngx_string("on"), NGX_HTTP_TORII_ON },
    { ngx_string("optional"), NGX_HTTP_TORII_OPTIONAL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_torii_flags[] = {
    { ngx_string("email_verified"), TORII_REQUIRE_EMAIL_VERIFIED },
    { ngx_string("profile_complete"), TORII_REQUIRE_PROFILE_COMPLETE },
    { ngx_string("not_impersonated"), TORII_REQUIRE_NOT_IMPERSONATED },
    { ngx_string("organization"), TORII_REQUIRE_ORGANIZATION },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_torii_name_post = { ngx_http_torii_name };


static ngx_command_t  ngx_http_torii_commands[] = {

    ngx_http_torii_directive("torii", NGX_CONF_TAKE1, ngx_http_torii_mode,
                             ngx_http_torii_offset(mode),
                             &ngx_http_torii_modes),

    ngx_http_torii_directive("torii_issuer", NGX_CONF_TAKE12,
                             ngx_http_torii_issuer, 0, NULL),

    ngx_http_torii_directive("torii_audience", NGX_CONF_1MORE,
                             ngx_http_torii_audience, 0, NULL),

    ngx_http_torii_option("torii_ignore_audience",
                          NGX_HTTP_TORII_IGNORE_AUDIENCE),
    ngx_http_torii_option("torii_leeway", NGX_HTTP_TORII_LEEWAY),
    ngx_http_torii_option("torii_max_lifetime", NGX_HTTP_TORII_MAX_LIFETIME),
    ngx_http_torii_option("torii_legacy_organization",
                          NGX_HTTP_TORII_LEGACY_ORGANIZATION),
    ngx_http_torii_option("torii_realm", NGX_HTTP_TORII_REALM),
    ngx_http_torii_option("torii_resource_metadata",
                          NGX_HTTP_TORII_RESOURCE_METADATA),
    ngx_http_torii_option("torii_key_timeout", NGX_HTTP_TORII_KEY_TIMEOUT),
    ngx_http_torii_option("torii_key_lifetime", NGX_HTTP_TORII_KEY_LIFETIME),
    ngx_http_torii_option("torii_max_stale", NGX_HTTP_TORII_MAX_STALE),
    ngx_http_torii_option("torii_ca_file", NGX_HTTP_TORII_CA_FILE),
    ngx_http_torii_option("torii_proxy", NGX_HTTP_TORII_PROXY),
    ngx_http_torii_option("torii_allow_http", NGX_HTTP_TORII_ALLOW_HTTP),
    ngx_http_torii_option("torii_token_cache", NGX_HTTP_TORII_TOKEN_CACHE),
    ngx_http_torii_option("torii_fixed_base", NGX_HTTP_TORII_FIXED_BASE),
    ngx_http_torii_option("torii_key_cache", NGX_HTTP_TORII_KEY_CACHE),
    ngx_http_torii_option("torii_revocations", NGX_HTTP_TORII_REVOCATIONS),

    ngx_http_torii_directive("torii_require", NGX_CONF_1MORE,
                             ngx_http_torii_require, NGX_HTTP_TORII_FLAGS,
                             NULL),

    ngx_http_torii_directive("torii_require_claim", NGX_CONF_TAKE12,
                             ngx_http_torii_require, NGX_HTTP_TORII_CLAIMS,
                             NULL),

    ngx_http_torii_directive("torii_require_organization", NGX_CONF_TAKE12,
                             ngx_http_torii_require,
                             NGX_HTTP_TORII_ORGANIZATIONS, NULL),

    ngx_http_torii_directive("torii_header", NGX_CONF_TAKE1,
                             ngx_conf_set_str_slot,
                             ngx_http_torii_offset(header),
                             &ngx_http_torii_name_post),

    ngx_http_torii_directive("torii_cookie", NGX_CONF_TAKE1,
                             ngx_conf_set_str_slot,
                             ngx_http_torii_offset(cookie),
                             &ngx_http_torii_name_post),

    ngx_http_torii_directive("torii_token", NGX_CONF_TAKE1,
                             ngx_http_set_complex_value_slot,
                             ngx_http_torii_offset(token), NULL),

    ngx_http_torii_directive("torii_forward_token", NGX_CONF_FLAG,
                             ngx_conf_set_flag_slot,
                             ngx_http_torii_offset(forward_token), NULL),

    { ngx_string("torii_claim"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_torii_claim,
      0,
      0,
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
    ngx_http_torii_init_module,            /* init module */
    ngx_http_torii_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_array_t  ngx_http_torii_no_audiences;


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

    ngx_str_t                  *arg, name;
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

    arg = cf->args->elts;

    issuer->url = arg[1];
    issuer->place.file = cf->conf_file->file.name.data;
    issuer->place.line = cf->conf_file->line;
    ngx_str_null(&issuer->jwks);

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(arg[2].data, "jwks_file=", 10) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &arg[2]);
            return NGX_CONF_ERROR;
        }

        name.data = arg[2].data + 10;
        name.len = arg[2].len - 10;

        if (ngx_http_torii_read_file(cf, &name, &issuer->jwks) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    options = torii_verifier_options_new();
    verifier = NULL;

    /* whether plain http is allowed here is known after merging */

    status = torii_verifier_options_set_allow_http(options, true, &error);

    if (status == TORII_OK && issuer->jwks.data) {
        status = torii_verifier_options_set_jwks_json(options,
                                                  (char *) issuer->jwks.data,
                                                  issuer->jwks.len, &error);
    }

    if (status == TORII_OK) {
        status = torii_verifier_new((char *) issuer->url.data, issuer->url.len,
                                    options, &verifier, &error);
    }

    torii_verifier_free(verifier);
    torii_verifier_options_free(options);

    return (status == TORII_OK) ? NGX_CONF_OK
                                : ngx_http_torii_invalid(cf, error);
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


static char *
ngx_http_torii_audience(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_loc_conf_t  *tlcf = conf;

    ngx_str_t   *arg, *audience;
    ngx_uint_t   i;

    if (tlcf->options.audiences == NGX_CONF_UNSET_PTR) {
        tlcf->options.audiences = ngx_array_create(cf->pool, 1,
                                                   sizeof(ngx_str_t));
        if (tlcf->options.audiences == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    arg = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (arg[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "empty audience");
            return NGX_CONF_ERROR;
        }

        audience = ngx_array_push(tlcf->options.audiences);
        if (audience == NULL) {
            return NGX_CONF_ERROR;
        }

        *audience = arg[i];
    }

    return NGX_CONF_OK;
}


/* adds to the directives of the same name at the same level */

static char *
ngx_http_torii_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_torii_loc_conf_t  *tlcf = conf;

    ngx_str_t              *arg, second;
    torii_error_t          *error;
    torii_status_t          status;
    ngx_pool_cleanup_t     *cln;
    torii_requirements_t  **rp;

    arg = cf->args->elts;
    rp = &tlcf->requirements[cmd->offset];

    if (cf->args->nelts == 2 && ngx_strcmp(arg[1].data, "off") == 0) {

        if (*rp != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        *rp = NULL;

        return NGX_CONF_OK;
    }

    if (*rp == NULL) {
        return "is duplicate";
    }

    if (*rp == NGX_CONF_UNSET_PTR) {

        cln = ngx_pool_cleanup_add(cf->pool, 0);
        if (cln == NULL) {
            return NGX_CONF_ERROR;
        }

        *rp = torii_requirements_new();

        cln->handler = ngx_http_torii_free_requirements;
        cln->data = *rp;
    }

    ngx_str_null(&second);

    if (cf->args->nelts == 3) {
        second = arg[2];
    }

    if (cmd->offset == NGX_HTTP_TORII_FLAGS) {
        status = ngx_http_torii_add_flags(*rp, cf->args, &error);

    } else if (cmd->offset == NGX_HTTP_TORII_CLAIMS) {
        status = torii_requirements_add_claim(*rp, (char *) arg[1].data,
                                              arg[1].len,
                                              (char *) second.data,
                                              second.len, &error);
    } else {
        status = torii_requirements_add_organization(*rp, (char *) arg[1].data,
                                                     arg[1].len,
                                                     (char *) second.data,
                                                     second.len, &error);
    }

    return (status == TORII_OK) ? NGX_CONF_OK
                                : ngx_http_torii_invalid(cf, error);
}


static torii_status_t
ngx_http_torii_add_flags(torii_requirements_t *requirements, ngx_array_t *args,
    torii_error_t **err)
{
    ngx_str_t        *arg;
    ngx_uint_t        i, flags;
    ngx_conf_enum_t  *e;

    *err = NULL;

    arg = args->elts;
    flags = 0;

    for (i = 1; i < args->nelts; i++) {

        for (e = ngx_http_torii_flags; e->name.len; e++) {
            if (ngx_strcmp(e->name.data, arg[i].data) == 0) {
                break;
            }
        }

        if (e->name.len == 0) {
            /* for the message */
            arg[1] = arg[i];
            return TORII_ERR_INVALID_ARGUMENT;
        }

        flags |= e->value;
    }

    return torii_requirements_add_flags(requirements, flags, err);
}


static void
ngx_http_torii_free_requirements(void *data)
{
    torii_requirements_free(data);
}


/* of a header or a cookie: a token of RFC 9110, 5.6.2; no cookie is "" */

static char *
ngx_http_torii_name(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *name = data;

    ngx_str_t   *arg;
    ngx_uint_t   i, is_header;

    arg = cf->args->elts;
    is_header = (ngx_strcmp(arg[0].data, "torii_header") == 0);

    if (is_header) {
        ngx_strlow(name->data, name->data, name->len);
    }

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= ' ' || name->data[i] >= 0x7f
            || ngx_strchr("\"(),/:;<=>?@[\\]{}", name->data[i]) != NULL)
        {
            break;
        }
    }

    return (i < name->len || (is_header && i == 0))
           ? ngx_http_torii_invalid(cf, NULL) : NGX_CONF_OK;
}


static void *
ngx_http_torii_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_torii_main_conf_t));
    if (tmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&tmcf->verifiers, cf->pool, 4,
                       sizeof(ngx_http_torii_verifier_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return tmcf;
}


static void *
ngx_http_torii_create_loc_conf(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_http_torii_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_torii_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->options.values = { { 0, NULL }, ... };
     *     conf->verifier = NULL;
     *     conf->header = { 0, NULL };
     *     conf->cookie = { 0, NULL };
     */

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->options.issuers = NGX_CONF_UNSET_PTR;
    conf->options.audiences = NGX_CONF_UNSET_PTR;
    conf->token = NGX_CONF_UNSET_PTR;
    conf->forward_token = NGX_CONF_UNSET;

    for (i = 0; i < NGX_HTTP_TORII_NREQUIREMENTS; i++) {
        conf->requirements[i] = NGX_CONF_UNSET_PTR;
    }

    return conf;
}


static char *
ngx_http_torii_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_torii_loc_conf_t *prev = parent;
    ngx_http_torii_loc_conf_t *conf = child;

    ngx_uint_t                   i;
    ngx_http_torii_main_conf_t  *tmcf;

    if (conf->mode == NGX_CONF_UNSET_UINT) {
        conf->place = prev->place;
    }

    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_TORII_OFF);
    ngx_conf_merge_ptr_value(conf->options.issuers, prev->options.issuers,
                             NULL);
    ngx_conf_merge_ptr_value(conf->options.audiences, prev->options.audiences,
                             &ngx_http_torii_no_audiences);
    ngx_conf_merge_str_value(conf->header, prev->header, "authorization");
    ngx_conf_merge_str_value(conf->cookie, prev->cookie, "");
    ngx_conf_merge_ptr_value(conf->token, prev->token, NULL);
    ngx_conf_merge_value(conf->forward_token, prev->forward_token, 1);

    for (i = 0; i < NGX_HTTP_TORII_NVALUES; i++) {
        if (conf->options.values[i].data == NULL) {
            conf->options.values[i] = prev->options.values[i];
        }
    }

    for (i = 0; i < NGX_HTTP_TORII_NREQUIREMENTS; i++) {
        ngx_conf_merge_ptr_value(conf->requirements[i], prev->requirements[i],
                                 NULL);
    }

    if (conf->mode == NGX_HTTP_TORII_OFF) {
        return NGX_CONF_OK;
    }

    if (conf->options.issuers == NULL) {
        return ngx_http_torii_misconfigured(cf, conf,
                                            "needs a \"torii_issuer\"");
    }

    if (conf->token && !conf->forward_token) {
        return ngx_http_torii_misconfigured(cf, conf,
                                 "has \"torii_forward_token off\", but "
                                 "\"torii_token\" does not name a header");
    }

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_torii_module);

    conf->verifier = ngx_http_torii_verifier(cf, tmcf, conf);

    return conf->verifier ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_torii_misconfigured(ngx_conf_t *cf, ngx_http_torii_loc_conf_t *conf,
    const char *problem)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"torii\" %s in %s:%ui",
                  problem, conf->place.file, conf->place.line);

    return NGX_CONF_ERROR;
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
    ngx_uint_t                    i;
    ngx_http_torii_main_conf_t   *tmcf;
    ngx_http_torii_verifier_t   **vp;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_torii_module);

    if (tmcf->verifiers.nelts == 0) {
        return NGX_OK;
    }

    vp = tmcf->verifiers.elts;

    for (i = 0; i < tmcf->verifiers.nelts; i++) {

        if (vp[i]->keys.nelts == 0) {
            continue;
        }

        tmcf->thread_pool = ngx_thread_pool_add(cf, NULL);
        if (tmcf->thread_pool == NULL) {
            return NGX_ERROR;
        }

        break;
    }

    /*
     * before "return" and "rewrite", which end or leave a location; with
     * "satisfy any" after all others, so that an address which is allowed is
     * let in even while keys are missing; after "try_files" and "mirror"
     */

    if (ngx_http_torii_add_handler(cf, NGX_HTTP_SERVER_REWRITE_PHASE,
                                   ngx_http_torii_server_rewrite_handler, 0)
        != NGX_OK
        || ngx_http_torii_add_handler(cf, NGX_HTTP_REWRITE_PHASE,
                                      ngx_http_torii_rewrite_handler, 0)
           != NGX_OK
        || ngx_http_torii_add_handler(cf, NGX_HTTP_ACCESS_PHASE,
                                      ngx_http_torii_access_handler, 1)
           != NGX_OK
        || ngx_http_torii_add_handler(cf, NGX_HTTP_PRECONTENT_PHASE,
                                      ngx_http_torii_strip_handler, 1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_torii_init_filters();

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_add_handler(ngx_conf_t *cf, ngx_http_phases phase,
    ngx_http_handler_pt handler, ngx_uint_t last)
{
    ngx_array_t                *handlers;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    handlers = &cmcf->phases[phase].handlers;

    h = ngx_array_push(handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    /* handlers run from the last to the first */

    if (last) {
        h = handlers->elts;
        ngx_memmove(&h[1], &h[0], (handlers->nelts - 1) * sizeof(*h));
    }

    *h = handler;

    return NGX_OK;
}


/* in the master, which may be root, before it starts workers */

static ngx_int_t
ngx_http_torii_init_module(ngx_cycle_t *cycle)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_torii_module);

    if (tmcf && !ngx_test_config) {
        ngx_http_torii_create_key_caches(cycle, tmcf);
    }

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

    if (tmcf) {
        ngx_http_torii_open_key_caches(cycle, tmcf);
        ngx_http_torii_init_keys(cycle, tmcf);
    }

    return NGX_OK;
}
