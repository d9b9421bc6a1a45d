/*
 * Judges tokens of an issuer, and shows what becomes of each:
 *
 *     verify ISSUER LABEL=TOKEN...
 *
 * The label tells what to expect:
 *
 *     good      it is accepted, and when it comes a second time, no request is made for it
 *     expired   its time is over
 *     forged    the signature is not the issuer's
 *     foreign   it is of another issuer
 *
 * Ends with 0 when every token fares as its label tells, with 1 when one does not, and with 2 when
 * it was not started as above.
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

/* What the verifier has done so far. */
struct tally {
    int64_t fetches; /* requests for the issuer's keys */
    int64_t hits;    /* tokens accepted that were known before */
};

/* Says why a call failed, and frees the error. */
static void complain(const char *what, torii_error_t *error)
{
    fprintf(stderr, "%s: %s: %s\n", what, torii_status_name(torii_error_status(error)),
            torii_error_message(error, NULL));
    torii_error_free(error);
}

static const char *yes_or_no(bool value)
{
    return value ? "yes" : "no";
}

/* The label of an argument "label=token", and where its token begins; NULL if it has none. */
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

static bool take_tally(const torii_verifier_t *verifier, struct tally *tally)
{
    torii_json_t *stats = NULL;
    torii_error_t *error = NULL;

    bool taken =
        torii_verifier_stats_json(verifier, &stats, &error) == TORII_OK
        && torii_json_int(stats, TORII_STR("/issuers/0/fetches"), &tally->fetches, &error)
               == TORII_OK
        && torii_json_int(stats, TORII_STR("/hits"), &tally->hits, &error) == TORII_OK;
    if (!taken)
        complain("statistics", error);
    torii_json_free(stats);
    return taken;
}

static void show_user(const torii_auth_t *auth)
{
    time_t expires_at = (time_t)torii_auth_expires_at(auth);
    const struct tm *utc = gmtime(&expires_at);
    const char *locale = torii_auth_locale(auth, NULL);
    char until[sizeof "2001-01-01 00:00:00 UTC"] = "?";

    if (utc != NULL)
        strftime(until, sizeof until, "%Y-%m-%d %H:%M:%S UTC", utc);
    printf("          user              %s\n", torii_auth_user_id(auth, NULL));
    printf("          environment       %s\n", torii_auth_environment_id(auth, NULL));
    printf("          locale            %s\n", locale != NULL ? locale : "none");
    printf("          email verified    %s\n", yes_or_no(torii_auth_email_verified(auth)));
    printf("          profile complete  %s\n", yes_or_no(torii_auth_profile_complete(auth)));
    printf("          impersonating     %s\n", yes_or_no(torii_auth_impersonating(auth)));
    printf("          good until        %s\n", until);
}

/* Judges a token, and shows the outcome below its label: the user if `in_full`, else one line. */
static torii_status_t judge(const torii_verifier_t *verifier, const char *label, const char *token,
                            bool in_full)
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

/* Has a good token judged again, and shows that it takes no request. */
static bool judge_again(const torii_verifier_t *verifier, const char *token)
{
    struct tally before, after;

    if (!take_tally(verifier, &before)
        || judge(verifier, "again", token, false) != TORII_OK
        || !take_tally(verifier, &after))
        return false;
    printf("          requests for keys %" PRId64 " before, %" PRId64 " now\n", before.fetches,
           after.fetches);
    printf("          known tokens met  %" PRId64 " before, %" PRId64 " now\n", before.hits,
           after.hits);
    return after.fetches == before.fetches && after.hits == before.hits + 1;
}

int main(int argc, char **argv)
{
    torii_verifier_t *verifier = NULL;
    torii_error_t *error = NULL;
    int surprises = 0;

    if (torii_abi_version() != TORII_ABI_VERSION) {
        fprintf(stderr, "made for ABI %d of libtorii, and this is %" PRIu32 "\n",
                TORII_ABI_VERSION, torii_abi_version());
        return 2;
    }
    if (argc < 3) {
        fprintf(stderr, "usage: %s ISSUER LABEL=TOKEN...\n", argc > 0 ? argv[0] : "verify");
        return 2;
    }
    if (torii_verifier_new(argv[1], strlen(argv[1]), NULL, &verifier, &error) != TORII_OK) {
        complain(argv[1], error);
        return 2;
    }

    printf("issuer    %s\n", argv[1]);
    for (int i = 2; i < argc; i++) {
        const char *token = NULL;
        const struct label *label = label_of(argv[i], &token);
        if (label == NULL) {
            fprintf(stderr, "argument %d is no LABEL=TOKEN: good, expired, forged, foreign\n", i);
            torii_verifier_free(verifier);
            return 2;
        }
        printf("\n");
        bool as_expected = judge(verifier, label->name, token, true) == label->expected;
        if (as_expected && label->expected == TORII_OK)
            as_expected = judge_again(verifier, token);
        if (!as_expected) {
            printf("          NOT AS EXPECTED\n");
            surprises++;
        }
    }
    torii_verifier_free(verifier);

    printf("\n%s\n", surprises == 0 ? "Every token fared as it should." : "Not as it should be.");
    return surprises == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
