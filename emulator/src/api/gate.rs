//! Checks for every request to the server API: the secret key, then the contract, for request and answer.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, OriginalUri, Query, RawPathParams, Request, State};
use axum::http::header;
use axum::http::response::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use crate::contract::{CONTRACT, Operation, Side, Violation};
use crate::problem::Problem;
use crate::world::World;

/// Checks the request, has it answered, and checks the answer.
pub(crate) async fn pass(
    State(world): State<Arc<World>>,
    template: MatchedPath,
    OriginalUri(uri): OriginalUri,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let operation = CONTRACT.operation(request.method().as_str(), template.as_str());
    let Some(operation) = operation else {
        return Problem::method().into_response();
    };
    let violated = |side, errors: Vec<String>| {
        let (operation, path) = (operation.id.clone(), uri.path().to_owned());
        world.violations.add(Violation { side, operation, path, errors });
    };
    let response = match Caller::find(&world, request.headers()) {
        Err(problem) => problem.into_response(),
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            let (head, body) = request.into_parts();
            let body = whole(body).await;
            let query = Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap_or_default();
            let query = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let errors = operation.request_errors(query.chain(path.iter()), &body);
            if errors.is_empty() {
                next.run(Request::from_parts(head, Body::from(body))).await
            } else {
                let detail = errors.join("; ");
                violated(Side::Request, errors);
                Problem::invalid("invalid_request", detail).into_response()
            }
        }
    };
    let (head, body) = response.into_parts();
    let body = whole(body).await;
    let errors = answer_errors(operation, &head, &body);
    if !errors.is_empty() {
        violated(Side::Answer, errors);
    }
    Response::from_parts(head, Body::from(body))
}

fn answer_errors(operation: &Operation, head: &Parts, body: &[u8]) -> Vec<String> {
    let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    operation.answer_errors(head.status, media_type, body)
}

async fn whole(body: Body) -> Bytes {
    to_bytes(body, usize::MAX).await.expect("a body that is in memory")
}
