//! The server API, one file per resource.

mod allowed_origins;
mod body;
mod caller;
mod gate;
mod impersonation;
mod invitations;
mod members;
mod organizations;
mod page;
mod sessions;
mod user_search;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::world::World;

/// All its operations, behind the gate.
pub(crate) fn routes(world: Arc<World>) -> Router<Arc<World>> {
    let operations = Router::new()
        .merge(allowed_origins::routes())
        .merge(users::routes())
        .merge(user_search::routes())
        .merge(sessions::routes())
        .merge(impersonation::routes())
        .merge(invitations::routes())
        .merge(organizations::routes())
        .merge(members::routes());
    Router::new()
        .nest("/api/server/v1", operations)
        .route_layer(from_fn_with_state(world, gate::pass))
}
