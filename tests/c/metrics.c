/* Metrics as text: buffers of all sizes, and what the text says. */
#define _DEFAULT_SOURCE

#include <pthread.h>

#include "check.h"
#include "emulator.h"

static const char *control; /* the emulator's control API */

/* Returns the metrics as a string, to be freed, as a host does. */
static char *metrics_of(const torii_verifier_t *verifier)
{
    size_t cap = 64, size = 0;
    char *text = malloc(cap);

    while (text != NULL && torii_verifier_metrics(verifier, text, cap - 1, &size, NULL) != TORII_OK) {
        CHECK(size > cap - 1);
        cap = size + 1;
        text = realloc(text, cap);
    }
    CHECK(text != NULL && size < cap);
    text[size] = '\0';
    CHECK(strlen(text) == size);
    return text;
}

/* The value of a sample, given by its name and labels; -1 if there is none. */
static double value_in(const char *text, const char *sample)
{
    size_t length = strlen(sample);

    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, sample, length) == 0 && line[length] == ' ')
            return strtod(line + length, NULL);
    }
    return -1;
}

static double value_of(const torii_verifier_t *verifier, const char *sample)
{
    char *text = metrics_of(verifier);
    double value = value_in(text, sample);

    free(text);
    return value;
}

/* Each line is a descriptor of the family begun last, or a sample of it; the last one is the end. */
static void check_lines(char *text)
{
    char family[128] = "";
    char *rest = text, *line;
    bool ended = false;

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char name[128], *end;
        CHECK(!ended);
        if (strcmp(line, "# EOF") == 0) {
            ended = true;
        } else if (sscanf(line, "# TYPE %127s", name) == 1) {
            strcpy(family, name);
        } else if (sscanf(line, "# HELP %127s", name) == 1 || sscanf(line, "# UNIT %127s", name) == 1) {
            CHECK_TEXT(name, family);
        } else {
            CHECK(strncmp(line, family, strlen(family)) == 0);
            CHECK(strrchr(line, ' ') != NULL);
            CHECK(strtod(strrchr(line, ' '), &end) >= 0 && *end == '\0');
        }
    }
    CHECK(ended && (rest == NULL || *rest == '\0'));
}

static void a_buffer_is_large_enough_or_left_alone(void)
{
    char *issuer = new_issuer(control, "metrics-buffer");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    const uint32_t too_small = TORII_ERR_BUFFER_TOO_SMALL;
    size_t size = 1, needed = 0;

    CHECK_FAILS(too_small, "cap", torii_verifier_metrics(verifier, NULL, 0, &needed, err));
    CHECK(needed > 1000);
    char *buffer = malloc(needed + 1);
    CHECK(buffer != NULL);
    memset(buffer, '~', needed + 1);
    CHECK_FAILS(too_small, "cap", torii_verifier_metrics(verifier, buffer, 0, &size, err));
    CHECK(size == needed);
    CHECK_FAILS(too_small, "cap", torii_verifier_metrics(verifier, buffer, needed - 1, &size, err));
    buffer[needed] = '\0';
    CHECK(size == needed && strspn(buffer, "~") == needed);
    buffer[needed] = '~';

    CHECK_OK(torii_verifier_metrics(verifier, buffer, needed, &size, err));
    CHECK(size == needed && buffer[needed] == '~');
    CHECK(memcmp(buffer + needed - 6, "# EOF\n", 6) == 0 && memchr(buffer, '\0', needed) == NULL);
    CHECK_OK(torii_verifier_metrics(verifier, buffer, needed + 1, &size, err));
    CHECK(size == needed && buffer[needed] == '~');
    buffer[needed] = '\0';
    check_lines(buffer);

    const uint32_t argument = TORII_ERR_INVALID_ARGUMENT;
    size = 1;
    CHECK_FAILS(argument, "verifier", torii_verifier_metrics(NULL, buffer, needed, &size, err));
    CHECK(size == 0);
    size = 1;
    CHECK_FAILS(argument, "buf", torii_verifier_metrics(verifier, NULL, needed, &size, err));
    CHECK(size == 0);
    CHECK_FAILS(argument, "size", torii_verifier_metrics(verifier, buffer, needed, NULL, err));
    free(buffer);
    torii_verifier_free(verifier);
    free(issuer);
}

static void the_text_grows(void)
{
    char *issuer = new_issuer(control, "metrics-growth");
    char *token = mint(control, "metrics-growth", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    size_t before = 0, size = 0;

    ACCEPT(verifier, token);
    CHECK(torii_verifier_metrics(verifier, NULL, 0, &before, NULL) == TORII_ERR_BUFFER_TOO_SMALL);
    char *buffer = malloc(before);
    CHECK(buffer != NULL);
    for (int i = 0; i < 1000; i++)
        ACCEPT_NOWAIT(verifier, token);
    CHECK_FAILS(TORII_ERR_BUFFER_TOO_SMALL, "cap",
                torii_verifier_metrics(verifier, buffer, before, &size, err));
    CHECK(size > before);
    free(buffer);
    CHECK(value_of(verifier, "torii_tokens_total{status=\"TORII_OK\"}") == 1001);
    CHECK(value_of(verifier, "torii_token_cache_hits_total") == 1000);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
}

static void it_is_what_happened(void)
{
    char *issuer = new_issuer(control, "metrics-log"), *good = mint(control, "metrics-log", "{}");
    char *late = mint(control, "metrics-log", "{\"now_offset\":-1000}");
    torii_verifier_options_t *options = new_options();
    torii_auth_t *auth = NULL;

    CHECK(torii_verifier_options_set_metrics_issuer_label(options, true, NULL) == TORII_OK);
    torii_verifier_t *labelled = new_verifier(issuer, options), *verifier = new_verifier(issuer, NULL);
    CHECK(value_of(verifier, "torii_issuers_without_keys") == 1);
    CHECK(value_of(verifier, "torii_key_due_seconds") == 0);
    CHECK(value_of(verifier, "torii_key_age_seconds") == -1);
    CHECK(value_of(verifier, "torii_tokens_total{status=\"TORII_ERR_TOKEN_EXPIRED\"}") == 0);

    keys_fault(control, "metrics-log", 1, "\"kind\":\"status\",\"status\":503");
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, "503",
                     torii_verify_token(verifier, good, strlen(good), &auth, err));
    CHECK(value_of(verifier, "torii_issuers_failing") == 1);
    UNTIL(are_due(verifier));
    ACCEPT(verifier, good);
    REFUSE(verifier, late, TORII_ERR_TOKEN_EXPIRED, "`exp`");

    char *text = metrics_of(verifier);
    double success = value_in(text, "torii_key_fetches_total{outcome=\"success\"}");
    double failure = value_in(text, "torii_key_fetches_total{outcome=\"failure\"}");
    CHECK(success == 1 && failure == 1);
    CHECK((long)(success + failure) == key_requests(control, "metrics-log", 0));
    CHECK(value_in(text, "torii_tokens_total{status=\"TORII_OK\"}") == 1);
    CHECK(value_in(text, "torii_tokens_total{status=\"TORII_ERR_TOKEN_EXPIRED\"}") == 2);
    CHECK(value_in(text, "torii_tokens_total{status=\"TORII_ERR_KEYS_UNAVAILABLE\"}") == 1);
    CHECK(value_in(text, "torii_token_cache_entries") == 1);
    CHECK(value_in(text, "torii_issuers_failing") == 0);
    CHECK(value_in(text, "torii_issuers_without_keys") == 0);
    CHECK(value_in(text, "torii_key_age_seconds") >= 0);
    CHECK(value_in(text, "torii_key_due_seconds") > 60);
    CHECK(strstr(text, issuer) == NULL);
    check_lines(text);
    free(text);

    /* Keys belong to the process; the other verifier has seen no token. */
    char sample[512];
    snprintf(sample, sizeof sample, "torii_key_fetches_total{issuer=\"%s\",outcome=\"success\"}", issuer);
    CHECK(value_of(labelled, sample) == 1);
    CHECK(value_of(labelled, "torii_tokens_total{status=\"TORII_OK\"}") == 0);
    torii_verifier_free(verifier);
    torii_verifier_free(labelled);
    free(good);
    free(late);
    free(issuer);
}

static const char *token_of_all;

static void *verifies(void *verifier)
{
    for (int i = 0; i < 200; i++)
        ACCEPT_NOWAIT(verifier, token_of_all);
    return NULL;
}

/* Counters never go back, and the last count is the whole. */
static void threads_verify_meanwhile(void)
{
    char *issuer = new_issuer(control, "metrics-threads"), *token = mint(control, "metrics-threads", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    pthread_t threads[4];
    const char *accepted = "torii_tokens_total{status=\"TORII_OK\"}";

    ACCEPT(verifier, token);
    token_of_all = token;
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, verifies, verifier) == 0);
    for (double last = 1, now; last < 801; last = now) {
        now = value_of(verifier, accepted);
        CHECK(now >= last && now <= 801);
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(value_of(verifier, accepted) == 801);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    a_buffer_is_large_enough_or_left_alone();
    the_text_grows();
    it_is_what_happened();
    threads_verify_meanwhile();
    return 0;
}
