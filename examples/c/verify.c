/*
 * Verifies tokens of an issuer and prints the results:
 *
 *     verify ISSUER LABEL=TOKEN...
 *
 * The label names the expected result:
 *
 *     good      accepted; verified again without a request
 *     expired   the token has expired
 *     forged    the signature is not the issuer's
 *     foreign   the token is another issuer's
 *
 * Exit status: 0 if all results are as expected, 1 if one is not, 2 for invalid arguments.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <torii.h>

static const struct label {
    const char *name;
    torii_status_t expected;
} LABELS[] = {
    {"good", TORII_OK},
    {"expired", TORII_ERR_TOKEN_EXPIRED},
    {"forged", TORII_ERR_TOKEN_SIGNATURE},
    {"foreign", TORII_ERR_TOKEN_ISSUER},
};

/* Counters of the verifier. */
struct counters {
    int64_t fetches; /* key fetches */
    int64_t hits;    /* accepted tokens that were in the token cache */
};

/* Prints why a call failed, and frees the error. */
static void print_error(const char *what, torii_error_t *error)
{
    fprintf(stderr, "%s: %s: %s\n", what, torii_status_name(torii_error_status(error)),
            torii_error_message(error, NULL));
    torii_error_free(error);
}

static const char *yes_or_no(bool value)
{
    return value ? "yes" : "no";
}

/* Returns the label of an argument "label=token" and sets its token. NULL for an unknown label. */
static const struct label *label_of(const char *argument, const char **token)
{
    const char *equals = strchr(argument, '=');

    if (equals == NULL)
        return NULL;
    *token = equals + 1;
    for (size_t i = 0; i < sizeof LABELS / sizeof LABELS[0]; i++) {
        size_t length = strlen(LABELS[i].name);
        if (length == (size_t)(equals - argument)
            && memcmp(argument, LABELS[i].name, length) == 0)
            return &LABELS[i];
    }
    return NULL;
}

static bool read_counters(const torii_verifier_t *verifier, struct counters *counters)
{
    torii_json_t *stats = NULL;
    torii_error_t *error = NULL;

    bool read =
        torii_verifier_stats_json(verifier, &stats, &error) == TORII_OK
        && torii_json_int(stats, TORII_STR("/issuers/0/fetches"), &counters->fetches, &error)
               == TORII_OK
        && torii_json_int(stats, TORII_STR("/hits"), &counters->hits, &error) == TORII_OK;
    if (!read)
        print_error("statistics", error);
    torii_json_free(stats);
    return read;
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "none";
}

static void show_user(const torii_auth_t *auth)
{
    time_t expires_at = (time_t)torii_auth_expires_at(auth);
    const struct tm *utc = gmtime(&expires_at);
    char until[sizeof "2001-01-01 00:00:00 UTC"] = "?";

    if (utc != NULL)
        strftime(until, sizeof until, "%Y-%m-%d %H:%M:%S UTC", utc);
    printf("          user              %s\n", torii_auth_user_id(auth, NULL));
    printf("          environment       %s\n", torii_auth_environment_id(auth, NULL));
    printf("          locale            %s\n", or_none(torii_auth_locale(auth, NULL)));
    printf("          organization      %s\n", or_none(torii_auth_organization_id(auth, NULL)));
    printf("          role              %s\n", or_none(torii_auth_organization_role(auth, NULL)));
    printf("          email verified    %s\n", yes_or_no(torii_auth_email_verified(auth)));
    printf("          profile complete  %s\n", yes_or_no(torii_auth_profile_complete(auth)));
    printf("          impersonated      %s\n", yes_or_no(torii_auth_impersonating(auth)));
    printf("          actor             %s\n", or_none(torii_auth_actor_id(auth, NULL)));
    printf("          valid until       %s\n", until);
}

/* Verifies a token and prints the result: the user if `in_full`, else one line. */
static torii_status_t verify(const torii_verifier_t *verifier, const char *label,
                             const char *token, bool in_full)
{
    torii_auth_t *auth = NULL;
    torii_error_t *error = NULL;
    torii_status_t status = torii_verify_token(verifier, token, strlen(token), &auth, &error);

    if (status == TORII_OK) {
        printf("%-9s accepted\n", label);
        if (in_full)
            show_user(auth);
    } else {
        printf("%-9s refused with %s, answer HTTP %" PRIu32 "\n", label,
               torii_status_name(status), torii_status_http(status));
        printf("          %s\n", torii_error_message(error, NULL));
    }
    torii_auth_free(auth);
    torii_error_free(error);
    return status;
}

/* Verifies an accepted token again. Returns whether that took no request. */
static bool verify_again(const torii_verifier_t *verifier, const char *token)
{
    struct counters before, after;

    if (!read_counters(verifier, &before)
        || verify(verifier, "again", token, false) != TORII_OK
        || !read_counters(verifier, &after))
        return false;
    printf("          key fetches       %" PRId64 " before, %" PRId64 " now\n", before.fetches,
           after.fetches);
    printf("          cache hits        %" PRId64 " before, %" PRId64 " now\n", before.hits,
           after.hits);
    return after.fetches == before.fetches && after.hits == before.hits + 1;
}

int main(int argc, char **argv)
{
    torii_verifier_t *verifier = NULL;
    torii_error_t *error = NULL;
    int unexpected = 0;

    if (torii_abi_version() != TORII_ABI_VERSION) {
        fprintf(stderr, "compiled for ABI %d of libtorii, but loaded ABI %" PRIu32 "\n",
                TORII_ABI_VERSION, torii_abi_version());
        return 2;
    }
    if (argc < 3) {
        fprintf(stderr, "usage: %s ISSUER LABEL=TOKEN...\n", argc > 0 ? argv[0] : "verify");
        return 2;
    }
    if (torii_verifier_new(argv[1], strlen(argv[1]), NULL, &verifier, &error) != TORII_OK) {
        print_error(argv[1], error);
        return 2;
    }

    printf("issuer    %s\n", argv[1]);
    for (int i = 2; i < argc; i++) {
        const char *token = NULL;
        const struct label *label = label_of(argv[i], &token);
        if (label == NULL) {
            fprintf(stderr, "argument %d: not LABEL=TOKEN (expected good, expired, forged or foreign)\n",
                    i);
            torii_verifier_free(verifier);
            return 2;
        }
        printf("\n");
        bool as_expected = verify(verifier, label->name, token, true) == label->expected;
        if (as_expected && label->expected == TORII_OK)
            as_expected = verify_again(verifier, token);
        if (!as_expected) {
            printf("          UNEXPECTED RESULT\n");
            unexpected++;
        }
    }
    torii_verifier_free(verifier);

    printf("\n%s\n", unexpected == 0 ? "All results are as expected." : "Unexpected results.");
    return unexpected == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
