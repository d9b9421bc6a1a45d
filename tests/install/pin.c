/* pin LIBRARY [pin]: says whether the library is still loaded after dlclose. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    if (argc > 2) {
        void (*pin)(void);
        *(void **)&pin = dlsym(library, "pin");
        pin();
    }
    dlclose(library);
    puts(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) ? "loaded" : "unloaded");
    return 0;
}
