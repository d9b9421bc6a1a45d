//! The file of one key set in a key cache directory: its text.
//!
//! Plain functions: nothing here opens a file or reads a clock.

use std::fmt::Write;

use super::jwks::MAX_BODY;
use crate::clock::Millis;
use crate::crypto::sha256_hex;

/// The start of each file. The number changes with the format.
const MAGIC: &str = "torii-keys 1 ";

/// The longest file: the body, the URL, and the few words beside them.
pub(super) const MAX_FILE: usize = MAX_BODY + 4096;

/// Keys older than this are never read: no option lets keys stay in use for longer.
const OLDEST: Millis = 30 * 86_400_000;

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CacheFile<'a> {
    pub(super) url: &'a str,
    /// When the request was sent minus `Age`, in milliseconds since 1970.
    pub(super) requested_at: Millis,
    /// `max-age` of the answer, in seconds.
    pub(super) max_age: Option<u64>,
    pub(super) body: &'a [u8],
}

/// Why a file, or the directory it is in, is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// The name of the reason in statistics.
    pub(crate) reason: &'static str,
    /// For messages.
    pub(crate) why: String,
}

impl Ignored {
    pub(super) fn new(reason: &'static str, why: impl Into<String>) -> Self {
        Ignored { reason, why: why.into() }
    }
}

impl<'a> CacheFile<'a> {
    /// The text of the file: a line with the digest of the rest, members, an empty line, the body.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut rest = format!("url {}\nrequested-at {}\n", self.url, self.requested_at);
        if let Some(max_age) = self.max_age {
            // Writing to a string cannot fail.
            let _ = writeln!(rest, "max-age {max_age}");
        }
        rest.push('\n');
        let rest = [rest.as_bytes(), self.body].concat();
        [format!("{MAGIC}{}\n", sha256_hex(&rest)).as_bytes(), &rest].concat()
    }

    /// Reads a file, which has to be that of `url`. `now` is in milliseconds since 1970.
    pub(super) fn decode(file: &'a [u8], url: &str, now: Millis) -> Result<Self, Ignored> {
        let file = parse(file).ok_or_else(|| {
            Ignored::new("damaged", "truncated, changed, or not written by this library")
        })?;
        if file.url != url {
            return Err(Ignored::new("other_url", "the keys of another URL"));
        }
        match now.checked_sub(file.requested_at) {
            None => Err(Ignored::new("future", "fetched in the future, by this machine's clock")),
            Some(OLDEST..) => Err(Ignored::new("expired", "fetched more than 30 days ago")),
            Some(_) => Ok(file),
        }
    }
}

fn parse(file: &[u8]) -> Option<CacheFile<'_>> {
    let (head, rest) = line(file)?;
    if head.strip_prefix(MAGIC)? != sha256_hex(rest) {
        return None;
    }
    let (url, rest) = line(rest)?;
    let (requested_at, rest) = line(rest)?;
    let (max_age, body) = match line(rest)? {
        ("", body) => (None, body),
        (max_age, rest) => match line(rest)? {
            ("", body) => (Some(max_age.strip_prefix("max-age ")?.parse().ok()?), body),
            _ => return None,
        },
    };
    Some(CacheFile {
        url: url.strip_prefix("url ")?,
        requested_at: requested_at.strip_prefix("requested-at ")?.parse().ok()?,
        max_age,
        body,
    })
}

/// The first line without its end, and what follows.
fn line(text: &[u8]) -> Option<(&str, &[u8])> {
    let (line, rest) = text.split_at_checked(memchr::memchr(b'\n', text)?)?;
    Some((str::from_utf8(line).ok()?, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://acme.example/_torii/.well-known/jwks.json";
    const NOW: Millis = 1_732_550_000_123;

    fn file(max_age: Option<u64>) -> CacheFile<'static> {
        CacheFile { url: URL, requested_at: NOW - 5, max_age, body: b"{\"keys\":\n\n[]}\xff" }
    }

    fn reason(file: &[u8], url: &str, now: Millis) -> &'static str {
        CacheFile::decode(file, url, now).map_or_else(|ignored| ignored.reason, |_| "used")
    }

    #[test]
    fn a_written_file_is_read() {
        for file in
            [file(None), file(Some(0)), file(Some(u64::MAX)), CacheFile { body: b"", ..file(None) }]
        {
            assert_eq!(CacheFile::decode(&file.encode(), URL, NOW), Ok(file));
        }
    }

    #[test]
    fn the_text_is_as_documented() {
        let file = CacheFile { body: b"{}", ..file(Some(300)) };
        let text = String::from_utf8(file.encode()).unwrap();
        let (head, rest) = text.split_once('\n').unwrap();
        assert_eq!(rest, format!("url {URL}\nrequested-at 1732550000118\nmax-age 300\n\n{{}}"));
        // printf … | sha256sum
        let digest = "eb28539eabb23297bc06461d89aa3bb5c97aafa133aa601efc900067bc29da05";
        assert_eq!(head, format!("torii-keys 1 {digest}"));
    }

    #[test]
    fn a_file_that_is_cut_short_or_changed_anywhere_is_damaged() {
        let whole = file(Some(300)).encode();
        for length in 0..whole.len() {
            assert_eq!(reason(&whole[..length], URL, NOW), "damaged", "{length} bytes");
        }
        for position in 0..whole.len() {
            let mut changed = whole.clone();
            changed[position] ^= 1;
            assert_eq!(reason(&changed, URL, NOW), "damaged", "byte {position}");
        }
        let longer = [&whole[..], b" "].concat();
        assert_eq!(reason(&longer, URL, NOW), "damaged");
        assert_eq!(reason(br#"{"keys":[]}"#, URL, NOW), "damaged");
    }

    #[test]
    fn only_members_in_their_order_are_read() {
        let sealed = |rest: &str| format!("{MAGIC}{}\n{rest}", sha256_hex(rest.as_bytes()));
        for rest in [
            "",
            "url u\n",
            "url u\nrequested-at 1\n",
            "url u\nrequested-at 1\nmax-age 1\n",
            "requested-at 1\nurl u\n\n{}",
            "url u\nrequested-at -1\n\n{}",
            "url u\nrequested-at 1\nmax-age\n\n{}",
            "url u\nrequested-at 1\nmax-age 1\nmax-age 1\n\n{}",
            "url u\nrequested-at 1\nage 1\n\n{}",
        ] {
            assert_eq!(reason(sealed(rest).as_bytes(), "u", 2), "damaged", "{rest:?}");
        }
        assert_eq!(reason(sealed("url u\nrequested-at 1\n\n{}").as_bytes(), "u", 2), "used");
    }

    #[test]
    fn foreign_future_and_expired_files_are_not_used() {
        let text = file(None).encode();
        assert_eq!(reason(&text, &format!("{URL}/"), NOW), "other_url");
        assert_eq!(reason(&text, URL, NOW - 5), "used");
        assert_eq!(reason(&text, URL, NOW - 6), "future");
        assert_eq!(reason(&text, URL, NOW - 5 + OLDEST - 1), "used");
        assert_eq!(reason(&text, URL, NOW - 5 + OLDEST), "expired");
    }
}
