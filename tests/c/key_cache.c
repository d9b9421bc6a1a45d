/* Keys that survive a restart: processes that start with the file another one left, that are killed
 * while they write it, and that fork meanwhile. */
#define _XOPEN_SOURCE 700

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "emulator.h"

enum { DEADLINE = 600 };

static const char *control; /* the emulator's control API */
static char folder[] = "/tmp/torii-key-cache-XXXXXX", directory[64];
static char *issuer, *token;
static bool reduced;

static torii_verifier_options_t *cache_options(void)
{
    torii_verifier_options_t *options = host_options();

    CHECK_OK(torii_verifier_options_set_key_cache_dir(options, directory, strlen(directory), err));
    return options;
}

static int64_t event(const torii_verifier_t *verifier, const char *name)
{
    char pointer[64];

    snprintf(pointer, sizeof pointer, "/issuers/0/key_cache_dir/%s", name);
    return stat_of(verifier, pointer);
}

/* The file was whole, if there was one. */
static void check_loaded(const torii_verifier_t *verifier)
{
    static const char *ignored = "/issuers/0/key_cache_dir/ignored";
    torii_json_t *stats = NULL;

    CHECK(event(verifier, "loaded") == 1);
    CHECK_OK(torii_verifier_stats_json(verifier, &stats, err));
    CHECK_TEXT(torii_json_raw(stats, ignored, strlen(ignored), NULL), "{}");
    torii_json_free(stats);
}

/* A new process: this one never uses the library, so a child has nothing of it. */
static pid_t start(void (*work)(void))
{
    static int depth;
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        alarm(DEADLINE);
        depth++;
        work();
        if (depth > 1) /* a child of one that uses the library */
            leave_child();
        exit(0);
    }
    return child;
}

static void finish(pid_t child)
{
    int status = 0;

    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void fetch_once(void)
{
    torii_verifier_t *verifier = new_verifier(issuer, cache_options());

    CHECK(event(verifier, "loaded") == 0);
    ACCEPT(verifier, token);
    CHECK(event(verifier, "written") == 1);
    CHECK(event(verifier, "failed") == 0);
    torii_verifier_free(verifier);
}

static void accept_without_a_fetch(void)
{
    torii_verifier_t *verifier = new_verifier(issuer, cache_options());

    ACCEPT_NOWAIT(verifier, token);
    CHECK_OK(torii_verifier_refresh_due(verifier, NULL, 0, err));
    CHECK(stat_of(verifier, "/issuers/0/fetches") == 0);
    check_loaded(verifier);
    torii_verifier_free(verifier);
}

static void eight_cold_processes_make_no_fetch(void)
{
    pid_t children[8];
    struct stat status;

    finish(start(fetch_once));
    CHECK(stat(directory, &status) == 0 && (status.st_mode & 07777) == 0700);
    for (int i = 0; i < 8; i++)
        children[i] = start(accept_without_a_fetch);
    for (int i = 0; i < 8; i++)
        finish(children[i]);
    CHECK(key_requests(control, "key-cache", 0) == 1);
}

/* The lifetime of the keys ends; the issuer does not answer. */
static void accept_after_a_failed_fetch(void)
{
    torii_verifier_options_t *options = cache_options();

    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 1, err));
    torii_verifier_t *verifier = new_verifier(issuer, options);
    UNTIL(stat_of(verifier, "/issuers/0/key_age") >= 1);
    REFUSE_NOWAIT(verifier, token, TORII_ERR_KEYS_PENDING, "keys");
    ACCEPT(verifier, token);
    CHECK(stat_of(verifier, "/issuers/0/failures") == 1);
    ACCEPT_NOWAIT(verifier, token);
    CHECK(event(verifier, "written") == 0);
    torii_verifier_free(verifier);

    options = cache_options();
    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, 1, err));
    CHECK_OK(torii_verifier_options_set_max_stale_seconds(options, 0, err));
    verifier = new_verifier(issuer, options);
    REFUSE(verifier, token, TORII_ERR_KEYS_UNAVAILABLE, issuer);
    torii_verifier_free(verifier);
}

static void a_restart_while_the_issuer_is_down_serves(void)
{
    keys_fault(control, "key-cache", 1000, "\"kind\":\"status\",\"status\":503");
    finish(start(accept_without_a_fetch));
    finish(start(accept_after_a_failed_fetch));
    free(tell("DELETE", control, "/faults", ""));
}

/* How many files are in the directory but this one; the last of them is `path`. With `temporary`,
 * only those that are being written, or were. */
static int count_files(bool temporary, const char *but, char path[512])
{
    DIR *files = opendir(directory);
    char found[512];
    int count = 0;

    CHECK(files != NULL);
    for (struct dirent *file; (file = readdir(files)) != NULL;) {
        if (file->d_name[0] == '.' || (temporary && strstr(file->d_name, ".tmp") == NULL))
            continue;
        snprintf(found, sizeof found, "%s/%s", directory, file->d_name);
        if (strcmp(found, but) == 0)
            continue;
        strcpy(path, found);
        count++;
    }
    closedir(files);
    return count;
}

static void write_until_killed(void)
{
    torii_verifier_t *verifier = new_verifier(issuer, cache_options());

    check_loaded(verifier);
    for (;;) {
        torii_jwks_cache_clear();
        CHECK_OK(torii_verifier_refresh(verifier, err));
        CHECK(event(verifier, "failed") == 0);
    }
}

static void write_once(void)
{
    torii_verifier_t *verifier = new_verifier(issuer, cache_options());

    check_loaded(verifier);
    CHECK_OK(torii_verifier_refresh(verifier, err));
    CHECK(event(verifier, "written") == 1);
    torii_verifier_free(verifier);
}

static void a_kill_in_the_middle_of_a_write_leaves_the_file_whole(void)
{
    const int kills = reduced ? 10 : 500;
    char file[512], left[512] = "";
    int in_the_middle = 0;

    for (int i = 0; i < 30; i++)
        free(new_key(control, "key-cache", "false"));
    CHECK(count_files(false, "", file) == 1);
    srand(1);
    for (int i = 0; i < kills; i++) {
        pid_t child = start(write_until_killed);
        int result = 0;

        while (count_files(true, left, file) == 0)
            CHECK(waitpid(child, &result, WNOHANG) == 0);
        for (volatile int spin = rand() % 100000; spin > 0; spin--)
            ;
        CHECK(kill(child, SIGKILL) == 0);
        CHECK(waitpid(child, &result, 0) == child);
        CHECK(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
        /* The next one removes what this one leaves. */
        CHECK(count_files(true, "", left) <= 1);
        in_the_middle += count_files(true, "", left);
    }
    printf("%d of %d were killed while they wrote\n", in_the_middle, kills);
    fflush(stdout); /* or children print it too */
    CHECK(reduced || in_the_middle > 0);
    finish(start(write_once));
    CHECK(count_files(false, "", file) == 1);
    finish(start(accept_without_a_fetch));
}

static atomic_bool done;
static torii_verifier_t *shared_verifier;

static void *write_all_the_time(void *nothing)
{
    while (!atomic_load(&done)) {
        torii_jwks_cache_clear();
        CHECK_OK(torii_verifier_refresh(shared_verifier, err));
    }
    return nothing;
}

/* Threads write; children of that process use its keys, and write too. */
static void fork_while_threads_write(void)
{
#ifdef __SANITIZE_ADDRESS__
    enum { THREADS = 0 }; /* its allocator may be locked in a child */
#else
    enum { THREADS = 3 };
#endif
    pthread_t threads[THREADS + 1];
    const int children = reduced ? 5 : 100;

    shared_verifier = new_verifier(issuer, cache_options());
    check_loaded(shared_verifier);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, write_all_the_time, NULL) == 0);
    for (int i = 0; i < children; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(DEADLINE);
            ACCEPT(shared_verifier, token);
            CHECK_OK(torii_verifier_refresh(shared_verifier, err));
            CHECK(event(shared_verifier, "written") >= 1);
            CHECK(event(shared_verifier, "failed") == 0);
            leave_child();
        }
        finish(child);
    }
    atomic_store(&done, true);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(event(shared_verifier, "failed") == 0);
    torii_verifier_free(shared_verifier);
}

static void children_share_the_keys_and_write_too(void)
{
    finish(start(fork_while_threads_write));
    finish(start(accept_without_a_fetch));
}

static torii_verifier_t *early_verifier; /* from before there was a file */

/* The thread that fetches finds the file instead. */
static void read_in_child(void)
{
    CHECK_OK(torii_verifier_refresh_due(early_verifier, NULL, 0, err));
    ACCEPT_NOWAIT(early_verifier, token);
    CHECK(stat_of(early_verifier, "/issuers/0/fetches") == 0);
    check_loaded(early_verifier);
}

static void accept_in_child(void)
{
    ACCEPT(early_verifier, token);
    CHECK(stat_of(early_verifier, "/issuers/0/fetches") == 0);
}

static void fetch_in_child(void)
{
    CHECK_OK(torii_verifier_refresh(early_verifier, err));
    CHECK(stat_of(early_verifier, "/issuers/0/fetches") == 1);
    CHECK(event(early_verifier, "written") == 1);
}

static void fail_in_child(void)
{
    CHECK_FAILS_ONCE(TORII_ERR_KEYS_UNAVAILABLE, "503",
                     torii_verifier_refresh_due(early_verifier, NULL, 0, err));
    ACCEPT_NOWAIT(early_verifier, token);
    CHECK(event(early_verifier, "loaded") == 1);
}

/* `lifetime` in seconds. */
static torii_verifier_t *verifier_with_lifetime(uint32_t lifetime)
{
    torii_verifier_options_t *options = cache_options();

    CHECK_OK(torii_verifier_options_set_key_lifetime_seconds(options, lifetime, err));
    return new_verifier(issuer, options);
}

static void fork_with_a_verifier_that_has_no_keys(void)
{
    early_verifier = verifier_with_lifetime(3600);
    REFUSE_NOWAIT(early_verifier, token, TORII_ERR_KEYS_PENDING, "keys");
    finish(start(fetch_in_child));
    finish(start(read_in_child));
    finish(start(accept_in_child));
    CHECK(key_requests(control, "early", 0) == 1);
    torii_verifier_free(early_verifier);
}

static void wait_for_the_end_of_the_lifetime(void)
{
    torii_verifier_t *verifier = verifier_with_lifetime(1);

    UNTIL(stat_of(verifier, "/issuers/0/key_age") >= 1);
    torii_verifier_free(verifier);
}

static void fork_while_the_issuer_is_down(void)
{
    early_verifier = verifier_with_lifetime(1);
    torii_jwks_cache_clear();
    keys_fault(control, "early", 1000, "\"kind\":\"status\",\"status\":503");
    finish(start(fail_in_child));
    free(tell("DELETE", control, "/faults", ""));
    torii_verifier_free(early_verifier);
}

/* As in a server whose main process is another user's, or starts before there is a file. */
static void a_child_reads_the_file_before_its_first_fetch(void)
{
    char *issuer_before = issuer, *token_before = token;

    issuer = new_issuer(control, "early");
    token = mint(control, "early", "{\"expires_in\":100000}");
    finish(start(fork_with_a_verifier_that_has_no_keys));
    finish(start(wait_for_the_end_of_the_lifetime));
    finish(start(fork_while_the_issuer_is_down));
    free(token);
    free(issuer);
    issuer = issuer_before;
    token = token_before;
}

static void wrong_arguments(void)
{
    torii_verifier_options_t *options = new_options();
    torii_verifier_t *verifier = GARBAGE;

    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "path",
                torii_verifier_options_set_key_cache_dir(options, NULL, 1, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "empty",
                torii_verifier_options_set_key_cache_dir(options, TORII_STR(""), err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "path",
                torii_verifier_options_set_key_cache_dir(options, "a\0b", 3, err));
    CHECK_FAILS(TORII_ERR_INVALID_ARGUMENT, "options",
                torii_verifier_options_set_key_cache_dir(NULL, TORII_STR("keys"), err));
    CHECK_OK(torii_verifier_options_set_key_cache_dir(options, "/nonexistent/keys",
                                                      TORII_NUL_TERMINATED, err));
    CHECK_FAILS(TORII_ERR_INVALID_CONFIG, "/nonexistent/keys",
                torii_verifier_new(issuer, strlen(issuer), options, &verifier, err));
    CHECK(verifier == NULL);
    torii_verifier_options_free(options);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    control = argv[1];
    reduced = getenv("TORII_TEST_REDUCED") != NULL;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(directory, sizeof directory, "%s/keys", folder);
    issuer = new_issuer(control, "key-cache");
    token = mint(control, "key-cache", "{\"expires_in\":100000}");
    eight_cold_processes_make_no_fetch();
    a_restart_while_the_issuer_is_down_serves();
    a_kill_in_the_middle_of_a_write_leaves_the_file_whole();
    children_share_the_keys_and_write_too();
    a_child_reads_the_file_before_its_first_fetch();
    finish(start(wrong_arguments));

    char path[512];
    while (count_files(false, "", path) > 0)
        CHECK(unlink(path) == 0);
    snprintf(path, sizeof path, "%s/.lock", directory); /* the file that writers lock */
    CHECK(unlink(path) == 0);
    CHECK(rmdir(directory) == 0 && rmdir(folder) == 0);
    free(token);
    free(issuer);
    return 0;
}
