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
use super::last_words::LastWords;
use crate::world::World;

/// Serves the requests of one connection.
///
/// A fault that HTTP has no words for makes the service fail with [`LastWords`]: hyper then gives up
/// the connection without having written anything, and they are spoken on the bare stream.
pub(crate) async fn serve(stream: TcpStream, number: u64, world: Arc<World>, routes: Router) {
    let counted = Counted::new(Arc::clone(&world));
    let service = service_fn(|request: Request<Incoming>| {
        if exchange::is_control(request.uri().path()) {
            counted.disregard();
        }
        let exchange = exchange::answer(request, number, Arc::clone(&world), routes.clone());
        Box::pin(exchange)
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let outcome = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    let last_words =
        outcome.err().and_then(|error| error.source()?.downcast_ref::<LastWords>().cloned());
    // The client may be gone by now; there is nobody to tell.
    let _ = last_words.unwrap_or_default().speak(stream).await;
}

/// Counts a connection as open as long as it lives, unless it turns out to be the test's own.
struct Counted {
    world: Arc<World>,
    disregarded: AtomicBool,
}

impl Counted {
    fn new(world: Arc<World>) -> Self {
        world.log.opened();
        Self { world, disregarded: AtomicBool::new(false) }
    }

    fn disregard(&self) {
        if !self.disregarded.swap(true, Ordering::Relaxed) {
            self.world.log.disregard();
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.disregarded.load(Ordering::Relaxed) {
            self.world.log.closed();
        }
    }
}
