/* torii_verify_into(): a result in the caller's own memory. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "emulator.h"

static const char *control; /* the emulator's control API */

/* The layout is part of the ABI: fields may be appended, never moved. */
#define AT(field, offset) \
    _Static_assert(offsetof(torii_record_t, field) == (offset), #field " has moved")
AT(size, 0);
AT(header_size, 4);
AT(flags, 8);
AT(reserved, 12);
AT(issued_at, 16);
AT(expires_at, 24);
AT(user_id, 32);
AT(environment_id, 40);
AT(issuer, 48);
AT(locale, 56);
AT(organization_id, 64);
AT(organization_role, 72);
AT(actor_id, 80);
AT(claims_json, 88);
_Static_assert(sizeof(torii_record_t) == 96, "the header of this release");
_Static_assert(sizeof(torii_span_t) == 8, "an offset and a length");

static union {
    torii_record_t record;
    char bytes[TORII_RECORD_MAX];
} buffer;

static torii_status_t verify(const torii_verifier_t *verifier, const char *text, uint32_t how,
                             const torii_requirements_t *requirements, size_t cap, size_t *size,
                             torii_error_t **err)
{
    return torii_verify_into(verifier, text, strlen(text), how, requirements, &buffer, cap, size,
                             err);
}

/* The text of a span: present, inside the record, and terminated. */
static const char *text_of(torii_span_t span)
{
    if (span.offset == 0)
        return NULL;
    CHECK(span.offset >= buffer.record.header_size);
    CHECK(span.offset + span.len < buffer.record.size);
    CHECK(buffer.bytes[span.offset + span.len] == '\0');
    return buffer.bytes + span.offset;
}

static void header_is_zero(void)
{
    static const torii_record_t zero;
    CHECK(memcmp(&buffer.record, &zero, sizeof zero) == 0);
}

static bool all_zero(const char *bytes, size_t length)
{
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    return length == 0;
}

static void a_record_says_what_a_handle_says(const torii_verifier_t *verifier, const char *token)
{
    torii_auth_t *auth = NULL;
    size_t size = 0, length = 0;
    char header[4096];

    CHECK_OK(torii_verify_token(verifier, token, strlen(token), &auth, err));
    snprintf(header, sizeof header, "Bearer %s", token);
    for (uint32_t how = 0; how < 4; how++) {
        memset(&buffer, 0x5a, sizeof buffer);
        CHECK_OK(verify(verifier, how & TORII_VERIFY_HEADER ? header : token, how, NULL,
                        sizeof buffer, &size, err));
        CHECK(buffer.record.size == size && size <= TORII_RECORD_MAX);
        CHECK(buffer.record.header_size == sizeof(torii_record_t));
        CHECK(buffer.record.issued_at == torii_auth_issued_at(auth));
        CHECK(buffer.record.expires_at == torii_auth_expires_at(auth));
        CHECK(buffer.record.reserved == 0);
        const struct {
            torii_span_t span;
            const char *(*get)(const torii_auth_t *, size_t *);
        } texts[] = {
            {buffer.record.user_id, torii_auth_user_id},
            {buffer.record.environment_id, torii_auth_environment_id},
            {buffer.record.issuer, torii_auth_issuer},
            {buffer.record.locale, torii_auth_locale},
            {buffer.record.organization_id, torii_auth_organization_id},
            {buffer.record.organization_role, torii_auth_organization_role},
            {buffer.record.actor_id, torii_auth_actor_id},
            {buffer.record.claims_json, torii_auth_claims_json},
        };
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            CHECK_TEXT(text_of(texts[i].span), texts[i].get(auth, &length));
            CHECK(texts[i].span.len == length);
        }
        const uint32_t flags = buffer.record.flags;
        CHECK(!!(flags & TORII_REQUIRE_EMAIL_VERIFIED) == torii_auth_email_verified(auth));
        CHECK(!!(flags & TORII_REQUIRE_PROFILE_COMPLETE) == torii_auth_profile_complete(auth));
        CHECK(!!(flags & TORII_REQUIRE_NOT_IMPERSONATED) == !torii_auth_impersonating(auth));
        CHECK(!!(flags & TORII_REQUIRE_ORGANIZATION)
              == (torii_auth_organization_id(auth, NULL) != NULL));
    }
    torii_auth_free(auth);
}

/* A reused buffer never shows an earlier user. */
static void a_refusal_leaves_a_zeroed_header(const torii_verifier_t *verifier, const char *token)
{
    size_t size = 1;

    CHECK_OK(verify(verifier, token, 0, NULL, sizeof buffer, NULL, err));
    CHECK(text_of(buffer.record.user_id) != NULL);
    CHECK_FAILS(TORII_ERR_TOKEN_MALFORMED, "token",
                verify(verifier, "a.b.c", 0, NULL, sizeof buffer, &size, err));
    CHECK(size == 0);
    header_is_zero();

    CHECK_OK(verify(verifier, token, 0, NULL, sizeof buffer, NULL, err));
    CHECK_FAILS(TORII_ERR_TOKEN_SCHEME, "header",
                verify(verifier, "Basic x", TORII_VERIFY_HEADER, NULL, sizeof buffer, &size, err));
    header_is_zero();

    CHECK_OK(verify(verifier, token, 0, NULL, sizeof buffer, NULL, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "verifier",
                verify(NULL, token, 0, NULL, sizeof buffer, &size, err));
    header_is_zero();
}

static void a_small_buffer_is_told_its_size(const torii_verifier_t *verifier, const char *token)
{
    size_t size = 0, needed = 0;
    const int64_t accepted = stat_of(verifier, "/accepted");

    CHECK_OK(verify(verifier, token, 0, NULL, sizeof buffer, &size, err));
    CHECK(stat_of(verifier, "/accepted") == accepted + 1);
    const size_t caps[] = {0, 1, 8, sizeof(torii_record_t) - 1, sizeof(torii_record_t), size - 1};
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        needed = 0;
        memset(&buffer, 0x5a, sizeof buffer);
        CHECK_FAILS(TORII_ERR_BUFFER_TOO_SMALL, "cap",
                    verify(verifier, token, 0, NULL, caps[i], &needed, err));
        CHECK(needed == size);
        for (size_t at = 0; at < sizeof buffer; at++)
            CHECK(buffer.bytes[at] == (at < caps[i] && at < sizeof(torii_record_t) ? 0 : 0x5a));
    }
    CHECK(stat_of(verifier, "/accepted") == accepted + 1); /* none of them was counted */
    CHECK_FAILS(TORII_ERR_BUFFER_TOO_SMALL, "cap",
                torii_verify_into(verifier, token, strlen(token), 0, NULL, NULL, 0, &needed, err));
    CHECK(needed == size);
    memset(&buffer, 0x5a, sizeof buffer);
    CHECK_OK(verify(verifier, token, 0, NULL, size, &needed, err));
    CHECK(needed == size && buffer.bytes[size] == 0x5a);

    /* It comes only after acceptance. */
    needed = 1;
    CHECK_FAILS(TORII_ERR_TOKEN_MALFORMED, "token",
                verify(verifier, "a.b.c", 0, NULL, 8, &needed, err));
    CHECK(needed == 0);
}

static void arguments_are_checked(const torii_verifier_t *verifier, const char *token)
{
    const size_t length = strlen(token);
    size_t size = 1;

    for (uintptr_t off = 1; off < 8; off++) {
        memset(&buffer, 0x5a, sizeof buffer);
        CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "buf",
                    torii_verify_into(verifier, token, length, 0, NULL, buffer.bytes + off,
                                      sizeof buffer - off, &size, err));
        CHECK(all_zero(buffer.bytes + off, sizeof(torii_record_t)));
    }
    CHECK(size == 0);
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "buf",
                torii_verify_into(verifier, token, length, 0, NULL, NULL, 8, &size, err));
    const uint32_t unknown[] = {4, 8, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "how",
                    verify(verifier, token, unknown[i], NULL, sizeof buffer, &size, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "text",
                torii_verify_into(verifier, token, TORII_NUL_TERMINATED, 0, NULL, &buffer,
                                  sizeof buffer, &size, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "text",
                torii_verify_into(verifier, NULL, 5, 0, NULL, &buffer, sizeof buffer, &size, err));
    CHECK_FAILS(TORII_ERR_TOKEN_MISSING, "token",
                torii_verify_into(verifier, NULL, 0, 0, NULL, &buffer, sizeof buffer, &size, err));

    /* Text inside the buffer, in front of it into it, and behind it. */
    const size_t places[] = {0, 64, 4096};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        memcpy(buffer.bytes + places[i], token, length);
        CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "overlaps",
                    torii_verify_into(verifier, buffer.bytes + places[i], length, 0, NULL,
                                      buffer.bytes + 8, 8192, &size, err));
        /* Only the header was written. */
        CHECK(all_zero(buffer.bytes + 8, sizeof(torii_record_t)));
        const size_t end = places[i] + length, header_end = 8 + sizeof(torii_record_t);
        const size_t from = places[i] > header_end ? places[i] : header_end;
        CHECK(memcmp(buffer.bytes + from, token + (from - places[i]), end - from) == 0);
    }
    memcpy(buffer.bytes + 8192, token, length);
    CHECK_OK(torii_verify_into(verifier, buffer.bytes + 8192, length, 0, NULL, &buffer, 8192, &size,
                               err));
}

static void requirements_of_one_call(const torii_verifier_t *verifier, const char *token)
{
    torii_requirements_t *met = torii_requirements_new(), *unmet = torii_requirements_new();

    CHECK_OK(torii_requirements_add_claim(met, TORII_STR("/plan"), TORII_STR("\"gold\""), err));
    CHECK_OK(torii_requirements_add_claim(unmet, TORII_STR("/plan"), TORII_STR("\"iron\""), err));
    for (int again = 0; again < 2; again++) { /* the second time from the token cache */
        CHECK_OK(verify(verifier, token, 0, met, sizeof buffer, NULL, err));
        CHECK_FAILS(TORII_ERR_POLICY, "plan",
                    verify(verifier, token, 0, unmet, sizeof buffer, NULL, err));
        header_is_zero();
        CHECK_OK(verify(verifier, token, 0, NULL, sizeof buffer, NULL, err));
    }
    torii_requirements_free(met);
    torii_requirements_free(unmet);
}

/* The longest token there can be still fits TORII_RECORD_MAX. */
static void the_longest_token_fits(const torii_verifier_t *verifier)
{
    static char how[16384], filler[12000];
    size_t longest = 0, size = 0;

    for (size_t length = 11000; length < sizeof filler; length += 50) {
        memset(filler, 'x', length);
        filler[length] = '\0';
        snprintf(how, sizeof how, "{\"claims\":{\"sub\":\"%s\"}}", filler);
        char *token = mint(control, "record", how);
        if (strlen(token) <= 16384) {
            CHECK_OK(verify(verifier, token, 0, NULL, sizeof buffer, &size, err));
            CHECK(buffer.record.user_id.len == length);
            longest = length;
        } else {
            CHECK_FAILS(TORII_ERR_TOKEN_TOO_LARGE, "16384",
                        verify(verifier, token, 0, NULL, sizeof buffer, &size, err));
            length = sizeof filler;
        }
        free(token);
    }
    CHECK(longest > 11000);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    char *issuer = new_issuer(control, "record");
    char *plain = mint(control, "record", "{}");
    char *full = mint(control, "record",
                      "{\"claims\":{\"locale\":\"\",\"plan\":\"gold\",\"email_verified\":true,"
                      "\"o\":{\"id\":\"org-1\",\"rol\":\"admin\"},\"act\":{\"sub\":\"support-7\"}}}");
    torii_verifier_t *verifier = new_verifier(issuer, NULL);

    a_record_says_what_a_handle_says(verifier, plain);
    a_record_says_what_a_handle_says(verifier, full);
    CHECK_TEXT(text_of(buffer.record.actor_id), "support-7");
    CHECK_TEXT(text_of(buffer.record.organization_id), "org-1");
    CHECK_TEXT(text_of(buffer.record.organization_role), "admin");
    CHECK(buffer.record.locale.offset != 0 && buffer.record.locale.len == 0); /* empty, not absent */
    CHECK(buffer.record.flags
          == (TORII_REQUIRE_EMAIL_VERIFIED | TORII_REQUIRE_PROFILE_COMPLETE
              | TORII_REQUIRE_ORGANIZATION));
    a_refusal_leaves_a_zeroed_header(verifier, plain);
    a_small_buffer_is_told_its_size(verifier, full);
    arguments_are_checked(verifier, plain);
    requirements_of_one_call(verifier, full);
    the_longest_token_fits(verifier);
    torii_verifier_free(verifier);
    free(full);
    free(plain);
    free(issuer);
    return 0;
}
