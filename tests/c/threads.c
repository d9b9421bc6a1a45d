/* One verifier, and all threads at once: each gets the results it would get alone, and keys are
 * fetched once. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "check.h"
#include "emulator.h"

enum { THREADS = 64, TOKENS = 2000 };

static struct sample {
    char *token;
    torii_status_t status;
    char user_id[16]; /* where it is accepted */
} samples[64];
static size_t sample_count;

static struct {
    torii_verifier_t *verifier;
    pthread_barrier_t start;
    int tokens;
} shared;

static void add_sample(char *token, torii_status_t status)
{
    CHECK(sample_count < sizeof samples / sizeof samples[0]);
    samples[sample_count].token = token;
    samples[sample_count].status = status;
    sample_count++;
}

static void add_good(const char *control, const char *name, int number)
{
    struct sample *sample = &samples[sample_count];
    char how[64];

    snprintf(sample->user_id, sizeof sample->user_id, "user %d", number);
    snprintf(how, sizeof how, "{\"expires_in\":86400,\"claims\":{\"sub\":\"%s\"}}", sample->user_id);
    add_sample(mint(control, name, how), TORII_OK);
}

static void make_samples(const char *control)
{
    for (int i = 0; i < 20; i++)
        add_good(control, i % 2 ? "threads" : "threads-offline", i);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "threads" : "threads-offline";
        add_sample(mint(control, name, "{\"now_offset\":-5000}"), TORII_ERR_TOKEN_EXPIRED);
        add_sample(mint(control, name, "{\"now_offset\":5000}"), TORII_ERR_TOKEN_NOT_YET_VALID);
        add_sample(mint(control, name, "{\"signer\":\"forged\"}"), TORII_ERR_TOKEN_SIGNATURE);
        add_sample(mint(control, name, "{\"signer\":\"none\"}"), TORII_ERR_TOKEN_SIGNATURE);
        add_sample(mint(control, name, "{\"expires_in\":86400,\"without\":[\"sub\"]}"), TORII_ERR_TOKEN_CLAIM);
        add_sample(mint(control, name, "{\"claims\":{\"iss\":\"https://evil.example\"}}"),
                   TORII_ERR_TOKEN_ISSUER);
        add_sample(mint(control, name, "{\"header\":{\"alg\":\"none\"}}"),
                   TORII_ERR_TOKEN_ALGORITHM);
        add_sample(mint(control, name, "{\"raw_payload\":\"[]\"}"), TORII_ERR_TOKEN_MALFORMED);
        add_sample(mint(control, name,
                        "{\"expires_in\":86400,\"claims\":{\"email_verified\":false}}"),
                   TORII_ERR_POLICY);
    }
}

static void *verify_many(void *number)
{
    size_t next = (size_t)(uintptr_t)number;

    int waited = pthread_barrier_wait(&shared.start);
    CHECK(waited == 0 || waited == PTHREAD_BARRIER_SERIAL_THREAD);
    for (int i = 0; i < shared.tokens; i++, next += 7) {
        const struct sample *sample = &samples[next % sample_count];
        torii_auth_t *auth = GARBAGE;
        torii_error_t *error = GARBAGE;
        torii_status_t status = torii_verify_token(shared.verifier, sample->token,
                                                   strlen(sample->token), &auth, &error);
        check_status(__FILE__, __LINE__, sample->token, status, sample->status, error);
        if (status == TORII_OK) {
            CHECK(error == NULL);
            CHECK_TEXT(torii_auth_user_id(auth, NULL), sample->user_id);
            torii_auth_free(auth);
        } else {
            CHECK(auth == NULL);
            CHECK(torii_error_status(error) == status);
            torii_error_free(error);
        }
    }
    return NULL;
}

/* All threads at once, with so much memory for tokens. */
static void run(const char *live, const char *offline, const char *keys, size_t cache, int tokens)
{
    torii_verifier_options_t *options = new_options();
    pthread_t threads[THREADS];
    int64_t accepted = 0;

    CHECK_OK(torii_verifier_options_require(options, TORII_REQUIRE_EMAIL_VERIFIED, err));
    CHECK_OK(torii_verifier_options_add_issuer_jwks(options, offline, strlen(offline), keys,
                                                    strlen(keys), err));
    CHECK(torii_verifier_options_set_token_cache_bytes(options, cache, NULL) == TORII_OK);
    torii_jwks_cache_clear();
    shared.verifier = new_verifier(live, options);
    shared.tokens = tokens;
    const int64_t fetches = stat_of(shared.verifier, "/issuers/0/fetches");
    CHECK(pthread_barrier_init(&shared.start, NULL, THREADS) == 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, verify_many, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(pthread_barrier_destroy(&shared.start) == 0);

    for (size_t i = 0; i < THREADS; i++)
        for (int j = 0; j < tokens; j++)
            accepted += samples[(i + 7 * (size_t)j) % sample_count].status == TORII_OK;
    CHECK(stat_of(shared.verifier, "/accepted") == accepted);
    CHECK(stat_of(shared.verifier, "/issuers/0/fetches") == fetches + 1);
    CHECK(stat_of(shared.verifier, "/issuers/1/fetches") == 0);
    CHECK((uint64_t)stat_of(shared.verifier, "/cache_bytes") <= cache);
    if (cache >= 1 << 20)
        CHECK(stat_of(shared.verifier, "/cached_tokens") == 20);
    torii_verifier_free(shared.verifier);
}

int main(int argc, char **argv)
{
    const int tokens = getenv("TORII_TEST_REDUCED") != NULL ? 20 : TOKENS;

    CHECK(argc == 2);
    char *live = new_issuer(argv[1], "threads"), *offline = new_issuer(argv[1], "threads-offline");
    char *keys = published_keys(offline);
    make_samples(argv[1]);
    run(live, offline, keys, 8 << 20, tokens);
    CHECK(key_requests(argv[1], "threads", 0) == 1);
    run(live, offline, keys, 8 << 10, tokens / 10); /* too little for all of them */
    CHECK(key_requests(argv[1], "threads", 0) == 2);
    for (size_t i = 0; i < sample_count; i++)
        free(samples[i].token);
    free(keys);
    free(live);
    free(offline);
    return 0;
}
