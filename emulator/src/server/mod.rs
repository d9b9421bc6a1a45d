//! The HTTP server: connections, the faults between them and the routes, and the routes.

mod connection;
mod distort;
mod exchange;
mod raw_reply;

use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::yield_now;

use crate::problem::Problem;
use crate::world::World;
use crate::{api, control, discovery, jwks, template_tokens};

/// Serves connections until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>) {
    let routes = Router::new()
        .merge(jwks::routes())
        .merge(discovery::routes())
        .merge(template_tokens::routes())
        .merge(api::routes(Arc::clone(&world)))
        .nest("/_emulator", control::routes())
        .fallback(async || Problem::not_found("path"))
        .method_not_allowed_fallback(async || Problem::method())
        .with_state(Arc::clone(&world));
    let mut number = 0;
    loop {
        // An accept fails for reasons of the client or of the moment, such as too many open
        // connections: the others go on.
        let Ok((stream, _)) = listener.accept().await else {
            yield_now().await;
            continue;
        };
        number += 1;
        tokio::spawn(connection::serve(stream, number, Arc::clone(&world), routes.clone()));
    }
}
