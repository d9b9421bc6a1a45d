//! Keys that survive a restart, in files.
//!
//! Another spelling of the path stands for a new process: no verifier shares its keys.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use rustix::fs::{CWD, FileType, FlockOperation, Mode};
use torii::{Status, Verifier, VerifierOptions};
use torii_emulator::{FaultKind, Issuer, Mint};

use crate::{Stage, await_until, fetches, options, seconds, status, verifier, without_threads};

/// A directory for key sets, in a folder of the test's own.
struct Cache(PathBuf);

impl Cache {
    fn new() -> Cache {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("torii-key-cache-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("detour")).unwrap();
        Cache(folder)
    }

    fn dir(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The directory under a name that no verifier has had.
    fn restarted(&self) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let detours = "detour/../".repeat(COUNT.fetch_add(1, Ordering::Relaxed) as usize);
        self.0.join(format!("{detours}keys"))
    }

    /// The options of a new process.
    fn restart(&self, mut options: VerifierOptions) -> VerifierOptions {
        options.set_key_cache_dir(self.restarted()).unwrap();
        options
    }

    /// A new process of an issuer.
    fn verifier(&self, issuer: &Issuer) -> Verifier {
        verifier(issuer, &self.restart(without_threads()))
    }

    /// The files, without the one that writers lock.
    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.dir()) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| *path != self.lock()).collect()
    }

    fn lock(&self) -> PathBuf {
        self.dir().join(".lock")
    }

    /// The only file.
    fn file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Statistics of the directory: loaded, written, failed, and the reasons for ignored files.
fn events(verifier: &Verifier) -> (i64, i64, i64, String) {
    let stats = verifier.stats().unwrap();
    let count = |name| stats.int(&format!("/issuers/0/key_cache_dir/{name}")).unwrap();
    let ignored = stats.raw("/issuers/0/key_cache_dir/ignored").unwrap().to_owned();
    (count("loaded"), count("written"), count("failed"), ignored)
}

fn last_error(verifier: &Verifier) -> String {
    let stats = verifier.stats().unwrap();
    stats.str("/issuers/0/key_cache_dir/last_error").unwrap_or_default().to_owned()
}

fn nothing_ignored(loaded: i64, written: i64) -> (i64, i64, i64, String) {
    (loaded, written, 0, "{}".to_owned())
}

/// The text of a file, with the digest that it needs.
fn sealed(rest: &[u8]) -> Vec<u8> {
    let hex: String = digest(&SHA256, rest).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    [format!("torii-keys 1 {hex}\n").as_bytes(), rest].concat()
}

fn since_1970() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// Puts the file of another set in place of this one.
fn rewrite(file: &Path, change: impl Fn(&str) -> String) {
    let text = fs::read_to_string(file).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    let changed = change(rest);
    assert_ne!(changed, rest);
    fs::write(file, sealed(changed.as_bytes())).unwrap();
}

/// The text of a file with another time, in milliseconds since 1970.
fn with_time(rest: &str, time: u128) -> String {
    let (start, end) = rest.split_once("requested-at ").unwrap();
    let (_, end) = end.split_once('\n').unwrap();
    format!("{start}requested-at {time}\n{end}")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_new_process_starts_without_a_fetch() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-warm"), Cache::new());
    let token = issuer.mint(Mint::new());
    let first = cache.verifier(&issuer);
    assert_eq!(events(&first), nothing_ignored(0, 0));
    assert_eq!(status(first.verify(&token)), Status::Ok);
    assert_eq!(events(&first), nothing_ignored(0, 1));
    assert_eq!(fs::metadata(cache.dir()).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::metadata(cache.file()).unwrap().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(cache.file()).unwrap();
    let (head, rest) = text.split_once("\n\n").unwrap();
    assert_eq!(rest, issuer.jwks().to_string());
    assert!(head.contains(&format!("\nurl {}\n", issuer.jwks_url())), "{head}");
    assert!(head.ends_with("\nmax-age 300"), "{head}");

    seconds(100);
    let second = cache.verifier(&issuer);
    assert_eq!(events(&second), nothing_ignored(1, 0));
    assert_eq!(status(second.verify_nowait(&token)), Status::Ok);
    let age = second.stats().unwrap().int("/issuers/0/key_age").unwrap();
    assert!((100..220).contains(&age), "{age}");
    let due = second.due_in_ms().unwrap();
    assert!(due <= 140_000, "80 % of the lifetime is due at the age of 240 s: {due}");
    second.refresh_due(None).unwrap();
    assert_eq!((issuer.jwks_requests(), fetches(&second)), (1, 0));
}

#[test]
fn keys_past_their_lifetime_count_only_after_a_fetch_has_failed() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-stale"), Cache::new());
    let token = issuer.mint(Mint::new().expires_in(1_000_000));
    assert_eq!(status(cache.verifier(&issuer).verify(&token)), Status::Ok);
    let kid = issuer.kid();
    seconds(301);

    // The key was removed while the process was down.
    issuer.rotate();
    issuer.remove_key(&kid);
    let restarted = cache.verifier(&issuer);
    assert_eq!(events(&restarted), nothing_ignored(1, 0));
    assert_eq!(status(restarted.verify_nowait(&token)), Status::KeysPending);
    assert_eq!(status(restarted.verify(&token)), Status::TokenKeyUnknown);
    assert_eq!(status(restarted.verify_nowait(issuer.mint(Mint::new()))), Status::Ok);
    assert_eq!(events(&restarted), nothing_ignored(1, 1));
    // So it is for every later process.
    assert_eq!(status(cache.verifier(&issuer).verify(&token)), Status::TokenKeyUnknown);
}

#[test]
fn a_restart_while_the_issuer_is_down_serves_every_valid_token() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-down"), Cache::new());
    let token = issuer.mint(Mint::new().expires_in(1_000_000));
    assert_eq!(status(cache.verifier(&issuer).verify(&token)), Status::Ok);
    issuer.fault(FaultKind::status(503), None);
    assert_eq!(status(cache.verifier(&issuer).verify_nowait(&token)), Status::Ok, "fresh");

    seconds(301);
    let restarted = cache.verifier(&issuer);
    assert_eq!(status(restarted.verify_nowait(&token)), Status::KeysPending);
    assert_eq!(status(restarted.verify(&token)), Status::Ok);
    assert_eq!(fetches(&restarted), 1);
    for _ in 0..10 {
        assert_eq!(status(restarted.verify_nowait(&token)), Status::Ok);
        let other = issuer.mint(Mint::new().subject("another"));
        assert_eq!(status(restarted.verify(other)), Status::Ok);
    }
    assert_eq!(fetches(&restarted), 1, "backing off");

    let mut options = without_threads();
    options.set_max_stale_seconds(0).unwrap();
    let strict = verifier(&issuer, &cache.restart(options));
    assert_eq!(status(strict.verify(&token)), Status::KeysUnavailable);
    seconds(24 * 3600);
    assert_eq!(status(cache.verifier(&issuer).verify(&token)), Status::KeysUnavailable);
    assert_eq!(events(&cache.verifier(&issuer)), nothing_ignored(1, 0));
    seconds(29 * 24 * 3600);
    let (_, _, _, ignored) = events(&cache.verifier(&issuer));
    assert_eq!(ignored, r#"{"expired":1}"#);
}

#[test]
fn a_removed_key_is_refused_as_soon_as_the_issuer_answers() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-removed"), Cache::new());
    let token = issuer.mint(Mint::new());
    assert_eq!(status(cache.verifier(&issuer).verify(&token)), Status::Ok);
    let kid = issuer.kid();
    issuer.rotate();
    issuer.remove_key(&kid);
    let restarted = cache.verifier(&issuer);
    assert_eq!(status(restarted.verify(&token)), Status::Ok, "as a process that ran on");
    restarted.refresh().unwrap();
    assert_eq!(status(restarted.verify(&token)), Status::TokenKeyUnknown);
    // A new key is looked up.
    let cache = Cache::new();
    assert_eq!(status(cache.verifier(&issuer).verify(issuer.mint(Mint::new()))), Status::Ok);
    issuer.rotate();
    assert_eq!(status(cache.verifier(&issuer).verify(issuer.mint(Mint::new()))), Status::Ok);
}

#[test]
fn the_first_fetch_is_unconditional_and_a_304_renews_the_time() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-etag"), Cache::new());
    let token = issuer.mint(Mint::new().expires_in(10_000));
    let conditional = || {
        let requests = stage.emulator.requests();
        let asked = requests.iter().filter(|request| request.path == issuer.jwks_path());
        let tag = |(name, _): &(String, String)| name == "if-none-match";
        asked.map(|request| request.headers.iter().any(tag)).collect::<Vec<_>>()
    };
    let first = cache.verifier(&issuer);
    assert_eq!(status(first.verify(&token)), Status::Ok);
    let before = fs::read_to_string(cache.file()).unwrap();
    seconds(301);
    assert_eq!(status(first.verify(&token)), Status::Ok);
    assert_eq!(conditional(), [false, true]);
    let after = fs::read_to_string(cache.file()).unwrap();
    let time = |text: &str| -> u64 {
        let (_, rest) = text.split_once("\nrequested-at ").unwrap();
        rest.split('\n').next().unwrap().parse().unwrap()
    };
    // The system's time and the age of keys are of two clocks, each up to one tick late.
    const TICK: u64 = 10;
    assert!(time(&after) + TICK >= time(&before) + 301_000);
    let body = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
    assert_eq!(body(&after), body(&before));
    assert_eq!(events(&first), nothing_ignored(0, 2));

    let restarted = cache.verifier(&issuer);
    assert_eq!(status(restarted.verify_nowait(&token)), Status::Ok);
    restarted.refresh().unwrap();
    assert_eq!(conditional(), [false, true, false]);
}

#[test]
fn an_older_set_never_replaces_a_newer_one() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-older"), Cache::new());
    let [old, new] = [(); 2].map(|()| cache.verifier(&issuer));
    issuer.fault(FaultKind::hold_answer(), Some(1));
    thread::scope(|scope| {
        let slow = scope.spawn(|| old.refresh().unwrap());
        await_until("the first request", || issuer.jwks_requests() == 1);
        seconds(10);
        new.refresh().unwrap();
        let newer = fs::read(cache.file()).unwrap();
        stage.emulator.release(&issuer.jwks_path());
        slow.join().unwrap();
        assert_eq!(fs::read(cache.file()).unwrap(), newer);
    });
    // A file with a time in the future is replaced.
    let future = since_1970() + 1_000_000_000_000;
    rewrite(&cache.file(), |rest| with_time(rest, future));
    seconds(10);
    new.refresh().unwrap();
    assert!(!fs::read_to_string(cache.file()).unwrap().contains(&future.to_string()));
}

#[test]
fn an_age_counts() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-age"), Cache::new());
    issuer.fault(FaultKind::header("age", "77"), Some(1));
    cache.verifier(&issuer).refresh().unwrap();
    let age = cache.verifier(&issuer).stats().unwrap().int("/issuers/0/key_age").unwrap();
    assert!((77..200).contains(&age), "{age}");
}

/// Whether a file is used depends on its type and on the users who can change it.
#[test]
fn a_file_that_another_user_may_have_written_is_ignored_and_counted() {
    let stage = Stage::take();
    let (issuer, other) = (stage.issuer("cache-ignored"), stage.issuer("cache-other"));
    let elsewhere = Cache::new();
    elsewhere.verifier(&other).refresh().unwrap();
    let foreign = fs::read(elsewhere.file()).unwrap();
    let set_mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
    type Change<'a> = &'a dyn Fn(&Path);
    let cases: &[(&str, &str, Change<'_>)] = &[
        ("mode", "writable by group or others (mode 0620)", &|f| set_mode(f, 0o620).unwrap()),
        ("mode", "writable by group or others (mode 0602)", &|f| set_mode(f, 0o602).unwrap()),
        ("mode", "writable by group or others (mode 0770)", &|f| {
            set_mode(f.parent().unwrap(), 0o770).unwrap();
        }),
        ("mode", "writable by group or others (mode 1777)", &|f| {
            set_mode(f.parent().unwrap(), 0o1777).unwrap();
        }),
        ("file_type", "a symbolic link", &|f| {
            let target = f.with_extension("target");
            fs::rename(f, &target).unwrap();
            symlink(target, f).unwrap();
        }),
        ("file_type", "not a regular file", &|f| {
            fs::remove_file(f).unwrap();
            rustix::fs::mknodat(CWD, f, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }),
        ("file_type", "not a regular file", &|f| {
            fs::remove_file(f).unwrap();
            fs::create_dir(f).unwrap();
        }),
        ("file_type", "not a directory, or a symbolic link", &|f| {
            let (dir, target) = (f.parent().unwrap(), f.parent().unwrap().with_extension("target"));
            fs::rename(dir, &target).unwrap();
            symlink(target, dir).unwrap();
        }),
        ("file_type", "not a directory, or a symbolic link", &|f| {
            fs::remove_dir_all(f.parent().unwrap()).unwrap();
            fs::write(f.parent().unwrap(), "").unwrap();
        }),
        ("hard_link", "has other names", &|f| fs::hard_link(f, f.with_extension("b")).unwrap()),
        ("damaged", "truncated", &|f| {
            let text = fs::read(f).unwrap();
            fs::write(f, &text[..text.len() - 1]).unwrap();
        }),
        ("damaged", "truncated", &|f| fs::write(f, "").unwrap()),
        ("damaged", "changed", &|f| {
            let text = fs::read_to_string(f).unwrap();
            fs::write(f, text.replace("ES256", "ES257")).unwrap();
        }),
        ("damaged", "longer than 266240 bytes", &|f| fs::write(f, vec![b' '; 266_241]).unwrap()),
        ("other_url", "the keys of another URL", &|f| fs::write(f, &foreign).unwrap()),
        ("future", "fetched in the future", &|f| {
            rewrite(f, |rest| {
                // The tests move the clock, which only goes forward.
                rest.replacen("requested-at ", "requested-at 9", 1)
            });
        }),
        ("key_set", "not a usable key set: no usable key", &|f| {
            rewrite(f, |rest| rest.replace("P-256", "P-384"));
        }),
        ("key_set", "not a usable key set: not a JSON object", &|f| {
            rewrite(f, |rest| format!("{}\n\nkeys", rest.split_once("\n\n").unwrap().0));
        }),
        ("owner", "owned by user 65534 (expected user 0 or root)", &|f| {
            chown(f, Some(65_534), None).unwrap();
        }),
        ("owner", "owned by user 65534 (expected user 0 or root)", &|f| {
            chown(f.parent().unwrap(), Some(65_534), None).unwrap();
        }),
    ];
    let token = issuer.mint(Mint::new().expires_in(10_000));
    for (reason, why, change) in cases {
        if *reason == "owner" && !is_root() {
            eprintln!("{why}: left out: only root can give files away");
            continue;
        }
        let cache = Cache::new();
        assert_eq!(status(cache.verifier(&issuer).verify(&token)), Status::Ok);
        change(&cache.file());
        let before = issuer.jwks_requests();
        let restarted = cache.verifier(&issuer);
        let (loaded, _, _, ignored) = events(&restarted);
        assert_eq!((loaded, ignored), (0, format!("{{\"{reason}\":1}}")), "{why}");
        assert!(last_error(&restarted).contains(why), "{}", last_error(&restarted));
        assert_eq!(status(restarted.verify_nowait(&token)), Status::KeysPending);
        assert_eq!(status(restarted.verify(&token)), Status::Ok, "{why}");
        assert_eq!(issuer.jwks_requests(), before + 1);
    }
}

/// An unsafe file is replaced. In an unsafe directory no file is written.
#[test]
fn an_ignored_file_is_replaced_where_that_is_safe() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-replaced"), Cache::new());
    cache.verifier(&issuer).refresh().unwrap();
    let file = cache.file();
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let restarted = cache.verifier(&issuer);
    restarted.refresh().unwrap();
    assert_eq!(events(&restarted), (0, 1, 0, r#"{"mode":1}"#.to_owned()));
    assert_eq!(last_error(&restarted), "");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(events(&cache.verifier(&issuer)), nothing_ignored(1, 0));

    let before = fs::read(&file).unwrap();
    fs::set_permissions(cache.dir(), Permissions::from_mode(0o777)).unwrap();
    seconds(10);
    restarted.refresh().unwrap();
    assert_eq!(events(&restarted), (0, 1, 1, r#"{"mode":1}"#.to_owned()));
    assert!(last_error(&restarted).contains("writable by group or others (mode 0777)"));
    assert_eq!(fs::read(&file).unwrap(), before);

    // A directory that has gone is not created again. Verifying goes on.
    fs::remove_dir_all(cache.dir()).unwrap();
    seconds(10);
    restarted.refresh().unwrap();
    assert!(last_error(&restarted).contains("No such file or directory"));
    assert_eq!(status(restarted.verify_nowait(issuer.mint(Mint::new()))), Status::Ok);
}

#[test]
fn files_of_a_killed_writer_are_removed() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-left"), Cache::new());
    let writer = cache.verifier(&issuer);
    writer.refresh().unwrap();
    let file = cache.file();
    fs::write(file.with_extension("0123456789abcdef.tmp"), "half a").unwrap();
    let alive = file.with_extension("0000000000000000.tmp");
    let writing = fs::File::create(&alive).unwrap();
    rustix::fs::flock(&writing, FlockOperation::LockExclusive).unwrap();
    seconds(10);
    writer.refresh().unwrap();
    assert_eq!(events(&writer), nothing_ignored(0, 2));
    let mut left = cache.files();
    left.sort();
    assert_eq!(left, [file.clone(), alive], "another process writes that one");
    drop(writing);
    seconds(10);
    writer.refresh().unwrap();
    assert_eq!(cache.file(), file);
}

#[test]
fn files_of_other_programs_stay() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-foreign"), Cache::new());
    cache.verifier(&issuer).refresh().unwrap();
    let file = cache.file();
    let (name, number) = (file.file_name().unwrap().to_str().unwrap(), "0123456789abcdef");
    let mut foreign = [
        "ledger.tmp".to_owned(),
        ".tmp".to_owned(),
        format!("{name}.tmp"),
        format!("{name}.{number}"),
        format!("{name}.{number}.tmp.tmp"),
        format!("{name}.{number}0.tmp"),
        format!("{name}.{}.tmp", &number[1..]),
        format!("{name}.{}.tmp", number.to_uppercase()),
        format!("{name}-{number}.tmp"),
        format!("{}.{number}.tmp", &name[1..]),
        format!("g{}.{number}.tmp", &name[1..]),
    ]
    .map(|name| cache.dir().join(name));
    for path in &foreign {
        fs::write(path, "another program's").unwrap();
    }
    cache.verifier(&issuer).refresh().unwrap();
    let mut left = cache.files();
    left.retain(|path| *path != file);
    left.sort();
    foreign.sort();
    assert_eq!(left, foreign);
}

/// Anyone who can read the directory can lock it.
#[test]
fn a_lock_on_the_directory_keeps_no_write_up() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-locked"), Cache::new());
    let writer = cache.verifier(&issuer);
    let directory = fs::File::open(cache.dir()).unwrap();
    rustix::fs::flock(&directory, FlockOperation::LockExclusive).unwrap();
    writer.refresh().unwrap();
    assert_eq!((events(&writer), last_error(&writer)), (nothing_ignored(0, 1), String::new()));
    assert_eq!(fs::metadata(cache.lock()).unwrap().mode() & 0o7777, 0o600);
    // A `chmod -R` does not let other users lock it either.
    fs::set_permissions(cache.lock(), Permissions::from_mode(0o644)).unwrap();
    seconds(10);
    writer.refresh().unwrap();
    assert_eq!(events(&writer), nothing_ignored(0, 2));
    assert_eq!(fs::metadata(cache.lock()).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn a_write_waits_for_other_processes_no_longer_than_the_call_may() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-busy"), Cache::new());
    let writer = cache.verifier(&issuer);
    writer.refresh().unwrap();
    seconds(10);
    let lock = fs::File::open(cache.lock()).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    issuer.fault(FaultKind::hold_answer(), Some(1));
    thread::scope(|scope| {
        let call = scope.spawn(|| writer.refresh().unwrap());
        await_until("the second request", || issuer.jwks_requests() == 2);
        // The time of the call is up.
        seconds(61);
        stage.emulator.release(&issuer.jwks_path());
        call.join().unwrap();
    });
    assert_eq!(events(&writer), (0, 1, 1, "{}".to_owned()));
    let why = "locked by another process for more than 0 ms";
    let error = last_error(&writer);
    assert!(error.ends_with(&format!("/.lock`: {why}")), "{error}");
    // A writer that ends makes way for the next one.
    thread::scope(|scope| {
        seconds(10);
        let call = scope.spawn(|| writer.refresh().unwrap());
        await_until("the third request", || issuer.jwks_requests() == 3);
        drop(lock);
        call.join().unwrap();
    });
    assert_eq!(events(&writer), (0, 2, 1, "{}".to_owned()));
}

#[test]
fn a_lock_file_that_another_user_may_have_made_is_not_used() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-lock"), Cache::new());
    let writer = cache.verifier(&issuer);
    let target = cache.0.join("target");
    fs::write(&target, "").unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
    let (owner, file) = ("owned by user 65534 (expected user 0 or root)", cache.lock());
    type Make<'a> = &'a dyn Fn();
    let cases: &[(&str, Make<'_>)] = &[
        ("a symbolic link", &|| symlink(&target, &file).unwrap()),
        ("not a regular file", &|| {
            rustix::fs::mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }),
        ("Is a directory", &|| fs::create_dir(&file).unwrap()),
        ("writable by group or others (mode 0666)", &|| {
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        }),
        (owner, &|| {
            fs::write(&file, "").unwrap();
            chown(&file, Some(65_534), None).unwrap();
        }),
    ];
    for (failed, (why, make)) in (1..).zip(cases) {
        if *why == owner && !is_root() {
            eprintln!("{why}: left out: only root can give files away");
            continue;
        }
        make();
        seconds(10);
        writer.refresh().unwrap();
        assert_eq!(events(&writer), (0, 0, failed, "{}".to_owned()), "{why}");
        let error = last_error(&writer);
        assert!(error.contains("/.lock`: ") && error.contains(why), "{error}");
        assert_eq!(cache.files(), [] as [PathBuf; 0], "{why}");
        fs::remove_file(&file).or_else(|_| fs::remove_dir(&file)).unwrap();
    }
    assert_eq!(fs::metadata(&target).unwrap().mode() & 0o7777, 0o644);
}

#[test]
fn a_symbolic_link_is_not_followed_with_a_slash_at_the_end_either() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-link"), Cache::new());
    let [link, target] = ["link", "target"].map(|name| cache.0.join(name));
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o700)).unwrap();
    symlink(&target, &link).unwrap();
    for (detours, end) in (1..).zip(["", "/", "//", "/.", "/./", "/.//."]) {
        let path = cache.0.join(format!("{}link{end}", "detour/../".repeat(detours)));
        let mut options = without_threads();
        options.set_key_cache_dir(&path).unwrap();
        let verifier = verifier(&issuer, &options);
        verifier.refresh().unwrap();
        assert_eq!(events(&verifier), (0, 0, 1, r#"{"file_type":1}"#.to_owned()), "{end}");
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0, "{end}");
    }
    // A directory may have a slash at the end.
    let mut options = without_threads();
    options.set_key_cache_dir(format!("{}/", cache.dir().display())).unwrap();
    verifier(&issuer, &options).refresh().unwrap();
    cache.file();
}

#[test]
fn only_keys_that_the_library_fetched_are_written() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-given"), Cache::new());
    let jwks = issuer.jwks().to_string();
    let token = issuer.mint(Mint::new());
    let mut given = options();
    given.set_jwks(jwks.as_bytes()).unwrap();
    let given = verifier(&issuer, &cache.restart(given));
    assert_eq!(status(given.verify(&token)), Status::Ok);
    given.refresh().unwrap();
    let host = cache.verifier(&issuer);
    let mut fetch = host.claim_fetch().unwrap();
    fetch.done(200, jwks.as_bytes(), None, None, None).unwrap();
    assert_eq!(status(host.verify_nowait(&token)), Status::Ok);
    assert_eq!(cache.files(), [] as [PathBuf; 0]);
    for verifier in [given, host] {
        assert!(verifier.stats().unwrap().is_null("/issuers/0/key_cache_dir"));
    }
    // A host that fetches does not use the file either.
    let issuer = stage.issuer("cache-host");
    cache.verifier(&issuer).refresh().unwrap();
    let host = cache.verifier(&issuer);
    let _fetch = host.claim_fetch().unwrap();
    assert_eq!(status(host.verify_nowait(issuer.mint(Mint::new()))), Status::KeysPending);
}

#[test]
fn a_directory_is_for_the_verifiers_that_name_it() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-named"), Cache::new());
    cache.verifier(&issuer).refresh().unwrap();
    let token = issuer.mint(Mint::new());
    let without = verifier(&issuer, &without_threads());
    assert_eq!(status(without.verify_nowait(&token)), Status::KeysPending);
    assert!(without.stats().unwrap().is_null("/issuers/0/key_cache_dir"));
    let other = Cache::new().verifier(&issuer);
    assert_eq!(status(other.verify_nowait(&token)), Status::KeysPending);

    // Two verifiers of one directory share their keys.
    let options = cache.restart(without_threads());
    let [one, two] = [(); 2].map(|()| verifier(&issuer, &options));
    one.refresh().unwrap();
    assert_eq!((fetches(&two), events(&two)), (1, nothing_ignored(1, 1)));
    torii::clear_jwks_cache();
    assert_eq!(status(two.verify_nowait(&token)), Status::KeysPending, "forgotten");
}

#[test]
fn a_missing_directory_is_created_in_an_existing_one() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-missing"), Cache::new());
    let mut options = options();
    let empty = options.set_key_cache_dir("").unwrap_err();
    assert_eq!(empty.status(), Status::InvalidArgument);
    let missing = cache.0.join("a/b");
    options.set_key_cache_dir(&missing).unwrap();
    let error = Verifier::new(&issuer.url(), &options).unwrap_err();
    assert_eq!(error.status(), Status::InvalidConfig);
    let why = "cannot create it: No such file or directory (os error 2)";
    assert_eq!(error.to_string(), format!("key cache directory `{}`: {why}", missing.display()));
    fs::create_dir(cache.0.join("a")).unwrap();
    verifier(&issuer, &options).refresh().unwrap();
    assert_eq!(fs::metadata(&missing).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(fs::read_dir(&missing).unwrap().count(), 2, "keys, and a file to lock");
}

#[test]
fn a_file_that_many_write_is_always_whole() {
    let stage = Stage::take();
    let (issuer, cache) = (stage.issuer("cache-crowd"), Cache::new());
    issuer.set_etag(false);
    cache.verifier(&issuer).refresh().unwrap();
    let file = cache.file();
    let done = AtomicBool::new(false);
    let writers: Vec<_> = (0..8).map(|_| cache.verifier(&issuer)).collect();
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for _ in 0..50 {
                // The clock is everyone's: it may move only while no fetch runs.
                seconds(2);
                thread::scope(|round| {
                    for writer in &writers {
                        round.spawn(move || writer.refresh().unwrap());
                    }
                });
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let text = fs::read(&file).unwrap();
                let start = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
                assert_eq!(sealed(&text[start..]), text);
            }
        });
        let ended = writing.join();
        done.store(true, Ordering::SeqCst);
        ended.unwrap();
    });
    for writer in &writers {
        assert_eq!(events(writer), nothing_ignored(1, 50));
    }
    cache.file();
}
