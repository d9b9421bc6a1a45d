//! Key sets in files, so that the next process starts with keys: the key cache directory.
//!
//! A file is replaced as a whole and never changed: a process that is killed while it writes leaves
//! the file as it was.

use std::path::{Path, PathBuf};

use super::cache_file::Ignored;
use super::freshness::CacheHeaders;
use super::jwks::KeySet;
use crate::clock::Millis;
use crate::error::{Error, Result, Status};

/// A directory with a file for each cache key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyCacheDir(PathBuf);

/// A key set from a file.
pub(crate) struct CachedKeys {
    pub(super) set: KeySet,
    /// Without `Age`, which the age accounts for.
    pub(crate) headers: CacheHeaders,
    /// The time since the request was sent, plus its `Age`.
    pub(crate) age: Millis,
    /// The text of the set.
    pub(crate) body: Vec<u8>,
}

/// Counters for the file of a key set, in this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct CacheDirStats {
    /// Key sets read from a file.
    pub(crate) loaded: u64,
    /// Key sets written.
    pub(crate) written: u64,
    /// Key sets that could not be written.
    pub(crate) failed: u64,
    /// Files not used, by the reason.
    pub(crate) ignored: std::collections::BTreeMap<&'static str, u64>,
    /// Why the last file was not used or not written; `None` if it was.
    pub(crate) last_error: Option<String>,
}

impl CacheDirStats {
    pub(super) fn load(&mut self) {
        self.loaded += 1;
    }

    pub(super) fn ignore(&mut self, ignored: Ignored) {
        *self.ignored.entry(ignored.reason).or_default() += 1;
        self.last_error = Some(ignored.why);
    }

    pub(super) fn write(&mut self, outcome: std::result::Result<(), String>) {
        match outcome {
            Ok(()) => self.written += 1,
            Err(_) => self.failed += 1,
        }
        self.last_error = outcome.err();
    }
}

impl KeyCacheDir {
    /// Creates the directory if it is missing, for the effective user alone. Its parent has to exist.
    pub(crate) fn prepare(path: &Path) -> Result<Self> {
        let refuse = |why: String| {
            let text = format!("key cache directory `{}`: {why}", path.display());
            Error::text(Status::InvalidConfig, text)
        };
        if cfg!(not(unix)) {
            return Err(refuse("not available on this platform".to_owned()));
        }
        // The working directory may change later.
        let path = std::path::absolute(path).map_err(|error| refuse(error.to_string()))?;
        let directory = KeyCacheDir::existing(&path);
        match create(&directory.0) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(refuse(format!("cannot create it: {error}")))
            }
            _ => Ok(directory),
        }
    }

    /// A directory that is only read.
    pub(crate) fn existing(path: &Path) -> Self {
        // With a slash or `/.` at the end, a symbolic link would be followed.
        KeyCacheDir(path.components().collect())
    }

    /// The path of the file of this [name](super::CacheKey::file_name).
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

#[cfg(unix)]
fn create(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(unix)]
mod files {
    use std::ffi::CString;
    use std::fs::File;
    use std::hash::{BuildHasher, RandomState};
    use std::io::{self, Read, Write};
    use std::os::fd::OwnedFd;
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
    use rustix::io::Errno;

    use super::super::cache_file::{CacheFile, Ignored, MAX_FILE};
    use super::super::freshness::CacheHeaders;
    use super::super::jwks::KeySet;
    use super::{CachedKeys, KeyCacheDir};
    use crate::clock::Millis;

    /// How long a write waits for those of other processes, at most. They hold the lock for two calls.
    const LOCK_TIMEOUT: Millis = 5_000;

    impl KeyCacheDir {
        /// Reads the keys of `url` from the file of this name. `now` is in milliseconds since 1970. Keys
        /// that `known` holds as well keep their ids. `None`: no file.
        pub(crate) fn read(
            &self,
            name: &str,
            url: &str,
            now: Millis,
            known: Option<&KeySet>,
        ) -> Result<Option<CachedKeys>, Ignored> {
            let in_directory = |ignored| self.about(None, ignored);
            let in_file = |ignored| self.about(Some(name), ignored);
            let directory = self.open().map_err(in_directory)?;
            let Some(text) = read(&directory, name).map_err(in_file)? else { return Ok(None) };
            let file = CacheFile::decode(&text, url, now).map_err(in_file)?;
            let set = KeySet::parse(file.body, known).map_err(|why| {
                in_file(Ignored::new("key_set", format!("not a usable key set: {why}")))
            })?;
            Ok(Some(CachedKeys {
                set,
                headers: CacheHeaders { max_age: file.max_age, age: None },
                age: now.saturating_sub(file.requested_at),
                body: file.body.to_vec(),
            }))
        }

        /// Writes the file of this name, unless a newer one is there. `now` is in milliseconds since 1970;
        /// `left` is how long the write may wait for other processes.
        pub(in super::super) fn write(
            &self,
            name: &str,
            file: &CacheFile<'_>,
            now: Millis,
            left: Millis,
        ) -> Result<(), String> {
            let directory = self.open().map_err(|ignored| self.about(None, ignored).why)?;
            let error = |error: io::Error| format!("{}: {error}", self.path(Some(name)));
            remove_abandoned(&directory);
            let temporary = Temporary::create(&directory, name).map_err(error)?;
            temporary.fill(&file.encode()).map_err(error)?;
            // Held for two calls, so that the disk keeps no other process waiting.
            let lock = Lock::take(&directory, left.min(LOCK_TIMEOUT))
                .map_err(|ignored| self.about(Some(LOCK), ignored).why)?;
            if !is_newer_there(&directory, name, file, now) {
                temporary.rename(name).map_err(error)?;
            }
            drop(lock);
            // Some file systems cannot do this for a directory. The file is in place already.
            let _ = rustix::fs::fsync(&directory);
            Ok(())
        }

        /// Opens the directory, if only the effective user and root can write to it.
        fn open(&self) -> Result<OwnedFd, Ignored> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let directory =
                rustix::fs::open(&self.0, flags, Mode::empty()).map_err(|errno| match errno {
                    Errno::NOTDIR | Errno::LOOP | Errno::MLINK => {
                        Ignored::new("file_type", "not a directory, or a symbolic link")
                    }
                    errno => unreadable(errno),
                })?;
            check_owner_and_mode(&rustix::fs::fstat(&directory).map_err(unreadable)?)?;
            Ok(directory)
        }

        fn about(&self, name: Option<&str>, ignored: Ignored) -> Ignored {
            Ignored { why: format!("{}: {}", self.path(name), ignored.why), ..ignored }
        }

        /// The directory, or the file of this name, for messages.
        fn path(&self, name: Option<&str>) -> String {
            match name {
                None => format!("key cache directory `{}`", self.0.display()),
                Some(name) => format!("key cache file `{}`", self.0.join(name).display()),
            }
        }
    }

    /// Reads the file, if only the effective user and root can have written it.
    fn read(directory: &OwnedFd, name: &str) -> Result<Option<Vec<u8>>, Ignored> {
        // Opening a FIFO would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let (file, stat) = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            opened => regular(opened)?,
        };
        if stat.st_nlink != 1 {
            return Err(Ignored::new("hard_link", "has other names (hard links)"));
        }
        check_owner_and_mode(&stat)?;
        let mut text = Vec::new();
        let longest = MAX_FILE as u64;
        let read = File::from(file).take(longest + 1).read_to_end(&mut text);
        match read.map_err(unreadable)? {
            0..=MAX_FILE => Ok(Some(text)),
            _ => Err(Ignored::new("damaged", format!("longer than {longest} bytes"))),
        }
    }

    /// Checks that a file opened with O_NOFOLLOW is a regular one.
    fn regular(opened: rustix::io::Result<OwnedFd>) -> Result<(OwnedFd, Stat), Ignored> {
        let file = opened.map_err(|errno| match errno {
            Errno::LOOP | Errno::MLINK => Ignored::new("file_type", "a symbolic link"),
            errno => unreadable(errno),
        })?;
        let stat = rustix::fs::fstat(&file).map_err(unreadable)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Ignored::new("file_type", "not a regular file"));
        }
        Ok((file, stat))
    }

    fn check_owner_and_mode(stat: &Stat) -> Result<(), Ignored> {
        let user = rustix::process::geteuid();
        if stat.st_uid != user.as_raw() && stat.st_uid != 0 {
            let (owner, user) = (stat.st_uid, user.as_raw());
            let why = format!("owned by user {owner} (expected user {user} or root)");
            return Err(Ignored::new("owner", why));
        }
        if Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
            let mode = stat.st_mode & 0o7777;
            let why = format!("writable by group or others (mode {mode:04o})");
            return Err(Ignored::new("mode", why));
        }
        Ok(())
    }

    fn unreadable(error: impl Into<io::Error>) -> Ignored {
        Ignored::new("unreadable", error.into().to_string())
    }

    fn is_newer_there(directory: &OwnedFd, name: &str, file: &CacheFile<'_>, now: Millis) -> bool {
        // A file that would be ignored is replaced, regardless of its time.
        let Ok(Some(text)) = read(directory, name) else { return false };
        CacheFile::decode(&text, file.url, now)
            .is_ok_and(|there| there.requested_at > file.requested_at)
    }

    /// Keeps others from replacing files in the directory.
    ///
    /// The lock is on a file that only this user can open. Anyone who can read the directory could
    /// lock the directory itself.
    ///
    /// A child made by `fork` inherits the lock, so it is released explicitly: closing the descriptor
    /// here would leave the child's.
    struct Lock(OwnedFd);

    /// The file that is locked. It stays empty.
    const LOCK: &str = ".lock";

    impl Lock {
        /// Returns `None` where the file system has no locks, and if root made the file: then a file may
        /// be replaced by one that is a little older.
        fn take(directory: &OwnedFd, timeout: Millis) -> Result<Option<Self>, Ignored> {
            let Some(file) = lock_file(directory)? else { return Ok(None) };
            let start = Instant::now();
            loop {
                match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                    Ok(()) => return Ok(Some(Lock(file))),
                    Err(Errno::WOULDBLOCK | Errno::INTR) => {}
                    Err(_) => return Ok(None),
                }
                if start.elapsed() >= Duration::from_millis(timeout) {
                    let why = format!("locked by another process for more than {timeout} ms");
                    return Err(Ignored::new("locked", why));
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    impl Drop for Lock {
        fn drop(&mut self) {
            let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
        }
    }

    /// Opens the file to lock, and creates it if it is missing.
    fn lock_file(directory: &OwnedFd) -> Result<Option<OwnedFd>, Ignored> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mode = Mode::RUSR | Mode::WUSR;
        let (file, stat) = match rustix::fs::openat(directory, LOCK, flags | OFlags::CLOEXEC, mode)
        {
            Err(Errno::ACCESS) => return Ok(None),
            opened => regular(opened)?,
        };
        check_owner_and_mode(&stat)?;
        // The umask of the process, or a person, may have changed it.
        if Mode::from_raw_mode(stat.st_mode) != mode {
            rustix::fs::fchmod(&file, mode).map_err(unreadable)?;
        }
        Ok(Some(file))
    }

    /// A file under a name that no process reads, locked by its writer. It is removed unless it is renamed.
    struct Temporary<'a> {
        directory: &'a OwnedFd,
        name: Option<CString>,
        file: File,
    }

    const TEMPORARY: &str = ".tmp";

    impl<'a> Temporary<'a> {
        fn create(directory: &'a OwnedFd, name: &str) -> io::Result<Self> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            let mode = Mode::RUSR | Mode::WUSR;
            loop {
                let number = RandomState::new().hash_one(0);
                let name = CString::new(format!("{name}.{number:016x}{TEMPORARY}"))?;
                let file = rustix::fs::openat(directory, &name, flags | OFlags::CLOEXEC, mode)?;
                let temporary = Temporary { directory, name: Some(name), file: File::from(file) };
                // Before it has the lock, another process may take the file for abandoned.
                let locked =
                    rustix::fs::flock(&temporary.file, FlockOperation::NonBlockingLockExclusive);
                if locked != Err(Errno::WOULDBLOCK)
                    && rustix::fs::fstat(&temporary.file)?.st_nlink == 1
                {
                    // The umask of the process may have taken something away.
                    rustix::fs::fchmod(&temporary.file, mode)?;
                    return Ok(temporary);
                }
            }
        }

        fn fill(&self, text: &[u8]) -> io::Result<()> {
            (&self.file).write_all(text)?;
            self.file.sync_all()
        }

        fn rename(mut self, name: &str) -> io::Result<()> {
            if let Some(temporary) = &self.name {
                rustix::fs::renameat(self.directory, temporary, self.directory, name)?;
                self.name = None;
            }
            Ok(())
        }
    }

    impl Drop for Temporary<'_> {
        fn drop(&mut self) {
            if let Some(name) = &self.name {
                let _ = rustix::fs::unlinkat(self.directory, name, AtFlags::empty());
            }
        }
    }

    /// Whether [`Temporary::create`] makes such names.
    fn is_temporary(name: &[u8]) -> bool {
        let is_hex = |digits: &[u8], count| {
            let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
            digits.len() == count && digits.iter().all(is_digit)
        };
        let numbered = name.strip_suffix(TEMPORARY.as_bytes());
        let parts = numbered.and_then(|name| name.split_at_checked(64));
        parts.is_some_and(|(name, number)| {
            is_hex(name, 64) && number.strip_prefix(b".").is_some_and(|number| is_hex(number, 16))
        })
    }

    /// Removes temporary files whose writers were killed: their locks are free.
    fn remove_abandoned(directory: &OwnedFd) {
        let Ok(entries) = rustix::fs::Dir::read_from(directory) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !is_temporary(name.to_bytes()) {
                continue;
            }
            let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let Ok(file) = rustix::fs::openat(directory, name, flags, Mode::empty()) else {
                continue;
            };
            if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                let _ = rustix::fs::unlinkat(directory, name, AtFlags::empty());
            }
        }
    }
}

/// Where there are no owners and modes to check, no directory is accepted.
#[cfg(not(unix))]
mod files {
    use super::super::cache_file::{CacheFile, Ignored};
    use super::super::jwks::KeySet;
    use super::{CachedKeys, KeyCacheDir};
    use crate::clock::Millis;

    impl KeyCacheDir {
        pub(crate) fn read(
            &self,
            _: &str,
            _: &str,
            _: Millis,
            _: Option<&KeySet>,
        ) -> Result<Option<CachedKeys>, Ignored> {
            Ok(None)
        }

        pub(in super::super) fn write(
            &self,
            _: &str,
            _: &CacheFile<'_>,
            _: Millis,
            _: Millis,
        ) -> Result<(), String> {
            Ok(())
        }
    }
}

#[cfg(not(unix))]
fn create(_: &Path) -> std::io::Result<()> {
    Ok(())
}
