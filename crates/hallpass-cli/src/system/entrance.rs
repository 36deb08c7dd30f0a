//! The program's start on Linux with glibc, in place of the one in `std`.
//!
//! `std` first looks for the end of the stack. For that, the kernel has to print all memory mappings and `std` has to
//! parse them: a tenth of the time that a cached `token` takes. Everything else that `std` does is done here.
#![allow(unsafe_code, reason = "std has no safe function for this system call")]

use std::panic::catch_unwind;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{stderr, stdin, stdout};

use crate::exit_code::ExitCode;

/// The exit code of a program that panicked, as in `std`.
const PANICKED: i32 = 101;

/// Runs the program and exits with its code.
pub(crate) fn enter(run: fn() -> ExitCode) -> ! {
    let code = catch_unwind(|| {
        open_closed_streams();
        // A closed pipe is an error of the write, not the end of the process.
        // SAFETY: no handler is installed, and no other thread runs yet.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        run().into()
    });
    std::process::exit(code.unwrap_or(PANICKED))
}

/// Opens `/dev/null` in place of closed standard streams. Otherwise the next file to be opened, such as the
/// credentials, would get the number of a stream, and messages would be written into it.
fn open_closed_streams() {
    let [input, output, error] = [stdin(), stdout(), stderr()];
    let mut streams =
        [input, output, error].map(|stream| PollFd::from_borrowed_fd(stream, PollFlags::empty()));
    if poll(&mut streams, Some(&Timespec::default())).is_err() {
        std::process::abort();
    }
    let closed = streams.iter().filter(|stream| stream.revents().contains(PollFlags::NVAL)).count();
    for _ in 0..closed {
        match open("/dev/null", OFlags::RDWR, Mode::empty()) {
            // It got the lowest free number, which is that of a closed stream, and has to stay open.
            Ok(file) => std::mem::forget(file),
            Err(_) => std::process::abort(),
        }
    }
}
