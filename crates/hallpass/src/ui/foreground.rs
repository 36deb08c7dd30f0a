//! Whether this process is in the terminal's foreground.

/// Whether this process may redraw a line on standard error. A background job (`mytool login &`) shares the screen with the
/// shell's prompt.
#[cfg(unix)]
pub(super) fn is_ours() -> bool {
    use rustix::process::getpgrp;
    use rustix::termios::tcgetpgrp;
    // Without job control there is no other process in the foreground.
    tcgetpgrp(std::io::stderr()).map_or(true, |front| front == getpgrp())
}

#[cfg(not(unix))]
pub(super) fn is_ours() -> bool {
    true
}
