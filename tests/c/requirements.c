/* torii_requirements_t, the claims of a result, and the answer a server gives to its client. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "emulator.h"

static const char *control; /* the emulator's control API */

static torii_requirements_t *new_requirements(void)
{
    torii_requirements_t *requirements = torii_requirements_new();
    CHECK(requirements != NULL);
    return requirements;
}

static torii_requirements_t *flags(uint32_t wanted)
{
    torii_requirements_t *requirements = new_requirements();
    CHECK_OK(torii_requirements_add_flags(requirements, wanted, err));
    return requirements;
}

static torii_requirements_t *claim(const char *pointer, const char *json)
{
    torii_requirements_t *requirements = new_requirements();
    CHECK_OK(torii_requirements_add_claim(requirements, pointer, TORII_NUL_TERMINATED, json,
                                          strlen(json), err));
    return requirements;
}

static torii_requirements_t *organization(const char *id, const char *role)
{
    torii_requirements_t *requirements = new_requirements();
    CHECK_OK(torii_requirements_add_organization(requirements, id, TORII_NUL_TERMINATED, role,
                                                 role == NULL ? 0 : TORII_NUL_TERMINATED, err));
    return requirements;
}

/* Frees the requirements. */
static void met(const torii_auth_t *auth, torii_requirements_t *requirements)
{
    CHECK_OK(torii_auth_require(auth, requirements, err));
    torii_requirements_free(requirements);
}

static void unmet(const torii_auth_t *auth, torii_requirements_t *requirements, const char *about)
{
    CHECK_FAILS(TORII_ERR_POLICY, about, torii_auth_require(auth, requirements, err));
    torii_requirements_free(requirements);
}

static torii_auth_t *verify(const torii_verifier_t *verifier, const char *name, const char *claims)
{
    char how[1024];
    torii_auth_t *auth = NULL;

    snprintf(how, sizeof how, "{\"claims\":%s}", claims);
    char *token = mint(control, name, how);
    CHECK_OK(torii_verify_token(verifier, token, strlen(token), &auth, err));
    free(token);
    return auth;
}

static void flags_are_required(const torii_verifier_t *verifier)
{
    torii_auth_t *auth =
        verify(verifier, "requirements", "{\"email_verified\":false,\"profile_complete\":false}");
    unmet(auth, flags(TORII_REQUIRE_EMAIL_VERIFIED), "email_verified");
    unmet(auth, flags(TORII_REQUIRE_PROFILE_COMPLETE), "profile_complete");
    unmet(auth, flags(TORII_REQUIRE_ORGANIZATION), "organization");
    unmet(auth, flags(TORII_REQUIRE_NOT_IMPERSONATED | TORII_REQUIRE_EMAIL_VERIFIED), "");
    met(auth, flags(TORII_REQUIRE_NOT_IMPERSONATED));
    met(auth, new_requirements());
    torii_auth_free(auth);

    /* Both marks of impersonation count, and `act` names who it is. */
    auth = verify(verifier, "requirements", "{\"act\":{\"sub\":\"support-7\"}}");
    unmet(auth, flags(TORII_REQUIRE_NOT_IMPERSONATED), "act");
    CHECK(torii_auth_impersonating(auth));
    CHECK_TEXT(torii_auth_actor_id(auth, NULL), "support-7");
    torii_auth_free(auth);
    auth = verify(verifier, "requirements", "{\"impersonating\":true}");
    unmet(auth, flags(TORII_REQUIRE_NOT_IMPERSONATED), "impersonating");
    CHECK(torii_auth_impersonating(auth));
    CHECK(torii_auth_actor_id(auth, NULL) == NULL);
    torii_auth_free(auth);
}

static void claims_are_required(const torii_verifier_t *verifier)
{
    torii_auth_t *auth = verify(verifier, "requirements",
                                "{\"plan\":\"gold\",\"roles\":[\"a\",\"b\",7],\"n\":1.0,"
                                "\"big\":9007199254740993,\"on\":true,\"x\":{\"y/z\":\"\\u00e9\"}}");
    met(auth, claim("/plan", "\"gold\""));
    met(auth, claim("/plan", "\"g\\u006fld\""));
    met(auth, claim("/roles", "\"b\""));
    met(auth, claim("/roles/1", "\"b\""));
    met(auth, claim("/roles", "7"));
    met(auth, claim("/n", "1"));
    met(auth, claim("/n", "10e-1"));
    met(auth, claim("/big", "9007199254740993"));
    met(auth, claim("/on", "true"));
    met(auth, claim("/x/y~1z", "\"\xc3\xa9\""));
    unmet(auth, claim("/plan", "\"Gold\""), "plan");
    unmet(auth, claim("/plan", "\"gol\""), "plan");
    unmet(auth, claim("/big", "9007199254740992"), "big");
    unmet(auth, claim("/on", "\"true\""), "on");
    unmet(auth, claim("/n", "\"1\""), "n");
    unmet(auth, claim("/absent", "false"), "absent");
    unmet(auth, claim("/x", "\"\xc3\xa9\""), "x");
    torii_auth_free(auth);
}

static void organizations_are_required(const torii_verifier_t *verifier)
{
    torii_auth_t *auth =
        verify(verifier, "requirements", "{\"o\":{\"id\":\"org-1\",\"rol\":\"admin\"}}");
    CHECK_TEXT(torii_auth_organization_id(auth, NULL), "org-1");
    CHECK_TEXT(torii_auth_organization_role(auth, NULL), "admin");
    met(auth, flags(TORII_REQUIRE_ORGANIZATION));
    met(auth, organization("org-1", NULL));
    met(auth, organization("org-1", "admin"));
    unmet(auth, organization("org-1", "owner"), "organization");
    unmet(auth, organization("org-2", "admin"), "organization");
    torii_requirements_t *either = organization("org-2", NULL);
    CHECK_OK(torii_requirements_add_organization(either, TORII_STR("org-1"), TORII_STR("admin"),
                                                 err));
    met(auth, either);
    torii_auth_free(auth);

    auth = verify(verifier, "requirements", "{\"o\":\"org-1\",\"org_role\":\"admin\"}");
    CHECK(torii_auth_organization_role(auth, NULL) == NULL); /* an older name, by option only */
    met(auth, organization("org-1", NULL));
    unmet(auth, organization("org-1", "admin"), "organization");
    torii_auth_free(auth);
}

static void nonsense_is_refused(void)
{
    torii_requirements_t *r = new_requirements();
    torii_verifier_options_t *options = new_options();
    static const struct {
        const char *pointer, *json, *about;
    } claims[] = {
        {"", "1", "pointer"},     {"plan", "1", "pointer"}, {"/a~", "1", "pointer"},
        {"/a~2", "1", "pointer"}, {"/a", "null", "json"},   {"/a", "[1]", "json"},
        {"/a", "{}", "json"},     {"/a", "", "json"},       {"/a", "1 2", "json"},
        {"/a", "gold", "json"},   {"/a", "1e999", "json"},  {"/a", "\"\xff\"", "json"},
    };

    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "flags", torii_requirements_add_flags(r, 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "flags", torii_requirements_add_flags(r, 16, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "flags",
                torii_requirements_add_flags(r, UINT32_MAX, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "requirements",
                torii_requirements_add_flags(NULL, 1, err));
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++)
        CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, claims[i].about,
                    torii_requirements_add_claim(r, claims[i].pointer, strlen(claims[i].pointer),
                                                 claims[i].json, strlen(claims[i].json), err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "requirements",
                torii_requirements_add_claim(NULL, TORII_STR("/a"), TORII_STR("1"), err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "id",
                torii_requirements_add_organization(r, NULL, 0, TORII_STR("admin"), err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "role",
                torii_requirements_add_organization(r, TORII_STR("a"), "", 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "role",
                torii_requirements_add_organization(r, TORII_STR("a"), NULL, 1, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "requirements",
                torii_requirements_add_organization(NULL, TORII_STR("a"), NULL, 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "requirements",
                torii_verifier_options_set_requirements(options, NULL, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "options",
                torii_verifier_options_set_requirements(NULL, r, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "auth", torii_auth_require(NULL, r, err));
    torii_requirements_free(NULL);
    torii_requirements_free(r);
    torii_verifier_options_free(options);
}

/* Requirements of a verifier are checked at every call, and copied. */
static void a_verifier_requires(const char *issuer)
{
    torii_verifier_options_t *options = new_options();
    torii_requirements_t *requirements = claim("/plan", "\"gold\"");
    char *gold = mint(control, "requirements", "{\"claims\":{\"plan\":\"gold\"}}");
    char *iron = mint(control, "requirements", "{\"claims\":{\"plan\":\"iron\"}}");

    CHECK_OK(torii_verifier_options_set_requirements(options, requirements, err));
    torii_requirements_free(requirements);
    torii_verifier_t *verifier = new_verifier(issuer, options);
    for (int again = 0; again < 2; again++) {
        ACCEPT(verifier, gold);
        REFUSE(verifier, iron, TORII_ERR_POLICY, "plan");
    }
    torii_verifier_free(verifier);
    free(gold);
    free(iron);
}

static torii_error_t *refuse(const torii_verifier_t *verifier, const char *header)
{
    torii_auth_t *auth = NULL;
    torii_error_t *error = NULL;

    CHECK(torii_verifier_authenticate(verifier, header, strlen(header), &auth, &error) != TORII_OK);
    CHECK(auth == NULL && error != NULL);
    return error;
}

static void answer_is(torii_error_t *error, const char *code, const char *challenge)
{
    size_t length = 0;
    const char *message = torii_error_public_message(error, &length);

    CHECK_TEXT(torii_error_public_code(error, NULL), code);
    CHECK(length > 0 && length == strlen(message));
    CHECK(strstr(message, "claim") == NULL && strstr(message, "http") == NULL);
    CHECK_TEXT(torii_error_www_authenticate(error, &length), challenge);
    CHECK(length == (challenge == NULL ? 0 : strlen(challenge)));
    torii_error_free(error);
}

static void a_server_answers_its_client(const char *issuer)
{
    torii_verifier_options_t *options = new_options();
    char *iron = mint(control, "requirements", "{\"claims\":{\"plan\":\"iron\"}}"), header[4096];
    torii_requirements_t *requirements = claim("/plan", "\"gold\"");

    snprintf(header, sizeof header, "Bearer %s", iron);
    CHECK_OK(torii_verifier_options_set_requirements(options, requirements, err));
    torii_verifier_t *plain = new_verifier(issuer, options);
    answer_is(refuse(plain, ""), "authentication_failed", "Bearer realm=\"torii\"");
    answer_is(refuse(plain, "Basic x"), "authentication_failed", "Bearer realm=\"torii\"");
    answer_is(refuse(plain, "Bearer a.b.c"), "authentication_failed",
              "Bearer realm=\"torii\", error=\"invalid_token\"");
    answer_is(refuse(plain, header), "forbidden",
              "Bearer realm=\"torii\", error=\"insufficient_scope\"");
    torii_verifier_free(plain);

    options = new_options();
    CHECK_OK(torii_verifier_options_set_requirements(options, requirements, err));
    CHECK_OK(torii_verifier_options_set_realm(options, TORII_STR("shop"), err));
    CHECK_OK(torii_verifier_options_set_resource_metadata(
        options, TORII_STR("https://shop.example/.well-known/oauth-protected-resource"), err));
    torii_verifier_t *named = new_verifier(issuer, options);
    answer_is(refuse(named, ""), "authentication_failed",
              "Bearer realm=\"shop\", resource_metadata="
              "\"https://shop.example/.well-known/oauth-protected-resource\"");
    answer_is(refuse(named, header), "forbidden",
              "Bearer realm=\"shop\", error=\"insufficient_scope\", resource_metadata="
              "\"https://shop.example/.well-known/oauth-protected-resource\"");

    /* The same for a requirement of one call. */
    torii_error_t *error = NULL;
    _Alignas(8) static char buffer[TORII_RECORD_MAX];
    torii_verifier_t *open = new_verifier(issuer, NULL);
    CHECK(torii_verify_into(open, header, strlen(header), TORII_VERIFY_HEADER, requirements, buffer,
                            sizeof buffer, NULL, &error)
          == TORII_ERR_POLICY);
    answer_is(error, "forbidden", "Bearer realm=\"torii\", error=\"insufficient_scope\"");
    torii_verifier_free(open);
    torii_verifier_free(named);
    torii_requirements_free(requirements);

    /* With missing keys a client must not log in again. */
    torii_verifier_t *pending = new_verifier(issuer, host_options());
    torii_auth_t *auth = NULL;
    torii_jwks_cache_clear();
    CHECK(torii_verify_token_nowait(pending, iron, strlen(iron), &auth, &error)
          == TORII_ERR_KEYS_PENDING);
    CHECK_TEXT(torii_error_issuer(error, NULL), issuer);
    CHECK(!torii_error_unsent(error));
    answer_is(error, "keys_unavailable", NULL);
    torii_verifier_free(pending);
    free(iron);

    size_t length = 1;
    CHECK(torii_error_public_code(NULL, &length) == NULL && length == 0);
    CHECK(torii_error_public_message(NULL, NULL) == NULL);
    CHECK(torii_error_www_authenticate(NULL, NULL) == NULL);
    CHECK(torii_error_issuer(NULL, NULL) == NULL);
    CHECK(!torii_error_unsent(NULL));
}

static void texts_of_a_challenge_are_checked(void)
{
    torii_verifier_options_t *options = new_options();
    static const char *const bad[] = {"", "a\"b", "a\\b", "a\nb", "a\x7f", "\xc3\xa9"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "realm",
                    torii_verifier_options_set_realm(options, bad[i], strlen(bad[i]), err));
        CHECK_FAILS(
            TORII_ERR_INVALID_ARGUMENT, "metadata",
            torii_verifier_options_set_resource_metadata(options, bad[i], strlen(bad[i]), err));
    }
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "options",
                torii_verifier_options_set_realm(NULL, TORII_STR("x"), err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "options",
                torii_verifier_options_set_resource_metadata(NULL, TORII_STR("x"), err));
    torii_verifier_options_free(options);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    char *issuer = new_issuer(control, "requirements");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);

    flags_are_required(verifier);
    claims_are_required(verifier);
    organizations_are_required(verifier);
    nonsense_is_refused();
    a_verifier_requires(issuer);
    a_server_answers_its_client(issuer);
    texts_of_a_challenge_are_checked();
    torii_verifier_free(verifier);
    free(issuer);
    return 0;
}
