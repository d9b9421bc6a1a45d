/* Every case of tests/behaviour/cases.tsv, whose first lines say how to read it, gets the status
 * it must get: from each function, with the token cache and without, once and once more. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

/* A text of the file; bytes is NULL where the column is absent. */
struct text {
    char *bytes;
    size_t length;
};

struct key_set {
    char *name;
    int64_t usable, skipped;
    struct text jwks;
};

/* The columns of a case. */
enum { CASE, NAME, KIND, INPUT, ISSUER, KEY_SET, ISSUERS, AUDIENCES, LEEWAY, REQUIRE, NOW,
       IGNORE_AUDIENCE, MAX_LIFETIME, LEGACY_ORGANIZATION, REQUIREMENTS, STATUS, USER_ID,
       ENVIRONMENT_ID, AUTH_ISSUER, LOCALE, EMAIL_VERIFIED, PROFILE_COMPLETE, IMPERSONATING,
       ISSUED_AT, EXPIRES_AT, CLAIMS_JSON, ORGANIZATION_ID, ORGANIZATION_ROLE, ACTOR_ID, FLAGS,
       COLUMNS };

static struct key_set key_sets[1000];
static size_t key_set_count;
static const char *at; /* the record that is being worked on */

/* As CHECK, and says of which record. */
#define HOLDS(condition) \
    do { \
        if (!(condition)) \
            check_failed(__FILE__, __LINE__, "%s: %s", at, #condition); \
    } while (0)

static unsigned hex_digit(char digit)
{
    const char *digits = "0123456789ABCDEF", *found = strchr(digits, digit);
    HOLDS(digit != '\0' && found != NULL);
    return (unsigned)(found - digits);
}

/* Pieces separated by commas, each TEXT or TEXT*N, with %HH for a byte. */
static struct text decode(const char *column)
{
    struct text text = {NULL, 0};
    size_t room = 0;

    if (strcmp(column, "-") == 0)
        return text;
    for (;;) {
        size_t piece = text.length, length = strcspn(column, ",*");
        char *end = NULL;
        unsigned long times = 1;

        if (room < piece + length + 1)
            text.bytes = realloc(text.bytes, room = 2 * (piece + length) + 1);
        HOLDS(text.bytes != NULL);
        for (const char *byte = column; byte < column + length; byte++) {
            if (*byte == '%') {
                text.bytes[text.length++] = (char)(16 * hex_digit(byte[1]) + hex_digit(byte[2]));
                byte += 2;
            } else {
                text.bytes[text.length++] = *byte;
            }
        }
        column += length;
        if (*column == '*') {
            times = strtoul(column + 1, &end, 10);
            column = end;
        }
        length = text.length - piece;
        if (room < piece + times * length + 1)
            text.bytes = realloc(text.bytes, room = piece + times * length + 1);
        HOLDS(text.bytes != NULL);
        text.length = piece;
        for (; times > 0; times--, text.length += length)
            memmove(text.bytes + text.length, text.bytes + piece, length);
        if (*column == '\0')
            break;
        HOLDS(*column == ',');
        column++;
    }
    text.bytes[text.length] = '\0';
    return text;
}

static size_t split(char *line, char separator, char **parts, size_t most)
{
    size_t count = 0;

    for (char *part = line; part != NULL; count++) {
        HOLDS(count < most);
        parts[count] = part;
        part = strchr(part, separator);
        if (part != NULL)
            *part++ = '\0';
    }
    return count;
}

/* The items of a list, decoded where they lie; how many there are. */
static size_t list(const char *column, struct text *items, size_t most)
{
    char *copy = strdup(column), *parts[16];
    size_t count = 0;

    HOLDS(copy != NULL && most <= sizeof parts / sizeof parts[0]);
    if (strcmp(column, "-") != 0)
        count = split(copy, ' ', parts, most);
    for (size_t i = 0; i < count; i++)
        items[i] = decode(parts[i]);
    free(copy);
    return count;
}

static bool is(struct text text, const char *got, size_t length)
{
    if (text.bytes == NULL || got == NULL)
        return text.bytes == got && length == 0;
    return text.length == length && memcmp(text.bytes, got, length) == 0 && got[length] == '\0';
}

static const struct key_set *find_key_set(const char *name)
{
    for (size_t i = 0; i < key_set_count; i++)
        if (strcmp(key_sets[i].name, name) == 0)
            return &key_sets[i];
    check_failed(__FILE__, __LINE__, "%s: a key set named %s", at, name);
    return NULL;
}

static void give_keys(torii_verifier_options_t *options, const char *name)
{
    const struct text *jwks = &find_key_set(name)->jwks;
    CHECK_OK(torii_verifier_options_set_jwks_json(options, jwks->bytes, jwks->length, err));
}

static int64_t clock_of_the_case(void *now)
{
    return *(const int64_t *)now;
}

/* Triples: "flags N -", "claim POINTER JSON" or "organization ID ROLE". */
static torii_requirements_t *read_requirements(const char *column)
{
    torii_requirements_t *requirements = torii_requirements_new();
    struct text items[16];
    const size_t count = list(column, items, 16);

    HOLDS(requirements != NULL && count % 3 == 0);
    for (size_t i = 0; i < count; i += 3) {
        const char *kind = items[i].bytes;
        const struct text first = items[i + 1], second = items[i + 2];
        if (strcmp(kind, "flags") == 0)
            CHECK_OK(torii_requirements_add_flags(requirements, (uint32_t)atoi(first.bytes), err));
        else if (strcmp(kind, "claim") == 0)
            CHECK_OK(torii_requirements_add_claim(requirements, first.bytes, first.length,
                                                  second.bytes, second.length, err));
        else
            CHECK_OK(torii_requirements_add_organization(requirements, first.bytes, first.length,
                                                         second.bytes, second.length, err));
        for (size_t part = i; part < i + 3; part++)
            free(items[part].bytes);
    }
    return requirements;
}

static torii_verifier_t *make_verifier(char *const *columns, size_t cache, int64_t *now)
{
    torii_verifier_options_t *options = torii_verifier_options_new();
    torii_verifier_t *verifier = NULL;
    struct text items[16], issuer = decode(columns[ISSUER]);

    HOLDS(options != NULL);
    give_keys(options, columns[KEY_SET]);
    size_t count = list(columns[ISSUERS], items, 16);
    HOLDS(count % 2 == 0);
    for (size_t i = 0; i < count; i += 2) {
        const struct text *jwks = &find_key_set(items[i + 1].bytes)->jwks;
        CHECK_OK(torii_verifier_options_add_issuer_jwks(options, items[i].bytes, items[i].length,
                                                        jwks->bytes, jwks->length, err));
        free(items[i].bytes);
        free(items[i + 1].bytes);
    }
    count = list(columns[AUDIENCES], items, 16);
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(
            torii_verifier_options_add_audience(options, items[i].bytes, items[i].length, err));
        free(items[i].bytes);
    }
    count = list(columns[REQUIRE], items, 16);
    for (size_t i = 0; i < count; i++) {
        const char *wanted = items[i].bytes;
        uint32_t flag = strcmp(wanted, "email_verified") == 0     ? TORII_REQUIRE_EMAIL_VERIFIED
                        : strcmp(wanted, "profile_complete") == 0 ? TORII_REQUIRE_PROFILE_COMPLETE
                        : strcmp(wanted, "not_impersonated") == 0 ? TORII_REQUIRE_NOT_IMPERSONATED
                                                                  : 0;
        HOLDS(flag != 0);
        CHECK_OK(torii_verifier_options_require(options, flag, err));
        free(items[i].bytes);
    }
    if (columns[IGNORE_AUDIENCE][0] == '1')
        CHECK_OK(torii_verifier_options_set_ignore_audience(options, true, err));
    if (columns[LEGACY_ORGANIZATION][0] == '1')
        CHECK_OK(torii_verifier_options_set_legacy_organization(options, true, err));
    if (strcmp(columns[MAX_LIFETIME], "-") != 0)
        CHECK_OK(torii_verifier_options_set_max_lifetime_seconds(
            options, (uint32_t)atoi(columns[MAX_LIFETIME]), err));
    torii_requirements_t *requirements = read_requirements(columns[REQUIREMENTS]);
    CHECK_OK(torii_verifier_options_set_requirements(options, requirements, err));
    torii_requirements_free(requirements);
    if (strcmp(columns[LEEWAY], "-") != 0)
        CHECK_OK(torii_verifier_options_set_leeway_seconds(options, (uint32_t)atoi(columns[LEEWAY]), err));
    if (strcmp(columns[NOW], "-") != 0) {
        *now = strtoll(columns[NOW], NULL, 10);
        CHECK(torii_verifier_options_set_clock(options, clock_of_the_case, now, NULL) == TORII_OK);
    }
    if (cache == 0)
        CHECK(torii_verifier_options_set_token_cache_bytes(options, 0, NULL) == TORII_OK);
    CHECK_OK(torii_verifier_new(issuer.bytes, issuer.length, options, &verifier, err));
    torii_verifier_options_free(options);
    free(issuer.bytes);
    return verifier;
}

static void compare_text(const torii_auth_t *auth,
                         const char *(*get)(const torii_auth_t *, size_t *), const char *column)
{
    struct text wanted = decode(column);
    size_t length = 1;
    const char *got = get(auth, &length);

    if (!is(wanted, got, length))
        check_failed(__FILE__, __LINE__, "%s: \"%s\" is \"%s\"", at, got ? got : "(null)", column);
    free(wanted.bytes);
}

static void compare(const torii_auth_t *auth, char *const *columns)
{
    torii_json_t *claims = NULL;
    size_t length = 1;

    compare_text(auth, torii_auth_user_id, columns[USER_ID]);
    compare_text(auth, torii_auth_environment_id, columns[ENVIRONMENT_ID]);
    compare_text(auth, torii_auth_issuer, columns[AUTH_ISSUER]);
    compare_text(auth, torii_auth_locale, columns[LOCALE]);
    compare_text(auth, torii_auth_claims_json, columns[CLAIMS_JSON]);
    compare_text(auth, torii_auth_organization_id, columns[ORGANIZATION_ID]);
    compare_text(auth, torii_auth_organization_role, columns[ORGANIZATION_ROLE]);
    compare_text(auth, torii_auth_actor_id, columns[ACTOR_ID]);
    HOLDS(torii_auth_email_verified(auth) == (columns[EMAIL_VERIFIED][0] == '1'));
    HOLDS(torii_auth_profile_complete(auth) == (columns[PROFILE_COMPLETE][0] == '1'));
    HOLDS(torii_auth_impersonating(auth) == (columns[IMPERSONATING][0] == '1'));
    HOLDS(torii_auth_issued_at(auth) == strtoll(columns[ISSUED_AT], NULL, 10));
    HOLDS(torii_auth_expires_at(auth) == strtoll(columns[EXPIRES_AT], NULL, 10));

    /* The claims one by one say the same. */
    struct text user_id = decode(columns[USER_ID]);
    const char *got = torii_auth_claim_string(auth, TORII_STR("sub"), &length);
    HOLDS(is(user_id, got, length));
    CHECK_OK(torii_auth_claims(auth, &claims, err));
    got = torii_json_string(claims, TORII_STR("/sub"), &length);
    HOLDS(is(user_id, got, length));
    struct text whole = decode(columns[CLAIMS_JSON]);
    got = torii_json_text(claims, &length);
    HOLDS(is(whole, got, length));
    free(whole.bytes);
    torii_json_free(claims);
    free(user_id.bytes);
}

/* Whether the message holds a piece of the token. */
static bool quotes(const char *message, struct text input)
{
    enum { PIECE = 16 };
    for (; strlen(message) >= PIECE; message++)
        for (size_t i = 0; i + PIECE <= input.length; i++)
            if (memcmp(message, input.bytes + i, PIECE) == 0)
                return true;
    return false;
}

static void verify_once(const torii_verifier_t *verifier, verify_function *function, struct text input,
                       char *const *columns)
{
    const char *wanted = columns[STATUS];
    torii_auth_t *auth = GARBAGE;
    torii_error_t *error = GARBAGE;
    torii_status_t status = function(verifier, input.bytes, input.length, &auth, &error);

    if (strcmp(torii_status_name(status), wanted) != 0)
        check_failed(__FILE__, __LINE__, "%s: %s is %s: %s", at, torii_status_name(status), wanted,
                     error ? torii_error_message(error, NULL) : "accepted");
    if (status == TORII_OK) {
        HOLDS(error == NULL);
        compare(auth, columns);
        torii_auth_free(auth);
        return;
    }
    HOLDS(auth == NULL);
    const char *message = torii_error_message(error, NULL);
    HOLDS(torii_error_status(error) == status && message[0] != '\0');
    HOLDS(strpbrk(message, "\r\n") == NULL);
    HOLDS(!quotes(message, input));
    torii_error_free(error);
    HOLDS(function(verifier, input.bytes, input.length, &auth, NULL) == status && auth == NULL);
}

/* A record says the same, and whether the call is counted like the others. */
static void compare_record(const torii_verifier_t *verifier, struct text input, bool is_token,
                           char *const *columns)
{
    static union {
        torii_record_t record;
        char bytes[TORII_RECORD_MAX];
    } buffer;
    const torii_status_t status =
        torii_verify_into(verifier, input.bytes, input.length, is_token ? 0 : TORII_VERIFY_HEADER,
                          NULL, &buffer, sizeof buffer, NULL, NULL);

    HOLDS(strcmp(torii_status_name(status), columns[STATUS]) == 0);
    if (status != TORII_OK) {
        HOLDS(buffer.record.size == 0 && buffer.record.flags == 0);
        return;
    }
    const struct {
        torii_span_t span;
        int column;
    } texts[] = {
        {buffer.record.user_id, USER_ID},
        {buffer.record.environment_id, ENVIRONMENT_ID},
        {buffer.record.issuer, AUTH_ISSUER},
        {buffer.record.locale, LOCALE},
        {buffer.record.claims_json, CLAIMS_JSON},
        {buffer.record.organization_id, ORGANIZATION_ID},
        {buffer.record.organization_role, ORGANIZATION_ROLE},
        {buffer.record.actor_id, ACTOR_ID},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct text wanted = decode(columns[texts[i].column]);
        const char *got = texts[i].span.offset == 0 ? NULL : buffer.bytes + texts[i].span.offset;
        HOLDS(is(wanted, got, texts[i].span.len));
        free(wanted.bytes);
    }
    HOLDS(buffer.record.flags == strtoul(columns[FLAGS], NULL, 10));
    HOLDS(buffer.record.issued_at == strtoll(columns[ISSUED_AT], NULL, 10));
    HOLDS(buffer.record.expires_at == strtoll(columns[EXPIRES_AT], NULL, 10));
}

static void run_case(char **columns, size_t count, bool reduced)
{
    const bool accepted = strcmp(columns[STATUS], "TORII_OK") == 0;
    const bool is_token = strcmp(columns[KIND], "token") == 0;
    verify_function *const functions[] = {
        is_token ? torii_verify_token : torii_verifier_authenticate,
        is_token ? torii_verify_token_nowait : torii_verifier_authenticate_nowait,
    };
    struct text input = decode(columns[INPUT]);
    int64_t now = 0;

    HOLDS(count == (accepted ? COLUMNS : STATUS + 1));
    HOLDS(is_token || strcmp(columns[KIND], "header") == 0);
    for (int nowait = 0; nowait < (reduced ? 1 : 2); nowait++) {
        for (int cache = 1; cache >= 0; cache--) {
            torii_verifier_t *verifier = make_verifier(columns, cache ? 1 << 20 : 0, &now);
            verify_once(verifier, functions[nowait], input, columns);
            verify_once(verifier, functions[nowait], input, columns);
            verify_once(verifier, functions[!nowait], input, columns);
            HOLDS(stat_of(verifier, "/accepted") == (accepted ? 3 : 0));
            HOLDS(stat_of(verifier, "/hits") == (accepted && cache ? 2 : 0));
            HOLDS(stat_of(verifier, "/cached_tokens") == (accepted && cache ? 1 : 0));
            HOLDS(stat_of(verifier, "/issuers/0/fetches") == 0);
            compare_record(verifier, input, is_token, columns);
            torii_verifier_free(verifier);
            if (reduced)
                break;
        }
    }
    free(input.bytes);
}

/* A key set is counted right, or refused. */
static void run_key_set(const struct key_set *set)
{
    torii_verifier_options_t *options = torii_verifier_options_new();
    torii_verifier_t *verifier = NULL;

    HOLDS(options != NULL);
    if (set->usable == 0) {
        CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "jwks",
                    torii_verifier_options_set_jwks_json(options, set->jwks.bytes,
                                                         set->jwks.length, err));
    } else {
        give_keys(options, set->name);
        CHECK_OK(torii_verifier_new(TORII_STR("https://acme.torii.so"), options, &verifier, err));
        HOLDS(stat_of(verifier, "/issuers/0/keys") == set->usable);
        HOLDS(stat_of(verifier, "/issuers/0/skipped") == set->skipped);
        torii_verifier_free(verifier);
    }
    torii_verifier_options_free(options);
}

/* The columns of a webhook. */
enum { SECRETS = 2, ID, TIMESTAMP, SIGNATURE, BODY, WEBHOOK_NOW, TOLERANCE, WEBHOOK_STATUS,
       SECRET_INDEX, SENT_AT, WEBHOOK_COLUMNS };

static void run_webhook(char **columns, size_t count)
{
    const char *wanted = columns[WEBHOOK_STATUS];
    const bool accepted = strcmp(wanted, "TORII_OK") == 0;
    struct text items[16], id = decode(columns[ID]), timestamp = decode(columns[TIMESTAMP]),
                signature = decode(columns[SIGNATURE]), body = decode(columns[BODY]);
    const int64_t now = strtoll(columns[WEBHOOK_NOW], NULL, 10);
    const size_t secret_count = list(columns[SECRETS], items, 16);
    torii_webhook_t *webhook = NULL;
    torii_error_t *error = NULL;
    torii_status_t status = TORII_OK;
    int64_t sent_at = 99;

    HOLDS(count == (accepted ? WEBHOOK_COLUMNS : WEBHOOK_STATUS + 1));
    if (secret_count == 0)
        status = torii_webhook_new(NULL, 0, &webhook, &error);
    for (size_t i = 0; i < secret_count; i++) {
        const char *secret = items[i].bytes;
        if (status == TORII_OK)
            status = i == 0 ? torii_webhook_new(secret, items[i].length, &webhook, &error)
                            : torii_webhook_add_secret(webhook, secret, items[i].length, &error);
        free(items[i].bytes);
    }
    if (status == TORII_OK)
        status = torii_webhook_set_tolerance_seconds(webhook, (uint32_t)atoi(columns[TOLERANCE]),
                                                     &error);
    if (status == TORII_OK) {
        for (int again = 0; again < 2; again++) {
            torii_error_free(error);
            status = torii_webhook_verify(webhook, id.bytes, id.length, timestamp.bytes,
                                          timestamp.length, signature.bytes, signature.length,
                                          body.bytes, body.length, now, &sent_at, &error);
        }
        HOLDS(sent_at == (accepted ? strtoll(columns[SENT_AT], NULL, 10) : 0));
    }
    if (strcmp(torii_status_name(status), wanted) != 0)
        check_failed(__FILE__, __LINE__, "%s: %s is %s: %s", at, torii_status_name(status), wanted,
                     error ? torii_error_message(error, NULL) : "accepted");
    HOLDS((error == NULL) == accepted);
    torii_error_free(error);
    torii_webhook_free(webhook);
    free(id.bytes);
    free(timestamp.bytes);
    free(signature.bytes);
    free(body.bytes);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    long length = ftell(file);
    CHECK(length > 0);
    rewind(file);
    char *text = malloc((size_t)length + 1);
    CHECK(text != NULL);
    CHECK(fread(text, 1, (size_t)length, file) == (size_t)length);
    text[length] = '\0';
    CHECK(strlen(text) == (size_t)length);
    fclose(file);
    return text;
}

/* How many lines begin like this. */
static size_t count_lines(const char *file, const char *start)
{
    size_t count = strncmp(file, start + 1, strlen(start + 1)) == 0;
    for (const char *line = file; (line = strstr(line, start)) != NULL; line++)
        count++;
    return count;
}

int main(int argc, char **argv)
{
    const bool reduced = getenv("TORII_TEST_REDUCED") != NULL;
    size_t cases = 0, webhooks = 0;

    CHECK(argc == 2);
    char *file = read_file(argv[1]);
    const size_t cases_in_file = count_lines(file, "\ncase\t");
    const size_t sets_in_file = count_lines(file, "\nkeys\t");
    const size_t webhooks_in_file = count_lines(file, "\nwebhook\t");
    for (char *line = file, *end; *line != '\0'; line = end) {
        char *columns[COLUMNS];
        end = line + strcspn(line, "\n");
        if (*end == '\n')
            *end++ = '\0';
        if (*line == '\0' || *line == '#')
            continue;
        at = line;
        size_t count = split(line, '\t', columns, COLUMNS);
        at = count > 1 ? columns[1] : line;
        if (strcmp(columns[0], "keys") == 0) {
            HOLDS(count == 5 && key_set_count < sizeof key_sets / sizeof key_sets[0]);
            struct key_set *set = &key_sets[key_set_count++];
            set->name = columns[1];
            set->usable = strtoll(columns[2], NULL, 10);
            set->skipped = strtoll(columns[3], NULL, 10);
            set->jwks = decode(columns[4]);
            run_key_set(set);
        } else if (strcmp(columns[0], "webhook") == 0) {
            run_webhook(columns, count);
            webhooks++;
        } else {
            HOLDS(strcmp(columns[CASE], "case") == 0);
            run_case(columns, count, reduced);
            cases++;
        }
    }
    CHECK(cases == cases_in_file && cases > 500);
    CHECK(key_set_count == sets_in_file && key_set_count > 100);
    CHECK(webhooks == webhooks_in_file && webhooks > 50);
    printf("%zu cases, %zu key sets, %zu webhooks\n", cases, key_set_count, webhooks);
    for (size_t i = 0; i < key_set_count; i++)
        free(key_sets[i].jwks.bytes);
    free(file);
    return 0;
}
