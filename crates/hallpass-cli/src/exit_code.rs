//! The published exit codes, as a comparable type (unlike the one in `std`).

/// The exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExitCode(u8);

impl ExitCode {
    pub(crate) const SUCCESS: ExitCode = ExitCode(0);
    /// A logout that the server did not confirm.
    pub(crate) const UNCONFIRMED: ExitCode = ExitCode(5);
    /// `exec` could not start the program: a code that programs rarely use themselves.
    pub(crate) const NOT_STARTED: ExitCode = ExitCode(125);
}

impl From<u8> for ExitCode {
    fn from(code: u8) -> ExitCode {
        ExitCode(code)
    }
}

impl From<ExitCode> for i32 {
    fn from(ExitCode(code): ExitCode) -> i32 {
        code.into()
    }
}
