/* Children never hang on a lock that a thread of their parent held.
 *
 * A child made by fork() has one thread. A lock that another thread of the parent held at that
 * moment stays locked in the child forever. aws-lc takes such locks when a thread first reaches
 * its error queue, when it draws random numbers and when the thread ends.
 *
 * First every lock that is reached through pthread functions gets its turn: a thread stops while it
 * holds that lock, and the process forks. Then the process forks many times while threads start,
 * verify and end. TORII_TEST_FORKS sets how many times. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "check.h"
#include "emulator.h"

#ifdef __SANITIZE_ADDRESS__
/* AddressSanitizer's allocator takes no care of fork: a child may find it locked. */
static const bool allocator_survives_fork = false;
#else
static const bool allocator_survives_fork = true;
#endif

enum { TOKENS = 8, STARTERS = 2, HOLD_MS = 100 };

static unsigned deadline = 60; /* seconds a child may take */

static struct {
    char *issuer, *child_only; /* issuers */
    const char *tls;           /* one whose server hangs up on each client */
    torii_verifier_t *uncached;      /* verifies the signature at each call */
    torii_verifier_t *cached;
    torii_verifier_t *unfetched; /* its keys are fetched in children only */
    char *good[TOKENS], *forged, *of_child_only, *of_tls;
} world;

static void verify_good(void)
{
    ACCEPT_NOWAIT(world.uncached, world.good[0]);
}

static void verify_forged(void)
{
    REFUSE_NOWAIT(world.uncached, world.forged, TORII_ERR_TOKEN_SIGNATURE, "signature");
}

/* `x` and `y` are not a point of P-256. */
static void refuse_keys(void)
{
    static const char *keys =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\","
        "\"x\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\","
        "\"y\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}";
    torii_verifier_options_t *options = new_options();

    CHECK_FAILS_ONCE(TORII_ERR_INVALID_ARGUMENT, "usable",
                     torii_verifier_options_set_jwks_json(options, keys, strlen(keys), err));
    torii_verifier_options_free(options);
}

/* Begins a TLS handshake. */
static void fetch_over_tls(void)
{
    torii_auth_t *auth = GARBAGE;

    torii_jwks_cache_clear(); /* no backoff after the last failure */
    torii_verifier_t *verifier = new_verifier(world.tls, host_options());
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, world.tls,
                     torii_verify_token(verifier, world.of_tls, strlen(world.of_tls), &auth, err));
    torii_verifier_free(verifier);
}

static void (*const actions[])(void) = {verify_good, verify_forged, refuse_keys, fetch_over_tls};
enum { ACTIONS = sizeof actions / sizeof actions[0] };
static size_t action_count = ACTIONS;

/* A thread that counts the locks it takes, and stops with the one it is told to. */

static _Thread_local long locks_until_stop = -1; /* negative: does not count */
static _Thread_local bool is_slow;               /* holds each lock a little longer */
static atomic_bool stopped, forking;

static void holds_a_lock(void)
{
    if (is_slow)
        sched_yield();
    if (locks_until_stop < 0 || locks_until_stop-- > 0)
        return;
    atomic_store(&stopped, true);
    while (!atomic_load(&forking))
        sched_yield();
    /* The fork either happens now, or waits until this thread goes on. */
    sleep_ms(HOLD_MS);
}

#define INTERPOSE(function, type) \
    int function(type *lock) \
    { \
        static int (*_Atomic next)(type *); \
        if (next == NULL) { \
            void *found = dlsym(RTLD_NEXT, #function); \
            int (*real)(type *); \
            memcpy(&real, &found, sizeof real); \
            next = real; \
        } \
        int result = next(lock); \
        if (result == 0) \
            holds_a_lock(); \
        return result; \
    }

INTERPOSE(pthread_mutex_lock, pthread_mutex_t)
INTERPOSE(pthread_rwlock_rdlock, pthread_rwlock_t)
INTERPOSE(pthread_rwlock_wrlock, pthread_rwlock_t)

/* The work of a child. */

static void *run_all(void *nothing)
{
    for (size_t i = 0; i < action_count; i++)
        actions[i]();
    return nothing;
}

static void use_library(int number, const char *fresh)
{
    pthread_t thread;

    ACCEPT_NOWAIT(world.uncached, fresh);
    ACCEPT_NOWAIT(world.cached, world.good[0]);
    ACCEPT_NOWAIT(world.cached, world.good[0]);
    verify_forged();
    refuse_keys();
    if (number % 32 != 0)
        return;
    ACCEPT(world.unfetched, world.of_child_only);
    run_all(NULL);
    CHECK(pthread_create(&thread, NULL, run_all, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void show_stacks(pid_t child)
{
    char command[128];

    snprintf(command, sizeof command,
             "gdb -p %d -batch -ex 'thread apply all bt 16' 2>/dev/null | tail -n 60 >&2",
             (int)child);
    if (system(command) != 0)
        fputs("no stacks: gdb is missing, or may not look\n", stderr);
}

/* Forks; false if the child hangs. */
static bool child_lives(int number, const char *fresh)
{
    int ends[2], status = 0;
    char byte = 0;

    CHECK(pipe(ends) == 0);
    CHECK(fflush(NULL) == 0);
    atomic_store(&forking, true);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        use_library(number, fresh);
        CHECK(write(ends[1], "+", 1) == 1);
        /* A leak checker would count what the parent's other threads had in hand. */
        if (getenv("TORII_TEST_REDUCED") != NULL)
            execlp("true", "true", (char *)NULL);
        /* aws-lc takes locks when a process exits, too. */
        exit(0);
    }
    close(ends[1]);
    struct pollfd closed = {.fd = ends[0], .events = POLLIN};
    bool lives = true;
    /* First the byte, then the end of the child. */
    for (int i = 0; i < 2 && lives; i++) {
        lives = poll(&closed, 1, (int)deadline * 1000) == 1;
        if (lives && read(ends[0], &byte, 1) != 1)
            break;
    }
    if (!lives) {
        fprintf(stderr, "child %d hangs\n", number);
        show_stacks(child);
        CHECK(kill(child, SIGKILL) == 0);
    }
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    if (lives && (status != 0 || byte != '+'))
        check_failed(__FILE__, __LINE__, "child %d failed: %#x", number, (unsigned)status);
    return lives;
}

/* A fork at each lock. */

struct order {
    void (*action)(void);
    long locks;
};

static void *act_and_stop(void *argument)
{
    const struct order *order = argument;

    locks_until_stop = order->locks;
    order->action();
    return NULL; /* the thread's end takes locks, too */
}

static void *join_then_tell(void *argument)
{
    pthread_t *thread = argument;

    CHECK(pthread_join(*thread, NULL) == 0);
    atomic_store(&forking, true);
    return NULL;
}

/* A thread stops with its nth lock, and the process forks. False if it takes fewer locks. */
static bool fork_at_lock(void (*action)(void), long locks, int *hung)
{
    struct order order = {action, locks};
    pthread_t thread, joiner;

    atomic_store(&stopped, false);
    atomic_store(&forking, false);
    CHECK(pthread_create(&thread, NULL, act_and_stop, &order) == 0);
    CHECK(pthread_create(&joiner, NULL, join_then_tell, &thread) == 0);
    while (!atomic_load(&stopped) && !atomic_load(&forking))
        sleep_ms(1);
    const bool reached = atomic_load(&stopped);
    if (reached && !child_lives(0, world.good[1]))
        ++*hung;
    CHECK(pthread_join(joiner, NULL) == 0);
    return reached;
}

/* Many forks. */

static atomic_bool done;
static atomic_ulong started;

static void *verify_once(void *number)
{
    const uintptr_t kind = (uintptr_t)number % 64;

    is_slow = true;
    if (kind < action_count) /* only here the last, which reads the system's certificates */
        actions[kind]();
    else if (kind % 2 == 0)
        actions[kind / 2 % (ACTIONS - 1)]();
    else
        ACCEPT_NOWAIT(kind % 4 == 1 ? world.cached : world.uncached, world.good[kind % TOKENS]);
    return NULL;
}

/* One thread for each request. */
static void *start_threads(void *nothing)
{
    pthread_t thread;

    while (!atomic_load(&done)) {
        const uintptr_t number = atomic_fetch_add(&started, 1);
        CHECK(pthread_create(&thread, NULL, verify_once, (void *)number) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return nothing;
}

/* Closes each connection at once. */
static void *serve_nobody(void *listener)
{
    for (;;) {
        int connection = accept(*(int *)listener, NULL, NULL);
        if (connection >= 0)
            close(connection);
    }
    return NULL;
}

static const char *start_tls_server(void)
{
    static int listener;
    static char url[64];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    pthread_t thread;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 64) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    CHECK(pthread_create(&thread, NULL, serve_nobody, &listener) == 0);
    CHECK(pthread_detach(thread) == 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%u", ntohs(address.sin_port));
    return url;
}

/* Tokens do not expire during the test. */
static int64_t stopped_clock(void *start)
{
    return *(const time_t *)start;
}

static void stop_clock(torii_verifier_options_t *options)
{
    static time_t start;

    if (start == 0)
        start = time(NULL);
    CHECK(torii_verifier_options_set_clock(options, stopped_clock, &start, NULL) == TORII_OK);
}

static torii_verifier_t *offline_verifier(const char *keys, size_t cache)
{
    torii_verifier_options_t *options = host_options();

    CHECK_OK(torii_verifier_options_set_jwks_json(options, keys, strlen(keys), err));
    CHECK(torii_verifier_options_set_token_cache_bytes(options, cache, NULL) == TORII_OK);
    stop_clock(options);
    return new_verifier(world.issuer, options);
}

/* Runs on a thread of its own: the main thread has no key parsed, so that a child is always new to
 * aws-lc. */
static void *make_world(void *argument)
{
    const char *control = argument;
    char claims[128];

    world.issuer = new_issuer(control, "storm");
    world.child_only = new_issuer(control, "storm-child");
    world.tls = start_tls_server();
    for (int i = 0; i < TOKENS; i++)
        world.good[i] = mint(control, "storm", "{}");
    world.forged = mint(control, "storm", "{\"signer\":\"forged\"}");
    world.of_child_only = mint(control, "storm-child", "{}");
    snprintf(claims, sizeof claims, "{\"claims\":{\"iss\":\"%s\"}}", world.tls);
    world.of_tls = mint(control, "storm", claims);
    char *keys = published_keys(world.issuer);
    world.uncached = offline_verifier(keys, 0);
    world.cached = offline_verifier(keys, 1 << 20);
    free(keys);
    torii_verifier_options_t *options = new_options();
    stop_clock(options);
    world.unfetched = new_verifier(world.child_only, options);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("TORII_TEST_FORKS");
    const bool reduced = getenv("TORII_TEST_REDUCED") != NULL;
    const int forks = reduced ? 30 : wanted ? atoi(wanted) : 3000;
    pthread_t starters[STARTERS], maker;
    int hung = 0;

    CHECK(argc == 2 && forks > 0);
    if (!allocator_survives_fork) {
        puts("left out: AddressSanitizer's allocator may be locked in a child");
        return 0;
    }
    if (reduced) {
        deadline *= 6;      /* everything is slower then, */
        action_count -= 1; /* and the system's certificates take too long */
    }
    CHECK(pthread_create(&maker, NULL, make_world, argv[1]) == 0);
    CHECK(pthread_join(maker, NULL) == 0);

    for (size_t i = 0; i < action_count; i++) {
        long locks = 0;
        while (fork_at_lock(actions[i], locks, &hung))
            locks++;
        printf("action %zu: a fork at each of %ld locks\n", i, locks);
    }
    if (hung > 0)
        check_failed(__FILE__, __LINE__, "%d children hung at one lock each", hung);

    for (int i = 0; i < STARTERS; i++)
        CHECK(pthread_create(&starters[i], NULL, start_threads, NULL) == 0);
    while (atomic_load(&started) < STARTERS)
        sleep_ms(1);
    for (int i = 0; i < forks; i++)
        hung += !child_lives(i, world.good[i % TOKENS]);
    atomic_store(&done, true);
    for (int i = 0; i < STARTERS; i++)
        CHECK(pthread_join(starters[i], NULL) == 0);
    if (hung > 0)
        check_failed(__FILE__, __LINE__, "%d of %d children hung", hung, forks);
    printf("%d forks while %lu threads ran\n", forks, atomic_load(&started));

    torii_verifier_free(world.uncached);
    torii_verifier_free(world.cached);
    torii_verifier_free(world.unfetched);
    char *texts[] = {world.issuer, world.child_only, world.forged, world.of_child_only,
                     world.of_tls};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    for (int i = 0; i < TOKENS; i++)
        free(world.good[i]);
    return 0;
}
