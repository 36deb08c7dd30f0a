//! The callback listener: binds, reads bounded requests, sends pages. It judges nothing: every request
//! on the right path is handed on, and whoever takes it says what the browser gets to see.

mod bind;
mod connection;
mod listener;
pub(crate) mod page;
mod request;

pub(crate) use bind::{Landing, usual};
pub(crate) use listener::{Arrival, Callback, Listener};
pub(crate) use page::Page;
#[cfg(any(test, fuzzing))]
pub(crate) use request::query_of;
