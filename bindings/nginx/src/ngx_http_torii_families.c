
/*
 * Metric families: OpenMetrics text of the library is read, and merged.
 *
 * Two verifiers of a worker may share keys, or a file with revocations.  The
 * library counts these for the process, so they are taken from the first
 * verifier.  Samples of issuers come with the issuer as a label for this
 * reason, and leave it behind.
 */


#include "ngx_http_torii.h"


typedef enum {
    NGX_HTTP_TORII_SUM,
    NGX_HTTP_TORII_MAX,
    NGX_HTTP_TORII_MIN
} ngx_http_torii_rule_e;


typedef struct {
    ngx_str_t                      name;
    ngx_str_t                      head;       /* lines that begin with "#" */
    ngx_array_t                    samples;    /* ngx_http_torii_sample_t */
    unsigned                       counter:1;
} ngx_http_torii_family_t;


typedef struct {
    ngx_str_t                      series;     /* name and labels */
    double                         value;
} ngx_http_torii_sample_t;


/* whose text is merged */

typedef struct {
    ngx_http_torii_verifier_t    **verifiers;  /* NULL: not of one verifier */
    ngx_uint_t                     current;
    ngx_uint_t                     counters;   /* nothing else */
} ngx_http_torii_source_t;


static ngx_int_t ngx_http_torii_add(ngx_array_t *families, ngx_str_t *text,
    ngx_http_torii_source_t *source);
static ngx_http_torii_family_t *ngx_http_torii_family(ngx_array_t *families,
    ngx_str_t *name);
static ngx_int_t ngx_http_torii_add_head(ngx_array_t *families,
    ngx_http_torii_family_t *family, ngx_str_t *line);
static ngx_int_t ngx_http_torii_add_sample(ngx_array_t *families,
    ngx_http_torii_family_t *family, ngx_str_t *line,
    ngx_http_torii_source_t *source);
static ngx_http_torii_rule_e ngx_http_torii_rule(
    ngx_http_torii_family_t *family, ngx_http_torii_source_t *source);
static ngx_uint_t ngx_http_torii_is_of_file(ngx_http_torii_family_t *family);
static ngx_uint_t ngx_http_torii_is_shared(ngx_str_t *issuer,
    ngx_http_torii_source_t *source);
static ngx_http_torii_issuer_t *ngx_http_torii_find_issuer(
    ngx_http_torii_verifier_t *verifier, ngx_str_t *name);
static ngx_uint_t ngx_http_torii_take_issuer(ngx_str_t *line,
    ngx_str_t *series, ngx_str_t *issuer);
static ngx_uint_t ngx_http_torii_is(ngx_http_torii_family_t *family,
    const char *name);


ngx_array_t *
ngx_http_torii_families(ngx_pool_t *pool)
{
    return ngx_array_create(pool, 32, sizeof(ngx_http_torii_family_t));
}


/* the text of a verifier, after those of the verifiers before it */

ngx_int_t
ngx_http_torii_add_own(ngx_array_t *families, ngx_str_t *text,
    ngx_http_torii_verifier_t **verifiers, ngx_uint_t current)
{
    ngx_http_torii_source_t  source;

    source.verifiers = verifiers;
    source.current = current;
    source.counters = 0;

    return ngx_http_torii_add(families, text, &source);
}


/* the text of a worker */

ngx_int_t
ngx_http_torii_add_worker(ngx_array_t *families, ngx_str_t *text)
{
    ngx_http_torii_source_t  source;

    ngx_memzero(&source, sizeof(ngx_http_torii_source_t));

    return ngx_http_torii_add(families, text, &source);
}


ngx_int_t
ngx_http_torii_add_counters(ngx_array_t *families, ngx_str_t *text)
{
    ngx_http_torii_source_t  source;

    ngx_memzero(&source, sizeof(ngx_http_torii_source_t));
    source.counters = 1;

    return ngx_http_torii_add(families, text, &source);
}


static ngx_int_t
ngx_http_torii_add(ngx_array_t *families, ngx_str_t *text,
    ngx_http_torii_source_t *source)
{
    u_char                   *p, *end, *eol;
    ngx_int_t                 rc;
    ngx_str_t                 line, name;
    ngx_uint_t                n, is_new;
    ngx_http_torii_family_t  *family;

    family = NULL;
    is_new = 0;
    p = text->data;
    end = p + text->len;

    for ( /* void */ ; p < end; p = eol + 1) {

        eol = ngx_strlchr(p, end, '\n');
        if (eol == NULL) {
            break;
        }

        line.data = p;
        line.len = eol + 1 - p;

        if (line.len > 7 && ngx_strncmp(p, "# TYPE ", 7) == 0) {
            name.data = p + 7;
            name.len = 0;

            while (name.data[name.len] != ' ' && name.data[name.len] != '\n') {
                name.len++;
            }

            n = families->nelts;

            family = ngx_http_torii_family(families, &name);
            if (family == NULL) {
                return NGX_ERROR;
            }

            /* the first text that has the family describes it */

            is_new = families->nelts > n;

            family->counter = ngx_strncmp(name.data + name.len, " counter\n", 9)
                              == 0;
        }

        if (family == NULL || (source->counters && !family->counter)) {
            continue;
        }

        if (p[0] != '#') {
            rc = ngx_http_torii_add_sample(families, family, &line, source);

        } else if (is_new && ngx_strncmp(p, "# EOF", 5) != 0) {
            rc = ngx_http_torii_add_head(families, family, &line);

        } else {
            rc = NGX_OK;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_torii_family_t *
ngx_http_torii_family(ngx_array_t *families, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_http_torii_family_t  *family;

    family = families->elts;

    for (i = 0; i < families->nelts; i++) {
        if (ngx_http_torii_equal_str(&family[i].name, name)) {
            return &family[i];
        }
    }

    family = ngx_array_push(families);
    if (family == NULL) {
        return NULL;
    }

    ngx_memzero(family, sizeof(ngx_http_torii_family_t));

    family->name.len = name->len;
    family->name.data = ngx_pstrdup(families->pool, name);

    if (family->name.data == NULL
        || ngx_array_init(&family->samples, families->pool, 4,
                          sizeof(ngx_http_torii_sample_t))
           != NGX_OK)
    {
        return NULL;
    }

    return family;
}


static ngx_int_t
ngx_http_torii_add_head(ngx_array_t *families, ngx_http_torii_family_t *family,
    ngx_str_t *line)
{
    u_char  *data;

    data = ngx_pnalloc(families->pool, family->head.len + line->len);
    if (data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_cpymem(data, family->head.data, family->head.len),
               line->data, line->len);

    family->head.data = data;
    family->head.len += line->len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_add_sample(ngx_array_t *families,
    ngx_http_torii_family_t *family, ngx_str_t *line,
    ngx_http_torii_source_t *source)
{
    size_t                    n;
    double                    value;
    ngx_str_t                 series, issuer;
    ngx_uint_t                i;
    ngx_http_torii_sample_t  *sample;

    for (n = line->len; n > 0 && line->data[n - 1] != ' '; n--) {
        /* void */
    }

    if (n == 0) {
        return NGX_ERROR;
    }

    /* a line end stops it */

    value = strtod((char *) line->data + n, NULL);

    series.len = n - 1;
    series.data = ngx_pnalloc(families->pool, series.len);
    if (series.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(series.data, line->data, series.len);

    ngx_str_null(&issuer);

    if (source->verifiers
        && (ngx_http_torii_take_issuer(line, &series, &issuer)
            || ngx_http_torii_is_of_file(family))
        && ngx_http_torii_is_shared(&issuer, source))
    {
        return NGX_OK;
    }

    sample = family->samples.elts;

    for (i = 0; i < family->samples.nelts; i++) {

        if (!ngx_http_torii_equal_str(&sample[i].series, &series)) {
            continue;
        }

        switch (ngx_http_torii_rule(family, source)) {

        case NGX_HTTP_TORII_MAX:
            sample[i].value = ngx_max(sample[i].value, value);
            break;

        case NGX_HTTP_TORII_MIN:
            sample[i].value = ngx_min(sample[i].value, value);
            break;

        default:
            sample[i].value += value;
        }

        return NGX_OK;
    }

    sample = ngx_array_push(&family->samples);
    if (sample == NULL) {
        return NGX_ERROR;
    }

    sample->series = series;
    sample->value = value;

    return NGX_OK;
}


/* tables are counted for the process, and each verifier shows them all */

static ngx_http_torii_rule_e
ngx_http_torii_rule(ngx_http_torii_family_t *family,
    ngx_http_torii_source_t *source)
{
    if (ngx_http_torii_is(family, "torii_key_due_seconds")) {
        return NGX_HTTP_TORII_MIN;
    }

    if (source->verifiers == NULL) {
        return family->counter ? NGX_HTTP_TORII_SUM : NGX_HTTP_TORII_MAX;
    }

    if (ngx_http_torii_is(family, "torii_key_age_seconds")
        || ngx_http_torii_is(family, "torii_key_last_success_age_seconds")
        || ngx_http_torii_is(family, "torii_revocations_file_failing")
        || ngx_http_torii_is(family, "torii_key_table_builds"))
    {
        return NGX_HTTP_TORII_MAX;
    }

    return NGX_HTTP_TORII_SUM;
}


static ngx_uint_t
ngx_http_torii_is_of_file(ngx_http_torii_family_t *family)
{
    return ngx_http_torii_is(family, "torii_revocations")
           || ngx_http_torii_is(family, "torii_revocations_file_reads");
}


/* by an earlier verifier: the keys of the issuer, or without one the file */

static ngx_uint_t
ngx_http_torii_is_shared(ngx_str_t *issuer, ngx_http_torii_source_t *source)
{
    ngx_str_t                *a, *b;
    ngx_uint_t                i;
    ngx_http_torii_issuer_t  *ai, *bi;

    b = source->verifiers[source->current]->options.values;
    bi = ngx_http_torii_find_issuer(source->verifiers[source->current],
                                    issuer);

    for (i = 0; i < source->current; i++) {

        a = source->verifiers[i]->options.values;

        if (issuer->data == NULL) {

            if (ngx_http_torii_equal_str(&a[NGX_HTTP_TORII_REVOCATIONS],
                                         &b[NGX_HTTP_TORII_REVOCATIONS]))
            {
                return 1;
            }

            continue;
        }

        ai = ngx_http_torii_find_issuer(source->verifiers[i], issuer);

        /* what the library tells its key sets apart by */

        if (ai && bi
            && (ai->jwks.data == NULL) == (bi->jwks.data == NULL)
            && ngx_http_torii_equal_str(&a[NGX_HTTP_TORII_CA_FILE],
                                        &b[NGX_HTTP_TORII_CA_FILE])
            && ngx_http_torii_equal_str(&a[NGX_HTTP_TORII_PROXY],
                                        &b[NGX_HTTP_TORII_PROXY])
            && ngx_http_torii_equal_str(&a[NGX_HTTP_TORII_KEY_CACHE],
                                        &b[NGX_HTTP_TORII_KEY_CACHE]))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_http_torii_issuer_t *
ngx_http_torii_find_issuer(ngx_http_torii_verifier_t *verifier,
    ngx_str_t *name)
{
    size_t                    len;
    ngx_uint_t                i;
    ngx_http_torii_issuer_t  *issuer;

    issuer = verifier->options.issuers->elts;

    for (i = 0; i < verifier->options.issuers->nelts; i++) {

        for (len = issuer[i].url.len;
             len && issuer[i].url.data[len - 1] == '/';
             len--)
        {
            /* void */
        }

        if (len == name->len
            && ngx_memcmp(issuer[i].url.data, name->data, len) == 0)
        {
            return &issuer[i];
        }
    }

    return NULL;
}


/* it is the first label, and its URL has nothing that is escaped */

static ngx_uint_t
ngx_http_torii_take_issuer(ngx_str_t *line, ngx_str_t *series,
    ngx_str_t *issuer)
{
    u_char  *label, *end, *last;

    last = series->data + series->len;

    label = ngx_strlchr(series->data, last, '{');

    if (label == NULL || last - label < 10
        || ngx_strncmp(label, "{issuer=\"", 9) != 0)
    {
        return 0;
    }

    end = ngx_strlchr(label + 9, last, '"');

    if (end == NULL) {
        return 0;
    }

    issuer->len = end - (label + 9);
    issuer->data = line->data + (label + 9 - series->data);

    if (end[1] == '}') {
        series->len = label - series->data;
        return 1;
    }

    /* the other labels follow a comma, and move over it */

    ngx_memmove(label + 1, end + 2, last - (end + 2));
    series->len -= (end + 2) - (label + 1);

    return 1;
}


static ngx_uint_t
ngx_http_torii_is(ngx_http_torii_family_t *family, const char *name)
{
    return family->name.len == ngx_strlen(name)
           && ngx_memcmp(family->name.data, name, family->name.len) == 0;
}


/* with "# EOF" */

ngx_int_t
ngx_http_torii_write_families(ngx_array_t *families, ngx_pool_t *pool,
    ngx_str_t *text)
{
    size_t                    len;
    u_char                   *p;
    double                    value;
    ngx_uint_t                i, k;
    ngx_http_torii_family_t  *family;
    ngx_http_torii_sample_t  *sample;

    family = families->elts;
    len = sizeof("# EOF\n") - 1;

    for (i = 0; i < families->nelts; i++) {
        sample = family[i].samples.elts;
        len += family[i].head.len;

        for (k = 0; k < family[i].samples.nelts; k++) {
            len += sample[k].series.len + sizeof(" .000\n") - 1
                   + NGX_INT64_LEN;
        }
    }

    text->data = ngx_pnalloc(pool, len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (i = 0; i < families->nelts; i++) {
        sample = family[i].samples.elts;
        p = ngx_cpymem(p, family[i].head.data, family[i].head.len);

        for (k = 0; k < family[i].samples.nelts; k++) {
            value = sample[k].value;

            p = ngx_sprintf(p, (value == (double) (int64_t) value)
                               ? "%V %.0f\n" : "%V %.3f\n",
                            &sample[k].series, value);
        }
    }

    p = ngx_cpymem(p, "# EOF\n", sizeof("# EOF\n") - 1);

    text->len = p - text->data;

    return NGX_OK;
}
