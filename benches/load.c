/*
 * The time of loading the library and creating a verifier: load LIBRARY. Prints microseconds, and by
 * how many KiB the memory grew that is this process's own, not shared with others that load it.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <torii.h>

typedef torii_status_t (*new_t)(const char *, size_t, const torii_verifier_options_t *,
                                torii_verifier_t **, torii_error_t **);

static long own_kib(void)
{
    char line[256];
    long kib, total = 0;
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    if (rollup == NULL)
        exit(2);
    while (fgets(line, sizeof line, rollup) != NULL)
        if (sscanf(line, "Private_Dirty: %ld kB", &kib) == 1)
            total += kib;
    fclose(rollup);
    return total;
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    static const char issuer[] = "https://acme.torii.so";
    torii_verifier_t *verifier = NULL;

    if (argc != 2)
        return 2;
    long before = own_kib();
    double start = now_us();
    void *library = dlopen(argv[1], RTLD_NOW);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    double loaded = now_us();
    void *symbol = dlsym(library, "torii_verifier_new");
    new_t make;
    memcpy(&make, &symbol, sizeof make);
    if (make(issuer, sizeof issuer - 1, NULL, &verifier, NULL) != TORII_OK)
        return 1;
    double made = now_us();
    printf("%8.0f us to load, %6.0f us for the first verifier, %6ld KiB of its own\n",
           loaded - start, made - loaded, own_kib() - before);
    return 0;
}
