//! Settings of a call: options, then environment variables, then files.

pub(crate) mod env_file;
pub(crate) mod file;
pub(crate) mod given;
pub(crate) mod login;
pub(crate) mod login_command;
pub(crate) mod override_token;
pub(crate) mod profile_http;
pub(crate) mod profiles;
pub(crate) mod stored;
pub(crate) mod target;

/// Returns an environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
