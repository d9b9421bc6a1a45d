#include <stdio.h>
#include <string.h>
#include <torii.h>

int main(int argc, char **argv)
{
    torii_verifier_t *verifier = NULL;
    torii_auth_t *auth = NULL;
    torii_error_t *error = NULL;

    if (argc == 3
        && torii_verifier_new(argv[1], strlen(argv[1]), NULL, &verifier, &error) == TORII_OK
        && torii_verify_token(verifier, argv[2], strlen(argv[2]), &auth, &error) == TORII_OK)
        printf("user %s\n", torii_auth_user_id(auth, NULL));
    else
        fprintf(stderr, "%s\n", error ? torii_error_message(error, NULL) : "usage");

    int refused = auth == NULL;
    torii_error_free(error);
    torii_auth_free(auth);
    torii_verifier_free(verifier);
    return refused;
}
