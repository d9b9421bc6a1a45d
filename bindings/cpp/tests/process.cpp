// The process as a whole: fork, memory, the loaded library.
#include "emulator.hpp"
#include "signed.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

TEST(a_child_uses_what_its_parent_made)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const torii::client client(acme.secret_key(), torii::client_options().api_url(emulator::local().url()));
    const std::string token = acme.token();
    const std::string user(client.users().create("{}").string("/id").value());
    (void)verifier.verify(token);

    const int child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(verifier.verify(token).environment_id() == acme.id());
        CHECK(client.users().get(user).string("/id") == user);
        acme.rotate_keys();
        (void)verifier.verify(acme.token());
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(client.users().get(user).string("/id") == user);
}

/// Runs in a process of its own.
void key_cache(const char *issuer, const char *token, const char *dir)
{
    torii::verifier_options options;
    if (*dir != '\0')
        options.key_cache_dir(dir);
    const auto auth = torii::verifier(issuer, std::move(options)).verify(token, std::nothrow);
    std::printf("%s\n", auth ? std::string(auth->user_id()).c_str() : "no keys");
}

TEST(the_next_process_has_the_cached_keys)
{
    const environment acme;
    char dir[] = "/tmp/torii-keys-XXXXXX";
    CHECK(mkdtemp(dir) != nullptr);
    const torii::verifier first(acme.issuer(), torii::verifier_options().key_cache_dir(dir));
    const std::string token = acme.mint(R"({"claims":{"sub":"ada"}})");
    (void)first.verify(token);
    // alarm() ends the tests.
    while (first.stats().integer("/issuers/0/key_cache_dir/written") == 0)
        usleep(10000);
    acme.fail_keys();
    const auto start = [&](const char *with) {
        return process({this_program, "key-cache", acme.issuer(), token, with}).read_line();
    };
    CHECK(start("") == "no keys");
    CHECK(start(dir) == "ada");
    std::filesystem::remove_all(dir);
}

static long resident()
{
    long size = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> size >> pages;
    return pages * sysconf(_SC_PAGESIZE);
}

/// Runs a function that many times, after a tenth of it to warm up; memory must not grow.
template <class Function>
static void flat(int times, Function function)
{
    for (int i = 0; i < times / 10; i++)
        function(i);
    const long before = resident();
    for (int i = 0; i < times; i++)
        function(i);
    const long growth = resident() - before;
    if (growth > 2 << 20)
        check_failed(__FILE__, __LINE__, std::to_string(growth) + " bytes more");
}

TEST(memory_stays_flat)
{
    const environment acme;
    const torii::verifier verifier(acme.issuer());
    const torii::client client(acme.secret_key(), torii::client_options().api_url(emulator::local().url()));
    const std::string good = acme.token(), expired = acme.mint(R"({"expires_in":-60})");
    const std::string user(client.users().create("{}").string("/id").value());

    flat(100000, [&](int i) {
        CHECK(verifier.verify(good, std::nothrow));
        CHECK(!verifier.authenticate("Basic", std::nothrow));
        if (i % 1000 == 0)
            CHECK(!verifier.verify(expired, std::nothrow));
    });
    const torii::webhook_headers headers = sign_webhook("msg_1", "{}");
    const torii::webhook_verifier webhooks(webhook_secret);
    flat(100000, [&](int) {
        CHECK(webhooks.verify(headers, "{}", std::nothrow));
        CHECK(!webhooks.verify(headers, "", std::nothrow));
    });
    const std::string large =
        acme.mint(R"({"claims":{"large":")" + std::string(4000, 'a') + "\"}}");
    flat(10000, [&](int) {
        const auto requirements = torii::requirements().claim("/large", "1");
        CHECK(!verifier.verify(large, requirements, std::nothrow));
        const auto verified = verifier.verify(large, std::nothrow);
        CHECK(verified && torii::auth(*verified).user_id() == verified->user_id());
        CHECK(verifier.verify_handle(large, std::nothrow)->claims(std::nothrow));
    });
    flat(1000, [&](int i) {
        CHECK(client.users().get(user, std::nothrow));
        if (i % 10 == 0)
            CHECK(!client.users().get("01890000-0000-7000-8000-000000000000", std::nothrow));
    });
}

/// Runs in a process that has loaded a library of another ABI.
void other_abi()
{
    for (const auto &error :
         {torii::verifier::make("https://acme.torii.so").error(),
          torii::client::make("sk_test_x").error(), torii::webhook_verifier::make("").error()}) {
        CHECK(error.status() == TORII_ERR_INVALID_CONFIG);
        CHECK(std::string(error.what()).find("ABI 4711") != std::string::npos);
        CHECK(std::string(error.what()).find("ABI 0") != std::string::npos);
    }
    std::printf("refused\n");
}

TEST(another_abi_is_refused)
{
    // other_abi.so has only torii_abi_version().
    const char *other = std::getenv("OTHER_ABI");
    CHECK(other != nullptr);
    const process again(
        {"/usr/bin/env", std::string("LD_PRELOAD=") + other, this_program, "other-abi"});
    CHECK(again.read_line() == "refused");
}
