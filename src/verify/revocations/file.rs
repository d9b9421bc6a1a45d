//! Reading the revocations file. Anyone who can change it can lift bans.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::json::{self, MAX_TEXT};
use super::list::List;

/// A second write can leave the times of a file as they are, if it comes within the same tick of the
/// clock. So a file that was younger than this when it was read is read again.
const RECENT: Duration = Duration::from_secs(2);

/// A state of the file that was read. A later write shows as another one.
pub(super) struct Seen(Identity);

/// The result of a check of the file.
pub(super) enum Found {
    Unchanged,
    /// `None`: the file is read again, even if it looks unchanged.
    Changed(List, Option<Seen>),
}

/// Reads the file, unless it is still what was seen. `now` is the Unix time that bounds its times.
pub(super) fn check(path: &Path, seen: Option<&Seen>, now: i64) -> Result<Found, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let metadata = fs::metadata(path).map_err(unreadable)?;
    check_access(&metadata)?;
    if seen.is_some_and(|seen| seen.0 == Identity::of(&metadata)) {
        return Ok(Found::Unchanged);
    }
    let began = SystemTime::now();
    let file = open(path).map_err(unreadable)?;
    // The name may stand for another file by now.
    let metadata = file.metadata().map_err(unreadable)?;
    check_access(&metadata)?;
    let identity = Identity::of(&metadata);
    let list = json::parse(&read(&file).map_err(unreadable)?, now)?;
    let unchanged = file.metadata().is_ok_and(|metadata| Identity::of(&metadata) == identity);
    let settled = unchanged && is_settled(&metadata, began);
    Ok(Found::Changed(list, settled.then_some(Seen(identity))))
}

fn read(file: &File) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // One byte more than is accepted, so that a longer file is refused and not cut.
    file.take(MAX_TEXT as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// Opens the file without waiting: a FIFO may never have a writer.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Checks that this is a file, and that only the process's user and root can change it.
fn check_access(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_dir() {
        return Err("a directory (expected a regular file)".to_owned());
    }
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    check_owner_and_mode(metadata)
}

#[cfg(unix)]
fn check_owner_and_mode(metadata: &Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user && owner != 0 {
        return Err(format!("owned by user {owner} (expected user {user} or root)"));
    }
    if metadata.mode() & 0o022 != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(format!("writable by group or others: mode {mode:04o} (expected go-w)"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner_and_mode(_: &Metadata) -> Result<(), String> {
    Ok(())
}

/// The values that differ between two states of the file.
#[cfg(unix)]
#[derive(PartialEq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

#[cfg(unix)]
impl Identity {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(not(unix))]
#[derive(PartialEq)]
struct Identity {
    size: u64,
    modified: Option<SystemTime>,
}

#[cfg(not(unix))]
impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Identity { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// Whether the file was old enough when it was read. A time ahead of the clock counts as young.
fn is_settled(metadata: &Metadata, read_at: SystemTime) -> bool {
    let since_1970 = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
    let age = since_1970(read_at).and_then(|now| now.checked_sub(last_write(metadata)?));
    age.is_some_and(|age| age >= RECENT)
}

/// No earlier than the last write, and not for a program to choose: `mtime` may be set to next year.
#[cfg(unix)]
fn last_write(metadata: &Metadata) -> Option<Duration> {
    use std::os::unix::fs::MetadataExt;
    let seconds = Duration::from_secs(metadata.ctime().try_into().ok()?);
    seconds.checked_add(Duration::from_nanos(metadata.ctime_nsec().try_into().ok()?))
}

#[cfg(not(unix))]
fn last_write(metadata: &Metadata) -> Option<Duration> {
    metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn in_folder(test: impl Fn(&Path)) {
        let folder = std::env::temp_dir().join(format!("torii-revoked-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        test(&folder.join("revoked.json"));
        fs::remove_dir_all(folder).unwrap();
    }

    /// A second write within a tick of the clock may leave no trace in the file's metadata.
    #[test]
    fn a_file_younger_than_two_seconds_is_read_again() {
        in_folder(|path| {
            fs::write(path, r#"{"revoked":[]}"#).unwrap();
            let metadata = fs::metadata(path).unwrap();
            let written = SystemTime::UNIX_EPOCH + last_write(&metadata).unwrap();
            let nearly = RECENT - Duration::from_nanos(1);
            let settled = |read_at| is_settled(&metadata, read_at);
            assert!(!settled(written) && !settled(written + nearly) && settled(written + RECENT));
            assert!(!settled(written - RECENT), "a time ahead of the clock");

            let young = || SystemTime::now() < written + RECENT;
            let found = check(path, None, 0).unwrap();
            // On a machine that takes two seconds for this, there is nothing to see.
            if young() {
                assert!(matches!(found, Found::Changed(_, None)));
            }
            while young() {
                std::thread::sleep(RECENT / 20);
            }
            let Found::Changed(_, seen @ Some(_)) = check(path, None, 0).unwrap() else {
                panic!("not settled");
            };
            assert!(matches!(check(path, seen.as_ref(), 0), Ok(Found::Unchanged)));
        });
    }
}
