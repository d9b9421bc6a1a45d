/* A process forks while its other threads are inside the library, and while one of them waits for
 * an issuer: the child verifies, with the keys it inherited and with others it fetches, and is held
 * up by nothing the parent left locked. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "check.h"
#include "emulator.h"

enum { GOOD = 4, DEADLINE = 120 };

/* A token that is valid for as long as this takes, however busy the machine. */
#define LASTING "{\"expires_in\":86400}"

static const char *control; /* the emulator's control API */

/* The tokens that parent and children verify, and the verifiers. */
static struct {
    char *live, *child_only, *offline, *hanging; /* issuers */
    torii_verifier_t *verifier, *offline_verifier, *hanging_verifier;
    char *good[GOOD], *of_offline, *of_child_only, *of_hanging;
    char *expired, *forged, *unknown;
} world;

enum { WORKERS = 4 };

static atomic_bool done;
static atomic_ulong verified;
static unsigned deadline = DEADLINE;

/* AddressSanitizer's allocator, other than libc's, has no care for fork: a child may find it locked
 * forever. Under it the workers are therefore held while the process forks: between two calls, and
 * inside those that ask for the time. */
#ifdef __SANITIZE_ADDRESS__
static const bool careless_allocator = true;
#else
static const bool careless_allocator = false;
#endif
static atomic_bool holding;
static int held;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void may_be_held(void)
{
    if (!atomic_load(&holding))
        return;
    pthread_mutex_lock(&lock);
    held++;
    pthread_cond_broadcast(&changed);
    while (atomic_load(&holding))
        pthread_cond_wait(&changed, &lock);
    held--;
    pthread_mutex_unlock(&lock);
}

static pid_t careful_fork(void)
{
    if (careless_allocator) {
        pthread_mutex_lock(&lock);
        atomic_store(&holding, true);
        while (held < WORKERS)
            pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
    }
    pid_t child = fork();
    atomic_store(&holding, false);
    if (child != 0) {
        pthread_mutex_lock(&lock);
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return child;
}

static int64_t now(void *nothing)
{
    (void)nothing;
    may_be_held();
    return time(NULL);
}

/* A worker of the parent's, of the kind that its number tells. */
static void *work(void *number)
{
    const uintptr_t kind = (uintptr_t)number;

    for (size_t i = 0; !atomic_load(&done); i++) {
        may_be_held();
        switch (kind) {
        case 0: /* known tokens */
            ACCEPT(world.verifier, world.good[i % GOOD]);
            ACCEPT_NOWAIT(world.offline_verifier, world.of_offline);
            break;
        case 1: /* the lock around the keys' state */
            REFUSE(world.verifier, world.unknown, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
            CHECK(stat_of(world.verifier, "/issuers/0/keys") == 1);
            CHECK(torii_verifier_due_in_ms(world.verifier) >= 0);
            CHECK(stat_of(world.verifier, "/issuers/1/fetches") == 0);
            break;
        case 2: /* signatures, and memory */
            REFUSE(world.verifier, world.expired, TORII_ERR_TOKEN_EXPIRED, "`exp`");
            REFUSE(world.verifier, world.forged, TORII_ERR_TOKEN_SIGNATURE, "signature");
            break;
        default: { /* verifiers, and tokens that are new to them */
            torii_verifier_t *verifier = new_verifier(world.live, NULL);
            ACCEPT(verifier, world.good[i % GOOD]);
            ACCEPT(verifier, world.good[i % GOOD]);
            torii_verifier_free(verifier);
        }
        }
        atomic_fetch_add(&verified, 1);
    }
    return NULL;
}

static void *work_in_child(void *fresh)
{
    ACCEPT(world.verifier, fresh);
    ACCEPT(world.verifier, world.good[0]);
    return NULL;
}

/* With the keys that were inherited. */
static void use_inherited(char *fresh)
{
    ACCEPT(world.verifier, world.good[0]);
    ACCEPT(world.verifier, world.good[0]);
    ACCEPT_NOWAIT(world.verifier, fresh);
    ACCEPT(world.verifier, fresh);
    CHECK(stat_of(world.verifier, "/issuers/0/keys") == 1);
    CHECK(stat_of(world.verifier, "/cached_tokens") == 2);
    ACCEPT(world.offline_verifier, world.of_offline);
    REFUSE(world.verifier, world.expired, TORII_ERR_TOKEN_EXPIRED, "`exp`");
    REFUSE(world.verifier, world.forged, TORII_ERR_TOKEN_SIGNATURE, "signature");
}

/* Also with keys the child fetches, and with a thread of its own. */
static void live_on(char *fresh)
{
    pthread_t thread;

    use_inherited(fresh);
    ACCEPT(world.verifier, world.of_child_only);
    CHECK(stat_of(world.verifier, "/issuers/1/fetches") == 1);
    ACCEPT_NOWAIT(world.verifier, world.of_child_only);

    CHECK(pthread_create(&thread, NULL, work_in_child, fresh) == 0);
    work_in_child(fresh);
    CHECK(pthread_join(thread, NULL) == 0);
    torii_verifier_t *another = new_verifier(world.live, NULL);
    ACCEPT_NOWAIT(another, fresh);
    torii_verifier_free(another);
}

/* The parent was waiting for an issuer, which answers now. */
static void fetch_anew(char *fresh)
{
    ACCEPT(world.verifier, fresh);
    REFUSE_NOWAIT(world.hanging_verifier, world.of_hanging, TORII_ERR_KEYS_PENDING, "keys");
    ACCEPT(world.hanging_verifier, world.of_hanging);
    ACCEPT(world.verifier, world.of_child_only);
}

static void in_child(pid_t (*make)(void), void (*body)(char *), char *fresh);

/* A child's child: with the keys that the child fetched, too. */
static void use_all_inherited(char *fresh)
{
    use_inherited(fresh);
    ACCEPT_NOWAIT(world.verifier, world.of_child_only);
}

static void fork_again(char *fresh)
{
    live_on(fresh);
    in_child(fork, use_all_inherited, fresh);
    ACCEPT(world.verifier, fresh);
    torii_verifier_free(world.verifier);
    torii_verifier_free(world.offline_verifier);
}

/* Runs `body` in a child that `make` makes, which has to be through with it before the deadline. It
 * then ends as another program, as a leak checker would count what the parent's other threads had
 * in hand. */
static void in_child(pid_t (*make)(void), void (*body)(char *), char *fresh)
{
    int ends[2], status = 0;
    char byte = 0;

    CHECK(pipe(ends) == 0);
    pid_t child = make();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(deadline);
        body(fresh);
        CHECK(write(ends[1], "+", 1) == 1);
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], &byte, 1);
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        check_failed(__FILE__, __LINE__, "a child was held up for %u seconds", deadline);
    if (got != 1)
        check_failed(__FILE__, __LINE__, "a child failed: %#x", (unsigned)status);
}

static void *wait_for_keys(void *nothing)
{
    torii_auth_t *auth = NULL;

    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, world.hanging,
                     torii_verify_token(world.hanging_verifier, world.of_hanging,
                                        strlen(world.of_hanging), &auth, err));
    return nothing;
}

static void make_world(void)
{
    torii_verifier_options_t *options = new_options();

    world.live = new_issuer(control, "fork");
    world.child_only = new_issuer(control, "fork-child");
    world.offline = new_issuer(control, "fork-offline");
    world.hanging = new_issuer(control, "fork-hanging");
    for (int i = 0; i < GOOD; i++)
        world.good[i] = mint(control, "fork", LASTING);
    world.expired = mint(control, "fork", "{\"now_offset\":-1000}");
    world.forged = mint(control, "fork", "{\"signer\":\"forged\"}");
    world.unknown = mint(control, "fork", "{\"header\":{\"kid\":\"nobody's\"}}");
    world.of_child_only = mint(control, "fork-child", LASTING);
    world.of_offline = mint(control, "fork-offline", LASTING);
    world.of_hanging = mint(control, "fork-hanging", LASTING);

    CHECK_OK(torii_verifier_options_add_issuer(options, world.child_only, strlen(world.child_only),
                                               err));
    CHECK(torii_verifier_options_set_clock(options, now, NULL, NULL) == TORII_OK);
    world.verifier = new_verifier(world.live, options);
    char *keys = published_keys(world.offline);
    options = new_options();
    CHECK_OK(torii_verifier_options_set_jwks_json(options, keys, strlen(keys), err));
    world.offline_verifier = new_verifier(world.offline, options);
    free(keys);
    world.hanging_verifier = new_verifier(world.hanging, host_options());
    for (int i = 0; i < GOOD; i++)
        ACCEPT(world.verifier, world.good[i]);
    REFUSE(world.verifier, world.unknown, TORII_ERR_TOKEN_KEY_UNKNOWN, "`kid`");
}

int main(int argc, char **argv)
{
    const bool reduced = getenv("TORII_TEST_REDUCED") != NULL;
    const int forks = reduced ? 15 : careless_allocator ? 60 : 200;
    const int forks_during_fetch = reduced ? 3 : 20;
    pthread_t workers[WORKERS], waiter;

    CHECK(argc == 2);
    control = argv[1];
    if (reduced)
        deadline *= 6; /* everything is slower then */
    make_world();
    for (uintptr_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&workers[i], NULL, work, (void *)i) == 0);

    for (int i = 0; i < forks; i++) {
        char *fresh = mint(control, "fork", LASTING);
        in_child(careful_fork, i % 20 == 0 ? fork_again : live_on, fresh);
        free(fresh);
    }
    CHECK(stat_of(world.verifier, "/issuers/1/fetches") == 0);
    CHECK(key_requests(control, "fork-child", 0) == forks);

    keys_fault(control, "fork-hanging", 1, "\"kind\":\"hang\"");
    CHECK(pthread_create(&waiter, NULL, wait_for_keys, NULL) == 0);
    key_requests(control, "fork-hanging", 1); /* it has sent its request, and waits */
    for (int i = 0; i < forks_during_fetch; i++) {
        char *fresh = mint(control, "fork", LASTING);
        in_child(careful_fork, fetch_anew, fresh);
        free(fresh);
    }
    free(tell("DELETE", control, "/faults", "")); /* which ends what hangs */
    CHECK(pthread_join(waiter, NULL) == 0);
    CHECK(key_requests(control, "fork-hanging", 0) == 1 + forks_during_fetch);

    /* The parent has not noticed a thing. */
    atomic_store(&done, true);
    for (int i = 0; i < WORKERS; i++)
        CHECK(pthread_join(workers[i], NULL) == 0);
    CHECK(atomic_load(&verified) > (unsigned long)forks);
    ACCEPT(world.verifier, world.good[0]);
    ACCEPT(world.verifier, world.of_child_only);
    UNTIL(are_due(world.hanging_verifier));
    ACCEPT(world.hanging_verifier, world.of_hanging);
    CHECK(key_requests(control, "fork", 2) == stat_of(world.verifier, "/issuers/0/fetches"));

    torii_verifier_free(world.verifier);
    torii_verifier_free(world.offline_verifier);
    torii_verifier_free(world.hanging_verifier);
    char *texts[] = {world.live,          world.child_only, world.offline,    world.hanging,
                     world.of_child_only, world.of_offline, world.of_hanging, world.expired,
                     world.forged,        world.unknown,    world.good[0],    world.good[1],
                     world.good[2],       world.good[3]};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    return 0;
}
