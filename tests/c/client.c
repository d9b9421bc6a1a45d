/*
 * Every function of the client and of patches, called from C:
 *
 *     client API_URL SECRET_KEY [CONTROL_URL]
 *
 * against a local torii. Exits with 0 if all checks pass. With the URL of the control API
 * it also checks that a child made by fork() uses no connection of its parent's.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <torii.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* A UUID that no user has. */
#define NOBODY TORII_STR("0191d3c0-0000-7000-8000-000000000000")

/* The results of the last call; the next one overwrites them. */
static torii_json_t *answer;
static torii_error_t *error;

/* The call worked, and there is an answer. */
static void answered(torii_status_t status)
{
    if (status != TORII_OK)
        fprintf(stderr, "%s\n", torii_error_message(error, NULL));
    CHECK(status == TORII_OK);
    CHECK(error == NULL);
    CHECK(answer != NULL);
}

/* The call worked, and there is nothing to answer. */
static void done(torii_status_t status)
{
    if (status != TORII_OK)
        fprintf(stderr, "%s\n", torii_error_message(error, NULL));
    CHECK(status == TORII_OK);
    CHECK(error == NULL);
}

/* The API refused. */
static void refused(torii_status_t status, uint32_t http_status)
{
    CHECK(status == TORII_ERR_API);
    CHECK(torii_error_status(error) == TORII_ERR_API);
    CHECK(torii_error_http_status(error) == http_status);
    CHECK(torii_error_message(error, NULL) != NULL);
    torii_error_free(error);
    error = NULL;
}

/* The call failed with this message before anything was sent. */
static void mistaken(torii_status_t status, const char *message)
{
    CHECK(status == TORII_ERR_INVALID_ARGUMENT);
    if (strcmp(torii_error_message(error, NULL), message) != 0)
        fprintf(stderr, "%s\n", torii_error_message(error, NULL));
    CHECK(strcmp(torii_error_message(error, NULL), message) == 0);
    CHECK(torii_error_http_status(error) == 0);
    CHECK(torii_error_code(error, NULL) == NULL);
    CHECK(torii_error_support_id(error, NULL) == NULL);
    CHECK(torii_error_body(error, NULL) == NULL);
    CHECK(torii_error_retry_after(error) == -1);
    torii_error_free(error);
    error = NULL;
}

static bool is(const char *pointer, const char *expected)
{
    const char *found = torii_json_string(answer, pointer, strlen(pointer), NULL);

    return found != NULL && strcmp(found, expected) == 0;
}

static size_t count(const char *pointer)
{
    size_t length = 0;

    CHECK(torii_json_length(answer, pointer, strlen(pointer), &length, NULL) == TORII_OK);
    return length;
}

static void drop(void)
{
    torii_json_free(answer);
    answer = NULL;
}

/* Keeps a text of the answer, and drops the answer. */
static void keep(const char *pointer, char *place, size_t size)
{
    const char *found = torii_json_string(answer, pointer, strlen(pointer), NULL);

    CHECK(found != NULL && strlen(found) < size);
    strcpy(place, found);
    drop();
}

static torii_client_t *make(const char *api_url, const char *secret_key)
{
    torii_client_options_t *options = torii_client_options_new();
    torii_client_t *client = NULL;

    CHECK(options != NULL);
    done(torii_client_options_set_api_url(options, api_url, strlen(api_url), &error));
    done(torii_client_options_set_timeout_ms(options, 20000, &error));
    done(torii_client_options_set_connect_timeout_ms(options, 2000, &error));
    done(torii_client_options_set_max_retries(options, 1, &error));
    done(torii_client_options_set_user_agent_suffix(options, TORII_STR("client.c"), &error));
    done(torii_client_options_set_allow_http(options, true, &error));
    done(torii_client_options_set_allow_http(options, false, &error));
    done(torii_client_new(secret_key, strlen(secret_key), options, &client, &error));
    torii_client_options_free(options);
    CHECK(client != NULL);
    return client;
}

static void options_are_checked(void)
{
    torii_client_options_t *options = torii_client_options_new();
    torii_client_t *client = (torii_client_t *)&options;

    mistaken(torii_client_options_set_api_url(options, TORII_STR("x"), &error),
             "api_url: not an absolute URL, as in https://acme.torii.so");
    mistaken(torii_client_options_set_timeout_ms(options, 0, &error),
             "timeout: not within 100 to 600000 milliseconds");
    mistaken(torii_client_options_set_connect_timeout_ms(options, 0, &error),
             "connect timeout: not within 100 to 60000 milliseconds");
    mistaken(torii_client_options_set_max_retries(options, 11, &error),
             "max_retries: not within 0 to 10");
    mistaken(torii_client_options_set_user_agent_suffix(options, TORII_STR("\n"), &error),
             "user_agent_suffix: holds a character that is not visible ASCII");
    mistaken(torii_client_options_set_proxy(options, TORII_STR("p"), &error),
             "proxy: not a URL, as in http://proxy.example:3128");
    done(torii_client_options_set_proxy(options, TORII_STR("http://127.0.0.1:1"), &error));
    CHECK(torii_client_options_set_ca_file(options, TORII_STR("/nonexistent"), &error)
          == TORII_ERR_INVALID_CONFIG);
    torii_error_free(error);
    mistaken(torii_client_options_set_max_retries(NULL, 1, &error), "options: NULL");
    mistaken(torii_client_options_set_allow_http(NULL, true, &error), "options: NULL");

    mistaken(torii_client_new(TORII_STR("pk_1"), options, &client, &error),
             "secret_key: does not start with sk_");
    CHECK(client == NULL);
    mistaken(torii_client_new(TORII_STR("sk_1"), options, NULL, &error), "out: NULL");
    mistaken(torii_client_new("sk_1", TORII_NUL_TERMINATED, options, &client, &error),
             "secret_key: needs its length; TORII_NUL_TERMINATED is not accepted");

    /* No proxy listens there. */
    done(torii_client_new(TORII_STR("sk_1"), options, &client, &error));
    CHECK(torii_client_allowed_origins_get_json(client, &answer, &error) == TORII_ERR_TRANSPORT);
    CHECK(torii_error_http_status(error) == 0 && answer == NULL);
    torii_error_free(error);
    error = NULL;

    /* Only the text of the program may leave its length to the NUL. */
    mistaken(torii_client_users_create_json(client, "{}", TORII_NUL_TERMINATED, &answer, &error),
             "body: needs its length; TORII_NUL_TERMINATED is not accepted");
    mistaken(torii_client_users_list_json(client, 0, NULL, 0, "{}", TORII_NUL_TERMINATED, &answer,
                                          &error),
             "filter: needs its length; TORII_NUL_TERMINATED is not accepted");
    mistaken(torii_client_invitations_list_json(client, 0, NULL, 0, "[]", TORII_NUL_TERMINATED,
                                                NULL, 0, &answer, &error),
             "statuses: needs its length; TORII_NUL_TERMINATED is not accepted");
    mistaken(torii_client_request_json(client, "POST", TORII_NUL_TERMINATED, "/api/server/v1/users",
                                       TORII_NUL_TERMINATED, NULL, 0, "{}", TORII_NUL_TERMINATED,
                                       &answer, &error),
             "body: needs its length; TORII_NUL_TERMINATED is not accepted");
    torii_client_free(client);
    torii_client_options_free(options);
    torii_client_options_free(NULL);
    torii_client_free(NULL);
}

static void patches_tell_three_states_apart(void)
{
    torii_patch_t *patch = torii_patch_new();
    size_t length = 0;

    CHECK(strcmp(torii_patch_json(patch, NULL), "{}") == 0);
    done(torii_patch_set_string(patch, TORII_STR("name"), TORII_STR("Ada"), &error));
    done(torii_patch_set_null(patch, TORII_STR("phone"), &error));
    CHECK(strcmp(torii_patch_json(patch, &length), "{\"name\":\"Ada\",\"phone\":null}") == 0);
    CHECK(length == strlen("{\"name\":\"Ada\",\"phone\":null}"));
    done(torii_patch_set_bool(patch, TORII_STR("name"), true, &error));
    done(torii_patch_set_int(patch, TORII_STR("n"), INT64_MIN, &error));
    done(torii_patch_set_json(patch, TORII_STR("j"), TORII_STR("[1.0]"), &error));
    done(torii_patch_unset(patch, "phone", TORII_NUL_TERMINATED, &error));
    mistaken(torii_patch_set_string(patch, TORII_STR("x"), "y", TORII_NUL_TERMINATED, &error),
             "value: needs its length; TORII_NUL_TERMINATED is not accepted");
    done(torii_patch_set_string(patch, TORII_STR("s"), "a\0b", 3, &error));
    CHECK(strcmp(torii_patch_json(patch, NULL), "{\"name\":true,\"n\":-9223372036854775808,"
                                                "\"j\":[1.0],\"s\":\"a\\u0000b\"}")
          == 0);
    mistaken(torii_patch_set_null(patch, NULL, 0, &error), "name: empty");
    mistaken(torii_patch_set_string(patch, TORII_STR("x"), TORII_STR("\xff"), &error),
             "value: not UTF-8");
    mistaken(torii_patch_set_json(patch, TORII_STR("x"), TORII_STR("{"), &error),
             "json: not one JSON value (line 1, column 1)");
    mistaken(torii_patch_unset(NULL, TORII_STR("x"), &error), "patch: NULL");
    torii_patch_free(patch);
    CHECK(torii_patch_json(NULL, &length) == NULL && length == 0);
    torii_patch_free(NULL);
}

static void users_are_managed(const torii_client_t *client)
{
    torii_patch_t *patch = torii_patch_new();
    const char *change;
    size_t change_len;
    char id[64];

    answered(torii_client_users_create_json(
        client, TORII_STR("{\"email\":\"c@example.com\",\"lastName\":\"X\"}"), &answer, &error));
    keep("/id", id, sizeof id);
    refused(torii_client_users_create_json(client, TORII_STR("{\"email\":\"c@example.com\"}"),
                                           &answer, &error),
            409);

    answered(torii_client_users_get_json(client, id, strlen(id), &answer, &error));
    CHECK(is("/email", "c@example.com"));
    drop();

    done(torii_patch_set_string(patch, TORII_STR("firstName"), TORII_STR("Ada"), &error));
    done(torii_patch_set_null(patch, TORII_STR("lastName"), &error));
    change = torii_patch_json(patch, &change_len);
    answered(torii_client_users_update_json(client, id, strlen(id), change, change_len, &answer,
                                            &error));
    CHECK(is("/firstName", "Ada"));
    CHECK(torii_json_is_null(answer, TORII_STR("/lastName")));
    drop();
    torii_patch_free(patch);

    answered(torii_client_users_update_metadata_json(
        client, id, strlen(id), TORII_STR("{\"publicMetadata\":{\"a\":1}}"), &answer, &error));
    CHECK(count("/publicMetadata") == 1);
    drop();

    answered(torii_client_users_list_json(client, 0, NULL, 0, NULL, 0, &answer, &error));
    CHECK(count("/items") >= 1);
    drop();
    answered(torii_client_users_list_json(
        client, 1, NOBODY, TORII_STR("{\"emailAddresses\":[\"c@example.com\"]}"), &answer, &error));
    CHECK(count("/items") == 1);
    drop();

    answered(torii_client_users_list_organizations_json(client, id, strlen(id), 5, NULL, 0, &answer,
                                                        &error));
    CHECK(count("/items") == 0);
    drop();

    answered(torii_client_sessions_list_for_user_json(client, id, strlen(id), &answer, &error));
    CHECK(count("") == 0);
    drop();
    done(torii_client_sessions_revoke_all_for_user(client, id, strlen(id), &error));
    refused(torii_client_sessions_revoke(client, id, strlen(id), NOBODY, &error), 403);

    refused(torii_client_impersonation_create_token_json(client, id, strlen(id), TORII_STR("{}"),
                                                         &answer, &error),
            400);

    answered(torii_client_users_ban_json(client, id, strlen(id), &answer, &error));
    CHECK(is("/status", "banned"));
    drop();
    answered(torii_client_users_unban_json(client, id, strlen(id), &answer, &error));
    CHECK(is("/status", "active"));
    drop();
    done(torii_client_users_delete(client, id, strlen(id), &error));
    refused(torii_client_users_delete(client, id, strlen(id), &error), 403);
}

static void organizations_are_read(const torii_client_t *client)
{
    static const char bags[] = "{\"publicMetadata\":{}}";

    answered(torii_client_organizations_list_json(client, 1, NULL, 0, TORII_STR("a b"), &answer,
                                                  &error));
    CHECK(count("/items") == 0);
    drop();
    refused(torii_client_organizations_get_json(client, NOBODY, &answer, &error), 404);
    refused(torii_client_organizations_list_members_json(client, NOBODY, 0, NULL, 0, &answer,
                                                         &error),
            404);
    refused(torii_client_organizations_update_metadata_json(client, NOBODY, bags, sizeof bags - 1,
                                                            &answer, &error),
            404);
    refused(torii_client_organizations_update_member_metadata_json(
                client, NOBODY, NOBODY, bags, sizeof bags - 1, &answer, &error),
            404);
}

static void invitations_are_sent(const torii_client_t *client)
{
    char id[64];

    answered(torii_client_invitations_create_json(
        client,
        TORII_STR("{\"email\":\"i@example.com\",\"publicMetadata\":{},\"privateMetadata\":{}}"),
        &answer, &error));
    keep("/id", id, sizeof id);
    answered(torii_client_invitations_list_json(client, 10, NULL, 0,
                                                TORII_STR("[\"PENDING\",\"EXPIRED\"]"),
                                                TORII_STR("i@example"), &answer, &error));
    CHECK(count("/items") == 1);
    drop();
    mistaken(torii_client_invitations_list_json(client, 10, NULL, 0, TORII_STR("PENDING"), NULL, 0,
                                                &answer, &error),
             "statuses: not a JSON list of texts");
    answered(torii_client_invitations_get_json(client, id, strlen(id), &answer, &error));
    CHECK(is("/status", "PENDING"));
    drop();
    answered(torii_client_invitations_update_metadata_json(
        client, id, strlen(id), TORII_STR("{\"publicMetadata\":{\"a\":1}}"), &answer, &error));
    CHECK(count("/publicMetadata") == 1);
    drop();
    answered(torii_client_invitations_resend_json(client, id, strlen(id), &answer, &error));
    drop();
    done(torii_client_invitations_revoke(client, id, strlen(id), &error));
    refused(torii_client_invitations_update_metadata_json(
                client, id, strlen(id), TORII_STR("{\"publicMetadata\":{}}"), &answer, &error),
            409);
}

static void the_rest_is_called(const torii_client_t *client)
{
    answered(torii_client_allowed_origins_set_json(
        client, TORII_STR("{\"origins\":[\"https://a.example\"]}"), &answer, &error));
    drop();
    answered(torii_client_allowed_origins_get_json(client, &answer, &error));
    CHECK(is("/origins/0", "https://a.example"));
    drop();
    answered(torii_client_request_json(client, TORII_STR("GET"),
                                       TORII_STR("/api/server/v1/organizations"),
                                       TORII_STR("limit=1"), NULL, 0, &answer, &error));
    CHECK(count("/items") == 0);
    drop();
    mistaken(torii_client_request_json(client, TORII_STR("GET"), TORII_STR("users"), NULL, 0, NULL,
                                       0, &answer, &error),
             "path: does not start with a slash");
}

static void errors_have_details(const torii_client_t *client)
{
    size_t length = 0;
    torii_error_t *held = (torii_error_t *)&length;

    CHECK(torii_client_users_get_json(client, NOBODY, &answer, &held) == TORII_ERR_API);
    CHECK(answer == NULL);
    CHECK(torii_error_http_status(held) == 404);
    CHECK(strcmp(torii_error_code(held, &length), "not_found") == 0 && length == 9);
    CHECK(torii_error_support_id(held, &length) != NULL && length == 36);
    CHECK(strstr(torii_error_body(held, &length), "\"not_found\"") != NULL && length > 9);
    CHECK(torii_error_retry_after(held) == -1);
    torii_error_free(held);
    /* Without an error handle. */
    CHECK(torii_client_users_get_json(client, NOBODY, &answer, NULL) == TORII_ERR_API);
    CHECK(torii_error_http_status(NULL) == 0);
    CHECK(torii_error_code(NULL, &length) == NULL && length == 0);
    CHECK(torii_error_support_id(NULL, NULL) == NULL);
    CHECK(torii_error_body(NULL, NULL) == NULL);
    CHECK(torii_status_http(TORII_ERR_API) == 500);
    CHECK(strcmp(torii_status_name(TORII_ERR_RESPONSE), "TORII_ERR_RESPONSE") == 0);

    mistaken(torii_client_users_get_json(client, TORII_STR("../x"), &answer, &error),
             "user_id: not a UUID");
    mistaken(torii_client_users_create_json(client, TORII_STR("[]"), &answer, &error),
             "body: not a JSON object");
    mistaken(torii_client_users_list_json(client, 101, NULL, 0, NULL, 0, &answer, &error),
             "limit: not within 0 to 100");
    mistaken(torii_client_users_get_json(client, NOBODY, NULL, &error), "out: NULL");
    mistaken(torii_client_users_get_json(NULL, NOBODY, &answer, &error), "client: NULL");
    mistaken(torii_client_users_delete(NULL, NOBODY, &error), "client: NULL");
}

/* The connection of a recent request: 0 is the latest one. */
static int64_t connection(const torii_client_t *control, size_t but)
{
    char pointer[64];
    int64_t number;

    answered(torii_client_request_json(control, TORII_STR("GET"), TORII_STR("/requests"),
                                       TORII_STR("path=/api/server/v1/allowed-origins"), NULL, 0,
                                       &answer, &error));
    snprintf(pointer, sizeof pointer, "/requests/%zu/connection", count("/requests") - 1 - but);
    CHECK(torii_json_int(answer, pointer, strlen(pointer), &number, NULL) == TORII_OK);
    drop();
    return number;
}

static void a_child_has_connections_of_its_own(const torii_client_t *client,
                                               const torii_client_t *control)
{
    int status = -1;
    pid_t child;

    answered(torii_client_allowed_origins_get_json(client, &answer, &error));
    drop();
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        /* Not by exit: the child cannot free the parent's memory, and memcheck would object. */
        if (torii_client_allowed_origins_get_json(client, &answer, NULL) == TORII_OK)
            execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    answered(torii_client_allowed_origins_get_json(client, &answer, &error));
    drop();
    CHECK(connection(control, 1) != connection(control, 2));
    CHECK(connection(control, 0) == connection(control, 2));
}

int main(int argc, char **argv)
{
    torii_client_t *client;

    CHECK(argc >= 3);
    options_are_checked();
    patches_tell_three_states_apart();
    client = make(argv[1], argv[2]);
    users_are_managed(client);
    organizations_are_read(client);
    invitations_are_sent(client);
    the_rest_is_called(client);
    errors_have_details(client);
    if (argc > 3) {
        torii_client_t *control = make(argv[3], argv[2]);

        a_child_has_connections_of_its_own(client, control);
        torii_client_free(control);
    }
    torii_client_free(client);
    return 0;
}
