/* The library is loaded at run time, used, and let go, time and again, from threads that end: once
 * loaded it stays, so nothing is left without its code. */
#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <pthread.h>

#include "check.h"
#include "emulator.h"

struct library {
    void *handle;
    uint32_t (*abi_version)(void);
    torii_status_t (*verifier_new)(const char *, size_t, const torii_verifier_options_t *,
                                   torii_verifier_t **, torii_error_t **);
    verify_function *verify_token, *verify_token_nowait;
    const char *(*auth_user_id)(const torii_auth_t *, size_t *);
    void (*auth_free)(torii_auth_t *);
    void (*verifier_free)(torii_verifier_t *);
    void (*jwks_cache_clear)(void);
};

static const char *path, *issuer, *token;

static void find(const struct library *library, void *function, const char *name)
{
    void *symbol = dlsym(library->handle, name);
    CHECK(symbol != NULL);
    memcpy(function, &symbol, sizeof symbol);
}

static struct library open_library(void)
{
    struct library library = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};

    if (library.handle == NULL)
        check_failed(__FILE__, __LINE__, "%s", dlerror());
    find(&library, &library.abi_version, "torii_abi_version");
    find(&library, &library.verifier_new, "torii_verifier_new");
    find(&library, &library.verify_token, "torii_verify_token");
    find(&library, &library.verify_token_nowait, "torii_verify_token_nowait");
    find(&library, &library.auth_user_id, "torii_auth_user_id");
    find(&library, &library.auth_free, "torii_auth_free");
    find(&library, &library.verifier_free, "torii_verifier_free");
    find(&library, &library.jwks_cache_clear, "torii_jwks_cache_clear");
    return library;
}

static void *use(void *nothing)
{
    struct library library = open_library();
    torii_verifier_t *verifier = NULL;
    torii_auth_t *auth = NULL;

    CHECK(library.abi_version() == TORII_ABI_VERSION);
    library.jwks_cache_clear();
    CHECK(library.verifier_new(issuer, strlen(issuer), NULL, &verifier, NULL) == TORII_OK);
    CHECK(library.verify_token(verifier, token, strlen(token), &auth, NULL) == TORII_OK);
    CHECK(library.auth_user_id(auth, NULL) != NULL);
    library.auth_free(auth);

    /* Let it go while a thread of its own is at work. */
    library.jwks_cache_clear();
    CHECK(library.verify_token_nowait(verifier, token, strlen(token), &auth, NULL)
          == TORII_ERR_KEYS_PENDING);
    library.verifier_free(verifier);
    CHECK(dlclose(library.handle) == 0);
    return nothing;
}

int main(int argc, char **argv)
{
    enum { ROUNDS = 8 };
    pthread_t thread;

    CHECK(argc == 3);
    path = argv[2];
    char *url = new_issuer(argv[1], "dlopen"), *minted = mint(argv[1], "dlopen", "{}");
    issuer = url;
    token = minted;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_create(&thread, NULL, use, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        void *loaded = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        CHECK(loaded != NULL);
        CHECK(dlclose(loaded) == 0);
    }
    use(NULL);
    CHECK(key_requests(argv[1], "dlopen", 2 * (ROUNDS + 1)) == 2 * (ROUNDS + 1));
    free(minted);
    free(url);
    return 0;
}
