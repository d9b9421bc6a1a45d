/* Caller errors: every function reports them, names the argument, and harms nothing. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "emulator.h"

#define ARGUMENT TORII_ERR_INVALID_ARGUMENT
#define CONFIG TORII_ERR_INVALID_CONFIG

/* Arguments that no text can be: bytes that are not UTF-8, a text that holds U+0000, a length
 * without a text, and a length beyond memory. */
#define NOT_UTF8 TORII_STR("https://\xff\xfe")
#define WITH_NUL TORII_STR("https://a\0b")
#define NO_TEXT NULL, 1
#define BEYOND "x", (SIZE_MAX - 1)

/* Self-signed, for "torii test"; its key was thrown away. */
static const char CERTIFICATE[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgDCCASegAwIBAgIURjcFup8A/dO749zRf8eOo8dN8RAwCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKdG9yaWkgdGVzdDAgFw0yNjExMjQwNjEwMTJaGA8yMTI2MTAz\n"
    "MTA2MTAxMlowFTETMBEGA1UEAwwKdG9yaWkgdGVzdDBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABDfWMph5RJ+/Rk7ERo2KPgnqWzsevSUYWHaDr+oq+X0egsctWTq8\n"
    "NqiKWnYrFrVctOEoIsrzpMNWovBFHPacsnSjUzBRMB0GA1UdDgQWBBQm6GMAYphs\n"
    "/RC9kw61QGahScxNIzAfBgNVHSMEGDAWgBQm6GMAYphs/RC9kw61QGahScxNIzAP\n"
    "BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDz6va+/ObGJtvkh3FRq\n"
    "b5e8WcaRac5Q1J9nJC0Xh1MzAiAvnSX9K/5AkUWxXG/Z//ILbXsDHUBVbe7M8OnF\n"
    "2OfooA==\n"
    "-----END CERTIFICATE-----\n";

static void nothing_is_freed(void)
{
    torii_verifier_options_free(NULL);
    torii_verifier_free(NULL);
    torii_auth_free(NULL);
    torii_json_free(NULL);
    torii_error_free(NULL);
    torii_webhook_free(NULL);
}

static void getters_take_null(void)
{
    size_t length = 1;
    const char *(*const texts[])(const torii_auth_t *, size_t *) = {
        torii_auth_user_id, torii_auth_environment_id, torii_auth_issuer,
        torii_auth_locale,  torii_auth_claims_json,    torii_auth_organization_id,
        torii_auth_organization_role, torii_auth_actor_id,
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        length = 1;
        CHECK(texts[i](NULL, &length) == NULL && length == 0);
        CHECK(texts[i](NULL, NULL) == NULL);
    }
    length = 1;
    CHECK(torii_auth_claim_string(NULL, TORII_STR("sub"), &length) == NULL && length == 0);
    CHECK(torii_auth_claim_string(NULL, NULL, 0, NULL) == NULL);
    CHECK(!torii_auth_email_verified(NULL));
    CHECK(!torii_auth_profile_complete(NULL));
    CHECK(!torii_auth_impersonating(NULL));
    CHECK(torii_auth_issued_at(NULL) == 0);
    CHECK(torii_auth_expires_at(NULL) == 0);

    CHECK(torii_error_status(NULL) == ARGUMENT);
    length = 1;
    CHECK(torii_error_message(NULL, &length) == NULL && length == 0);
    CHECK(torii_error_message(NULL, NULL) == NULL);
    CHECK(torii_error_retry_after(NULL) == -1);

    length = 1;
    CHECK(torii_json_text(NULL, &length) == NULL && length == 0);
    CHECK(torii_json_text(NULL, NULL) == NULL);
    length = 1;
    CHECK(torii_json_string(NULL, TORII_STR(""), &length) == NULL && length == 0);
    CHECK(torii_json_string(NULL, TORII_STR(""), NULL) == NULL);
    CHECK(!torii_json_is_null(NULL, TORII_STR("")));

    length = 1;
    CHECK(torii_json_raw(NULL, TORII_STR(""), &length) == NULL && length == 0);
    CHECK(torii_json_type(NULL, TORII_STR("")) == TORII_JSON_ABSENT);
}

static void options_take_null(void)
{
    CHECK_FAILS(ARGUMENT, "options",
                torii_verifier_options_add_issuer(NULL, TORII_STR("https://a.example"), err));
    CHECK_FAILS(ARGUMENT, "options",
                torii_verifier_options_add_audience(NULL, TORII_STR("a"), err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_leeway_seconds(NULL, 0, err));
    CHECK_FAILS(ARGUMENT, "options",
                torii_verifier_options_set_jwks_json(NULL, TORII_STR("{}"), err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_key_lifetime_seconds(NULL, 60, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_max_stale_seconds(NULL, 60, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_fetch_timeout_ms(NULL, 100, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_ca_file(NULL, TORII_STR("x"), err));
    CHECK_FAILS(ARGUMENT, "options",
                torii_verifier_options_require(NULL, TORII_REQUIRE_EMAIL_VERIFIED, err));
    CHECK_FAILS(ARGUMENT, "options",
                torii_verifier_options_set_background_refresh(NULL, true, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_token_cache_bytes(NULL, 0, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_allow_http(NULL, true, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_clock(NULL, NULL, NULL, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_ignore_audience(NULL, true, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_max_lifetime_seconds(NULL, 1, err));
    CHECK_FAILS(ARGUMENT, "options",
                torii_verifier_options_set_legacy_organization(NULL, true, err));
    CHECK_FAILS(ARGUMENT, "options", torii_verifier_options_set_proxy(NULL, NULL, 0, err));
    CHECK_FAILS(ARGUMENT, "options",
                torii_verifier_options_add_issuer_jwks(NULL, TORII_STR("https://a.example"),
                                                       TORII_STR("{}"), err));
}

static void options_take_no_odd_text(torii_verifier_options_t *options)
{
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_options_add_issuer(options, NOT_UTF8, err));
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_options_add_issuer(options, WITH_NUL, err));
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_options_add_issuer(options, NO_TEXT, err));
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_options_add_issuer(options, BEYOND, err));
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_options_add_issuer(options, NULL, 0, err));
    CHECK_FAILS(ARGUMENT, "issuer",
                torii_verifier_options_add_issuer(options, TORII_STR("acme.torii.so"), err));

    CHECK_FAILS(ARGUMENT, "audience", torii_verifier_options_add_audience(options, NOT_UTF8, err));
    CHECK_FAILS(ARGUMENT, "audience", torii_verifier_options_add_audience(options, WITH_NUL, err));
    CHECK_FAILS(ARGUMENT, "audience", torii_verifier_options_add_audience(options, NO_TEXT, err));
    CHECK_FAILS(ARGUMENT, "audience", torii_verifier_options_add_audience(options, BEYOND, err));
    CHECK_FAILS(ARGUMENT, "audience", torii_verifier_options_add_audience(options, NULL, 0, err));

    CHECK_FAILS(ARGUMENT, "jwks", torii_verifier_options_set_jwks_json(options, NO_TEXT, err));
    CHECK_FAILS(ARGUMENT, "jwks", torii_verifier_options_set_jwks_json(options, BEYOND, err));
    CHECK_FAILS(ARGUMENT, "jwks", torii_verifier_options_set_jwks_json(options, NOT_UTF8, err));
    CHECK_FAILS(ARGUMENT, "jwks", torii_verifier_options_set_jwks_json(options, NULL, 0, err));
    CHECK_FAILS(ARGUMENT, "jwks",
                torii_verifier_options_set_jwks_json(options, TORII_STR("{\"keys\":[]}"), err));

    CHECK_FAILS(ARGUMENT, "jwks",
                torii_verifier_options_set_jwks_json(options, "{}", TORII_NUL_TERMINATED, err));
    CHECK_FAILS(ARGUMENT, "jwks",
                torii_verifier_options_add_issuer_jwks(options, TORII_STR("https://a.example"),
                                                       TORII_STR("{}"), err));
    CHECK_FAILS(ARGUMENT, "issuer",
                torii_verifier_options_add_issuer_jwks(options, TORII_STR("a.example"),
                                                       TORII_STR("{}"), err));
    static const char *const proxies[] = {"proxy.example:3128", "ftp://proxy.example", "http://"};
    for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++)
        CHECK_FAILS(ARGUMENT, "proxy",
                    torii_verifier_options_set_proxy(options, proxies[i], TORII_NUL_TERMINATED,
                                                     err));
    CHECK_OK(torii_verifier_options_set_proxy(options, TORII_STR("http://proxy.example:3128"), err));
    CHECK_FAILS(ARGUMENT, "proxy", torii_verifier_options_set_proxy(options, NULL, 0, err));

    CHECK_FAILS(ARGUMENT, "path", torii_verifier_options_set_ca_file(options, NOT_UTF8, err));
    CHECK_FAILS(ARGUMENT, "path", torii_verifier_options_set_ca_file(options, WITH_NUL, err));
    CHECK_FAILS(ARGUMENT, "path", torii_verifier_options_set_ca_file(options, NO_TEXT, err));
    CHECK_FAILS(ARGUMENT, "path", torii_verifier_options_set_ca_file(options, BEYOND, err));
    CHECK_FAILS(CONFIG, "CA file", torii_verifier_options_set_ca_file(options, NULL, 0, err));
    CHECK_FAILS(CONFIG, "/no/such/file",
                torii_verifier_options_set_ca_file(options, TORII_STR("/no/such/file"), err));
    CHECK_FAILS(CONFIG, "/dev/null",
                torii_verifier_options_set_ca_file(options, TORII_STR("/dev/null"), err));
}

static void options_have_ranges(torii_verifier_options_t *options)
{
    CHECK_OK(torii_verifier_options_set_leeway_seconds(options, 0, err));
    CHECK_OK(torii_verifier_options_set_leeway_seconds(options, 300, err));
    CHECK_FAILS(ARGUMENT, "leeway", torii_verifier_options_set_leeway_seconds(options, 301, err));
    CHECK_FAILS(ARGUMENT, "leeway", torii_verifier_options_set_leeway_seconds(options, UINT32_MAX, err));

    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 1, err));
    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 86400, err));
    CHECK_FAILS(ARGUMENT, "key lifetime", torii_verifier_options_set_key_lifetime_seconds(options, 0, err));
    CHECK_FAILS(ARGUMENT, "key lifetime",
                torii_verifier_options_set_key_lifetime_seconds(options, 86401, err));

    CHECK_OK(torii_verifier_options_set_max_stale_seconds(options, 0, err));
    CHECK_OK(torii_verifier_options_set_max_stale_seconds(options, 2592000, err));
    CHECK_FAILS(ARGUMENT, "max stale",
                torii_verifier_options_set_max_stale_seconds(options, 2592001, err));

    CHECK_OK(torii_verifier_options_set_fetch_timeout_ms(options, 100, err));
    CHECK_OK(torii_verifier_options_set_fetch_timeout_ms(options, 60000, err));
    CHECK_FAILS(ARGUMENT, "fetch timeout",
                torii_verifier_options_set_fetch_timeout_ms(options, 99, err));
    CHECK_FAILS(ARGUMENT, "fetch timeout",
                torii_verifier_options_set_fetch_timeout_ms(options, 60001, err));
    CHECK_FAILS(ARGUMENT, "fetch timeout",
                torii_verifier_options_set_fetch_timeout_ms(options, 0, err));

    CHECK_FAILS(ARGUMENT, "flags", torii_verifier_options_require(options, 0, err));
    CHECK_OK(torii_verifier_options_require(options,
                                            TORII_REQUIRE_EMAIL_VERIFIED
                                                | TORII_REQUIRE_PROFILE_COMPLETE
                                                | TORII_REQUIRE_NOT_IMPERSONATED
                                                | TORII_REQUIRE_ORGANIZATION,
                                            err));
    CHECK_FAILS(ARGUMENT, "flags", torii_verifier_options_require(options, 16, err));
    CHECK_FAILS(ARGUMENT, "flags", torii_verifier_options_require(options, 15 | 32, err));
    CHECK_FAILS(ARGUMENT, "flags", torii_verifier_options_require(options, UINT32_MAX, err));

    CHECK(torii_verifier_options_set_background_refresh(options, false, NULL) == TORII_OK);
    CHECK(torii_verifier_options_set_background_refresh(options, true, NULL) == TORII_OK);
    CHECK(torii_verifier_options_set_allow_http(options, true, NULL) == TORII_OK);
    CHECK(torii_verifier_options_set_allow_http(options, false, NULL) == TORII_OK);
    CHECK(torii_verifier_options_set_clock(options, NULL, NULL, NULL) == TORII_OK);
    CHECK_OK(torii_verifier_options_set_max_lifetime_seconds(options, 0, err));
    CHECK_OK(torii_verifier_options_set_max_lifetime_seconds(options, UINT32_MAX, err));
    CHECK_OK(torii_verifier_options_set_legacy_organization(options, true, err));
}

/* Ignoring `aud` and asking for one contradict each other, in any order. */
static void an_audience_is_asked_for_or_ignored(const char *issuer)
{
    for (int audience_first = 0; audience_first < 2; audience_first++) {
        torii_verifier_options_t *options = new_options();
        torii_verifier_t *verifier = GARBAGE;
        if (audience_first)
            CHECK_OK(torii_verifier_options_add_audience(options, TORII_STR("app"), err));
        CHECK_OK(torii_verifier_options_set_ignore_audience(options, true, err));
        if (!audience_first)
            CHECK_OK(torii_verifier_options_add_audience(options, TORII_STR("app"), err));
        CHECK_FAILS(CONFIG, "audience",
                    torii_verifier_new(issuer, strlen(issuer), options, &verifier, err));
        CHECK(verifier == NULL);
        CHECK_OK(torii_verifier_options_set_ignore_audience(options, false, err));
        torii_verifier_free(new_verifier(issuer, options));
    }
}

/* TORII_NUL_TERMINATED is for text of the program alone. */
static void lengths_are_needed_for_what_strangers_send(const torii_verifier_t *verifier)
{
    torii_auth_t *auth = GARBAGE;
    torii_verifier_t *other = GARBAGE;
    torii_webhook_t *webhook = GARBAGE;

    CHECK_OK(torii_verifier_new("https://acme.torii.so", TORII_NUL_TERMINATED, NULL, &other, err));
    torii_verifier_free(other);
    CHECK_FAILS(ARGUMENT, "issuer",
                torii_verifier_new(NULL, TORII_NUL_TERMINATED, NULL, &other, err));
    CHECK_FAILS(ARGUMENT, "token",
                torii_verify_token(verifier, "a.b.c", TORII_NUL_TERMINATED, &auth, err));
    CHECK_FAILS(ARGUMENT, "header",
                torii_verifier_authenticate(verifier, "Bearer a.b.c", TORII_NUL_TERMINATED, &auth,
                                            err));
    CHECK(auth == NULL);
    CHECK_FAILS(ARGUMENT, "secret",
                torii_webhook_new("whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", TORII_NUL_TERMINATED,
                                  &webhook, err));
    CHECK(webhook == NULL);
}

/* The size of the token cache may be any number, and limits the memory. */
static void any_cache_size_will_do(const char *issuer, const char *token)
{
    static const size_t sizes[] = {0, 1, 1000, SIZE_MAX / 2, SIZE_MAX};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        torii_verifier_options_t *options = new_options();
        CHECK(torii_verifier_options_set_token_cache_bytes(options, sizes[i], NULL) == TORII_OK);
        torii_verifier_t *verifier = new_verifier(issuer, options);
        for (int again = 0; again < 2; again++) {
            torii_auth_t *auth = NULL;
            CHECK_OK(torii_verify_token(verifier, token, strlen(token), &auth, err));
            torii_auth_free(auth);
        }
        CHECK(stat_of(verifier, "/cached_tokens") <= 1);
        CHECK(stat_of(verifier, "/hits") == (sizes[i] > 10000));
        CHECK(stat_of(verifier, "/cache_bytes") >= 0);
        CHECK((uint64_t)stat_of(verifier, "/cache_bytes") <= sizes[i]);
        torii_verifier_free(verifier);
    }
}

/* torii_verifier_new and ..._add_issuer refuse the same issuers; plain http is refused when the
 * verifier is created. */
static void an_issuer_is_a_base_url(void)
{
    static const char *const odd[] = {
        "",
        "acme",
        "acme.torii.so",
        "//acme.torii.so",
        "https://",
        "https:///",
        "ftp://acme.torii.so",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user@acme.torii.so",
        "https://user:password@acme.torii.so",
        "https://@acme.torii.so",
        "https://acme.torii.so?query",
        "https://acme.torii.so/?",
        "https://acme.torii.so#fragment",
        "https://acme.torii.so/#",
        "https://acme.torii.so:99999",
        "https://acme.torii.so/a/../b",
        "https://acme.torii.so/%2e%2e/b",
        " https://acme.torii.so",
        "https://acme.torii.so\n",
        "https://ac me.torii.so",
        "https://acme.torii.so\\evil.example",
        "https://[::1",
        "https://\xc3\xa4.example",
    };
    static const char *const far[] = {
        "http://acme.torii.so",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1:8080",
        "http://0.0.0.0",
        "http://[::2]",
    };
    static const char *const good[] = {
        "https://acme.torii.so",    "https://acme.torii.so/",     "https://acme.torii.so///",
        "https://login.example:8443/a/b", "http://localhost:8080", "http://127.0.0.1:8080/acme",
        "http://[::1]:8080",
    };
    torii_verifier_options_t *options = new_options();
    torii_verifier_t *verifier = NULL;

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        verifier = GARBAGE;
        CHECK_FAILS(ARGUMENT, "issuer",
                    torii_verifier_new(odd[i], strlen(odd[i]), NULL, &verifier, err));
        CHECK(verifier == NULL);
        CHECK_FAILS(ARGUMENT, "issuer",
                    torii_verifier_options_add_issuer(options, odd[i], strlen(odd[i]), err));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        torii_verifier_free(new_verifier(good[i], NULL));

    char longest[2049] = "https://acme.torii.so/";
    memset(longest + strlen(longest), 'a', 2048 - strlen(longest));
    longest[2048] = 'a'; /* one too many, and no U+0000 at the end */
    torii_verifier_options_t *unused = new_options();
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_new(longest, 2049, NULL, &verifier, err));
    CHECK_FAILS(ARGUMENT, "issuer",
                torii_verifier_options_add_issuer(unused, longest, 2049, err));
    torii_verifier_options_free(unused);
    CHECK_OK(torii_verifier_new(longest, 2048, NULL, &verifier, err));
    torii_verifier_free(verifier);

    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        torii_verifier_options_t *further = new_options();
        verifier = GARBAGE;
        CHECK_FAILS(ARGUMENT, "issuer",
                    torii_verifier_new(far[i], strlen(far[i]), further, &verifier, err));
        CHECK(verifier == NULL);
        CHECK_OK(torii_verifier_options_add_issuer(further, far[i], strlen(far[i]), err));
        verifier = GARBAGE;
        CHECK_FAILS(CONFIG, "issuer",
                    torii_verifier_new(TORII_STR("https://acme.torii.so"), further, &verifier,
                                       err));
        CHECK(verifier == NULL);
        CHECK(torii_verifier_options_set_allow_http(further, true, NULL) == TORII_OK);
        torii_verifier_free(new_verifier("https://acme.torii.so", further));
    }

    CHECK_OK(torii_verifier_options_add_issuer(options, TORII_STR("https://b.example/"), err));
    verifier = GARBAGE;
    CHECK_FAILS(CONFIG, "issuer",
                torii_verifier_new(TORII_STR("https://b.example"), options, &verifier, err));
    CHECK(verifier == NULL);
    torii_verifier_options_free(options);

    verifier = GARBAGE;
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_new(NOT_UTF8, NULL, &verifier, err));
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_new(WITH_NUL, NULL, &verifier, err));
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_new(NO_TEXT, NULL, &verifier, err));
    CHECK_FAILS(ARGUMENT, "issuer", torii_verifier_new(BEYOND, NULL, &verifier, err));
    CHECK(verifier == NULL);
    CHECK_FAILS(ARGUMENT, "out",
                torii_verifier_new(TORII_STR("https://acme.torii.so"), NULL, NULL, err));
}

static void a_ca_file_is_read(void)
{
    torii_verifier_options_t *options = new_options();
    torii_verifier_t *verifier = GARBAGE;
    char path[] = "/tmp/torii-ca-XXXXXX";
    int file = mkstemp(path);

    CHECK(file >= 0);
    CHECK(write(file, CERTIFICATE, 30) == 30);
    CHECK_FAILS(CONFIG, path, torii_verifier_options_set_ca_file(options, path, strlen(path), err));
    ssize_t rest = sizeof CERTIFICATE - 1 - 30;
    CHECK(write(file, CERTIFICATE + 30, (size_t)rest) == rest);
    close(file);
    CHECK_OK(torii_verifier_options_set_ca_file(options, path, strlen(path), err));

    /* The options have what was in it. */
    CHECK(unlink(path) == 0);
    CHECK_OK(torii_verifier_new(TORII_STR("https://ca.example"), options, &verifier, err));
    torii_verifier_free(verifier);
    CHECK_FAILS(CONFIG, path, torii_verifier_options_set_ca_file(options, path, strlen(path), err));
    torii_verifier_options_free(options);
}

static void tokens_are_told_from_nonsense(const torii_verifier_t *verifier, const char *token)
{
    static const struct {
        verify_function *function;
        const char *argument;
        const char *before;
        uint32_t garbled;
    } functions[] = {
        {torii_verify_token, "token", "", TORII_ERR_TOKEN_MALFORMED},
        {torii_verify_token_nowait, "token", "", TORII_ERR_TOKEN_MALFORMED},
        {torii_verifier_authenticate, "header", "Bearer ", TORII_ERR_TOKEN_SCHEME},
        {torii_verifier_authenticate_nowait, "header", "Bearer ", TORII_ERR_TOKEN_SCHEME},
    };
    torii_auth_t *auth = GARBAGE;
    char value[2048];

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        verify_function *function = functions[i].function;
        const char *argument = functions[i].argument;
        size_t length = (size_t)snprintf(value, sizeof value, "%s%s", functions[i].before, token);

        CHECK_FAILS(ARGUMENT, "verifier", function(NULL, value, length, &auth, err));
        CHECK(auth == NULL);
        CHECK_FAILS(ARGUMENT, "out", function(verifier, value, length, NULL, err));
        auth = GARBAGE;
        CHECK_FAILS(ARGUMENT, argument, function(verifier, NO_TEXT, &auth, err));
        CHECK(auth == NULL);
        auth = GARBAGE;
        CHECK_FAILS(ARGUMENT, argument, function(verifier, NULL, SIZE_MAX, &auth, err));
        CHECK(auth == NULL);
        auth = GARBAGE;
        CHECK_FAILS(ARGUMENT, argument, function(verifier, BEYOND, &auth, err));
        CHECK(auth == NULL);

        /* These are errors of the sender, not of the caller. */
        CHECK_FAILS(TORII_ERR_TOKEN_MISSING, argument, function(verifier, NULL, 0, &auth, err));
        CHECK_FAILS(TORII_ERR_TOKEN_MISSING, argument, function(verifier, "", 0, &auth, err));
        auth = GARBAGE;
        CHECK_FAILS(functions[i].garbled, "", function(verifier, NOT_UTF8, &auth, err));
        CHECK(auth == NULL);
        auth = GARBAGE;
        CHECK_FAILS(functions[i].garbled, "", function(verifier, WITH_NUL, &auth, err));
        CHECK(auth == NULL);
        auth = GARBAGE;
        CHECK_FAILS(TORII_ERR_TOKEN_MALFORMED, "",
                    function(verifier, value, length + 1, &auth, err)); /* the NUL too */
        CHECK(auth == NULL);

        /* Of a length, and without an end of its own. */
        memset(value + length, 'A', sizeof value - length);
        CHECK_OK(function(verifier, value, length, &auth, err));
        CHECK_TEXT(torii_auth_user_id(auth, NULL), "somebody");
        torii_auth_free(auth);
    }
}

static void nothing_to_fetch(const torii_verifier_t *verifier)
{
    torii_json_t *json = GARBAGE;

    CHECK_FAILS(ARGUMENT, "verifier", torii_verifier_refresh(NULL, err));
    CHECK_FAILS(ARGUMENT, "verifier", torii_verifier_stats_json(NULL, &json, err));
    CHECK(json == NULL);
    CHECK_FAILS(ARGUMENT, "out", torii_verifier_stats_json(verifier, NULL, err));
}

static void claims_are_asked_for(const torii_auth_t *auth)
{
    torii_json_t *claims = GARBAGE;
    size_t length = 1;

    CHECK_FAILS(ARGUMENT, "auth", torii_auth_claims(NULL, &claims, err));
    CHECK(claims == NULL);
    CHECK_FAILS(ARGUMENT, "out", torii_auth_claims(auth, NULL, err));

    CHECK_TEXT(torii_auth_claim_string(auth, TORII_STR("sub"), &length), "somebody");
    CHECK(length == strlen("somebody"));
    CHECK_TEXT(torii_auth_claim_string(auth, TORII_STR(""), NULL), "nameless");
    CHECK_TEXT(torii_auth_claim_string(auth, NULL, 0, NULL), "nameless");
    CHECK(torii_auth_claim_string(auth, TORII_STR("nul"), &length) == NULL && length == 0);
    CHECK(torii_auth_claim_string(auth, TORII_STR("list"), NULL) == NULL);
    CHECK(torii_auth_claim_string(auth, TORII_STR("exp"), NULL) == NULL);
    CHECK(torii_auth_claim_string(auth, TORII_STR("su"), NULL) == NULL);
    CHECK(torii_auth_claim_string(auth, TORII_STR("/sub"), NULL) == NULL);
    CHECK(torii_auth_claim_string(auth, NOT_UTF8, NULL) == NULL);
    CHECK(torii_auth_claim_string(auth, TORII_STR("sub\0"), NULL) == NULL);
    CHECK(torii_auth_claim_string(auth, NULL, 3, NULL) == NULL);
    CHECK(torii_auth_claim_string(auth, BEYOND, NULL) == NULL);
}

static void json_is_read(const torii_json_t *json)
{
    int64_t number = 7;
    bool truth = true;
    size_t length = 7;

    /* Each function, with missing and with wrong arguments. */
    CHECK_FAILS(ARGUMENT, "json", torii_json_int(NULL, TORII_STR(""), &number, err));
    CHECK(number == 0);
    CHECK_FAILS(ARGUMENT, "json", torii_json_bool(NULL, TORII_STR(""), &truth, err));
    CHECK(!truth);
    CHECK_FAILS(ARGUMENT, "json", torii_json_length(NULL, TORII_STR(""), &length, err));
    CHECK(length == 0);
    CHECK_FAILS(ARGUMENT, "out", torii_json_int(json, TORII_STR("/exp"), NULL, err));
    CHECK_FAILS(ARGUMENT, "out", torii_json_bool(json, TORII_STR("/yes"), NULL, err));
    CHECK_FAILS(ARGUMENT, "out", torii_json_length(json, TORII_STR(""), NULL, err));

    number = 7, truth = true, length = 7;
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_int(json, NO_TEXT, &number, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_int(json, BEYOND, &number, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_int(json, NOT_UTF8, &number, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_int(json, TORII_STR("exp"), &number, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_int(json, TORII_STR("/none"), &number, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_int(json, TORII_STR("/half"), &number, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_int(json, TORII_STR("/sub"), &number, err));
    CHECK(number == 0);
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_bool(json, NO_TEXT, &truth, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_bool(json, BEYOND, &truth, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_bool(json, WITH_NUL, &truth, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_bool(json, TORII_STR("/null"), &truth, err));
    CHECK(!truth);
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_length(json, NO_TEXT, &length, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_length(json, BEYOND, &length, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_length(json, NOT_UTF8, &length, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_length(json, TORII_STR("/sub"), &length, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_length(json, TORII_STR("/list/3"), &length, err));
    CHECK(length == 0);

    length = 7;
    CHECK(torii_json_string(json, NO_TEXT, &length) == NULL && length == 0);
    CHECK(torii_json_string(json, BEYOND, NULL) == NULL);
    CHECK(torii_json_string(json, NOT_UTF8, NULL) == NULL);
    CHECK(torii_json_string(json, TORII_STR("/exp"), NULL) == NULL);
    CHECK(torii_json_string(json, TORII_STR("/nul"), NULL) == NULL);
    CHECK(torii_json_string(json, TORII_STR("/none"), NULL) == NULL);
    CHECK(!torii_json_is_null(json, NO_TEXT));
    CHECK(!torii_json_is_null(json, BEYOND));
    CHECK(!torii_json_is_null(json, NOT_UTF8));
    CHECK(!torii_json_is_null(json, TORII_STR("/none")));
    CHECK(!torii_json_is_null(json, TORII_STR("/yes")));

    double real = 7;
    CHECK_FAILS(ARGUMENT, "json", torii_json_double(NULL, TORII_STR(""), &real, err));
    CHECK(real == 0);
    CHECK_FAILS(ARGUMENT, "out", torii_json_double(json, TORII_STR("/half"), NULL, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_double(json, TORII_STR("/sub"), &real, err));
    CHECK_FAILS(ARGUMENT, "pointer", torii_json_double(json, TORII_STR("/none"), &real, err));
    CHECK(torii_json_raw(json, TORII_STR("/none"), &length) == NULL && length == 0);
    CHECK(torii_json_raw(json, NOT_UTF8, &length) == NULL && length == 0);
    CHECK_TEXT(torii_json_raw(json, TORII_STR("/half"), NULL), "0.5");
    CHECK(torii_json_type(json, NO_TEXT) == TORII_JSON_ABSENT);
    CHECK(torii_json_type(json, TORII_STR("/none")) == TORII_JSON_ABSENT);

    /* And with valid arguments. */
    static const struct {
        const char *pointer, *raw;
        torii_json_type_t type;
    } values[] = {
        {"/null", "null", TORII_JSON_NULL},         {"/yes", "true", TORII_JSON_BOOL},
        {"/half", "0.5", TORII_JSON_NUMBER},        {"/nul", "\"a\\u0000b\"", TORII_JSON_STRING},
        {"/list", "[1,\"two\",null]", TORII_JSON_ARRAY}, {"/a~1b", "{\"~\":false}", TORII_JSON_OBJECT},
        {"/list/1", "\"two\"", TORII_JSON_STRING},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const char *pointer = values[i].pointer;
        const char *raw = torii_json_raw(json, pointer, TORII_NUL_TERMINATED, &length);
        CHECK_TEXT(raw, values[i].raw);
        CHECK(length == strlen(values[i].raw));
        CHECK(torii_json_type(json, pointer, strlen(pointer)) == values[i].type);
    }
    CHECK_OK(torii_json_double(json, TORII_STR("/half"), &real, err));
    CHECK(real == 0.5);
    CHECK_OK(torii_json_int(json, TORII_STR("/least"), &number, err));
    CHECK(number == INT64_MIN);
    CHECK_OK(torii_json_int(json, TORII_STR("/list/0"), &number, err));
    CHECK(number == 1);
    CHECK_OK(torii_json_bool(json, TORII_STR("/yes"), &truth, err));
    CHECK(truth);
    CHECK_OK(torii_json_bool(json, TORII_STR("/a~1b/~0"), &truth, err));
    CHECK(!truth);
    CHECK_OK(torii_json_length(json, TORII_STR("/list"), &length, err));
    CHECK(length == 3);
    CHECK_OK(torii_json_length(json, TORII_STR("/a~1b"), &length, err));
    CHECK(length == 1);
    CHECK_OK(torii_json_length(json, NULL, 0, &length, err));
    CHECK(length > 10);
    CHECK(torii_json_is_null(json, TORII_STR("/null")));
    CHECK_TEXT(torii_json_string(json, TORII_STR("/list/1"), &length), "two");
    CHECK(length == 3);
    CHECK_TEXT(torii_json_string(json, TORII_STR("/"), NULL), "nameless");
    const char *text = torii_json_text(json, &length);
    CHECK(strlen(text) == length && text[0] == '{');
    CHECK(torii_json_text(json, NULL) == text);
}

static int64_t long_ago(void *calls)
{
    ++*(int *)calls;
    return 1000000000;
}

/* Options are copied: they serve twice, and need not live on. */
static void options_are_copied(const char *issuer, const char *token)
{
    torii_verifier_options_t *options = new_options();
    torii_verifier_t *first = NULL, *second = NULL;
    torii_auth_t *auth = NULL;
    int calls = 0;

    CHECK_OK(torii_verifier_new(issuer, strlen(issuer), options, &first, err));
    CHECK(torii_verifier_options_set_clock(options, long_ago, &calls, NULL) == TORII_OK);
    CHECK_OK(torii_verifier_new(issuer, strlen(issuer), options, &second, err));
    CHECK(torii_verifier_options_set_clock(options, NULL, NULL, NULL) == TORII_OK);
    torii_verifier_t *third = new_verifier(issuer, options);

    CHECK_OK(torii_verify_token(first, token, strlen(token), &auth, err));
    torii_auth_free(auth);
    CHECK(calls == 0);
    CHECK_FAILS(TORII_ERR_TOKEN_NOT_YET_VALID, "`iat`",
                torii_verify_token(second, token, strlen(token), &auth, err));
    CHECK(calls == 2);
    CHECK_OK(torii_verify_token(third, token, strlen(token), &auth, err));

    /* Results outlive their verifier. */
    torii_verifier_free(first);
    torii_verifier_free(second);
    torii_verifier_free(third);
    CHECK_TEXT(torii_auth_user_id(auth, NULL), "somebody");
    CHECK_TEXT(torii_auth_issuer(auth, NULL), issuer);
    torii_auth_free(auth);
}

/* A secret, and the three headers, of a webhook; only its shape is of interest here. */
#define SECRET TORII_STR("whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY")
#define HEADERS TORII_STR("msg_1"), TORII_STR("1800000000"), TORII_STR("v1,AAAA")

static void webhooks_are_told_from_nonsense(void)
{
    torii_webhook_t *webhook = GARBAGE;
    int64_t sent_at = 1;

    CHECK_FAILS(CONFIG, "secret", torii_webhook_new(NULL, 0, &webhook, err));
    CHECK_FAILS(CONFIG, "secret", torii_webhook_new(TORII_STR("\xff"), &webhook, err));
    CHECK_FAILS(ARGUMENT, "secret", torii_webhook_new(NO_TEXT, &webhook, err));
    CHECK(webhook == NULL);
    CHECK_FAILS(ARGUMENT, "out", torii_webhook_new(SECRET, NULL, err));
    CHECK_OK(torii_webhook_new(SECRET, &webhook, err));
    CHECK_FAILS(CONFIG, "secret", torii_webhook_add_secret(webhook, TORII_STR("short"), err));
    CHECK_FAILS(ARGUMENT, "secret", torii_webhook_add_secret(webhook, BEYOND, err));
    CHECK_FAILS(ARGUMENT, "webhook", torii_webhook_add_secret(NULL, SECRET, err));
    CHECK_FAILS(ARGUMENT, "tolerance", torii_webhook_set_tolerance_seconds(webhook, UINT32_MAX, err));
    CHECK_FAILS(ARGUMENT, "webhook", torii_webhook_set_tolerance_seconds(NULL, 300, err));

    CHECK_FAILS(TORII_ERR_WEBHOOK_SIGNATURE, "webhook-signature",
                torii_webhook_verify(webhook, HEADERS, NULL, 0, 1800000000, &sent_at, err));
    CHECK(sent_at == 0);
    CHECK_FAILS(TORII_ERR_WEBHOOK_TIMESTAMP, "webhook-timestamp",
                torii_webhook_verify(webhook, HEADERS, "{}", 2, 1800000301, NULL, err));
    CHECK_OK(torii_webhook_set_tolerance_seconds(webhook, 301, err));
    CHECK_FAILS(TORII_ERR_WEBHOOK_SIGNATURE, "webhook-signature",
                torii_webhook_verify(webhook, HEADERS, "{}", 2, 1800000301, NULL, err));
    CHECK_FAILS(TORII_ERR_WEBHOOK_HEADER, "webhook-id",
                torii_webhook_verify(webhook, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0, NULL, err));
    CHECK_FAILS(ARGUMENT, "webhook",
                torii_webhook_verify(NULL, HEADERS, "{}", 2, 1800000000, &sent_at, err));
    CHECK_FAILS(ARGUMENT, "id",
                torii_webhook_verify(webhook, BEYOND, NULL, 0, NULL, 0, NULL, 0, 0, NULL, err));
    CHECK_FAILS(ARGUMENT, "timestamp",
                torii_webhook_verify(webhook, NULL, 0, NO_TEXT, NULL, 0, NULL, 0, 0, NULL, err));
    CHECK_FAILS(ARGUMENT, "signature",
                torii_webhook_verify(webhook, NULL, 0, NULL, 0, NO_TEXT, NULL, 0, 0, NULL, err));
    CHECK_FAILS(ARGUMENT, "body", torii_webhook_verify(webhook, HEADERS, NO_TEXT, 0, NULL, err));
    CHECK_FAILS(ARGUMENT, "body",
                torii_webhook_verify(webhook, HEADERS, "{}", TORII_NUL_TERMINATED, 0, NULL, err));
    torii_webhook_free(webhook);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    const char *control = argv[1];
    char *issuer = new_issuer(control, "arguments");
    char *token = mint(control, "arguments",
                       "{\"claims\":{\"sub\":\"somebody\",\"\":\"nameless\",\"nul\":\"a\\u0000b\","
                       "\"list\":[1,\"two\",null],\"yes\":true,\"null\":null,\"half\":0.5,"
                       "\"a/b\":{\"~\":false},\"least\":-9223372036854775808}}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    torii_verifier_options_t *options = new_options();
    torii_auth_t *auth = NULL;
    torii_json_t *claims = NULL;

    nothing_is_freed();
    getters_take_null();
    options_take_null();
    options_take_no_odd_text(options);
    options_have_ranges(options);
    torii_verifier_options_free(options);
    an_issuer_is_a_base_url();
    a_ca_file_is_read();
    CHECK_OK(torii_verifier_refresh(verifier, err));
    tokens_are_told_from_nonsense(verifier, token);
    lengths_are_needed_for_what_strangers_send(verifier);
    an_audience_is_asked_for_or_ignored(issuer);
    nothing_to_fetch(verifier);
    CHECK_OK(torii_verify_token(verifier, token, strlen(token), &auth, err));
    claims_are_asked_for(auth);
    CHECK_OK(torii_auth_claims(auth, &claims, err));
    torii_auth_free(auth);
    json_is_read(claims);
    torii_json_free(claims);
    torii_verifier_free(verifier);
    options_are_copied(issuer, token);
    any_cache_size_will_do(issuer, token);
    webhooks_are_told_from_nonsense();
    free(token);
    free(issuer);
    return 0;
}
