//! Bytes written directly to a connection before it is closed.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::response::Parts;
use axum::http::{HeaderValue, header};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Bytes for the bare stream, and how to close it. By default nothing is written, and the stream is
/// shut down in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawReply {
    head: Vec<u8>,
    pieces: Vec<Bytes>,
    pause: Duration,
    reset: bool,
}

impl RawReply {
    /// Only a reset (RST).
    pub(crate) fn reset() -> Self {
        Self { reset: true, ..Self::default() }
    }

    /// Any text.
    pub(crate) fn text(text: &str) -> Self {
        Self { head: text.as_bytes().to_vec(), ..Self::default() }
    }

    /// A response, its body in pieces with a pause before each.
    pub(crate) fn response(head: &Parts, pieces: Vec<Bytes>, pause: Duration) -> Self {
        Self { head: head_bytes(head), pieces, pause, reset: false }
    }

    /// The same after an informational response.
    pub(crate) fn after_informational(mut self, status: u16) -> Self {
        let mut head = format!("HTTP/1.1 {status} Informational\r\n\r\n").into_bytes();
        head.append(&mut self.head);
        Self { head, ..self }
    }

    /// Writes the bytes and closes the connection.
    pub(crate) async fn write_to(self, mut stream: TcpStream) -> io::Result<()> {
        stream.write_all(&self.head).await?;
        for piece in self.pieces {
            sleep(self.pause).await;
            stream.write_all(&piece).await?;
        }
        if self.reset { stream.set_zero_linger() } else { stream.shutdown().await }
    }
}

fn head_bytes(head: &Parts) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Announces how long the body is, and that the connection ends after it.
pub(crate) fn announce(head: &mut Parts, length: usize) {
    head.headers.insert(header::CONTENT_LENGTH, length.into());
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

impl Display for RawReply {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is taken over")
    }
}

impl std::error::Error for RawReply {}
