//! Settings: options, environment, files.

pub(crate) mod env_file;
pub(crate) mod file;
pub(crate) mod login;
pub(crate) mod login_command;
pub(crate) mod override_token;
pub(crate) mod profile_http;
pub(crate) mod profiles;
pub(crate) mod stored;
pub(crate) mod target;
