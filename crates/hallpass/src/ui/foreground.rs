//! Whose terminal it is at the moment.

/// Whether what is written to the standard error stream is written under the person's eyes: a job in the background
/// (`mytool login &`) shares the screen with a shell's prompt.
#[cfg(unix)]
pub(super) fn is_ours() -> bool {
    use rustix::process::getpgrp;
    use rustix::termios::tcgetpgrp;
    // Where there is no job control, nobody else is in front.
    tcgetpgrp(std::io::stderr()).map_or(true, |front| front == getpgrp())
}

#[cfg(not(unix))]
pub(super) fn is_ours() -> bool {
    true
}
