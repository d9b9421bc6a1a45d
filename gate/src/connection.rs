//! One connection, from accept to close.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

use crate::answer::Answer;

/// The longest request line and headers, in bytes: more than any proxy passes on. hyper answers 431
/// to a longer one, and to one with more than 100 headers. Another number would make it allocate
/// memory for as many with each request.
const HEAD_LIMIT: usize = 64 << 10;

/// How long the line and the headers of a request may take, from their first byte.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the requests of a connection, one after the other. Once `stop` changes, it ends after the
/// request in progress.
///
/// Between two requests a connection may rest for as long as the proxy likes. A proxy sends its next
/// request over one that it believes to be open, and could not tell whether that was answered.
pub(crate) async fn serve<S, F>(
    stream: S,
    mut stop: watch::Receiver<()>,
    answer: impl Fn(Request<Incoming>) -> F,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Answer>,
{
    let phase = Arc::new(Phase::default());
    let stream = Watched { stream, phase: phase.clone() };
    let service = service_fn(|request| {
        phase.set(SERVING);
        let answer = answer(request);
        let phase = &phase;
        async move {
            let answer = answer.await;
            phase.set(RESTING);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .max_buf_size(HEAD_LIMIT)
            .max_header_size(HEAD_LIMIT)
            // An answer is short: one buffer takes less time than a list of them.
            .writev(false)
            // hyper's own limit would also end connections that rest.
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service)
    );
    let mut stopping = pin!(stop.changed());
    let mut stopped = false;
    let mut late: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|context| {
        if !stopped && stopping.as_mut().poll(context).is_ready() {
            stopped = true;
            connection.as_mut().graceful_shutdown();
        }
        // An error is the client's: it is gone, or it does not speak HTTP.
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        if !phase.is_head() {
            late = None;
            return Poll::Pending;
        }
        late.get_or_insert_with(|| Box::pin(sleep(HEAD_TIMEOUT))).as_mut().poll(context)
    })
    .await;
}

/// The state of a connection. Bytes that arrive while a request is served belong to later ones.
#[derive(Default)]
struct Phase(AtomicU8);

const RESTING: u8 = 0;
/// The first part of a request has arrived.
const HEAD: u8 = 1;
const SERVING: u8 = 2;

impl Phase {
    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }

    fn is_head(&self) -> bool {
        self.0.load(Ordering::Relaxed) == HEAD
    }

    fn received(&self) {
        let _ = self.0.compare_exchange(RESTING, HEAD, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// A stream that notes when something arrives.
struct Watched<S> {
    stream: S,
    phase: Arc<Phase>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.phase.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
