/*
 * An HTTP server on one libevent loop, which also fetches the issuer's keys: no thread is started, and nothing waits.
 *
 *     cc server.c $(pkg-config --cflags --libs torii libevent libevent_openssl openssl) -o server
 *     ./server https://acme.torii.so 8080
 *
 * /health is public, /me needs a valid token, /admin the role "admin" of one organization.
 */
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <torii.h>

/* A request that waits for keys. */
struct parked {
    struct evhttp_request *request;
    SLIST_ENTRY(parked) next;
};
SLIST_HEAD(parked_list, parked);

struct server {
    struct event_base *base;
    struct evdns_base *dns;
    struct event *renewal; /* fetches keys before they expire */
    struct parked_list parked;
    LIST_HEAD(, key_fetch) fetches;
    SSL_CTX *tls;
    torii_verifier_t *verifier;
    torii_requirements_t *admin;
};

/* A key fetch in flight. */
struct key_fetch {
    struct server *server;
    torii_fetch_t *handle;
    struct evhttp_connection *connection;
    struct event *timeout;
    LIST_ENTRY(key_fetch) next;
};

static const struct timeval FETCH_TIMEOUT = {5, 0};

/* Only one request is verified at a time. */
static union {
    torii_record_t header; /* aligns the buffer */
    char bytes[TORII_RECORD_MAX];
} record;

/* ---- key fetches ---------------------------------------------------------------------------- */

static void retry_parked(struct server *server);
static void start_due(struct server *server);

static void free_fetch(struct key_fetch *fetch)
{
    LIST_REMOVE(fetch, next);
    torii_fetch_free(fetch->handle); /* without torii_fetch_done(): the fetch has failed */
    if (fetch->timeout != NULL)
        event_free(fetch->timeout);
    if (fetch->connection != NULL)
        evhttp_connection_free(fetch->connection);
    free(fetch);
}

/* Runs outside of libevent's own callbacks, which still use the connection. */
static void end_fetch(evutil_socket_t socket, short what, void *arg)
{
    struct key_fetch *fetch = arg;
    struct server *server = fetch->server;

    (void)socket;
    (void)what;
    free_fetch(fetch);
    retry_parked(server);
    start_due(server);
}

/* The seconds behind a prefix in a header of the answer; -1 if absent. */
static int64_t seconds(const struct evkeyvalq *headers, const char *name, const char *prefix)
{
    const char *value = evhttp_find_header(headers, name);
    const char *found = value != NULL ? strstr(value, prefix) : NULL;
    char *end;

    if (found == NULL)
        return -1;
    found += strlen(prefix);
    long long number = strtoll(found, &end, 10);
    return end > found && number >= 0 ? number : -1;
}

/* The answer of the issuer, or its absence. */
static void fetched(struct evhttp_request *answer, void *arg)
{
    struct key_fetch *fetch = arg;
    torii_error_t *error = NULL;

    if (answer != NULL && evhttp_request_get_response_code(answer) != 0) {
        struct evbuffer *body = evhttp_request_get_input_buffer(answer);
        const struct evkeyvalq *headers = evhttp_request_get_input_headers(answer);
        const char *etag = evhttp_find_header(headers, "ETag");

        if (torii_fetch_done(fetch->handle, (uint32_t)evhttp_request_get_response_code(answer),
                             (const char *)evbuffer_pullup(body, -1), evbuffer_get_length(body), etag,
                             etag != NULL ? strlen(etag) : 0, seconds(headers, "Cache-Control", "max-age="),
                             seconds(headers, "Age", ""), &error)
            != TORII_OK)
            fprintf(stderr, "%s\n", torii_error_message(error, NULL));
    } else {
        fprintf(stderr, "%s: no answer\n", torii_fetch_url(fetch->handle, NULL));
    }
    torii_error_free(error);
    event_active(fetch->timeout, EV_TIMEOUT, 0); /* end_fetch() */
}

/* A connection that verifies the server's certificate and its name; NULL if out of memory. */
static struct bufferevent *connect_tls(const struct server *server, const char *host)
{
    SSL *tls = SSL_new(server->tls);

    if (tls == NULL)
        return NULL;
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(tls, host) != 1 || SSL_set_tlsext_host_name(tls, host) != 1) {
        SSL_free(tls);
        return NULL;
    }
    return bufferevent_openssl_socket_new(server->base, -1, tls, BUFFEREVENT_SSL_CONNECTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

/* Starts a fetch; takes the handle. libevent follows no redirect. */
static void start(struct server *server, torii_fetch_t *handle)
{
    struct key_fetch *fetch = calloc(1, sizeof *fetch);
    struct evhttp_uri *url = evhttp_uri_parse(torii_fetch_url(handle, NULL));
    const char *etag = torii_fetch_etag(handle, NULL);
    struct evhttp_request *request = NULL;
    struct bufferevent *stream = NULL;

    if (fetch == NULL || url == NULL) {
        free(fetch);
        torii_fetch_free(handle);
        goto done;
    }
    fetch->server = server;
    fetch->handle = handle;
    LIST_INSERT_HEAD(&server->fetches, fetch, next);

    const char *host = evhttp_uri_get_host(url);
    char authority[300];
    bool tls = strcmp(evhttp_uri_get_scheme(url), "https") == 0;
    int port = evhttp_uri_get_port(url);
    if (tls)
        stream = connect_tls(server, host);
    else
        stream = bufferevent_socket_new(server->base, -1, BEV_OPT_CLOSE_ON_FREE);
    fetch->timeout = evtimer_new(server->base, end_fetch, fetch);
    if (stream != NULL && fetch->timeout != NULL)
        fetch->connection = evhttp_connection_base_bufferevent_new(server->base, server->dns, stream, host,
                                                                   (uint16_t)(port > 0 ? port : tls ? 443 : 80));
    if (fetch->connection != NULL)
        request = evhttp_request_new(fetched, fetch);
    if (request == NULL) {
        if (fetch->connection == NULL && stream != NULL)
            bufferevent_free(stream);
        free_fetch(fetch);
        goto done;
    }
    evhttp_connection_set_max_headers_size(fetch->connection, 16 * 1024);
    evhttp_connection_set_max_body_size(fetch->connection, 256 * 1024);
    snprintf(authority, sizeof authority, port > 0 ? "%s:%d" : "%s", host, port);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Host", authority);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
    if (etag != NULL)
        evhttp_add_header(evhttp_request_get_output_headers(request), "If-None-Match", etag);
    /* The whole fetch has one timeout. */
    event_add(fetch->timeout, &FETCH_TIMEOUT);
    evhttp_make_request(fetch->connection, request, EVHTTP_REQ_GET, evhttp_uri_get_path(url));
done:
    if (url != NULL)
        evhttp_uri_free(url);
}

/* Starts every fetch that is due, and sets the timer to the next one. */
static void start_due(struct server *server)
{
    torii_fetch_t *handle;
    struct timeval pause;

    while ((handle = torii_verifier_claim_fetch(server->verifier)) != NULL)
        start(server, handle);
    int64_t ms = torii_verifier_due_in_ms(server->verifier);
    if (ms < 0)
        return;
    ms = ms > 100 ? ms : 100; /* a fetch in flight sets the timer again when it ends */
    pause.tv_sec = (time_t)(ms / 1000);
    pause.tv_usec = (suseconds_t)(ms % 1000 * 1000);
    event_add(server->renewal, &pause);
}

static void renew(evutil_socket_t socket, short what, void *server)
{
    (void)socket;
    (void)what;
    start_due(server);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void reply(struct evhttp_request *request, int status, const char *type, const char *body)
{
    struct evbuffer *content = evbuffer_new();

    if (content != NULL)
        evbuffer_add(content, body, strlen(body));
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
    evhttp_send_reply(request, status, NULL, content);
    if (content != NULL)
        evbuffer_free(content);
}

/* The client does not learn the reason; the log does. */
static void refuse(struct evhttp_request *request, const torii_error_t *error)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    uint32_t status = torii_status_http(torii_error_status(error));
    const char *challenge = torii_error_www_authenticate(error, NULL);
    char text[256];

    fprintf(stderr, "%u: %s\n", status, torii_error_message(error, NULL));
    if (challenge != NULL)
        evhttp_add_header(headers, "WWW-Authenticate", challenge);
    if (status == 503) {
        long long pause = torii_error_retry_after(error);
        snprintf(text, sizeof text, "%lld", pause > 0 ? pause : 1);
        evhttp_add_header(headers, "Retry-After", text);
    }
    evhttp_add_header(headers, "Cache-Control", "no-store");
    snprintf(text, sizeof text, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", torii_error_public_code(error, NULL),
             torii_error_public_message(error, NULL));
    reply(request, (int)status, "application/json", text);
}

/* The value of the header; those of repeated headers joined, which the library refuses. */
static char *authorization(struct evhttp_request *request)
{
    struct evbuffer *joined = evbuffer_new();
    const struct evkeyval *header;
    char *value = NULL;

    if (joined == NULL)
        return NULL;
    TAILQ_FOREACH (header, evhttp_request_get_input_headers(request), next)
        if (evutil_ascii_strcasecmp(header->key, "Authorization") == 0)
            evbuffer_add_printf(joined, "%s%s", evbuffer_get_length(joined) > 0 ? ", " : "", header->value);
    size_t len = evbuffer_get_length(joined);
    if ((value = calloc(1, len + 1)) != NULL)
        evbuffer_remove(joined, value, len);
    evbuffer_free(joined);
    return value;
}

/* Answers a request, or returns false if it has to wait for keys. */
static bool answer(struct server *server, struct evhttp_request *request)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    const torii_requirements_t *requirements = strcmp(path, "/admin") == 0 ? server->admin : NULL;
    char *header = authorization(request);
    torii_error_t *error = NULL;
    torii_status_t status
        = torii_verify_into(server->verifier, header != NULL ? header : "", header != NULL ? strlen(header) : 0,
                            TORII_VERIFY_HEADER | TORII_VERIFY_NOWAIT, requirements, &record, sizeof record, NULL, &error);

    free(header);
    if (status == TORII_OK)
        reply(request, 200, "text/plain", record.bytes + record.header.user_id.offset);
    else if (status != TORII_ERR_KEYS_PENDING)
        refuse(request, error);
    torii_error_free(error);
    return status != TORII_ERR_KEYS_PENDING;
}

static void park(struct server *server, struct evhttp_request *request)
{
    struct parked *parked = malloc(sizeof *parked);

    if (parked == NULL) {
        evhttp_send_error(request, 503, NULL);
        return;
    }
    parked->request = request;
    SLIST_INSERT_HEAD(&server->parked, parked, next);
}

static void handle(struct evhttp_request *request, void *arg)
{
    struct server *server = arg;
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));

    if (path != NULL && strcmp(path, "/health") == 0) {
        reply(request, 200, "text/plain", "ok");
    } else if (path == NULL || (strcmp(path, "/me") != 0 && strcmp(path, "/admin") != 0)) {
        evhttp_send_error(request, 404, NULL);
    } else if (!answer(server, request)) {
        park(server, request);
        start_due(server);
    }
}

/* After each fetch, successful or not. libevent keeps a request whose client has gone, and reply() frees it. */
static void retry_parked(struct server *server)
{
    struct parked_list waiting = server->parked;
    struct parked *parked;

    SLIST_INIT(&server->parked);
    while ((parked = SLIST_FIRST(&waiting)) != NULL) {
        SLIST_REMOVE_HEAD(&waiting, next);
        if (!answer(server, parked->request))
            park(server, parked->request);
        free(parked);
    }
}

/* ---- start ---------------------------------------------------------------------------------- */

static void stop(evutil_socket_t signal, short what, void *base)
{
    (void)signal;
    (void)what;
    event_base_loopbreak(base);
}

static bool configure(struct server *server, const char *issuer, torii_error_t **error)
{
    torii_verifier_options_t *options = torii_verifier_options_new();
    bool ready;

    server->admin = torii_requirements_new();
    ready = torii_verifier_options_set_background_refresh(options, false, error) == TORII_OK
            && torii_requirements_add_organization(server->admin, TORII_STR("0190d3c1-6a3e-7f4f-9c1b-8f1d2a3b4c5d"),
                                                   TORII_STR("admin"), error) == TORII_OK
            && torii_verifier_new(issuer, strlen(issuer), options, &server->verifier, error) == TORII_OK;
    torii_verifier_options_free(options);
    return ready;
}

int main(int argc, char **argv)
{
    struct server server = {0};
    struct event *sigterm = NULL;
    struct evhttp *http = NULL;
    torii_error_t *error = NULL;
    int result = 1;

    if (argc != 3)
        return fprintf(stderr, "usage: server ISSUER PORT\n"), 2;
    if (!configure(&server, argv[1], &error)) {
        fprintf(stderr, "%s\n", torii_error_message(error, NULL));
        goto done;
    }
    server.base = event_base_new();
    server.tls = SSL_CTX_new(TLS_client_method());
    if (server.base == NULL || server.tls == NULL || SSL_CTX_set_default_verify_paths(server.tls) != 1)
        goto done;
    SSL_CTX_set_min_proto_version(server.tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(server.tls, SSL_VERIFY_PEER, NULL);
    server.dns = evdns_base_new(server.base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    server.renewal = evtimer_new(server.base, renew, &server);
    sigterm = evsignal_new(server.base, SIGTERM, stop, server.base);
    http = evhttp_new(server.base);
    if (server.dns == NULL || server.renewal == NULL || sigterm == NULL || http == NULL
        || evhttp_bind_socket(http, "127.0.0.1", (uint16_t)strtoul(argv[2], NULL, 10)) != 0) {
        fprintf(stderr, "cannot serve port %s\n", argv[2]);
        goto done;
    }
    signal(SIGPIPE, SIG_IGN);
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_gencb(http, handle, &server);
    event_add(sigterm, NULL);
    start_due(&server); /* before the first request */
    result = event_base_dispatch(server.base) < 0;

done:
    torii_error_free(error);
    while (!SLIST_EMPTY(&server.parked)) {
        struct parked *parked = SLIST_FIRST(&server.parked);
        SLIST_REMOVE_HEAD(&server.parked, next);
        free(parked);
    }
    while (!LIST_EMPTY(&server.fetches))
        free_fetch(LIST_FIRST(&server.fetches));
    if (http != NULL)
        evhttp_free(http);
    if (sigterm != NULL)
        event_free(sigterm);
    if (server.renewal != NULL)
        event_free(server.renewal);
    if (server.dns != NULL)
        evdns_base_free(server.dns, 0);
    SSL_CTX_free(server.tls);
    if (server.base != NULL)
        event_base_free(server.base);
    torii_verifier_free(server.verifier);
    torii_requirements_free(server.admin);
    return result;
}
