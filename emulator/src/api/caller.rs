//! The caller: the environment of the secret key, and its users.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use uuid::Uuid;

use crate::environment::Environment;
use crate::problem::Problem;
use crate::store::user::User;
use crate::world::World;

/// The environment that a secret key stands for.
#[derive(Clone)]
pub(crate) struct Caller {
    world: Arc<World>,
    environment: String,
}

impl Caller {
    /// The caller whose secret key is in the headers.
    pub(crate) fn find(world: &Arc<World>, headers: &HeaderMap) -> Result<Self, Problem> {
        let credentials = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, key) = credentials.and_then(|text| text.split_once(' ')).unwrap_or_default();
        let environment = world.with_all(|environments| {
            let found = environments.values().find(|environment| environment.secret_key == key);
            found.map(|environment| environment.name.clone())
        });
        let environment = environment.filter(|_| scheme.eq_ignore_ascii_case("bearer"));
        let environment = environment.ok_or_else(Problem::unauthorized)?;
        Ok(Self { world: Arc::clone(world), environment })
    }

    /// Works on the caller's environment.
    pub(crate) fn with<R>(
        &self,
        f: impl FnOnce(&mut Environment) -> Result<R, Problem>,
    ) -> Result<R, Problem> {
        self.world.with(&self.environment, f).unwrap_or_else(|| Err(Problem::unauthorized()))
    }

    /// Works on the caller's environment for one of its users. Foreign and deleted ones are
    /// forbidden; `unknown` is the answer if no user has that id.
    pub(crate) fn with_user_in<R>(
        &self,
        user_id: Uuid,
        unknown: Problem,
        f: impl FnOnce(&mut Environment) -> Result<R, Problem>,
    ) -> Result<R, Problem> {
        self.world.with_all(|environments| {
            let foreign = environments.values().any(|other| other.users.contains_key(&user_id));
            let own = environments.get_mut(&self.environment).ok_or_else(Problem::unauthorized)?;
            match own.users.get(&user_id) {
                Some(user) if user.deleted_at.is_none() => f(own),
                Some(_) => Err(Problem::forbidden()),
                None if foreign => Err(Problem::forbidden()),
                None => Err(unknown),
            }
        })
    }

    /// Works on one of the caller's users.
    pub(crate) fn with_user<R>(
        &self,
        user_id: Uuid,
        unknown: Problem,
        f: impl FnOnce(&mut User) -> Result<R, Problem>,
    ) -> Result<R, Problem> {
        self.with_user_in(user_id, unknown, |environment| f(environment.user(user_id)))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(head.extensions.get().cloned().expect("the gate has let a caller in"))
    }
}
