// What concerns the process as a whole: fork, memory, the library that is loaded.
#include "emulator.hpp"
#include "signed.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

TEST(a_child_uses_what_its_parent_made)
{
    const issuer acme;
    const torii::verifier verifier(acme.url);
    const torii::client client(acme.secret_key, torii::client_options().api_url(emulator::url()));
    const std::string token = acme.token();
    const std::string user(client.users().create("{}").string("/id").value());
    (void)verifier.verify(token);

    const int child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(verifier.verify(token).environment_id() == acme.environment_id);
        CHECK(client.users().get(user).string("/id") == user);
        acme.rotate();
        (void)verifier.verify(acme.token());
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(client.users().get(user).string("/id") == user);
}

static long resident()
{
    long size = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> size >> pages;
    return pages * sysconf(_SC_PAGESIZE);
}

/// A tenth of the times to warm up, then so often without growth.
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
    const issuer acme;
    const torii::verifier verifier(acme.url);
    const torii::client client(acme.secret_key, torii::client_options().api_url(emulator::url()));
    const std::string good = acme.token(), expired = acme.token(R"({"expires_in":-60})");
    const std::string user(client.users().create("{}").string("/id").value());

    flat(100000, [&](int i) {
        CHECK(verifier.verify(good, std::nothrow));
        CHECK(!verifier.authenticate("Basic", std::nothrow));
        if (i % 1000 == 0)
            CHECK(!verifier.verify(expired, std::nothrow));
    });
    const torii::webhook_headers headers = sign_webhook("msg_1", "{}");
    flat(100000, [&](int) {
        CHECK(torii::verify_webhook({webhook_secret}, headers, "{}", std::nothrow));
        CHECK(!torii::verify_webhook({webhook_secret}, headers, "", std::nothrow));
    });
    flat(1000, [&](int i) {
        CHECK(client.users().get(user, std::nothrow));
        if (i % 10 == 0)
            CHECK(!client.users().get("01890000-0000-7000-8000-000000000000", std::nothrow));
    });
}

/// What a process does that has loaded a library of another ABI.
void other_abi()
{
    for (const auto &error : {torii::verifier::make("https://acme.torii.so").error(),
                              torii::client::make("sk_test_x").error(),
                              torii::verify_webhook({}, {"", "", ""}, "", std::nothrow).error()}) {
        CHECK(error.status() == TORII_ERR_INVALID_CONFIG);
        CHECK(std::string(error.what()).find("ABI 4711") != std::string::npos);
        CHECK(std::string(error.what()).find("ABI 0") != std::string::npos);
    }
    std::printf("refused\n");
}

TEST(another_abi_is_refused)
{
    // The linker decides which library is loaded; other_abi.so has only the function that tells.
    const char *other = std::getenv("OTHER_ABI");
    CHECK(other != nullptr);
    const process again(
        {"/usr/bin/env", std::string("LD_PRELOAD=") + other, this_program, "other-abi"});
    CHECK(again.read_line() == "refused");
}
