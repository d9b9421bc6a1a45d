/* Key fetches that the host performs: torii_fetch_t. Each answer belongs to its own fetch. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <sys/wait.h>

#include "check.h"
#include "emulator.h"

static const char *control; /* the emulator's control API */

/* A verifier that the host fetches for, the issuer, and a token. */
struct world {
    char *issuer, *token;
    torii_verifier_t *verifier;
};

static struct world new_world(const char *name)
{
    struct world world = {new_issuer(control, name), mint(control, name, "{}"), NULL};
    world.verifier = new_verifier(world.issuer, host_options());
    return world;
}

static void free_world(struct world world)
{
    torii_verifier_free(world.verifier);
    free(world.token);
    free(world.issuer);
}

static torii_fetch_t *claim(const torii_verifier_t *verifier)
{
    torii_fetch_t *fetch = torii_verifier_claim_fetch(verifier);
    CHECK(fetch != NULL);
    return fetch;
}

static void nothing_is_due(const torii_verifier_t *verifier)
{
    CHECK(torii_verifier_claim_fetch(verifier) == NULL);
}

/* Makes the request of a fetch. */
static struct answer fetch_as_host(const torii_fetch_t *fetch)
{
    const char *etag = torii_fetch_etag(fetch, NULL);
    char header[256] = "";

    if (etag != NULL)
        snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
    return request("GET", torii_fetch_url(fetch, NULL), header, "");
}

static char *etag_of(struct answer answer)
{
    char *etag = strstr(answer.head, "etag: ");
    CHECK(etag != NULL);
    etag = strdup(etag + strlen("etag: "));
    CHECK(etag != NULL);
    etag[strcspn(etag, "\r")] = '\0';
    return etag;
}

/* Hands over a 200 with these keys. */
static torii_status_t done_with(torii_fetch_t *fetch, const char *keys, torii_error_t **err)
{
    return torii_fetch_done(fetch, 200, keys, strlen(keys), NULL, 0, -1, -1, err);
}

/* Fetches, hands the answer over, and frees the fetch. Returns the entity tag, to be freed. */
static char *complete(torii_fetch_t *fetch)
{
    struct answer answer = fetch_as_host(fetch);
    char *etag = etag_of(answer);

    CHECK(answer.status == 200);
    CHECK_OK(torii_fetch_done(fetch, 200, answer.body, strlen(answer.body), etag, strlen(etag), 300,
                              0, err));
    memset(answer.body, 'x', strlen(answer.body)); /* the library has copied it */
    free(answer.head);
    torii_fetch_free(fetch);
    return etag;
}

static void *claim_on_thread(void *verifier)
{
    return torii_verifier_claim_fetch(verifier);
}

static void one_thread_gets_the_fetch(void)
{
    struct world world = new_world("one");
    torii_verifier_t *second = new_verifier(world.issuer, host_options());
    torii_fetch_t *fetch = NULL;
    pthread_t threads[8];
    char url[256];
    size_t length = 0;
    int count = 0;

    REFUSE_NOWAIT(world.verifier, world.token, TORII_ERR_KEYS_PENDING, "keys");
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, claim_on_thread, i % 2 ? second : world.verifier)
              == 0);
    for (int i = 0; i < 8; i++) {
        void *got = NULL;
        CHECK(pthread_join(threads[i], &got) == 0);
        if (got != NULL) {
            fetch = got;
            count++;
        }
    }
    CHECK(count == 1);
    nothing_is_due(world.verifier);
    nothing_is_due(second);

    snprintf(url, sizeof url, "%s/_torii/.well-known/jwks.json", world.issuer);
    CHECK_TEXT(torii_fetch_url(fetch, &length), url);
    CHECK(length == strlen(url));
    CHECK(torii_fetch_etag(fetch, &length) == NULL && length == 0);
    free(complete(fetch));
    ACCEPT_NOWAIT(world.verifier, world.token);
    ACCEPT_NOWAIT(second, world.token);
    nothing_is_due(second);
    torii_verifier_free(second);
    free_world(world);
}

static void a_304_renews(void)
{
    char *issuer = new_issuer(control, "renew"), *token = mint(control, "renew", "{}");
    torii_verifier_options_t *options = host_options();
    size_t length = 0;

    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 10, err));
    torii_verifier_t *verifier = new_verifier(issuer, options);
    char *etag = complete(claim(verifier));
    UNTIL(torii_verifier_due_in_ms(verifier) == 0);
    torii_fetch_t *fetch = claim(verifier);
    CHECK_TEXT(torii_fetch_etag(fetch, &length), etag);
    CHECK(length == strlen(etag));
    struct answer answer = fetch_as_host(fetch);
    CHECK(answer.status == 304);
    free(answer.head);
    CHECK_OK(torii_fetch_done(fetch, 304, NULL, 0, etag, strlen(etag), -1, -1, err));
    torii_fetch_free(fetch);
    ACCEPT_NOWAIT(verifier, token);
    CHECK(stat_of(verifier, "/issuers/0/fetches") == 2);
    CHECK(stat_of(verifier, "/issuers/0/failures") == 0);

    /* A useless answer leaves the keys in use, and is followed by a pause. */
    UNTIL(torii_verifier_due_in_ms(verifier) == 0);
    fetch = claim(verifier);
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, "not a JSON object",
                     done_with(fetch, "<html>", err));
    torii_fetch_free(fetch);
    nothing_is_due(verifier);
    CHECK(torii_verifier_due_in_ms(verifier) > 0);
    ACCEPT_NOWAIT(verifier, token);
    torii_verifier_free(verifier);
    free(etag);
    free(token);
    free(issuer);
}

static void a_useless_answer_is_named(void)
{
    static const struct {
        uint32_t status;
        const char *body, *reason;
    } answers[] = {
        {304, "", "304"},
        {302, "", "302"},
        {404, "{\"keys\":[]}", "404"},
        {503, "", "503"},
        {0, "", "0"},
        {200, "", "not a JSON object"},
        {200, "{\"keys\":[]}", "no usable key"},
    };
    char name[32];

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        snprintf(name, sizeof name, "useless-%zu", i);
        struct world world = new_world(name);
        torii_fetch_t *fetch = claim(world.verifier);
        CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, answers[i].reason,
                         torii_fetch_done(fetch, answers[i].status, answers[i].body,
                                          strlen(answers[i].body), NULL, 0, 300, -1, err));
        torii_fetch_free(fetch);
        REFUSE_ONCE(torii_verify_token_nowait, world.verifier, world.token,
                    TORII_ERR_KEYS_UNAVAILABLE, answers[i].reason);
        free_world(world);
    }
}

static void a_fetch_is_done_once(void)
{
    struct world world = new_world("twice");
    char *keys = published_keys(world.issuer);
    torii_fetch_t *fetch = claim(world.verifier);

    CHECK_FAILS_ONCE(TORII_ERR_INVALID_ARGUMENT, "http_status",
                     torii_fetch_done(fetch, 70000, keys, strlen(keys), NULL, 0, -1, -1, err));
    CHECK_OK(done_with(fetch, keys, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "fetch", done_with(fetch, keys, err));
    ACCEPT_NOWAIT(world.verifier, world.token);
    torii_fetch_free(fetch);
    CHECK(stat_of(world.verifier, "/issuers/0/fetches") == 1);
    free(keys);
    free_world(world);
}

/* A fetch that is freed without an answer has failed. */
static void a_host_gives_up(void)
{
    struct world world = new_world("gives-up");

    torii_fetch_free(claim(world.verifier));
    REFUSE_ONCE(torii_verify_token_nowait, world.verifier, world.token,
                TORII_ERR_KEYS_UNAVAILABLE, world.issuer);
    CHECK(stat_of(world.verifier, "/issuers/0/failures") == 1);
    nothing_is_due(world.verifier);
    free_world(world);
}

/* Keys that come for one issuer never become those of another, in any order. */
static void an_answer_reaches_its_own_issuer(void)
{
    char *a = new_issuer(control, "issuer-a"), *b = new_issuer(control, "issuer-b"), how[256];
    char *of_a = mint(control, "issuer-a", "{}"), *of_b = mint(control, "issuer-b", "{}");
    char *keys_of_a = published_keys(a), *keys_of_b = published_keys(b), path[256];
    torii_verifier_options_t *options = host_options();

    /* A token that says it is of B and is signed by A, with A's key id. */
    snprintf(how, sizeof how, "{\"claims\":{\"iss\":\"%s\"}}", b);
    char *forged = mint(control, "issuer-a", how);
    CHECK_OK(torii_verifier_options_add_issuer(options, b, strlen(b), err));
    torii_verifier_t *both = new_verifier(a, options);
    torii_verifier_t *only_b = new_verifier(b, host_options());

    torii_fetch_t *first = claim(both), *second = claim(both);
    nothing_is_due(both);
    snprintf(path, sizeof path, "%s/_torii/.well-known/jwks.json", a);
    CHECK_TEXT(torii_fetch_url(first, NULL), path);
    snprintf(path, sizeof path, "%s/_torii/.well-known/jwks.json", b);
    CHECK_TEXT(torii_fetch_url(second, NULL), path);

    CHECK_OK(done_with(first, keys_of_a, err)); /* while B's is in flight */
    REFUSE_NOWAIT(both, forged, TORII_ERR_KEYS_PENDING, "keys");
    nothing_is_due(only_b);
    REFUSE_NOWAIT(only_b, forged, TORII_ERR_KEYS_PENDING, "keys");
    CHECK_OK(done_with(second, keys_of_b, err));
    ACCEPT_NOWAIT(both, of_a);
    ACCEPT_NOWAIT(both, of_b);
    nothing_is_due(only_b);
    ACCEPT_NOWAIT(only_b, of_b);
    torii_fetch_free(first);
    torii_fetch_free(second);

    /* The key is not B's; a missed key makes a fetch due, for B alone. */
    REFUSE_NOWAIT(both, forged, TORII_ERR_KEYS_PENDING, "keys");
    second = claim(both);
    CHECK_TEXT(torii_fetch_url(second, NULL), path);
    CHECK_OK(done_with(second, keys_of_b, err));
    torii_fetch_free(second);
    REFUSE_NOWAIT(both, forged, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
    torii_verifier_free(both);
    torii_verifier_free(only_b);
    free(forged);
    free(of_a);
    free(of_b);
    free(keys_of_a);
    free(keys_of_b);
    free(a);
    free(b);
}

static void a_fetch_outlives_its_verifier(void)
{
    struct world world = new_world("outlives");
    torii_verifier_t *other = new_verifier(world.issuer, host_options());
    torii_fetch_t *fetch = claim(world.verifier);

    REFUSE_NOWAIT(other, world.token, TORII_ERR_KEYS_PENDING, "keys");
    nothing_is_due(other);
    torii_verifier_free(world.verifier);
    free(complete(fetch));
    ACCEPT_NOWAIT(other, world.token);

    /* Even the last one. */
    world.verifier = new_verifier(world.issuer, host_options());
    torii_verifier_free(other);
    torii_jwks_cache_clear();
    fetch = claim(world.verifier);
    torii_verifier_free(world.verifier);
    world.verifier = NULL;
    CHECK(strstr(torii_fetch_url(fetch, NULL), world.issuer) != NULL);
    torii_fetch_free(fetch);
    free_world(world);
}

static void a_cleared_fetch_stores_nothing(void)
{
    struct world world = new_world("cleared");
    char *keys = published_keys(world.issuer);
    torii_fetch_t *late = claim(world.verifier);

    torii_jwks_cache_clear();
    torii_fetch_t *next = claim(world.verifier);
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, "", done_with(late, keys, err));
    REFUSE_NOWAIT(world.verifier, world.token, TORII_ERR_KEYS_PENDING, "keys");
    torii_fetch_free(late); /* which does not end the other fetch */
    nothing_is_due(world.verifier);
    CHECK_OK(done_with(next, keys, err));
    ACCEPT_NOWAIT(world.verifier, world.token);
    torii_fetch_free(next);
    free(keys);
    free_world(world);
}

static void a_child_stores_nothing(void)
{
    struct world world = new_world("forked");
    char *keys = published_keys(world.issuer);
    torii_fetch_t *fetch = claim(world.verifier);
    int status = 0;

    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, "", done_with(fetch, keys, err));
        torii_fetch_free(fetch);
        torii_fetch_t *own = claim(world.verifier); /* the child's own fetch */
        CHECK_OK(done_with(own, keys, err));
        ACCEPT_NOWAIT(world.verifier, world.token);
        torii_fetch_free(own);
        /* As another program, since a leak checker would count what the parent's state takes. */
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    REFUSE_NOWAIT(world.verifier, world.token, TORII_ERR_KEYS_PENDING, "keys");
    CHECK_OK(done_with(fetch, keys, err));
    ACCEPT_NOWAIT(world.verifier, world.token);
    torii_fetch_free(fetch);
    free(keys);
    free_world(world);
}

/* Keys that a host fetched and keys that the library fetched are kept apart. */
static void hosts_and_the_library_are_not_mixed(void)
{
    struct world world = new_world("apart");
    torii_verifier_t *library = new_verifier(world.issuer, NULL);

    free(complete(claim(world.verifier)));
    long requests = key_requests(control, "apart", 0);
    ACCEPT(library, world.token);
    CHECK(key_requests(control, "apart", 0) == requests + 1);
    torii_verifier_free(library);
    free_world(world);
}

static void arguments_are_checked(void)
{
    size_t length = 1;

    CHECK(torii_verifier_claim_fetch(NULL) == NULL);
    CHECK(torii_fetch_url(NULL, &length) == NULL && length == 0);
    CHECK(torii_fetch_etag(NULL, NULL) == NULL);
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "fetch", done_with(NULL, "{}", err));
    CHECK(torii_verifier_due_in_ms(NULL) == -1);
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "verifier",
                torii_verifier_refresh_due(NULL, NULL, 0, err));
    torii_fetch_free(NULL);

    struct world world = new_world("fetch-arguments");
    torii_fetch_t *fetch = claim(world.verifier);
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "body",
                torii_fetch_done(fetch, 200, "{}", TORII_NUL_TERMINATED, NULL, 0, -1, -1, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "body",
                torii_fetch_done(fetch, 200, NULL, 1, NULL, 0, -1, -1, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "issuer",
                torii_verifier_refresh_due(world.verifier, TORII_STR("https://other.example"), err));
    torii_fetch_free(fetch);
    free_world(world);
}

/* The job of a thread pool for a parked request. */
static void a_pool_fetches_what_is_due(void)
{
    char *issuer = new_issuer(control, "pool"), *token = mint(control, "pool", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, host_options());
    torii_error_t *error = NULL;
    torii_auth_t *auth = NULL;

    CHECK(torii_verifier_due_in_ms(verifier) == 0);
    CHECK(torii_verify_token_nowait(verifier, token, strlen(token), &auth, &error)
          == TORII_ERR_KEYS_PENDING);
    CHECK_TEXT(torii_error_issuer(error, NULL), issuer);
    CHECK_OK(torii_verifier_refresh_due(verifier, torii_error_issuer(error, NULL),
                                        TORII_NUL_TERMINATED, err));
    torii_error_free(error);
    ACCEPT_NOWAIT(verifier, token);
    CHECK(torii_verifier_due_in_ms(verifier) > 0);
    for (int i = 0; i < 5; i++)
        CHECK_OK(torii_verifier_refresh_due(verifier, NULL, 0, err));
    CHECK(key_requests(control, "pool", 0) == 1);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    arguments_are_checked();
    one_thread_gets_the_fetch();
    a_304_renews();
    a_useless_answer_is_named();
    a_fetch_is_done_once();
    a_host_gives_up();
    an_answer_reaches_its_own_issuer();
    a_fetch_outlives_its_verifier();
    a_cleared_fetch_stores_nothing();
    a_child_stores_nothing();
    hosts_and_the_library_are_not_mixed();
    a_pool_fetches_what_is_due();
    return 0;
}
