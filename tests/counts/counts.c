/*
 * Verifies one token many times, for counting instructions:
 *
 *     counts ISSUER JWKS TOKEN STATUS CACHE_BYTES TIMES FIXED_BASE
 *
 * FIXED_BASE is 0 or 1.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <torii.h>

/* Arguments lie where the environment ends. How many instructions it takes to read one depends on its address. */
static char *aligned(const char *argument)
{
    size_t size = strlen(argument) + 1;
    char *copy = malloc(size);

    if (copy == NULL)
        exit(2);
    return memcpy(copy, argument, size);
}

int main(int argc, char **argv)
{
    torii_verifier_options_t *options = torii_verifier_options_new();
    torii_verifier_t *verifier = NULL;

    if (argc != 8
        || torii_verifier_options_set_jwks_json(options, argv[2], strlen(argv[2]), NULL) != TORII_OK
        || torii_verifier_options_set_token_cache_bytes(options, strtoul(argv[5], NULL, 10), NULL)
               != TORII_OK
        || torii_verifier_options_set_fixed_base(options, argv[7][0] == '1', NULL) != TORII_OK
        || torii_verifier_new(argv[1], strlen(argv[1]), options, &verifier, NULL) != TORII_OK)
        return 2;
    torii_verifier_options_free(options);

    char *token = aligned(argv[3]), *expected = aligned(argv[4]);
    size_t length = strlen(token);
    for (long left = strtol(argv[6], NULL, 10); left > 0; left--) {
        torii_auth_t *auth = NULL;
        torii_status_t status = torii_verify_token(verifier, token, length, &auth, NULL);
        torii_auth_free(auth);
        if (strcmp(torii_status_name(status), expected) != 0) {
            fprintf(stderr, "%s instead of %s\n", torii_status_name(status), expected);
            return 1;
        }
    }
    free(token);
    free(expected);
    torii_verifier_free(verifier);
    return 0;
}
