//! The revocations file, with calls that may block.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use torii_emulator::FaultKind;

use super::*;

/// Another user than the one the tests run as.
const ANOTHER_USER: u32 = 54_321;

/// A directory with a revocations file, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("revocations").join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// A folder whose file revokes the tokens of these users.
    pub(crate) fn of(users: &[&str]) -> Folder {
        let folder = Folder::new();
        folder.revoke(users);
        folder
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("revoked.json")
    }

    fn other(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Replaces the file, as it should be done.
    pub(crate) fn revoke(&self, users: &[&str]) {
        let new = self.other("new");
        write(&new, &revoked(users));
        fs::rename(new, self.file()).unwrap();
    }

    pub(crate) fn options(&self, stage: &Stage) -> VerifierOptions {
        let mut options = stage.options();
        options.set_revocations_file(self.file()).unwrap();
        options
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn revoked(users: &[&str]) -> String {
    let entries: Vec<_> =
        users.iter().map(|user| format!("{{\"sub\":\"{user}\",\"before\":{NOW}}}")).collect();
    format!("{{\"revoked\":[{}]}}\n", entries.join(",\n"))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
}

fn refused(verifier: &Verifier, token: &str) -> bool {
    match verify(verifier, token) {
        Status::Ok => false,
        status => {
            assert_eq!(status, Status::TokenRevoked);
            true
        }
    }
}

fn last_error(verifier: &Verifier) -> Option<String> {
    verifier.stats().unwrap().str("/revocations/file/last_error").map(str::to_owned)
}

#[test]
fn a_change_takes_effect_and_so_does_lifting_a_ban() {
    let stage = Stage::take();
    let folder = Folder::of(&["first"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let [first, second] = ["first", "second"].map(|user| stage.token(user, NOW));
    let results = || [refused(&verifier, &first), refused(&verifier, &second)];
    assert_eq!(results(), [true, false]);
    folder.revoke(&["first", "second"]);
    milliseconds(1_000);
    assert_eq!(results(), [true, true], "a new file");
    folder.revoke(&["second"]);
    milliseconds(1_000);
    assert_eq!(results(), [false, true], "lifted");
    write(&folder.file(), &revoked(&[]));
    milliseconds(1_000);
    assert_eq!(results(), [false, false], "written in place");
    assert_eq!(stat(&verifier, "/revocations/file/failures"), 0);
    assert_eq!(stat(&verifier, "/cached_tokens"), 2, "which a revocation leaves as they are");
}

#[test]
fn a_change_while_a_call_waits_for_keys_takes_effect() {
    let stage = Stage::take();
    let folder = Folder::of(&[]);
    let mut options = VerifierOptions::new();
    options.set_revocations_file(folder.file()).unwrap();
    options.set_key_lifetime_seconds(100).unwrap().set_fetch_timeout_ms(60_000).unwrap();
    options.set_background_refresh(false).set_clock(|| NOW);
    let verifier = stage.verifier(&options);
    let token = stage.token("user", NOW);
    for cached in [false, true] {
        if cached {
            folder.revoke(&[]);
            milliseconds(1_000);
            assert!(!refused(&verifier, &token));
            // The keys are too old now; the list is not.
            milliseconds(100_000);
            verifier.refresh_revocations_due();
        }
        let requests = stage.issuer.jwks_requests();
        stage.issuer.fault(FaultKind::hold_answer(), Some(1));
        std::thread::scope(|scope| {
            let call = scope.spawn(|| refused(&verifier, &token));
            await_until("a request for keys", || stage.issuer.jwks_requests() > requests);
            folder.revoke(&["user"]);
            milliseconds(2_000);
            EMULATOR.release(&stage.issuer.jwks_path());
            assert!(call.join().unwrap(), "cached: {cached}");
        });
        assert_eq!(stat(&verifier, "/cached_tokens"), i64::from(cached));
    }
}

#[test]
fn a_second_write_within_one_tick_is_seen() {
    let stage = Stage::take();
    let folder = Folder::of(&["user_0"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let tokens = ["user_1", "user_2"].map(|user| stage.token(user, NOW));
    let [one, two] = [["user_1"], ["user_2"]].map(|users| revoked(&users));
    for round in 0..100 {
        fs::write(folder.file(), &one).unwrap();
        milliseconds(1_000);
        assert!(refused(&verifier, &tokens[0]), "{round}");
        // The same size, and mostly the same times.
        fs::write(folder.file(), &two).unwrap();
        milliseconds(1_000);
        assert!(refused(&verifier, &tokens[1]) && !refused(&verifier, &tokens[0]), "{round}");
    }
}

#[test]
fn a_file_that_stays_as_it_is_is_not_read_again() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let token = stage.token("user", NOW);
    let reads = || stat(&verifier, "/revocations/file/reads");
    let check = || {
        milliseconds(1_000);
        assert!(refused(&verifier, &token));
        reads()
    };
    // As long as the file is young, a write may be missed; then it is left alone.
    let mut before = 0;
    await_until("a check without reading", || std::mem::replace(&mut before, check()) == before);
    for _ in 0..10 {
        assert_eq!(check(), before);
    }
    fs::set_permissions(folder.file(), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(check(), before + 1);
}

#[test]
fn revocations_by_calls_and_json_stay_when_the_file_changes() {
    let stage = Stage::take();
    let folder = Folder::of(&["by_file", "by_call"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let users = ["by_call", "by_json", "by_file"];
    let tokens = users.map(|user| stage.token(user, NOW));
    let results = || tokens.each_ref().map(|token| refused(&verifier, token));
    verifier.revoke("by_call", NOW).unwrap();
    let json = revoked(&["by_json", "by_file"]);
    verifier.set_revocations_json(json.as_bytes()).unwrap();
    assert_eq!(results(), [true, true, true]);
    assert_eq!(stat(&verifier, "/revocations/entries"), 5);
    assert_eq!(stat(&verifier, "/revocations/file/entries"), 2);
    folder.revoke(&[]);
    milliseconds(1_000);
    assert_eq!(results(), [true, true, true]);
    folder.revoke(&["by_file"]);
    milliseconds(1_000);
    verifier.set_revocations_json(revoked(&[]).as_bytes()).unwrap();
    assert_eq!(results(), [true, false, true]);
}

#[test]
fn a_verifier_is_not_made_without_a_usable_file() {
    let stage = Stage::take();
    let folder = Folder::new();
    let error = |path: &Path| {
        let mut options = stage.options();
        options.set_revocations_file(path).unwrap();
        let error = Verifier::new(&stage.issuer.url(), &options).unwrap_err();
        assert_eq!(error.status(), Status::InvalidConfig);
        let text = error.to_string();
        let start = format!("revocations file `{}`: ", path.display());
        text.strip_prefix(&start).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert!(error(&folder.file()).starts_with("cannot be read: No such file"));
    assert_eq!(error(&folder.0), "a directory (expected a regular file)");
    write(&folder.file(), "{\"revoked\":[\n{\"sub\":\"user\"}]}");
    assert_eq!(error(&folder.file()), "line 2, column 14: an entry without `before`");
    write(&folder.file(), "");
    assert_eq!(error(&folder.file()), "line 1, column 0: EOF while parsing a value");
    let sparse = fs::File::create(folder.file()).unwrap();
    sparse.set_len(32 * 1024 * 1024 + 1).unwrap();
    assert_eq!(error(&folder.file()), "longer than 33554432 bytes");

    write(&folder.file(), &revoked(&["user"]));
    for (mode, text) in [(0o664, "0664"), (0o622, "0622"), (0o602, "0602"), (0o666, "0666")] {
        fs::set_permissions(folder.file(), Permissions::from_mode(mode)).unwrap();
        let why = format!("writable by group or others: mode {text} (expected go-w)");
        assert_eq!(error(&folder.file()), why);
    }
    let mut options = VerifierOptions::new();
    assert_eq!(status(options.set_revocations_file("")), Status::InvalidArgument);
}

#[test]
fn a_fifo_in_the_place_of_the_file_delays_no_call() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let token = stage.token("user", NOW);
    fs::remove_file(folder.file()).unwrap();
    assert!(
        Command::new("mkfifo").args(["-m", "600"]).arg(folder.file()).status().unwrap().success()
    );
    milliseconds(1_000);
    assert!(refused(&verifier, &token));
    assert_eq!(last_error(&verifier).as_deref(), Some("not a regular file"));
    let error = Verifier::new(&stage.issuer.url(), &folder.options(&stage)).unwrap_err();
    assert!(error.to_string().ends_with(": not a regular file"), "{error}");
}

#[test]
fn a_file_that_becomes_unusable_leaves_the_last_list_in_use() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let [user, other] = ["user", "other"].map(|user| stage.token(user, NOW));
    let file = folder.file();
    let failures = || stat(&verifier, "/revocations/file/failures");
    type Spoil = fn(&Folder);
    let ways: [(&str, Spoil); 7] = [
        ("cannot be read: ", |folder| fs::remove_file(folder.file()).unwrap()),
        ("a directory", |folder| {
            fs::remove_file(folder.file()).unwrap();
            fs::create_dir(folder.file()).unwrap();
        }),
        ("line 1, column 11: EOF", |folder| write(&folder.file(), "{\"revoked\":")),
        ("line 1, column 0: EOF", |folder| write(&folder.file(), "")),
        ("line 1, column 39: a negative time", |folder| {
            write(&folder.file(), r#"{"revoked":[{"sub":"other","before":-1}]}"#);
        }),
        ("writable by group or others", |folder| {
            write(&folder.file(), &revoked(&["other"]));
            fs::set_permissions(folder.file(), Permissions::from_mode(0o666)).unwrap();
        }),
        ("cannot be read: Too many levels of symbolic links", |folder| {
            fs::remove_file(folder.file()).unwrap();
            symlink(folder.file(), folder.file()).unwrap();
        }),
    ];
    for (expected, spoil) in ways {
        spoil(&folder);
        for _ in 0..3 {
            let (before, start) = (failures(), Instant::now());
            milliseconds(1_000);
            for _ in 0..10 {
                assert!(refused(&verifier, &user) && !refused(&verifier, &other), "{expected}");
            }
            // One of the calls checked, and another one for each second that they took.
            let (checks, seconds) = (failures() - before, start.elapsed().as_secs());
            assert!((1..=1 + seconds as i64).contains(&checks), "{expected}: {checks}");
        }
        let error = last_error(&verifier).unwrap_or_default();
        assert!(error.starts_with(expected), "{expected}: {error}");
        assert_eq!(stat(&verifier, "/revocations/file/entries"), 1);
        let before = failures();
        if file.is_dir() { fs::remove_dir(&file) } else { fs::remove_file(&file).or(Ok(())) }
            .unwrap();
        folder.revoke(&["user"]);
        milliseconds(1_000);
        assert!(refused(&verifier, &user));
        assert_eq!((failures(), last_error(&verifier)), (before, None), "{expected}");
    }
}

/// Only root can give a file away.
#[test]
fn a_file_of_another_user_is_not_used() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let token = stage.token("user", NOW);
    write(&folder.other("foreign"), &revoked(&[]));
    if let Err(error) = chown(folder.other("foreign"), Some(ANOTHER_USER), None) {
        assert_ne!(owner(&folder.file()), 0, "{error}");
        return;
    }
    fs::rename(folder.other("foreign"), folder.file()).unwrap();
    milliseconds(1_000);
    assert!(refused(&verifier, &token));
    let expected = format!("owned by user {ANOTHER_USER} (expected user 0 or root)");
    assert_eq!(last_error(&verifier).as_deref(), Some(expected.as_str()));
    let error = Verifier::new(&stage.issuer.url(), &folder.options(&stage)).unwrap_err();
    assert!(error.to_string().ends_with(&expected), "{error}");
}

fn owner(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).unwrap().uid()
}

/// As Kubernetes does it: `revoked.json -> ..data/revoked.json`, `..data -> a directory`.
#[test]
fn symbolic_links_are_followed() {
    let stage = Stage::take();
    let folder = Folder::new();
    for (version, users) in [("1", ["first"]), ("2", ["second"])] {
        fs::create_dir(folder.other(version)).unwrap();
        write(&folder.other(version).join("revoked.json"), &revoked(&users));
    }
    symlink("1", folder.other("..data")).unwrap();
    symlink("..data/revoked.json", folder.file()).unwrap();
    let verifier = stage.verifier(&folder.options(&stage));
    let [first, second] = ["first", "second"].map(|user| stage.token(user, NOW));
    assert!(refused(&verifier, &first) && !refused(&verifier, &second));
    symlink("2", folder.other("new")).unwrap();
    fs::rename(folder.other("new"), folder.other("..data")).unwrap();
    milliseconds(1_000);
    assert!(!refused(&verifier, &first) && refused(&verifier, &second));
}

#[test]
fn verifiers_share_what_they_read() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let verifier = stage.verifier(&folder.options(&stage));
    let reads = || stat(&verifier, "/revocations/file/reads");
    // An old file: a new verifier checks it, and does not read it.
    let read_again = || {
        let before = reads();
        drop(stage.verifier(&folder.options(&stage)));
        reads() > before
    };
    await_until("an old file", || !read_again());
    assert!(!read_again());
    // A new verifier checks without delay, for all of them.
    folder.revoke(&["other"]);
    assert!(read_again());
    assert!(!refused(&verifier, &stage.token("user", NOW)));
    assert!(refused(&verifier, &stage.token("other", NOW)));
}

#[test]
fn refresh_checks_without_delay() {
    let stage = Stage::take();
    let folder = Folder::of(&[]);
    let verifier = stage.verifier(&folder.options(&stage));
    let token = stage.token("user", NOW);
    assert!(!refused(&verifier, &token));
    folder.revoke(&["user"]);
    verifier.refresh().unwrap();
    assert!(refused(&verifier, &token));
}
