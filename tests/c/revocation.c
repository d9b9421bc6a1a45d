/* Revocations by calls, by JSON and by a file: in a process, and in children that it makes while its
 * threads verify, revoke and look at the file. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "emulator.h"

enum { WORKERS = 3, DEADLINE = 120 };

#define REVOKED TORII_ERR_TOKEN_REVOKED

static const char *control; /* the emulator's control API */
static char *issuer;
static char file[PATH_MAX];
static atomic_bool done;
static unsigned deadline = DEADLINE;

static char *token_of(const char *user)
{
    char how[128];

    snprintf(how, sizeof how, "{\"claims\":{\"sub\":\"%s\"}}", user);
    return mint(control, "revocation", how);
}

/* Replaces the file by another one that revokes every token of these users; ends with NULL. */
static void write_file(const char *user, ...)
{
    char other[PATH_MAX + 8];
    const char *comma = "";
    va_list users;

    snprintf(other, sizeof other, "%s.new", file);
    FILE *stream = fopen(other, "w");
    CHECK(stream != NULL);
    fprintf(stream, "{\"revoked\":[");
    va_start(users, user);
    for (; user != NULL; user = va_arg(users, const char *)) {
        fprintf(stream, "%s{\"sub\":\"%s\",\"before\":\"all\"}", comma, user);
        comma = ",\n";
    }
    va_end(users);
    fprintf(stream, "]}\n");
    CHECK(fclose(stream) == 0);
    CHECK(chmod(other, 0644) == 0);
    CHECK(rename(other, file) == 0);
}

static bool is_revoked(const torii_verifier_t *verifier, const char *token)
{
    torii_auth_t *auth = NULL;
    torii_status_t status = torii_verify_token(verifier, token, strlen(token), &auth, NULL);

    torii_auth_free(auth);
    CHECK(status == TORII_OK || status == REVOKED);
    return status == REVOKED;
}

static void revoke(const torii_verifier_t *verifier, const char *user, int64_t before)
{
    CHECK_OK(torii_verifier_revoke(verifier, user, strlen(user), before, err));
}

static void set_json(const torii_verifier_t *verifier, const char *json)
{
    CHECK_OK(torii_verifier_set_revocations_json(verifier, json, strlen(json), err));
}

static void calls_and_json(void)
{
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    char *alice = token_of("alice"), *bob = token_of("bob");
    const char *all = "{\"revoked\":[{\"sub\":\"bob\",\"before\":\"all\"}]}";

    ACCEPT(verifier, alice);
    ACCEPT(verifier, bob);
    revoke(verifier, "alice", time(NULL) - 86400);
    ACCEPT_NOWAIT(verifier, alice);
    revoke(verifier, "alice", time(NULL));
    REFUSE(verifier, alice, REVOKED, "claim `sub`: ");
    REFUSE_NOWAIT(verifier, alice, REVOKED, "claim `sub`: ");
    ACCEPT_NOWAIT(verifier, bob);
    set_json(verifier, all);
    REFUSE_NOWAIT(verifier, bob, REVOKED, "claim `sub`: ");
    set_json(verifier, "{\"revoked\":[]}");
    ACCEPT_NOWAIT(verifier, bob);
    REFUSE_NOWAIT(verifier, alice, REVOKED, "claim `sub`: ");
    revoke(verifier, "bob", TORII_REVOKE_ALL);
    REFUSE_NOWAIT(verifier, bob, REVOKED, "claim `sub`: ");
    CHECK(stat_of(verifier, "/refused/TORII_ERR_TOKEN_REVOKED") == 10); /* REFUSE asks twice */
    CHECK(stat_of(verifier, "/revocations/entries") == 2);
    torii_verifier_free(verifier);
    free(alice);
    free(bob);
}

#define BAD_JSON(json, about) \
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, about, \
                torii_verifier_set_revocations_json(verifier, json, strlen(json), err))

static void arguments(void)
{
    torii_verifier_t *verifier = new_verifier(issuer, NULL);
    torii_verifier_options_t *options = new_options();

    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "verifier",
                torii_verifier_revoke(NULL, TORII_STR("a"), 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "user_id",
                torii_verifier_revoke(verifier, NULL, 1, 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "user_id",
                torii_verifier_revoke(verifier, "", 0, 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "user_id",
                torii_verifier_revoke(verifier, "a\0b", 3, 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "user_id",
                torii_verifier_revoke(verifier, "\xff", 1, 0, err));
    CHECK_OK(torii_verifier_revoke(verifier, "a", TORII_NUL_TERMINATED, 0, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "issued_before",
                torii_verifier_revoke(verifier, TORII_STR("a"), -1, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "issued_before",
                torii_verifier_revoke(verifier, TORII_STR("a"), (int64_t)time(NULL) * 1000, err));

    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "verifier",
                torii_verifier_set_revocations_json(NULL, TORII_STR("{}"), err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "json",
                torii_verifier_set_revocations_json(verifier, NULL, 1, err));
    BAD_JSON("", "json: line 1, column 0: ");
    BAD_JSON("{\"revoked\":\n[{\"sub\":\"a\",\"before\":-1}]}", "json: line 2, column 24: ");
    CHECK(stat_of(verifier, "/revocations/entries") == 1);
    torii_verifier_free(verifier);

    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "options",
                torii_verifier_options_set_revocations_file(NULL, TORII_STR("x"), err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "revocations file",
                torii_verifier_options_set_revocations_file(options, "", 0, err));
    CHECK_OK(torii_verifier_options_set_revocations_file(options, TORII_STR("/nowhere/at/all"), err));
    torii_verifier_t *none = GARBAGE;
    CHECK_FAILS(TORII_ERR_INVALID_CONFIG, "/nowhere/at/all",
                torii_verifier_new(issuer, strlen(issuer), options, &none, err));
    CHECK(none == NULL);
    torii_verifier_options_free(options);
}

static torii_verifier_t *watching(torii_verifier_options_t *options)
{
    CHECK_OK(torii_verifier_options_set_revocations_file(options, file, strlen(file), err));
    return new_verifier(issuer, options);
}

/* By itself, within two seconds and what a busy machine adds. */
static void picked_up(void)
{
    char *alice = token_of("alice");

    write_file(NULL);
    torii_verifier_t *verifier = watching(new_options());
    ACCEPT(verifier, alice);
    write_file("alice", NULL);
    UNTIL(is_revoked(verifier, alice));
    write_file("bob", NULL);
    UNTIL(!is_revoked(verifier, alice));

    /* Not read: the list stays. */
    write_file("alice", NULL);
    UNTIL(is_revoked(verifier, alice));
    CHECK(remove(file) == 0);
    CHECK(mkfifo(file, 0600) == 0);
    UNTIL(stat_of(verifier, "/revocations/file/failures") > 0 || !is_revoked(verifier, alice));
    CHECK(is_revoked(verifier, alice));
    CHECK(remove(file) == 0);
    CHECK(mkdir(file, 0700) == 0);
    int64_t failures = stat_of(verifier, "/revocations/file/failures");
    UNTIL(stat_of(verifier, "/revocations/file/failures") > failures || !is_revoked(verifier, alice));
    CHECK(is_revoked(verifier, alice));
    CHECK(remove(file) == 0);
    write_file(NULL);
    UNTIL(!is_revoked(verifier, alice));
    torii_verifier_free(verifier);
    free(alice);
}

/* The calls of a host without threads of the library. */
static void on_a_timer(void)
{
    torii_verifier_t *verifier = watching(host_options());
    char *alice = token_of("alice");

    ACCEPT(verifier, alice);
    write_file("alice", NULL);
    CHECK(torii_verifier_due_in_ms(verifier) <= 1000);
    UNTIL(torii_verifier_due_in_ms(verifier) == 0);
    CHECK_OK(torii_verifier_refresh_due(verifier, issuer, strlen(issuer), err));
    REFUSE_NOWAIT(verifier, alice, REVOKED, "claim `sub`: ");
    torii_verifier_free(verifier);
    free(alice);
}

/* Children. */

static struct {
    torii_verifier_t *verifier;
    char *by_call, *by_json, *by_file, *of_child, *good;
} world;

static void *work(void *number)
{
    const uintptr_t kind = (uintptr_t)number;
    char user[32];

    for (int i = 0; !atomic_load(&done); i++) {
        switch (kind) {
        case 0:
            REFUSE(world.verifier, world.by_file, REVOKED, "`sub`");
            ACCEPT(world.verifier, world.good);
            break;
        case 1:
            snprintf(user, sizeof user, "user_%d", i % 10000);
            revoke(world.verifier, user, time(NULL));
            set_json(world.verifier, "{\"revoked\":[{\"sub\":\"by_json\",\"before\":\"all\"}]}");
            CHECK(stat_of(world.verifier, "/revocations/entries") > 0);
            break;
        default: /* looks, and reads */
            write_file("by_file", NULL);
            CHECK_OK(torii_verifier_refresh(world.verifier, err));
        }
    }
    return NULL;
}

/* With the lists of the parent, and then with lists of its own. */
static void live_on(void)
{
    REFUSE_NOWAIT(world.verifier, world.by_call, REVOKED, "`sub`");
    REFUSE_NOWAIT(world.verifier, world.by_json, REVOKED, "`sub`");
    REFUSE(world.verifier, world.by_file, REVOKED, "`sub`");
    ACCEPT(world.verifier, world.of_child);
    CHECK_OK(torii_verifier_refresh(world.verifier, err));
    CHECK(stat_of(world.verifier, "/revocations/file/failures") == 0);
    CHECK(stat_of(world.verifier, "/revocations/file/reads") > 0);
    set_json(world.verifier, "{\"revoked\":[]}");
    ACCEPT(world.verifier, world.by_json);
    revoke(world.verifier, "of_child", TORII_REVOKE_ALL);
    REFUSE_NOWAIT(world.verifier, world.of_child, REVOKED, "`sub`");
    REFUSE_NOWAIT(world.verifier, world.by_call, REVOKED, "`sub`");
}

/* The parent writes the file, and the child finds that by itself: `said` is read when it has. */
static void wait_for_the_file(void)
{
    REFUSE(world.verifier, world.by_file, REVOKED, "`sub`");
    UNTIL(is_revoked(world.verifier, world.good));
}

/* Starts a child that runs `body`, then writes to `said` and ends as another program: a leak checker
 * would count what the parent's other threads had in hand. */
static pid_t start_child(void (*body)(void), int *said)
{
    int ends[2];

    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(deadline);
        body();
        CHECK(write(ends[1], "+", 1) == 1);
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    *said = ends[0];
    return child;
}

static void end_child(pid_t child, int said)
{
    int status = 0;
    char byte = 0;

    ssize_t got = read(said, &byte, 1);
    close(said);
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        check_failed(__FILE__, __LINE__, "a child was held up for %u seconds", deadline);
    if (got != 1)
        check_failed(__FILE__, __LINE__, "a child failed: %#x", (unsigned)status);
}

static void in_children(bool reduced)
{
    pthread_t workers[WORKERS];
    int said;

    world.by_call = token_of("by_call");
    world.by_json = token_of("by_json");
    world.by_file = token_of("by_file");
    world.of_child = token_of("of_child");
    world.good = token_of("good");
    write_file("by_file", NULL);
    world.verifier = watching(new_options());
    revoke(world.verifier, "by_call", TORII_REVOKE_ALL);
    set_json(world.verifier, "{\"revoked\":[{\"sub\":\"by_json\",\"before\":\"all\"}]}");
    ACCEPT(world.verifier, world.good);

    /* AddressSanitizer's allocator, other than libc's, has no care for fork: a child may find it locked
     * forever. */
#ifdef __SANITIZE_ADDRESS__
    const uintptr_t count = 0;
#else
    const uintptr_t count = WORKERS;
#endif
    for (uintptr_t i = 0; i < count; i++)
        CHECK(pthread_create(&workers[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < (reduced ? 10 : 100); i++) {
        pid_t child = start_child(live_on, &said);
        end_child(child, said);
    }
    atomic_store(&done, true);
    for (uintptr_t i = 0; i < count; i++)
        CHECK(pthread_join(workers[i], NULL) == 0);

    pid_t child = start_child(wait_for_the_file, &said);
    write_file("by_file", "good", NULL);
    end_child(child, said);
    ACCEPT(world.verifier, world.of_child); /* a child's calls are its own */
    UNTIL(is_revoked(world.verifier, world.good));

    torii_verifier_free(world.verifier);
    free(world.by_call);
    free(world.by_json);
    free(world.by_file);
    free(world.of_child);
    free(world.good);
}

int main(int argc, char **argv)
{
    const bool reduced = getenv("TORII_TEST_REDUCED") != NULL;
    char folder[] = "/tmp/torii-revocation-XXXXXX";

    CHECK(argc == 2);
    control = argv[1];
    if (reduced)
        deadline *= 6; /* everything is slower then */
    CHECK(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/revoked.json", folder);
    issuer = new_issuer(control, "revocation");

    calls_and_json();
    arguments();
    picked_up();
    on_a_timer();
    in_children(reduced);

    CHECK(remove(file) == 0);
    CHECK(rmdir(folder) == 0);
    free(issuer);
    return 0;
}
