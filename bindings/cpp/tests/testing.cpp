// The test kit.
#include "emulator.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

using namespace std::chrono_literals;

namespace {

std::string here(const char *variable)
{
    const char *value = std::getenv(variable);
    CHECK(value != nullptr);
    return value;
}

bool is_running(pid_t pid)
{
    return access(("/proc/" + std::to_string(pid)).c_str(), F_OK) == 0;
}

} // namespace

/// Runs in a process of its own: starts a local torii, prints its process id, and waits.
void local_torii()
try {
    const torii::testing::local_torii local;
    std::printf("%d\n", static_cast<int>(local.pid()));
    std::fflush(stdout);
    std::getchar();
} catch (const torii::error &error) {
    std::printf("%s\n", error.what());
}

TEST(a_test_signs_in_users)
{
    const torii::testing::local_torii local;
    const auto user = std::string(local.client().users().create("{}").string("/id").value());
    const torii::testing::session session = local.sign_in(user);
    const torii::verifier verifier = local.verifier(torii::verifier_options().leeway(10s));
    const torii::auth auth = verifier.verify(session.token);
    CHECK(auth.user_id() == user && auth.environment_id() == local.id());
    CHECK(local.client().sessions().list_for_user(user).string("/0/id") == session.id);
    const torii::auth pro = verifier.verify(local.token(R"({"sub":"user-1","plan":"pro"})"));
    CHECK(pro.user_id() == "user-1" && pro.claims_json().find("pro") != std::string::npos);
    CHECK(verifier.verify(local.token(), std::nothrow));
    CHECK_FAILS(verifier.verify(local.mint(R"({"expires_in":-60})"), std::nothrow),
                TORII_ERR_TOKEN_EXPIRED, "");
    CHECK(local.requests("/acme/").length("/requests") == 1);
}

TEST(a_test_makes_keys_fail)
{
    const torii::testing::local_torii local;
    const torii::verifier verifier = local.verifier();
    const std::string first = local.token();
    (void)verifier.verify(first);
    local.fail_keys();
    CHECK_FAILS(verifier.verify(first, std::nothrow), TORII_ERR_KEYS_UNAVAILABLE, "503");
    local.clear_faults();
    (void)verifier.verify(first);
    const std::string kid = local.rotate_keys(), second = local.token();
    (void)verifier.verify(second);
    local.remove_key(kid);
    torii::forget_keys();
    CHECK_FAILS(verifier.verify(second, std::nothrow), TORII_ERR_TOKEN_KEY_UNKNOWN, "");
    (void)verifier.verify(first);
}

TEST(a_test_has_further_environments)
{
    std::optional<torii::testing::environment> other;
    pid_t pid = 0;
    {
        const torii::testing::local_torii local;
        pid = local.pid();
        other = local.new_environment("other");
        CHECK(other->verifier().verify(other->token()).environment_id() == other->id());
        CHECK_FAILS(local.verifier().verify(other->token(), std::nothrow), TORII_ERR_TOKEN_ISSUER,
                    "");
        other->fail_keys(500);
        (void)local.verifier().verify(local.token());
        CHECK_FAILS(other->verifier().verify(other->token(), std::nothrow),
                    TORII_ERR_KEYS_UNAVAILABLE, "500");
        local.reset();
    }
    CHECK(is_running(pid));
    try {
        (void)other->token();
        check_failed(__FILE__, __LINE__, "an environment is there after a reset");
    } catch (const torii::error &error) {
        CHECK(std::string(error.what()).find("no issuer named") != std::string::npos);
    }
    other.reset();
    CHECK(!is_running(pid));
}

TEST(a_local_torii_ends_with_the_process)
{
    pid_t pid = 0;
    {
        const process killed({this_program, "local-torii"});
        pid = std::stoi(killed.read_line());
        CHECK(is_running(pid));
        kill(killed.pid(), SIGKILL);
    }
    while (is_running(pid))
        usleep(10000); // until alarm() ends this program
}

TEST(a_local_torii_is_found)
{
    const std::string library = here("LD_LIBRARY_PATH") + "/libtorii.so.0",
                      program = here("TORII_EMULATOR");
    char folder[] = "/tmp/torii-kit-XXXXXX";
    CHECK(mkdtemp(folder) != nullptr);
    const std::string here = folder, bin = here + "/bin", copy = here + "/libtorii.so.0";
    CHECK(mkdir(bin.c_str(), 0700) == 0);
    std::ofstream(copy, std::ios::binary) << std::ifstream(library, std::ios::binary).rdbuf();
    const auto says = [&](const std::string &named) {
        return process({"/usr/bin/env", "LD_LIBRARY_PATH=" + here, "TORII_EMULATOR=" + named,
                        "PATH=/nowhere:" + bin, this_program, "local-torii"})
            .read_line();
    };
    CHECK(says("").find("torii-emulator: found neither in " + here + " nor in PATH; install it")
          == 0);
    CHECK(says("/nowhere") == "TORII_EMULATOR: /nowhere is not a program");
    CHECK(says("/bin/false") == "/bin/false: does not start");
    for (const std::string &place : {here, bin}) {
        const std::string link = place + "/torii-emulator";
        CHECK(symlink(program.c_str(), link.c_str()) == 0);
        CHECK(std::stoi(says("")) > 0);
        CHECK(unlink(link.c_str()) == 0);
    }
    CHECK(unlink(copy.c_str()) == 0 && rmdir(bin.c_str()) == 0 && rmdir(folder) == 0);
}

// The example of the README, extracted by test.sh.
#include "readme_testing.inc"

TEST(the_readme_shows_a_test)
{
    a_signed_in_user();
    the_issuer_is_down();
}
