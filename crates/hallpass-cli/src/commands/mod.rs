//! One file for each command, and the sign-in that `login` and `demo` share.

pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod profiles;
mod sign_in;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod whoami;
