/* Misuses the library as the argument says. The sanitizers and valgrind must report it; the
 * runner checks that first, so that a run without a report means something. */
#include <string.h>

#include "check.h"

int main(int argc, char **argv)
{
    torii_verifier_options_t *options = torii_verifier_options_new();
    torii_error_t *error = NULL;

    CHECK(argc == 2);
    CHECK(torii_verifier_options_set_leeway_seconds(options, 301, &error) == TORII_ERR_INVALID_ARGUMENT);
    if (strcmp(argv[1], "leak") == 0) {
        /* Forgets the first error. */
        CHECK(torii_verifier_options_set_fetch_timeout_ms(NULL, 0, &error)
              == TORII_ERR_INVALID_ARGUMENT);
    } else if (strcmp(argv[1], "late") == 0) {
        const char *message = torii_error_message(error, NULL);
        torii_error_free(error);
        error = NULL;
        printf("%c\n", message[0]);
    } else {
        /* Reads beyond the message's U+0000. */
        size_t length = 0;
        const char *message = torii_error_message(error, &length);
        CHECK(strcmp(argv[1], "beyond") == 0);
        printf("%d\n", message[length + 1]);
    }
    torii_error_free(error);
    torii_verifier_options_free(options);
    return 0;
}
