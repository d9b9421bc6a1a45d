/* unload [verifier]: says whether torii.dll is still loaded after FreeLibrary, when it has made nothing or a verifier. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "torii.h"

int main(int argc, char **argv) {
    (void)argv;
    HMODULE library = LoadLibraryA("torii.dll");
    if (!library) {
        fprintf(stderr, "torii.dll: error %lu\n", GetLastError());
        return 1;
    }
    if (argc > 1) {
        const char *issuer = "https://acme.example";
        torii_verifier_t *verifier = NULL;
        torii_status_t (*create)(const char *, size_t, const torii_verifier_options_t *, torii_verifier_t **, torii_error_t **);
        void (*destroy)(torii_verifier_t *);
        FARPROC function = GetProcAddress(library, "torii_verifier_new");
        memcpy(&create, &function, sizeof create);
        function = GetProcAddress(library, "torii_verifier_free");
        memcpy(&destroy, &function, sizeof destroy);
        if (create(issuer, strlen(issuer), NULL, &verifier, NULL) != TORII_OK) {
            fputs("no verifier\n", stderr);
            return 1;
        }
        destroy(verifier);
    }
    FreeLibrary(library);
    puts(GetModuleHandleA("torii.dll") ? "loaded" : "unloaded");
    return 0;
}
