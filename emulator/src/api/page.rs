//! Pages of lists.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::problem::Problem;

/// Which page of a list to answer.
#[derive(Deserialize)]
pub(crate) struct Page {
    limit: Option<i64>,
    cursor: Option<Uuid>,
}

impl Page {
    /// The page of these items, which are in the order of their ids. The cursor is the last id of the
    /// page before.
    pub(crate) fn of(&self, items: impl Iterator<Item = (Uuid, Value)>) -> Json<Value> {
        let limit = self.limit.unwrap_or(20).clamp(1, 100);
        let limit = usize::try_from(limit).expect("1 to 100");
        let mut rest = items.skip_while(|(id, _)| self.cursor.is_some_and(|cursor| *id <= cursor));
        let page: Vec<(Uuid, Value)> = rest.by_ref().take(limit).collect();
        let next = rest.next().and_then(|_| page.last().map(|(id, _)| *id));
        let items: Vec<Value> = page.into_iter().map(|(_, item)| item).collect();
        Json(json!({ "items": items, "nextCursor": next, "hasMore": next.is_some() }))
    }
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Problem> {
        let page = Query::try_from_uri(&head.uri).map(|Query(page)| page);
        page.map_err(|error| Problem::invalid("invalid_request", error.body_text()))
    }
}
