
/*
 * The key cache directory: "torii_key_cache".
 *
 * The directory and its files have to belong to the user of the workers.  So
 * the master only creates it, and each worker creates its verifiers again, with
 * the directory, which is when the library reads the files.
 */


#include "ngx_http_torii.h"


static void ngx_http_torii_create_key_cache(ngx_cycle_t *cycle,
    ngx_str_t *path);


/* what can be said before the user of the workers is known */

char *
ngx_http_torii_check_key_cache(ngx_conf_t *cf, ngx_str_t *path)
{
    u_char           *name;
    size_t            len;
    ngx_file_info_t   fi;

    for (len = path->len; len > 1 && path->data[len - 1] == '/'; len--) {
        /* void */
    }

    path->len = len;
    path->data[len] = '\0';

    if (ngx_file_info(path->data, &fi) != NGX_FILE_ERROR) {

        if (ngx_is_dir(&fi)) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is not a directory",
                           path);
        return NGX_CONF_ERROR;
    }

    while (len > 1 && path->data[len - 1] != '/') {
        len--;
    }

    name = ngx_pnalloc(cf->temp_pool, len + 1);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(name, path->data, len + 1);

    if (ngx_file_info(name, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_file_info_n " \"%s\" failed, in which to create "
                           "\"%V\"", name, path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void
ngx_http_torii_create_key_caches(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_uint_t                   i;
    ngx_http_torii_verifier_t  **vp;

    vp = tmcf->verifiers.elts;

    for (i = 0; i < tmcf->verifiers.nelts; i++) {
        if (vp[i]->key_cache) {
            ngx_http_torii_create_key_cache(cycle,
                         &vp[i]->options.values[NGX_HTTP_TORII_KEY_CACHE]);
        }
    }
}


/*
 * A failure is fatal to a master that reloads, so it is only logged: keys are
 * fetched without the directory as well.  One that exists is left as it is.
 */

static void
ngx_http_torii_create_key_cache(ngx_cycle_t *cycle, ngx_str_t *path)
{
    ngx_fd_t          fd;
    ngx_file_info_t   fi;
    ngx_core_conf_t  *ccf;

    if (ngx_create_dir(path->data, 0700) == NGX_FILE_ERROR) {

        if (ngx_errno != NGX_EEXIST) {
            ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                          ngx_create_dir_n " \"%V\" failed", path);
        }

        return;
    }

    if (geteuid() != 0) {
        return;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    /* a user who can write to its parent may have put another in its place */

    fd = open((const char *) path->data,
              O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "open(\"%V\") failed", path);
        return;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      ngx_fd_info_n " \"%V\" failed", path);

    } else if (fi.st_uid != 0 || (fi.st_mode & 0777) != 0700) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "\"%V\" is not the directory that was created", path);

    } else if (fchown(fd, ccf->user, ccf->group) == -1) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "fchown(\"%V\") failed", path);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", path);
    }
}


/* in a worker */

void
ngx_http_torii_open_key_caches(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf)
{
    ngx_str_t                   *path;
    ngx_uint_t                   i;
    torii_error_t               *error;
    torii_status_t               status;
    torii_verifier_t            *handle;
    ngx_http_torii_issuer_t     *issuer;
    ngx_http_torii_verifier_t  **vp;

    vp = tmcf->verifiers.elts;

    for (i = 0; i < tmcf->verifiers.nelts; i++) {

        if (vp[i]->key_cache == NULL) {
            continue;
        }

        path = &vp[i]->options.values[NGX_HTTP_TORII_KEY_CACHE];
        issuer = vp[i]->options.issuers->elts;
        handle = NULL;

        status = torii_verifier_options_set_key_cache_dir(vp[i]->key_cache,
                                                          (char *) path->data,
                                                          path->len, &error);
        if (status == TORII_OK) {
            status = torii_verifier_new((char *) issuer[0].url.data,
                                        issuer[0].url.len, vp[i]->key_cache,
                                        &handle, &error);
        }

        if (status != TORII_OK) {
            /* that of the master stays, which has no directory */
            ngx_log_error(NGX_LOG_ERR, cycle->log, 0, "torii: %s",
                          torii_error_message(error, NULL));
            torii_error_free(error);
            continue;
        }

        torii_verifier_free(vp[i]->handle);
        vp[i]->handle = handle;

        ngx_http_torii_log_file_error(vp[i], cycle->log);
    }
}
