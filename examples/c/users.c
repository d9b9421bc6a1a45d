/*
 * Manages users of an environment:
 *
 *     users API_URL SECRET_KEY            creates a user, sets one field and clears another
 *     users API_URL SECRET_KEY USER_ID    lists the user's sessions, bans the user, lists again
 *
 * The last line of the output is the user's id. Exit status: 0 if all calls succeed, 1 if one fails,
 * 2 for invalid arguments.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <torii.h>

/* Prints why a call failed, if it did. Frees the error. */
static bool succeeded(const char *what, torii_status_t status, torii_error_t *error)
{
    if (status != TORII_OK) {
        const char *support_id = torii_error_support_id(error, NULL);

        fprintf(stderr, "%s: %s: %s\n", what, torii_status_name(status),
                torii_error_message(error, NULL));
        if (support_id)
            fprintf(stderr, "%s: support id %s\n", what, support_id);
    }
    torii_error_free(error);
    return status == TORII_OK;
}

static const char *text(const torii_json_t *json, const char *pointer)
{
    const char *found = torii_json_string(json, pointer, TORII_NUL_TERMINATED, NULL);

    return found ? found : "(none)";
}

static void show(const char *what, const torii_json_t *user)
{
    printf("%s: first name %s, last name %s\n", what, text(user, "/firstName"),
           text(user, "/lastName"));
}

/* Creates a user, then sets the first name and clears the last. */
static bool create(const torii_client_t *client)
{
    static const char body[] = "{\"firstName\":\"Augusta\",\"lastName\":\"Byron\"}";
    torii_json_t *user = NULL, *changed = NULL;
    torii_patch_t *patch = torii_patch_new();
    torii_error_t *error = NULL;
    torii_status_t status;
    const char *change;
    size_t change_len;
    bool done;

    status = torii_client_users_create_json(client, body, sizeof body - 1, &user, &error);
    done = succeeded("create", status, error);
    if (done) {
        show("created", user);

        status = torii_patch_set_string(patch, TORII_STR("firstName"), TORII_STR("Ada"), &error);
        if (status == TORII_OK)
            status = torii_patch_set_null(patch, TORII_STR("lastName"), &error);
        if (status == TORII_OK) {
            change = torii_patch_json(patch, &change_len);
            status = torii_client_users_update_json(client, text(user, "/id"),
                                                    TORII_NUL_TERMINATED, change, change_len,
                                                    &changed, &error);
        }
        done = succeeded("update", status, error);
    }
    if (done) {
        show("changed", changed);
        printf("%s\n", text(changed, "/id"));
    }

    torii_patch_free(patch);
    torii_json_free(changed);
    torii_json_free(user);
    return done;
}

static bool show_sessions(const torii_client_t *client, const char *id)
{
    torii_json_t *sessions = NULL;
    torii_error_t *error = NULL;
    torii_status_t status;
    size_t count = 0, i;
    bool done;

    status = torii_client_sessions_list_for_user_json(client, id, TORII_NUL_TERMINATED, &sessions,
                                                      &error);
    if (status == TORII_OK)
        status = torii_json_length(sessions, TORII_STR(""), &count, &error);
    done = succeeded("sessions", status, error);
    if (done)
        printf("sessions: %zu\n", count);
    for (i = 0; i < count; i++) {
        char pointer[32];

        snprintf(pointer, sizeof pointer, "/%zu/id", i);
        printf("  %s\n", text(sessions, pointer));
    }
    torii_json_free(sessions);
    return done;
}

/* Bans a user. This ends all sessions; tokens already issued stay valid until they expire. */
static bool ban(const torii_client_t *client, const char *id)
{
    torii_json_t *user = NULL;
    torii_error_t *error = NULL;
    torii_status_t status;
    bool done;

    status = torii_client_users_ban_json(client, id, TORII_NUL_TERMINATED, &user, &error);
    done = succeeded("ban", status, error);
    if (done)
        printf("status: %s\n", text(user, "/status"));
    torii_json_free(user);
    return done;
}

int main(int argc, char **argv)
{
    torii_client_options_t *options = torii_client_options_new();
    torii_client_t *client = NULL;
    torii_error_t *error = NULL;
    torii_status_t status;
    bool done;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s API_URL SECRET_KEY [USER_ID]\n", argv[0]);
        torii_client_options_free(options);
        return 2;
    }
    status = torii_client_options_set_api_url(options, argv[1], TORII_NUL_TERMINATED, &error);
    done = succeeded("API URL", status, error);
    if (done) {
        status = torii_client_new(argv[2], strlen(argv[2]), options, &client, &error);
        done = succeeded("client", status, error);
    }
    if (done && argc == 3)
        done = create(client);
    if (done && argc == 4) {
        done = show_sessions(client, argv[3]) && ban(client, argv[3])
               && show_sessions(client, argv[3]);
        printf("%s\n", argv[3]);
    }
    torii_client_free(client);
    torii_client_options_free(options);
    return done ? 0 : 1;
}
