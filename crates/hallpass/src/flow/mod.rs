//! The journeys. Each file is one; together they are the only code that does things in an order.

mod context;
pub(crate) mod diagnose;
mod discover;
mod endpoint;
mod jwks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod refresh;
pub(crate) mod relocate;
pub(crate) mod status;
pub(crate) mod userinfo;

pub(crate) use context::{Context, LOCK_LIMIT};
