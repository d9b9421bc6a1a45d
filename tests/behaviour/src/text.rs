//! Texts that may be long without making the data long.

use serde::{Deserialize, Serialize};

/// A text: a JSON string or, where one piece is repeated many times, `{"repeat": [[piece, times], …]}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// As it is.
    Plain(String),
    /// Pieces, each with how often it is repeated, one after the other.
    Repeated {
        /// The pieces.
        repeat: Vec<(String, usize)>,
    },
}

impl Text {
    /// The whole text.
    pub fn expand(&self) -> String {
        self.pieces().into_iter().map(|(piece, times)| piece.repeat(times)).collect()
    }

    /// The text as pieces and how often each is repeated.
    pub(crate) fn pieces(&self) -> Vec<(&str, usize)> {
        match self {
            Text::Plain(text) => vec![(text, 1)],
            Text::Repeated { repeat } => repeat.iter().map(|(p, n)| (p.as_str(), *n)).collect(),
        }
    }
}

impl From<String> for Text {
    /// Keeps the text, but writes its longest run of one piece of up to four bytes as such when the run is long.
    fn from(text: String) -> Self {
        const LONG: usize = 512;
        let (start, width, end) = (1..=4)
            .map(|width| longest_run(text.as_bytes(), width))
            .max_by_key(|(start, width, end)| (end - start, usize::MAX - width))
            .expect("there are four widths");
        if end - start < LONG {
            return Text::Plain(text);
        }
        let times = (end - start) / width;
        let end = start + width * times;
        let pieces = [(&text[..start], 1), (&text[start..start + width], times), (&text[end..], 1)];
        let repeat = pieces.into_iter().filter(|(piece, _)| !piece.is_empty()).map(|(piece, times)| (piece.to_owned(), times)).collect();
        Text::Repeated { repeat }
    }
}

/// Start, width and end of the longest stretch that repeats itself every `width` bytes.
fn longest_run(bytes: &[u8], width: usize) -> (usize, usize, usize) {
    let (mut best, mut start) = ((0, width, 0), 0);
    for at in width..bytes.len() {
        if bytes[at] != bytes[at - width] {
            start = at + 1 - width;
        } else if at + 1 - start > best.2 - best.0 {
            best = (start, width, at + 1);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_written_as_such_and_nothing_is_lost() {
        let token = format!("ey.{}h4fQ.AAAA", "eHh4".repeat(1000));
        for (text, pieces) in [
            (String::new(), 1),
            ("漢字".repeat(100), 1),
            (".".repeat(511), 1),
            (".".repeat(512), 1),
            (format!("[{}", "[1],".repeat(200)), 2),
            (token, 3),
        ] {
            let short = Text::from(text.clone());
            assert_eq!((text, pieces), (short.expand(), short.pieces().len()));
        }
        assert_eq!(vec![(".", 512)], Text::from(".".repeat(512)).pieces());
    }
}
