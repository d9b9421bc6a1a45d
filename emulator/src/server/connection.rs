//! One TCP connection, from accept to close.

use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::exchange;
use super::raw_reply::RawReply;
use crate::world::World;

/// Serves the requests of one connection.
///
/// A fault that breaks HTTP makes the service fail with [`RawReply`]. hyper then gives up the
/// connection without having written anything, and the reply is written to the bare stream.
pub(crate) async fn serve(stream: TcpStream, number: u64, world: Arc<World>, routes: Router) {
    let counted = Counted::new(Arc::clone(&world));
    let service = service_fn(|request: Request<Incoming>| {
        if exchange::is_control(request.uri().path()) {
            counted.uncount();
        }
        let exchange = exchange::answer(request, number, Arc::clone(&world), routes.clone());
        Box::pin(exchange)
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let outcome = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    let raw_reply =
        outcome.err().and_then(|error| error.source()?.downcast_ref::<RawReply>().cloned());
    // The client may have closed the connection.
    let _ = raw_reply.unwrap_or_default().write_to(stream).await;
}

/// Counts a connection as open, unless it carries requests to the control API.
struct Counted {
    world: Arc<World>,
    uncounted: AtomicBool,
}

impl Counted {
    fn new(world: Arc<World>) -> Self {
        world.log.opened();
        Self { world, uncounted: AtomicBool::new(false) }
    }

    fn uncount(&self) {
        if !self.uncounted.swap(true, Ordering::Relaxed) {
            self.world.log.uncount();
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.uncounted.load(Ordering::Relaxed) {
            self.world.log.closed();
        }
    }
}
