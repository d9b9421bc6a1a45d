
/*
 * Errors of files that a verifier keeps using: of the key cache directory and
 * of the revocations file.  No call fails for them.
 */


#include "ngx_http_torii.h"


/* Logs why a file is not used, once for each reason. */

void
ngx_http_torii_log_file_error(ngx_http_torii_verifier_t *verifier,
    ngx_log_t *log)
{
    size_t         len;
    u_char        *last, path[sizeof("/issuers//key_cache_dir/last_error")
                              + NGX_INT_T_LEN];
    ngx_str_t      why;
    ngx_uint_t     i, hash;
    const char    *reason;
    torii_json_t  *stats;

    if (verifier->key_cache == NULL
        && verifier->options.values[NGX_HTTP_TORII_REVOCATIONS].data == NULL)
    {
        return;
    }

    if (torii_verifier_stats_json(verifier->handle, &stats, NULL) != TORII_OK) {
        return;
    }

    ngx_str_null(&why);

    for (i = 0; i <= verifier->options.issuers->nelts; i++) {

        last = (i < verifier->options.issuers->nelts)
               ? ngx_sprintf(path, "/issuers/%ui/key_cache_dir/last_error", i)
               : ngx_sprintf(path, "/revocations/file/last_error");

        reason = torii_json_string(stats, (char *) path, last - path, &len);

        if (reason) {
            why.data = (u_char *) reason;
            why.len = len;
            break;
        }
    }

    hash = why.len ? ngx_hash_key(why.data, why.len) | 1 : 0;

    if (hash && hash != verifier->file_error) {

        if (i < verifier->options.issuers->nelts) {
            ngx_log_error(NGX_LOG_ERR, log, 0, "torii: %V", &why);

        } else {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "torii: revocations file \"%V\": %V",
                         &verifier->options.values[NGX_HTTP_TORII_REVOCATIONS],
                          &why);
        }
    }

    verifier->file_error = hash;

    torii_json_free(stats);
}
