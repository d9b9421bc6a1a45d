//! Kinds of faults.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// The effect of a fault on a request.
///
/// The kinds that write to the connection directly (all from `Truncate` on) close it afterwards.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Waits before the request is handled.
    Delay {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// Never answers; the connection is closed when the faults are cleared.
    Hang {
        /// After how long it is closed in any case, in milliseconds.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// Holds the answer back until the test releases it. The connection is closed when the faults
    /// are cleared instead.
    Hold {
        /// Whether the request takes effect, and is answered, before it is held; otherwise it is
        /// handled once it is released.
        #[serde(default)]
        handled: bool,
    },
    /// Answers with a status of its own.
    Status {
        /// The status.
        status: u16,
        /// The headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body.
        #[serde(default)]
        body: String,
        /// Whether the request takes effect nevertheless.
        #[serde(default)]
        handled: bool,
    },
    /// Changes parts of the real answer.
    Replace {
        /// Headers to set.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The new body; without it the real one stays.
        #[serde(default)]
        body: Option<String>,
    },
    /// The real answer, its body padded with blanks: still valid JSON, only long.
    Oversize {
        /// The length of the body in bytes.
        bytes: usize,
    },
    /// The head of the real answer and only a part of the body that it announces.
    Truncate {
        /// How many bytes of the body are sent; half of them without this.
        #[serde(default)]
        bytes: Option<usize>,
    },
    /// The real answer, its body sent piece by piece.
    Drip {
        /// The pause before each piece, in milliseconds.
        ms: u64,
        /// The length of a piece in bytes.
        #[serde(default = "one")]
        bytes: usize,
    },
    /// The real answer in chunked encoding.
    Chunked {
        /// The length of a chunk in bytes.
        #[serde(default = "one")]
        bytes: usize,
    },
    /// An informational answer before the real one.
    Informational {
        /// The status, 102 to 199.
        #[serde(default = "early_hints")]
        status: u16,
    },
    /// The real answer, then closes the connection without having announced it.
    HangUp,
    /// Any text instead of an answer, HTTP or not.
    Raw {
        /// The text.
        text: String,
    },
    /// Closes the connection without an answer.
    Close {
        /// Whether the request takes effect nevertheless.
        #[serde(default)]
        handled: bool,
    },
    /// Resets the connection (RST) without an answer.
    Reset {
        /// Whether the request takes effect nevertheless.
        #[serde(default)]
        handled: bool,
    },
}

fn one() -> usize {
    1
}

fn early_hints() -> u16 {
    103
}

impl FaultKind {
    /// Never answers.
    #[must_use]
    pub fn hang() -> Self {
        Self::Hang { ms: None }
    }

    /// Holds the request until the test releases it, then handles it.
    #[must_use]
    pub fn hold() -> Self {
        Self::Hold { handled: false }
    }

    /// Handles the request and holds its answer until the test releases it.
    #[must_use]
    pub fn hold_answer() -> Self {
        Self::Hold { handled: true }
    }

    /// Answers with a bare status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, headers: BTreeMap::new(), body: String::new(), handled: false }
    }

    /// Answers 302 to another place.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        let headers = BTreeMap::from([("location".to_owned(), to.to_owned())]);
        Self::Status { status: 302, headers, body: String::new(), handled: false }
    }

    /// The real answer with another body.
    #[must_use]
    pub fn body(body: &str) -> Self {
        Self::Replace { headers: BTreeMap::new(), body: Some(body.to_owned()) }
    }

    /// The real answer with another header.
    #[must_use]
    pub fn header(name: &str, value: &str) -> Self {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Self::Replace { headers, body: None }
    }

    /// Checks the fault itself.
    pub(super) fn check(&self) -> Result<(), String> {
        let (status, headers) = match self {
            Self::Status { status, headers, .. } => (Some((*status, 200..=999)), Some(headers)),
            Self::Informational { status } => (Some((*status, 102..=199)), None),
            Self::Replace { headers, .. } => (None, Some(headers)),
            _ => (None, None),
        };
        if let Some((status, allowed)) = status
            && !allowed.contains(&status)
        {
            return Err(format!("a fault of this kind cannot have the status {status}"));
        }
        for (name, value) in headers.into_iter().flatten() {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(format!("this is not a header: {name:?}: {value:?}"));
            }
        }
        Ok(())
    }
}
