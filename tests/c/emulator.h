/* Requests of a test program to the emulator: blocking HTTP/1.1 on 127.0.0.1, a connection for each
 * request. */
#ifndef EMULATOR_H
#define EMULATOR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

struct answer {
    int status;
    char *head; /* to be freed; the body is in it too */
    char *body;
};

static inline int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int connection = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connection >= 0);
    CHECK(connect(connection, (struct sockaddr *)&address, sizeof address) == 0);
    return connection;
}

/* `header` is a whole line with its end, or "". */
static inline struct answer request(const char *method, const char *url, const char *header,
                                    const char *body)
{
    struct answer answer = {0};
    size_t length = 0, room = 4096;
    unsigned port = 0;
    int path = 0;

    CHECK(sscanf(url, "http://127.0.0.1:%u%n", &port, &path) == 1);
    int connection = connect_to(port);
    CHECK(dprintf(connection,
                  "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n"
                  "Content-Length: %zu\r\n%s\r\n%s",
                  method, url + path, port, strlen(body), header, body)
          > 0);
    answer.head = malloc(room);
    for (ssize_t got = 1; got > 0; length += (size_t)got) {
        if (room - length < 2048)
            answer.head = realloc(answer.head, room *= 2);
        CHECK(answer.head != NULL);
        got = read(connection, answer.head + length, room - length - 1);
        CHECK(got >= 0);
    }
    close(connection);
    answer.head[length] = '\0';
    answer.body = strstr(answer.head, "\r\n\r\n");
    CHECK(answer.body != NULL);
    *answer.body = '\0';
    answer.body += 4;
    CHECK(sscanf(answer.head, "HTTP/1.1 %d", &answer.status) == 1);
    return answer;
}

static inline void sleep_ms(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    CHECK(nanosleep(&time, NULL) == 0);
}

/* Waits for something that comes by itself. */
#define UNTIL(condition) \
    do { \
        for (int tries_ = 0; !(condition); tries_++) { \
            if (tries_ == 3000) \
                check_failed(__FILE__, __LINE__, "never: %s", #condition); \
            sleep_ms(10); \
        } \
    } while (0)

/* Keys of the first issuer are to be fetched: near their end, or when a pause is over. */
static inline bool are_due(const torii_verifier_t *verifier)
{
    return stat_of(verifier, "/issuers/0/due_in_ms") == 0;
}

/* On a clock that only goes forward. */
static inline long now_ms(void)
{
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Sends a control request; the caller frees the answer. */
static inline char *tell(const char *method, const char *control, const char *path,
                         const char *body)
{
    char url[1024];

    CHECK((size_t)snprintf(url, sizeof url, "%s%s", control, path) < sizeof url);
    struct answer answer = request(method, url, "", body);
    if (answer.status / 100 != 2)
        check_failed(__FILE__, __LINE__, "%s %s: %s", method, path, answer.body);
    memmove(answer.head, answer.body, strlen(answer.body) + 1);
    return answer.head;
}

/* The value of a member that is a string without escapes; to be freed. */
static inline char *member(const char *json, const char *name)
{
    char start[64];

    CHECK((size_t)snprintf(start, sizeof start, "\"%s\":\"", name) < sizeof start);
    const char *value = strstr(json, start);
    if (value == NULL)
        check_failed(__FILE__, __LINE__, "a member %s in %s", name, json);
    value += strlen(start);
    size_t length = strcspn(value, "\"");
    char *copy = malloc(length + 1);
    CHECK(copy != NULL);
    memcpy(copy, value, length);
    copy[length] = '\0';
    return copy;
}

static inline char *and_free(char *value, char *json)
{
    free(json);
    return value;
}

/* A new issuer; its URL, to be freed. */
static inline char *new_issuer(const char *control, const char *name)
{
    char body[128];

    snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
    char *card = tell("POST", control, "/issuers", body);
    return and_free(member(card, "issuer"), card);
}

/* A token of the issuer's, to be freed. `how` is a JSON object, {} for a valid one. */
static inline char *mint(const char *control, const char *name, const char *how)
{
    char path[128];

    snprintf(path, sizeof path, "/issuers/%s/tokens", name);
    char *answer = tell("POST", control, path, how);
    return and_free(member(answer, "token"), answer);
}

/* A new key of the issuer's, which signs from now on if `sign` is "true"; its name, to be freed. */
static inline char *new_key(const char *control, const char *name, const char *sign)
{
    char path[128], body[64];

    snprintf(path, sizeof path, "/issuers/%s/keys", name);
    snprintf(body, sizeof body, "{\"sign\":%s}", sign);
    char *answer = tell("POST", control, path, body);
    return and_free(member(answer, "kid"), answer);
}

/* The next `times` requests for the issuer's keys meet a fault. `fault` is the text of the fault's
 * members. */
static inline void keys_fault(const char *control, const char *name, int times, const char *fault)
{
    char body[512];

    snprintf(body, sizeof body,
             "{\"path\":\"/%s/_torii/.well-known/jwks.json\",\"times\":%d,\"fault\":{%s}}", name,
             times, fault);
    free(tell("POST", control, "/faults", body));
}

/* How the issuer's keys are served from now on; {} for as they should be. */
static inline void serve_keys(const char *control, const char *name, const char *settings)
{
    char path[128];

    snprintf(path, sizeof path, "/issuers/%s/jwks", name);
    free(tell("PUT", control, path, settings));
}

/* The number of requests for the issuer's keys, once it is `at_least` this. */
static inline long key_requests(const char *control, const char *name, long at_least)
{
    char path[256];

    snprintf(path, sizeof path,
             "/requests?path=/%s/_torii/.well-known/jwks.json&at_least=%ld&timeout_ms=30000", name,
             at_least);
    char *answer = tell("GET", control, path, "");
    const char *total = strstr(answer, "\"total\":");
    CHECK(total != NULL);
    long count = strtol(total + strlen("\"total\":"), NULL, 10);
    free(answer);
    CHECK(count >= at_least);
    return count;
}

/* The key set as the issuer publishes it, to be freed. */
static inline char *published_keys(const char *issuer)
{
    char url[512];

    snprintf(url, sizeof url, "%s/_torii/.well-known/jwks.json", issuer);
    struct answer answer = request("GET", url, "", "");
    CHECK(answer.status == 200);
    memmove(answer.head, answer.body, strlen(answer.body) + 1);
    return answer.head;
}

#endif
