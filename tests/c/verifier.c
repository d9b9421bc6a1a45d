/* Key fetches, against a live issuer, one for each test. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "emulator.h"

static const char *control; /* the emulator's control API */
static bool slowly;         /* everything takes longer, as under valgrind */

static void keys_are_fetched_once(void)
{
    char *issuer = new_issuer(control, "once");
    char *first = mint(control, "once", "{}"), *second = mint(control, "once", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL), *other = new_verifier(issuer, NULL);

    CHECK(key_requests(control, "once", 0) == 0);
    ACCEPT(verifier, first);
    CHECK(key_requests(control, "once", 0) == 1);
    for (int i = 0; i < 5; i++) {
        ACCEPT(verifier, first);
        ACCEPT(verifier, second);
        ACCEPT(other, first);
        ACCEPT_NOWAIT(other, second);
    }
    CHECK(key_requests(control, "once", 0) == 1);
    CHECK(stat_of(verifier, "/issuers/0/fetches") == 1);

    torii_jwks_cache_clear();
    long began = now_ms();
    ACCEPT(verifier, first);
    CHECK_OK(torii_verifier_refresh(verifier, err)); /* keys less than a second old will do */
    CHECK(key_requests(control, "once", 0) == 2 || now_ms() - began >= 1000);
    torii_verifier_free(verifier);
    torii_verifier_free(other);
    free(first);
    free(second);
    free(issuer);
}

static int64_t clock_of_the_test(void *now)
{
    return *(int64_t *)now;
}

/* A cached token is not valid for longer. */
static void a_known_token_expires(void)
{
    char *issuer = new_issuer(control, "expiry"), *token = mint(control, "expiry", "{}");
    torii_verifier_options_t *options = new_options();
    torii_auth_t *auth = NULL;
    int64_t now = time(NULL);

    CHECK(torii_verifier_options_set_clock(options, clock_of_the_test, &now, NULL) == TORII_OK);
    torii_verifier_t *verifier = new_verifier(issuer, options);
    CHECK_OK(torii_verify_token(verifier, token, strlen(token), &auth, err));
    now = torii_auth_expires_at(auth) + 29; /* within the leeway */
    ACCEPT(verifier, token);
    CHECK(stat_of(verifier, "/hits") == 1);
    now++;
    REFUSE_NOWAIT(verifier, token, TORII_ERR_TOKEN_EXPIRED, "expired 30 s ago");
    CHECK(stat_of(verifier, "/cached_tokens") == 0);
    now = torii_auth_issued_at(auth) - 30;
    ACCEPT(verifier, token);
    now--;
    REFUSE(verifier, token, TORII_ERR_TOKEN_NOT_YET_VALID, "31 s in the future");
    torii_auth_free(auth);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
}

/* Two results of one token are freed one by one, and outlive the verifier. */
static void results_of_one_token_are_independent(void)
{
    char *issuer = new_issuer(control, "results"), *token = mint(control, "results", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    torii_auth_t *auth[3] = {NULL, NULL, NULL};
    char user[64];

    for (int n = 0; n < 3; n++)
        CHECK_OK(torii_verify_token(verifier, token, strlen(token), &auth[n], err));
    snprintf(user, sizeof user, "%s", torii_auth_user_id(auth[0], NULL));
    torii_auth_free(auth[1]);
    torii_verifier_free(verifier);
    CHECK(strcmp(torii_auth_user_id(auth[0], NULL), user) == 0);
    torii_auth_free(auth[0]);
    CHECK(strcmp(torii_auth_user_id(auth[2], NULL), user) == 0);
    CHECK(strlen(torii_auth_claims_json(auth[2], NULL)) > 2);
    torii_auth_free(auth[2]);
    free(token);
    free(issuer);
}

/* A refresh accepts keys that were fetched within the last second, so this may take several. */
static void refresh_until(const torii_verifier_t *verifier, const char *name, long requests)
{
    UNTIL(torii_verifier_refresh(verifier, NULL) == TORII_OK
          && key_requests(control, name, 0) >= requests);
    CHECK(key_requests(control, name, 0) == requests);
}

static void a_new_key_is_found(void)
{
    char *issuer = new_issuer(control, "rotation");
    char *old = mint(control, "rotation", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);

    ACCEPT(verifier, old);
    free(new_key(control, "rotation", "true"));
    char *new = mint(control, "rotation", "{}");
    ACCEPT(verifier, new);
    CHECK(key_requests(control, "rotation", 0) == 2);
    ACCEPT(verifier, old);
    ACCEPT(verifier, new);
    CHECK(key_requests(control, "rotation", 0) == 2);
    CHECK(stat_of(verifier, "/issuers/0/keys") == 2);

    /* Within 30 seconds no token causes another fetch; an explicit refresh does. */
    free(new_key(control, "rotation", "true"));
    char *newest = mint(control, "rotation", "{}");
    REFUSE(verifier, newest, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
    CHECK(key_requests(control, "rotation", 0) == 2);
    refresh_until(verifier, "rotation", 3);
    ACCEPT(verifier, newest);
    torii_verifier_free(verifier);
    free(old);
    free(new);
    free(newest);
    free(issuer);
}

static void an_unknown_key_costs_one_fetch(void)
{
    char *issuer = new_issuer(control, "unknown");
    char *good = mint(control, "unknown", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);

    ACCEPT(verifier, good);
    for (int i = 0; i < 20; i++) {
        char how[64];
        snprintf(how, sizeof how, "{\"header\":{\"kid\":\"nobody's %d\"}}", i);
        char *bad = mint(control, "unknown", how);
        REFUSE(verifier, bad, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
        REFUSE_NOWAIT(verifier, bad, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
        free(bad);
    }
    CHECK(key_requests(control, "unknown", 0) == 2);
    ACCEPT(verifier, good);
    CHECK(stat_of(verifier, "/refused/TORII_ERR_TOKEN_KEY_UNKNOWN") == 80);
    torii_verifier_free(verifier);
    free(good);
    free(issuer);
}

static void a_removed_key_is_trusted_no_more(void)
{
    char *issuer = new_issuer(control, "removal");
    char *token = mint(control, "removal", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    char *card = tell("GET", control, "/issuers/removal", "");
    char *kid = member(card, "kid"), path[128];

    ACCEPT(verifier, token);
    free(new_key(control, "removal", "true"));
    snprintf(path, sizeof path, "/issuers/removal/keys/%s", kid);
    free(tell("DELETE", control, path, ""));
    ACCEPT(verifier, token); /* it is not known yet */
    refresh_until(verifier, "removal", 2);
    CHECK(stat_of(verifier, "/hits") == 1);
    REFUSE(verifier, token, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
    CHECK(stat_of(verifier, "/cached_tokens") == 0);
    torii_verifier_free(verifier);
    free(card);
    free(kid);
    free(token);
    free(issuer);
}

/* A port of this host without a server. */
static unsigned closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(listener >= 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    close(listener);
    return ntohs(address.sin_port);
}

static void a_dead_issuer_is_named(void)
{
    const int failed_before = slowly ? 2 : 0; /* for a longer pause */
    char issuer[64], how[128];
    torii_auth_t *auth = GARBAGE;
    torii_error_t *error = NULL;

    free(new_issuer(control, "dead"));
    snprintf(issuer, sizeof issuer, "http://127.0.0.1:%u/dead", closed_port());
    snprintf(how, sizeof how, "{\"claims\":{\"iss\":\"%s\"}}", issuer);
    char *token = mint(control, "dead", how);
    torii_verifier_t *verifier = new_verifier(issuer, NULL);

    for (int i = 0; i < failed_before; i++) {
        REFUSE(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, "refused");
        UNTIL(are_due(verifier));
    }
    CHECK(torii_verify_token(verifier, token, strlen(token), &auth, &error)
          == TORII_ERR_KEYS_UNAVAILABLE);
    CHECK(auth == NULL);
    CHECK(torii_error_retry_after(error) >= 1);
    CHECK(torii_error_retry_after(error) <= 2 << failed_before);
    CHECK(strstr(torii_error_message(error, NULL), issuer) != NULL);
    CHECK(strstr(torii_error_message(error, NULL), "refused") != NULL);

    /* Until then no call asks again. */
    REFUSE(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, "refused");
    REFUSE_NOWAIT(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, "refused");
    CHECK_FAILS(TORII_ERR_KEYS_UNAVAILABLE, "refused", torii_verifier_refresh(verifier, err));
    CHECK(stat_of(verifier, "/issuers/0/fetches") == failed_before + 1);
    CHECK(stat_of(verifier, "/issuers/0/failures") == failed_before + 1);

    CHECK(stat_of(verifier, "/issuers/0/due_in_ms") <= 1000 * torii_error_retry_after(error));
    torii_error_free(error);
    UNTIL(are_due(verifier));
    REFUSE(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, "refused");
    CHECK(stat_of(verifier, "/issuers/0/fetches") == failed_before + 2);
    torii_verifier_free(verifier);
    free(token);
}

static void a_bad_answer_is_a_failure(void)
{
    static const struct {
        const char *name, *fault, *reason;
    } faults[] = {
        {"hang", "\"kind\":\"hang\"", "no answer within"},
        {"drip", "\"kind\":\"drip\",\"ms\":100", "no answer within"},
        {"status", "\"kind\":\"status\",\"status\":500", "HTTP status 500"},
        {"redirect",
         "\"kind\":\"status\",\"status\":302,\"headers\":{\"location\":\"/once/x\"}",
         "HTTP status 302 (expected 200; redirects are not followed)"},
        {"none", "\"kind\":\"replace\",\"body\":\"{\\\"keys\\\":[]}\"", "no usable key"},
        {"html", "\"kind\":\"replace\",\"body\":\"<html>\"", "not a JSON object"},
        {"long", "\"kind\":\"oversize\",\"bytes\":262145", "longer than 262144 bytes"},
        {"truncated", "\"kind\":\"truncate\"", ""},
        {"close", "\"kind\":\"close\"", ""},
        {"reset", "\"kind\":\"reset\"", ""},
        {"raw", "\"kind\":\"raw\",\"text\":\"SSH-2.0-x\\r\\n\"", ""},
    };

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char name[32];
        torii_verifier_options_t *options = new_options();

        snprintf(name, sizeof name, "bad-%s", faults[i].name);
        if (strstr(faults[i].reason, "no answer") != NULL)
            CHECK_OK(torii_verifier_options_set_fetch_timeout_ms(options, 5000, err));
        char *issuer = new_issuer(control, name), *token = mint(control, name, "{}");
        torii_verifier_t *verifier = new_verifier(issuer, options);
        keys_fault(control, name, 1, faults[i].fault);
        REFUSE_ONCE(torii_verify_token, verifier, token, TORII_ERR_KEYS_UNAVAILABLE,
                    faults[i].reason);
        CHECK(key_requests(control, name, 0) == 1);
        CHECK(stat_of(verifier, "/issuers/0/failures") == 1);
        torii_verifier_free(verifier);
        free(issuer);
        free(token);
    }
}

static void good_keys_outlive_a_failure(void)
{
    char *issuer = new_issuer(control, "stale"), *token = mint(control, "stale", "{}");
    torii_verifier_options_t *options = new_options();

    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 1, err));
    torii_verifier_t *lenient = new_verifier(issuer, options);
    options = new_options();
    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 1, err));
    CHECK_OK(torii_verifier_options_set_max_stale_seconds(options, 0, err));
    torii_verifier_t *strict = new_verifier(issuer, options);

    ACCEPT(lenient, token);
    ACCEPT(strict, token);
    serve_keys(control, "stale", "{\"body\":\"down\"}");
    UNTIL(stat_of(lenient, "/issuers/0/key_age") >= 1);
    ACCEPT(lenient, token);
    CHECK(key_requests(control, "stale", 2) >= 2);
    REFUSE(strict, token, TORII_ERR_KEYS_UNAVAILABLE, issuer);
    ACCEPT(lenient, token);
    ACCEPT_NOWAIT(lenient, token);
    torii_verifier_free(lenient);
    torii_verifier_free(strict);
    free(token);
    free(issuer);
}

static void keys_are_renewed_ahead(void)
{
    char *issuer = new_issuer(control, "ahead"), *token = mint(control, "ahead", "{}");
    torii_verifier_options_t *options = new_options();

    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 1, err));
    torii_verifier_t *verifier = new_verifier(issuer, options);
    ACCEPT(verifier, token);
    UNTIL(are_due(verifier));
    ACCEPT(verifier, token);
    CHECK(key_requests(control, "ahead", 2) == 2);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
}

static void who_does_not_wait_is_told(void)
{
    char *issuer = new_issuer(control, "nowait"), *token = mint(control, "nowait", "{}");
    char value[4096];
    torii_auth_t *auth = GARBAGE;
    torii_status_t status;

    /* Without a library thread, a caller has to fetch. */
    torii_verifier_t *verifier = new_verifier(issuer, host_options());
    REFUSE_NOWAIT(verifier, token, TORII_ERR_KEYS_PENDING, "keys");
    REFUSE_NOWAIT(verifier, token, TORII_ERR_KEYS_PENDING, "keys");
    CHECK(key_requests(control, "nowait", 0) == 0);
    CHECK_OK(torii_verifier_refresh(verifier, err));
    ACCEPT_NOWAIT(verifier, token);
    CHECK(key_requests(control, "nowait", 0) == 1);
    torii_verifier_free(verifier);

    /* With one, the first call starts it. */
    torii_jwks_cache_clear();
    verifier = new_verifier(issuer, NULL);
    snprintf(value, sizeof value, "bearer  %s", token);
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_PENDING, "keys",
                     torii_verifier_authenticate_nowait(verifier, value, strlen(value), &auth, err));
    CHECK(auth == NULL);
    CHECK(key_requests(control, "nowait", 2) == 2);
    UNTIL((status = torii_verifier_authenticate_nowait(verifier, value, strlen(value), &auth, NULL))
          != TORII_ERR_KEYS_PENDING);
    CHECK(status == TORII_OK);
    torii_auth_free(auth);
    CHECK_OK(torii_verifier_authenticate(verifier, value, strlen(value), &auth, err));
    torii_auth_free(auth);
    CHECK(key_requests(control, "nowait", 0) == 2);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
}

static void statistics_tell_it_all(void)
{
    char *issuer = new_issuer(control, "statistics"), *first = mint(control, "statistics", "{}");
    char *second = mint(control, "statistics", "{}");
    char *late = mint(control, "statistics", "{\"now_offset\":-1000}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    torii_json_t *stats = NULL;
    size_t length = 1;

    CHECK_OK(torii_verifier_stats_json(verifier, &stats, err));
    CHECK(torii_json_is_null(stats, TORII_STR("/issuers/0/key_age")));
    CHECK(!torii_json_is_null(stats, TORII_STR("/issuers/0/due_in_ms")));
    CHECK_OK(torii_json_length(stats, TORII_STR("/refused"), &length, err));
    CHECK(length == 0);
    torii_json_free(stats);

    free(new_key(control, "statistics", "false"));
    ACCEPT(verifier, first);
    ACCEPT(verifier, first);
    ACCEPT(verifier, second);
    REFUSE(verifier, late, TORII_ERR_TOKEN_EXPIRED, "`exp`");
    REFUSE(verifier, "a.b", TORII_ERR_TOKEN_MALFORMED, "dots");
    CHECK(stat_of(verifier, "/accepted") == 3);
    CHECK(stat_of(verifier, "/hits") == 1);
    CHECK(stat_of(verifier, "/refused/TORII_ERR_TOKEN_EXPIRED") == 2);
    CHECK(stat_of(verifier, "/refused/TORII_ERR_TOKEN_MALFORMED") == 2);
    CHECK(stat_of(verifier, "/cached_tokens") == 2);
    CHECK(stat_of(verifier, "/cache_bytes") > 2 * (int64_t)strlen(first));
    CHECK(stat_of(verifier, "/issuers/0/keys") == 2);
    CHECK(stat_of(verifier, "/issuers/0/skipped") == 0);
    CHECK(stat_of(verifier, "/issuers/0/key_age") <= 60);
    CHECK(stat_of(verifier, "/issuers/0/due_in_ms") > 60000);
    CHECK(stat_of(verifier, "/issuers/0/fetches") == 1);
    CHECK(stat_of(verifier, "/issuers/0/failures") == 0);
    CHECK_OK(torii_verifier_stats_json(verifier, &stats, err));
    CHECK_TEXT(torii_json_string(stats, TORII_STR("/issuers/0/issuer"), NULL), issuer);
    CHECK_OK(torii_json_length(stats, TORII_STR("/issuers"), &length, err));
    CHECK(length == 1);
    CHECK_OK(torii_json_length(stats, TORII_STR("/refused"), &length, err));
    CHECK(length == 2);
    CHECK_OK(torii_json_length(stats, TORII_STR(""), &length, err));
    CHECK(length == 9);

    /* They outlive the verifier. */
    torii_verifier_free(verifier);
    CHECK(torii_json_text(stats, NULL)[0] == '{');
    torii_json_free(stats);
    free(first);
    free(second);
    free(late);
    free(issuer);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    slowly = getenv("TORII_TEST_REDUCED") != NULL;
    keys_are_fetched_once();
    a_known_token_expires();
    results_of_one_token_are_independent();
    a_new_key_is_found();
    an_unknown_key_costs_one_fetch();
    a_removed_key_is_trusted_no_more();
    a_dead_issuer_is_named();
    a_bad_answer_is_a_failure();
    good_keys_outlive_a_failure();
    keys_are_renewed_ahead();
    who_does_not_wait_is_told();
    statistics_tell_it_all();
    return 0;
}
