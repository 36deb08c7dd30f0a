//! The callback listener: binds ports, reads bounded requests, sends pages. It judges nothing: every request on the right
//! path is passed to the login, which decides what the browser gets to see.

mod bind;
mod connection;
mod listener;
pub(crate) mod page;
pub(crate) mod pages;
mod request;

pub(crate) use bind::{Binding, default_redirect_uri};
pub(crate) use listener::{Arrival, Callback, Listener};
pub use pages::Pages;
#[cfg(any(test, fuzzing))]
pub(crate) use request::query_of;
