// torii.h and what these headers make of it: the record's layout, the ABI, the functions.
#include "check.hpp"

#include <cctype>
#include <cstddef>
#include <fstream>
#include <map>
#include <set>

static_assert(TORII_ABI_VERSION == 0);

// The layout of torii_record_t, which may only grow.
static_assert(sizeof(torii_span_t) == 8 && offsetof(torii_span_t, offset) == 0
              && offsetof(torii_span_t, len) == 4);
static_assert(sizeof(torii_record_t) >= 96 && alignof(torii_record_t) == 8);
static_assert(offsetof(torii_record_t, size) == 0 && offsetof(torii_record_t, header_size) == 4
              && offsetof(torii_record_t, flags) == 8 && offsetof(torii_record_t, issued_at) == 16
              && offsetof(torii_record_t, expires_at) == 24);
static_assert(offsetof(torii_record_t, user_id) == 32
              && offsetof(torii_record_t, environment_id) == 40
              && offsetof(torii_record_t, issuer) == 48 && offsetof(torii_record_t, locale) == 56
              && offsetof(torii_record_t, organization_id) == 64
              && offsetof(torii_record_t, organization_role) == 72
              && offsetof(torii_record_t, actor_id) == 80
              && offsetof(torii_record_t, claims_json) == 88);

namespace {

/// The functions of torii.h that these headers do not call, and why.
const std::map<std::string, std::string> not_wrapped{
    {"torii_verify_token_nowait", "torii_verify_into with TORII_VERIFY_NOWAIT"},
    {"torii_verifier_authenticate_nowait", "torii_verify_into with TORII_VERIFY_NOWAIT"},
};

/// The text of a file without its comments.
std::string code(const std::string &path)
{
    std::ifstream file(path);
    CHECK(file.is_open());
    std::string text((std::istreambuf_iterator<char>(file)), {}), code;
    for (std::size_t i = 0; i < text.size();) {
        const std::string start = text.substr(i, 2);
        if (start == "//")
            i = std::min(text.find('\n', i), text.size());
        else if (start == "/*")
            i = std::min(text.find("*/", i), text.size() - 2) + 2;
        else
            code += text[i++];
    }
    return code;
}

/// The names in a text that begin with torii_, and whether only those before a parenthesis.
std::set<std::string> names(const std::string &code, bool called)
{
    const auto in_name = [](char c) {
        return c == '_' || std::isalnum(static_cast<unsigned char>(c));
    };
    std::set<std::string> names;
    for (std::size_t i = 0; (i = code.find("torii_", i)) != std::string::npos;) {
        std::size_t end = i;
        while (end < code.size() && in_name(code[end]))
            end++;
        if ((i == 0 || !in_name(code[i - 1])) && (!called || code[end] == '('))
            names.insert(code.substr(i, end - i));
        i = end;
    }
    return names;
}

/// The words of a record with a user, an environment, an issuer and claims; its texts are followed
/// by NUL.
struct made_record {
    made_record()
    {
        std::memset(words, 0, sizeof words);
        header().header_size = at = sizeof(torii_record_t);
        header().flags = TORII_REQUIRE_EMAIL_VERIFIED;
        write(header().user_id, "user");
        write(header().environment_id, "environment");
        write(header().issuer, "issuer");
        write(header().organization_role, "");
        write(header().claims_json, "{}");
        header().size = at;
    }
    torii_record_t &header() { return *reinterpret_cast<torii_record_t *>(words); }
    char *bytes() { return reinterpret_cast<char *>(words); }
    torii::result<torii::auth> read() { return torii::auth::read(words, header().size); }

    alignas(8) std::uint64_t words[512];
    std::uint32_t at;

private:
    void write(torii_span_t &span, const std::string &text)
    {
        span = {at, static_cast<std::uint32_t>(text.size())};
        std::memcpy(bytes() + at, text.c_str(), text.size() + 1);
        at += span.len + 1;
    }
};

} // namespace

TEST(every_function_of_the_header_is_wrapped)
{
    const char *header = std::getenv("TORII_H");
    CHECK(header != nullptr);
    const std::set<std::string> declared = names(code(header), true);
    CHECK(declared.size() > 100);
    std::string ours;
    for (const char *file : {"auth", "client", "error", "http", "json", "key_fetch", "patch",
                             "requirements", "result", "verifier", "webhook"})
        ours += code("include/torii/" + std::string(file) + ".hpp");
    const std::set<std::string> used = names(ours, false);
    for (const std::string &name : declared)
        if (used.count(name) == not_wrapped.count(name))
            check_failed(__FILE__, __LINE__, name + " is neither wrapped nor listed, or both");
    for (const auto &[name, why] : not_wrapped)
        if (declared.count(name) == 0)
            check_failed(__FILE__, __LINE__, name + " is not in torii.h");
}

TEST(the_library_is_that_of_the_header)
{
    CHECK(torii_abi_version() == TORII_ABI_VERSION);
    CHECK(torii::status_name(TORII_ERR_BUFFER_TOO_SMALL) == "TORII_ERR_BUFFER_TOO_SMALL");
    CHECK(torii::status_name(TORII_ERR_TOKEN_REVOKED) == "TORII_ERR_TOKEN_REVOKED");
    CHECK(torii::status_name(TORII_ERR_TOKEN_LIFETIME) == "TORII_ERR_TOKEN_LIFETIME");
}

TEST(a_record_is_read)
{
    made_record made;
    const torii::auth auth = must(made.read());
    CHECK(auth.user_id() == "user" && auth.environment_id() == "environment");
    CHECK(auth.issuer() == "issuer" && auth.claims_json() == "{}");
    CHECK(!auth.locale() && !auth.organization_id() && !auth.actor_id());
    CHECK(auth.organization_role() && auth.organization_role()->empty());
    CHECK(auth.email_verified() && !auth.profile_complete() && auth.impersonating());
    CHECK(auth.meets(TORII_REQUIRE_EMAIL_VERIFIED) && auth.meets(0));
    CHECK(!auth.meets(TORII_REQUIRE_EMAIL_VERIFIED | TORII_REQUIRE_ORGANIZATION));

    // A later library may have a longer header.
    made_record longer;
    for (torii_span_t *span :
         {&longer.header().user_id, &longer.header().environment_id, &longer.header().issuer,
          &longer.header().organization_role, &longer.header().claims_json})
        span->offset += 16;
    std::memmove(longer.bytes() + longer.header().header_size + 16,
                 longer.bytes() + longer.header().header_size,
                 longer.at - longer.header().header_size);
    longer.header().header_size += 16;
    longer.header().size += 16;
    CHECK(must(longer.read()).claims_json() == "{}");
}

TEST(a_broken_record_is_no_identity)
{
    using change = void (*)(made_record &);
    for (const change &break_it : std::initializer_list<change>{
             [](made_record &made) { made.header().header_size--; },
             [](made_record &made) { made.header().header_size = made.at + 1; },
             [](made_record &made) { made.header().size = 95; },
             [](made_record &made) { made.header().user_id = {made.header().header_size - 1, 5}; },
             [](made_record &made) { made.header().claims_json.offset = made.at; },
             [](made_record &made) { made.header().claims_json.len++; },
             [](made_record &made) { made.header().claims_json.len = UINT32_MAX; },
             [](made_record &made) { made.header().issuer.offset = UINT32_MAX; },
             [](made_record &made) { made.bytes()[made.at - 1] = 'x'; },
             [](made_record &made) { made.header().locale = {made.header().user_id.offset, 1}; },
             [](made_record &made) { made.header().user_id = {}; },
             [](made_record &made) { made.header().user_id = made.header().organization_role; },
             [](made_record &made) { made.header().environment_id = {}; },
             [](made_record &made) { made.header().issuer = {}; },
             [](made_record &made) { made.header().claims_json = {}; }}) {
        made_record made;
        break_it(made);
        CHECK_FAILS(made.read(), TORII_ERR_INTERNAL, "record");
    }
    made_record made;
    CHECK_FAILS(torii::auth::read(made.words, made.at - 1), TORII_ERR_INTERNAL, "record");
    CHECK_FAILS(torii::auth::read(made.words, made.at + 1), TORII_ERR_INTERNAL, "record");
    CHECK_FAILS(torii::auth::read(made.words, 0), TORII_ERR_INTERNAL, "record");
}

TEST(nobody_meets_no_requirement)
{
    const torii::auth nobody;
    CHECK(nobody.user_id().empty() && nobody.claims_json().empty() && !nobody.locale());
    CHECK(nobody.flags() == 0 && nobody.impersonating() && !nobody.profile_complete());
}
