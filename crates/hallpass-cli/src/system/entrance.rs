//! The command's own entrance, where Linux with glibc calls it.
//!
//! Rust's looks for the end of the stack first, which means to have the kernel write out all mappings and to parse them:
//! a tenth of the time that a cached `token` takes. What else it does is done here.
#![allow(unsafe_code, reason = "the system call that std has no safe name for")]

use std::panic::catch_unwind;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{stderr, stdin, stdout};

use crate::exit_code::ExitCode;

/// As `std` ends a program that panicked.
const PANICKED: i32 = 101;

/// Does what `std` does before and after a `main`.
pub(crate) fn enter(begin: fn() -> ExitCode) -> ! {
    let code = catch_unwind(|| {
        open_what_is_closed();
        ignore_broken_pipes();
        begin().into()
    });
    std::process::exit(code.unwrap_or(PANICKED))
}

/// A file that is opened while a standard stream is closed would get its number, and what is said there would be written
/// into it: into the record of a sign-in, say.
fn open_what_is_closed() {
    let [input, output, error] = [stdin(), stdout(), stderr()];
    let mut streams =
        [input, output, error].map(|stream| PollFd::from_borrowed_fd(stream, PollFlags::empty()));
    let asked = poll(&mut streams, Some(&Timespec::default()));
    let closed = streams.iter().filter(|stream| stream.revents().contains(PollFlags::NVAL)).count();
    if asked.is_err() {
        std::process::abort();
    }
    for _ in 0..closed {
        match open("/dev/null", OFlags::RDWR, Mode::empty()) {
            Ok(nowhere) => std::mem::forget(nowhere), // it has the lowest free number, which is the stream's
            Err(_) => std::process::abort(),
        }
    }
}

/// A reader that went away is an error of a write, not the end of the command.
fn ignore_broken_pipes() {
    // SAFETY: no handler is installed, and no other thread runs yet.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}
