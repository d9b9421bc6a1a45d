/* Tokens verified with a table of multiples of their key: the same results as without, and a table
 * that is built during any calls, also in a child of fork(). */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "check.h"
#include "emulator.h"

/* More new tokens than building a table takes. */
enum { ENOUGH = 240, CHILDREN = 8, DEADLINE = 120, FETCH_TIMEOUT_MS = 60000 };

static const char *control; /* the emulator's control API */
static int children;

/* Without a token cache, so that each token is new. */
static torii_verifier_t *verifier_of(const char *issuer, bool fixed_base)
{
    torii_verifier_options_t *options = new_options();

    CHECK_OK(torii_verifier_options_set_fixed_base(options, fixed_base, err));
    CHECK(torii_verifier_options_set_token_cache_bytes(options, 0, NULL) == TORII_OK);
    CHECK_OK(torii_verifier_options_set_fetch_timeout_ms(options, FETCH_TIMEOUT_MS, err));
    return new_verifier(issuer, options);
}

static int64_t built(const torii_verifier_t *verifier)
{
    CHECK(stat_of(verifier, "/tables_discarded") == 0);
    return stat_of(verifier, "/tables_built");
}

static void a_table_changes_no_result(void)
{
    char *issuer = new_issuer(control, "tables");
    char *good = mint(control, "tables", "{}");
    char *forged = mint(control, "tables", "{\"signer\":\"forged\"}");
    char *expired = mint(control, "tables", "{\"now_offset\":-5000}");
    torii_verifier_t *without = verifier_of(issuer, false), *with = verifier_of(issuer, true);
    int64_t before = built(with);

    for (int i = 0; i < ENOUGH; i++)
        ACCEPT(without, good);
    CHECK(built(without) == before);
    for (int i = 0; i < 2 * ENOUGH; i++) {
        torii_verifier_t *verifier = i % 8 == 0 ? without : with;
        ACCEPT(verifier, good);
        ACCEPT_NOWAIT(verifier, good);
        REFUSE(verifier, forged, TORII_ERR_TOKEN_SIGNATURE, "signature");
        REFUSE_NOWAIT(verifier, expired, TORII_ERR_TOKEN_EXPIRED, "`exp`");
    }
    CHECK(built(with) == before + 1);
    torii_verifier_free(without);
    torii_verifier_free(with);
    free(good);
    free(forged);
    free(expired);
    free(issuer);
}

static struct {
    torii_verifier_t *verifier;
    char *good, *forged;
} world;

static atomic_bool done;

static void *work(void *nothing)
{
    (void)nothing;
    while (!atomic_load(&done)) {
        ACCEPT(world.verifier, world.good);
        REFUSE(world.verifier, world.forged, TORII_ERR_TOKEN_SIGNATURE, "signature");
    }
    return NULL;
}

/* The child finishes or repeats what its parent had begun. */
static void child(void)
{
    alarm(DEADLINE);
    int64_t before = built(world.verifier);
    for (int i = 0; i < ENOUGH; i++) {
        ACCEPT_NOWAIT(world.verifier, world.good);
        REFUSE(world.verifier, world.forged, TORII_ERR_TOKEN_SIGNATURE, "signature");
    }
    CHECK(built(world.verifier) >= before);
    CHECK(built(world.verifier) > 0);
    leave_child();
}

/* Forks at several stages of building: from a process of one thread, or from one of which another
 * thread is building. */
static void a_child_forked_while_a_table_is_built(bool threaded)
{
    char name[32];
    pthread_t worker;

    for (int i = 0; i < children; i++) {
        snprintf(name, sizeof name, "fork-%d-%d", threaded, i);
        char *issuer = new_issuer(control, name);
        world.verifier = verifier_of(issuer, true);
        world.good = mint(control, name, "{}");
        world.forged = mint(control, name, "{\"signer\":\"forged\"}");
        for (int token = 0; token < 17 + ENOUGH / children * i; token++)
            ACCEPT(world.verifier, world.good);
        atomic_store(&done, false);
        if (threaded)
            CHECK(pthread_create(&worker, NULL, work, NULL) == 0);
        pid_t forked = fork();
        CHECK(forked >= 0);
        if (forked == 0)
            child();
        int status = -1;
        CHECK(waitpid(forked, &status, 0) == forked);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        atomic_store(&done, true);
        if (threaded)
            CHECK(pthread_join(worker, NULL) == 0);
        for (int token = 0; token < ENOUGH; token++)
            ACCEPT(world.verifier, world.good);
        CHECK(built(world.verifier) > 0);
        torii_verifier_free(world.verifier);
        free(world.good);
        free(world.forged);
        free(issuer);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    children = getenv("TORII_TEST_REDUCED") != NULL ? 3 : CHILDREN;
    a_table_changes_no_result();
    a_child_forked_while_a_table_is_built(false);
    /* The allocator of AddressSanitizer has no care for fork: see fork.c. */
#ifndef __SANITIZE_ADDRESS__
    a_child_forked_while_a_table_is_built(true);
#endif
    return 0;
}
