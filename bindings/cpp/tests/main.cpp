// tests EMULATOR SERVER: runs all tests with the emulator. SERVER is the example.
#include "emulator.hpp"

#include <unistd.h>

void other_abi();

std::string example_server, this_program;

int main(int argc, char **argv)
{
    if (argc == 2 && std::string(argv[1]) == "other-abi")
        return other_abi(), 0;
    CHECK(argc == 3);
    alarm(300);
    this_program = argv[0];
    example_server = argv[2];
    emulator::start(argv[1]);
    for (const test &test : tests()) {
        std::printf("%s\n", test.name);
        test.run();
        emulator::clear_faults();
    }
    emulator::stop();
    std::printf("%zu tests passed\n", tests().size());
}
