/* Behavior over minutes and hours, on a clock that the test moves. Needs a library that was built with the
 * feature `test-hooks`. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "emulator.h"

extern void torii_test_advance_clock(uint64_t milliseconds); /* not in the header */

static const char *control; /* the emulator's control API */

static void advance(unsigned seconds)
{
    torii_test_advance_clock(UINT64_C(1000) * seconds);
}

static void an_unknown_key_costs_a_fetch_every_30_seconds(void)
{
    char *issuer = new_issuer(control, "30-seconds"), *good = mint(control, "30-seconds", "{}");
    char *bad = mint(control, "30-seconds", "{\"header\":{\"kid\":\"nobody's\"}}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);

    ACCEPT(verifier, good);
    for (long fetches = 2; fetches < 5; fetches++) {
        REFUSE(verifier, bad, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
        CHECK(key_requests(control, "30-seconds", 0) == fetches);
        advance(20);
        REFUSE(verifier, bad, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
        CHECK(key_requests(control, "30-seconds", 0) == fetches);
        advance(11);
    }

    /* A key that came meanwhile is found now. */
    free(new_key(control, "30-seconds", "true"));
    char *new = mint(control, "30-seconds", "{}");
    ACCEPT(verifier, new);
    CHECK(key_requests(control, "30-seconds", 0) == 5);
    torii_verifier_free(verifier);
    free(new);
    free(bad);
    free(good);
    free(issuer);
}

/* Waits for a fetch that a thread of the library's makes. */
static void await_fetches(const torii_verifier_t *verifier, int64_t fetches)
{
    UNTIL(stat_of(verifier, "/issuers/0/fetches") >= fetches);
}

static void keys_last_as_long_as_the_issuer_says(void)
{
    char *issuer = new_issuer(control, "lifetime"), *token = mint(control, "lifetime", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);

    /* 300 seconds, as the emulator's Cache-Control says; the keys are refreshed in the last fifth. */
    ACCEPT(verifier, token);
    advance(230);
    ACCEPT(verifier, token);
    CHECK(key_requests(control, "lifetime", 0) == 1);
    advance(15);
    ACCEPT(verifier, token);
    await_fetches(verifier, 2);
    CHECK(stat_of(verifier, "/issuers/0/key_age") < 200);

    /* No lifetime exceeds an hour. */
    serve_keys(control, "lifetime", "{\"cache_control\":\"max-age=86400\"}");
    advance(301);
    ACCEPT(verifier, token);
    CHECK(key_requests(control, "lifetime", 0) == 3);
    advance(2800);
    ACCEPT(verifier, token);
    CHECK(key_requests(control, "lifetime", 0) == 3);
    advance(900);
    ACCEPT(verifier, token);
    CHECK(key_requests(control, "lifetime", 0) == 4);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
}

static void an_outage_is_bridged_for_a_day(void)
{
    char *issuer = new_issuer(control, "outage"), *token = mint(control, "outage", "{}");
    torii_verifier_options_t *options = host_options();
    int64_t longest = 0;

    CHECK_OK(torii_verifier_options_set_max_stale_seconds(options, 3600, err));
    torii_verifier_t *verifier = new_verifier(issuer, host_options());
    torii_verifier_t *strict = new_verifier(issuer, options);
    ACCEPT(verifier, token);
    serve_keys(control, "outage", "{\"body\":\"down\"}");
    advance(3500);
    ACCEPT(verifier, token);
    ACCEPT(strict, token);
    advance(200);
    ACCEPT(verifier, token);
    REFUSE(strict, token, TORII_ERR_KEYS_UNAVAILABLE, issuer);
    advance(82600);
    ACCEPT(verifier, token);

    /* The pauses between attempts grow to a minute. */
    advance(200);
    for (int i = 0; i < 12; i++) {
        torii_auth_t *auth = NULL;
        torii_error_t *error = NULL;
        CHECK(torii_verify_token(verifier, token, strlen(token), &auth, &error)
              == TORII_ERR_KEYS_UNAVAILABLE);
        int64_t pause = torii_error_retry_after(error);
        torii_error_free(error);
        CHECK(pause >= 1 && pause <= 75);
        longest = pause > longest ? pause : longest;
        int64_t failures = stat_of(verifier, "/issuers/0/failures");
        REFUSE(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, issuer);
        CHECK(stat_of(verifier, "/issuers/0/failures") == failures);
        advance((unsigned)pause);
        REFUSE(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, issuer);
        CHECK(stat_of(verifier, "/issuers/0/failures") == failures + 1);
    }
    CHECK(longest >= 45);

    serve_keys(control, "outage", "{}");
    advance(76);
    ACCEPT(verifier, token);
    ACCEPT(strict, token);
    torii_verifier_free(verifier);
    torii_verifier_free(strict);
    free(token);
    free(issuer);
}

/* A late answer belongs to its own fetch and to no other. */
static void a_host_has_30_seconds(void)
{
    char *issuer = new_issuer(control, "slow-host"), *token = mint(control, "slow-host", "{}");
    char *keys = published_keys(issuer);
    torii_verifier_t *verifier = new_verifier(issuer, host_options());

    torii_fetch_t *slow = torii_verifier_claim_fetch(verifier);
    CHECK(slow != NULL);
    advance(20);
    CHECK(torii_verifier_claim_fetch(verifier) == NULL);
    REFUSE_NOWAIT(verifier, token, TORII_ERR_KEYS_PENDING, "keys");
    advance(11);
    CHECK(torii_verifier_claim_fetch(verifier) == NULL); /* it has failed: there is a pause */
    REFUSE_NOWAIT(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, issuer);
    advance(2);
    torii_fetch_t *quick = torii_verifier_claim_fetch(verifier);
    CHECK(quick != NULL);
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, "",
                     torii_fetch_done(slow, 200, keys, strlen(keys), NULL, 0, -1, -1, err));
    REFUSE_NOWAIT(verifier, token, TORII_ERR_KEYS_PENDING, "keys");
    torii_fetch_free(slow); /* which does not end the other */
    CHECK(torii_verifier_claim_fetch(verifier) == NULL);
    CHECK_OK(torii_fetch_done(quick, 200, keys, strlen(keys), NULL, 0, -1, -1, err));
    ACCEPT_NOWAIT(verifier, token);
    torii_fetch_free(quick);
    torii_verifier_free(verifier);
    free(keys);
    free(token);
    free(issuer);
}

/* Two issuers, and the answer for the first comes after 31 seconds: it belongs to neither. */
static void a_late_answer_is_not_taken_for_another_issuer(void)
{
    char *a = new_issuer(control, "late-a"), *b = new_issuer(control, "late-b"), how[256];
    char *keys_of_a = published_keys(a), *keys_of_b = published_keys(b);
    torii_verifier_options_t *options = host_options();

    snprintf(how, sizeof how, "{\"claims\":{\"iss\":\"%s\"}}", b);
    char *forged = mint(control, "late-a", how), *good = mint(control, "late-b", "{}");
    CHECK_OK(torii_verifier_options_add_issuer(options, b, strlen(b), err));
    torii_verifier_t *verifier = new_verifier(a, options);
    torii_fetch_t *first = torii_verifier_claim_fetch(verifier);
    CHECK(first != NULL && strstr(torii_fetch_url(first, NULL), a) != NULL);
    advance(31);
    torii_fetch_t *second = torii_verifier_claim_fetch(verifier);
    CHECK(second != NULL && strstr(torii_fetch_url(second, NULL), b) != NULL);
    CHECK_FAILS_ONCE(
        TORII_ERR_KEYS_UNAVAILABLE, "",
        torii_fetch_done(first, 200, keys_of_a, strlen(keys_of_a), NULL, 0, -1, -1, err));
    REFUSE_NOWAIT(verifier, forged, TORII_ERR_KEYS_PENDING, "keys");
    CHECK_OK(torii_fetch_done(second, 200, keys_of_b, strlen(keys_of_b), NULL, 0, -1, -1, err));
    ACCEPT_NOWAIT(verifier, good);
    REFUSE_NOWAIT(verifier, forged, TORII_ERR_KEYS_PENDING, "keys"); /* its key may be new */
    torii_fetch_free(first);
    torii_fetch_free(second);
    torii_verifier_free(verifier);
    free(forged);
    free(good);
    free(keys_of_a);
    free(keys_of_b);
    free(a);
    free(b);
}

/* A 304 renews the keys whose tag the fetch carried, and no others. */
static void a_304_is_for_the_tag_that_was_sent(void)
{
    char *issuer = new_issuer(control, "other-tag"), *token = mint(control, "other-tag", "{}");
    char *keys = published_keys(issuer);
    torii_verifier_t *verifier = new_verifier(issuer, host_options());

    torii_fetch_t *fetch = torii_verifier_claim_fetch(verifier);
    CHECK_OK(torii_fetch_done(fetch, 200, keys, strlen(keys), TORII_STR("\"one\""), 300, -1, err));
    torii_fetch_free(fetch);
    advance(250);
    torii_fetch_t *late = torii_verifier_claim_fetch(verifier);
    CHECK_TEXT(torii_fetch_etag(late, NULL), "\"one\"");
    advance(31);
    CHECK(torii_verifier_claim_fetch(verifier) == NULL); /* it has failed: there is a pause */
    advance(2);
    torii_fetch_t *next = torii_verifier_claim_fetch(verifier);
    CHECK(next != NULL);
    CHECK_OK(torii_fetch_done(next, 200, keys, strlen(keys), TORII_STR("\"two\""), 300, -1, err));
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, "",
                     torii_fetch_done(late, 304, NULL, 0, TORII_STR("\"one\""), 300, -1, err));
    torii_fetch_free(late);
    torii_fetch_free(next);
    ACCEPT_NOWAIT(verifier, token);
    torii_verifier_free(verifier);
    free(keys);
    free(token);
    free(issuer);
}

/* An answer that a cache kept for a while is due earlier, but never in less than 60 seconds. */
static void an_age_counts(void)
{
    static const struct {
        int64_t max_age, age, lifetime_seconds;
    } cases[] = {{600, 0, 600}, {600, 300, 300}, {600, 580, 60}, {600, -1, 600}, {600, 90000, 600}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "age-%zu", i);
        char *issuer = new_issuer(control, name), *keys = published_keys(issuer);
        torii_verifier_t *verifier = new_verifier(issuer, host_options());
        torii_fetch_t *fetch = torii_verifier_claim_fetch(verifier);
        CHECK_OK(torii_fetch_done(fetch, 200, keys, strlen(keys), NULL, 0, cases[i].max_age,
                                  cases[i].age, err));
        torii_fetch_free(fetch);
        int64_t due = torii_verifier_due_in_ms(verifier), wanted = cases[i].lifetime_seconds * 800;
        CHECK(due <= wanted && due > wanted - 30000);
        torii_verifier_free(verifier);
        free(keys);
        free(issuer);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    an_unknown_key_costs_a_fetch_every_30_seconds();
    keys_last_as_long_as_the_issuer_says();
    an_outage_is_bridged_for_a_day();
    a_host_has_30_seconds();
    a_late_answer_is_not_taken_for_another_issuer();
    a_304_is_for_the_tag_that_was_sent();
    an_age_counts();
    return 0;
}
