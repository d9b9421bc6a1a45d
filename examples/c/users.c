/*
 * Manages users of an environment:
 *
 *     users API_URL SECRET_KEY            creates a user, sets one field and clears another
 *     users API_URL SECRET_KEY USER_ID    lists the user's sessions, bans the user, and lists them
 *                                         again
 *
 * Prints what it did, and the user's id as the last line. Ends with 0 when all of it worked, with 1
 * when something did not, and with 2 when it was not started as above.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <torii.h>

/* Says why a call failed, if it did, and frees the error. */
static bool went_well(const char *what, torii_status_t status, torii_error_t *error)
{
    if (status != TORII_OK) {
        const char *support_id = torii_error_support_id(error, NULL);

        fprintf(stderr, "%s: %s: %s\n", what, torii_status_name(status),
                torii_error_message(error, NULL));
        if (support_id)
            fprintf(stderr, "%s: torii's support knows this as %s\n", what, support_id);
    }
    torii_error_free(error);
    return status == TORII_OK;
}

static const char *text(const torii_json_t *json, const char *pointer)
{
    const char *found = torii_json_string(json, pointer, strlen(pointer), NULL);

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
    const char *id, *change;
    size_t change_len;
    bool good;

    status = torii_client_users_create_json(client, body, sizeof body - 1, &user, &error);
    good = went_well("create", status, error);
    if (good) {
        show("created", user);

        torii_patch_set_string(patch, TORII_STR("firstName"), TORII_STR("Ada"), NULL);
        torii_patch_set_null(patch, TORII_STR("lastName"), NULL);
        change = torii_patch_json(patch, &change_len);

        id = text(user, "/id");
        status = torii_client_users_update_json(client, id, strlen(id), change, change_len,
                                                &changed, &error);
        good = went_well("update", status, error);
    }
    if (good) {
        show("changed", changed);
        printf("%s\n", text(changed, "/id"));
    }

    torii_patch_free(patch);
    torii_json_free(changed);
    torii_json_free(user);
    return good;
}

static bool show_sessions(const torii_client_t *client, const char *id)
{
    torii_json_t *sessions = NULL;
    torii_error_t *error = NULL;
    torii_status_t status;
    size_t count = 0, i;
    bool good;

    status = torii_client_sessions_list_for_user_json(client, id, strlen(id), &sessions, &error);
    good = went_well("sessions", status, error);
    if (good) {
        torii_json_length(sessions, TORII_STR(""), &count, NULL);
        printf("sessions: %zu\n", count);
    }
    for (i = 0; i < count; i++) {
        char pointer[32];

        snprintf(pointer, sizeof pointer, "/%zu/id", i);
        printf("  %s\n", text(sessions, pointer));
    }
    torii_json_free(sessions);
    return good;
}

/* Bans a user, which ends all sessions. */
static bool ban(const torii_client_t *client, const char *id)
{
    torii_json_t *user = NULL;
    torii_error_t *error = NULL;
    torii_status_t status;
    bool good;

    status = torii_client_users_ban_json(client, id, strlen(id), &user, &error);
    good = went_well("ban", status, error);
    if (good)
        printf("status: %s\n", text(user, "/status"));
    torii_json_free(user);
    return good;
}

int main(int argc, char **argv)
{
    torii_client_options_t *options = torii_client_options_new();
    torii_client_t *client = NULL;
    torii_error_t *error = NULL;
    torii_status_t status;
    bool good;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s API_URL SECRET_KEY [USER_ID]\n", argv[0]);
        torii_client_options_free(options);
        return 2;
    }
    status = torii_client_options_set_api_url(options, argv[1], strlen(argv[1]), &error);
    good = went_well("API URL", status, error);
    if (good) {
        status = torii_client_new(argv[2], strlen(argv[2]), options, &client, &error);
        good = went_well("client", status, error);
    }
    if (good && argc == 3)
        good = create(client);
    if (good && argc == 4) {
        good = show_sessions(client, argv[3]) && ban(client, argv[3])
               && show_sessions(client, argv[3]);
        printf("%s\n", argv[3]);
    }
    torii_client_free(client);
    torii_client_options_free(options);
    return good ? 0 : 1;
}
