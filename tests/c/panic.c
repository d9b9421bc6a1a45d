/* A defect of the library ends as an error, and the process lives on. Needs a library that was
 * built with the feature `test-hooks`. Rust's message of the defect on standard error is
 * expected. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "check.h"
#include "emulator.h"

extern torii_status_t torii_test_panic(torii_error_t **err); /* not in the header */

static void *panic(void *verifier_and_token)
{
    void **both = verifier_and_token;

    for (int i = 0; i < 3; i++) {
        CHECK_FAILS(TORII_ERR_INTERNAL, "internal error", torii_test_panic(err));
        ACCEPT(both[0], both[1]);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    char *issuer = new_issuer(argv[1], "panic"), *token = mint(argv[1], "panic", "{}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    void *both[] = {verifier, token};
    pthread_t thread;

    panic(both);
    CHECK(pthread_create(&thread, NULL, panic, both) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    ACCEPT(verifier, token);
    CHECK(stat_of(verifier, "/issuers/0/fetches") == 1);
    torii_verifier_free(verifier);
    free(token);
    free(issuer);
    return 0;
}
