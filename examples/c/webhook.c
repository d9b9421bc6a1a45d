/* Verifies a webhook:
 *
 *     WEBHOOK_SECRET=whsec_… webhook ID TIMESTAMP SIGNATURE <body
 *
 * The arguments are the values of the headers webhook-id, webhook-timestamp and webhook-signature.
 * A server keeps the torii_webhook_t for all requests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <torii.h>

int main(int argc, char **argv)
{
    static char body[1 << 20];
    const char *secret = getenv("WEBHOOK_SECRET");
    torii_error_t *error = NULL;

    if (argc != 4 || secret == NULL) {
        fputs("usage: WEBHOOK_SECRET=whsec_... webhook ID TIMESTAMP SIGNATURE <body\n", stderr);
        return 2;
    }
    size_t body_len = fread(body, 1, sizeof body, stdin);
    if (body_len == sizeof body) {
        fputs("body: too long for this example (expected less than 1 MiB)\n", stderr);
        return 2;
    }
    torii_webhook_t *webhook = NULL;
    torii_status_t status = torii_webhook_new(secret, strlen(secret), &webhook, &error);
    if (status == TORII_OK)
        status = torii_webhook_verify(webhook, argv[1], strlen(argv[1]), argv[2], strlen(argv[2]),
                                      argv[3], strlen(argv[3]), body, body_len, time(NULL), NULL,
                                      &error);
    torii_webhook_free(webhook);

    /* A server answers torii_status_http(status), and ignores ids it has processed. */
    if (status == TORII_OK)
        puts("valid");
    else
        fprintf(stderr, "%s\n", torii_error_message(error, NULL));
    torii_error_free(error);
    return status != TORII_OK;
}
