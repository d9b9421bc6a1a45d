//! Applies faults to real answers.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::raw_reply::{RawReply, announce};
use crate::fault::FaultKind;

const CHECKED: &str = "checked when the fault was added";

/// Returns an answer that the fault describes completely.
pub(crate) fn fixed_answer(
    status: u16,
    headers: &BTreeMap<String, String>,
    body: String,
) -> Response {
    let status = StatusCode::from_u16(status).expect(CHECKED);
    with_headers((status, body).into_response(), headers)
}

/// Applies a fault to the real answer.
pub(crate) fn distort(kind: FaultKind, mut head: Parts, body: Bytes) -> Result<Response, RawReply> {
    let length = body.len();
    match kind {
        FaultKind::Close { .. } => Err(RawReply::default()),
        FaultKind::Reset { .. } => Err(RawReply::reset()),
        FaultKind::Status { status, headers, body, .. } => Ok(fixed_answer(status, &headers, body)),
        FaultKind::Replace { headers, body: replacement } => {
            head.headers.remove(header::CONTENT_LENGTH);
            let body = replacement.map_or(body, Bytes::from);
            Ok(with_headers(Response::from_parts(head, body.into()), &headers))
        }
        FaultKind::Oversize { bytes } => {
            head.headers.remove(header::CONTENT_LENGTH);
            let mut padded = body.to_vec();
            padded.resize(bytes.max(length), b' ');
            Ok(Response::from_parts(head, padded.into()))
        }
        FaultKind::Truncate { bytes } => {
            announce(&mut head, length);
            let part = body.slice(..bytes.unwrap_or(length / 2).min(length));
            Err(RawReply::response(&head, vec![part], Duration::ZERO))
        }
        FaultKind::Drip { ms, bytes } => {
            announce(&mut head, length);
            Err(RawReply::response(&head, pieces(&body, bytes), Duration::from_millis(ms)))
        }
        FaultKind::Chunked { bytes } => {
            announce(&mut head, length);
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            let mut chunks: Vec<Bytes> = pieces(&body, bytes).iter().map(chunk).collect();
            chunks.push(Bytes::from_static(b"0\r\n\r\n"));
            Err(RawReply::response(&head, chunks, Duration::ZERO))
        }
        FaultKind::Informational { status } => {
            announce(&mut head, length);
            let real = RawReply::response(&head, vec![body], Duration::ZERO);
            Err(real.after_informational(status))
        }
        FaultKind::HangUp => {
            announce(&mut head, length);
            head.headers.remove(header::CONNECTION);
            Err(RawReply::response(&head, vec![body], Duration::ZERO))
        }
        FaultKind::Delay { .. }
        | FaultKind::Hang { .. }
        | FaultKind::Hold { .. }
        | FaultKind::Raw { .. } => {
            unreachable!("these leave the real answer as it is, or do without one")
        }
    }
}

fn pieces(body: &Bytes, length: usize) -> Vec<Bytes> {
    body.chunks(length.max(1)).map(Bytes::copy_from_slice).collect()
}

fn chunk(piece: &Bytes) -> Bytes {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk.into()
}

fn with_headers(mut response: Response, headers: &BTreeMap<String, String>) -> Response {
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect(CHECKED);
        response.headers_mut().insert(name, value.parse().expect(CHECKED));
    }
    response
}
