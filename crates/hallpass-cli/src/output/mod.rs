//! Everything that is printed: text for users, JSON for programs.

pub(crate) mod hint;
pub(crate) mod json;
pub(crate) mod json_ui;
pub(crate) mod log_to_stderr;
pub(crate) mod qr_code;
pub(crate) mod report;
pub(crate) mod say;
pub(crate) mod screen;
