//! The data that the service stores for an environment.

pub(crate) mod impersonation;
pub(crate) mod invitation;
pub(crate) mod metadata;
pub(crate) mod organization;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod template;
pub(crate) mod user;
