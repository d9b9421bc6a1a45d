#include <stdio.h>
#include <string.h>
#include <torii.h>

int main(int argc, char **argv)
{
    torii_verifier_t *verifier = NULL;
    torii_auth_t *auth = NULL;
    torii_error_t *error = NULL;
    const char *issuer = argc > 1 ? argv[1] : "", *token = argc > 2 ? argv[2] : "";

    if (torii_verifier_new(issuer, TORII_NUL_TERMINATED, NULL, &verifier, &error) == TORII_OK
        && torii_verify_token(verifier, token, strlen(token), &auth, &error) == TORII_OK)
        printf("user %s\n", torii_auth_user_id(auth, NULL));
    else
        fprintf(stderr, "%s\n", torii_error_message(error, NULL));

    int failed = auth == NULL;
    torii_error_free(error);
    torii_auth_free(auth);
    torii_verifier_free(verifier);
    return failed;
}
