//! A local torii for tests and for working offline.
//!
//! An HTTP server on loopback stands in for the torii service: issuers with their key sets, the tokens
//! they sign, and the server API. It injects faults on request and records the requests it gets.
//!
//! ```
//! use torii_emulator::{Emulator, Mint};
//!
//! let emulator = Emulator::start();
//! let issuer = emulator.issuer("acme");
//! let token = issuer.mint(Mint::new().subject("user-1").expires_in(60));
//! assert_eq!(token.split('.').count(), 3);
//! ```
//!
//! The control API below `/_emulator/` offers the same as JSON, for tests in other languages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test tool: a broken assumption has to stop the test"
)]

mod api;
mod claims;
mod clock;
mod contract;
mod control;
mod discovery;
mod emulator;
mod environment;
mod fault;
mod ids;
mod issuer;
mod json;
mod jwks;
mod keys;
mod log;
mod mint;
mod problem;
mod published;
mod server;
mod store;
mod template_tokens;
mod world;

pub use claims::{ClaimFormat, ImpersonationClaims, OrganizationClaims};
pub use contract::{Side, Violation};
pub use emulator::Emulator;
pub use fault::{Fault, FaultKind};
pub use issuer::Issuer;
pub use log::Request;
pub use mint::{Mint, Signer};
pub use published::Spelling;
pub use store::invitation::InvitationEnd;
pub use store::organization::{NewMember, NewOrganization};
pub use store::session::NewSession;
pub use store::settings::Settings;
pub use store::template::Template;
pub use store::user::UserChange;
pub use uuid::Uuid;
