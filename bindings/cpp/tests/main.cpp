// tests SERVER: runs all tests with the local torii. SERVER is the example.
#include "emulator.hpp"

#include <unistd.h>

void key_cache(const char *issuer, const char *token, const char *dir);
void local_torii();
void other_abi();

std::string example_server, this_program;

int main(int argc, char **argv)
{
    if (argc == 2 && std::string(argv[1]) == "other-abi")
        return other_abi(), 0;
    if (argc == 2 && std::string(argv[1]) == "local-torii")
        return local_torii(), 0;
    if (argc == 5 && std::string(argv[1]) == "key-cache")
        return key_cache(argv[2], argv[3], argv[4]), 0;
    CHECK(argc == 2);
    alarm(3600);
    this_program = argv[0];
    example_server = argv[1];
    emulator::start();
    for (const test &test : tests()) {
        std::printf("%s\n", test.name);
        test.run();
        emulator::local().clear_faults();
    }
    emulator::stop();
    std::printf("%zu tests passed\n", tests().size());
}
