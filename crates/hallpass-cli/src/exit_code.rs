//! The published exit codes, as a number that can be looked at (which `std`'s cannot).

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExitCode(u8);

impl ExitCode {
    pub(crate) const SUCCESS: ExitCode = ExitCode(0);
    /// What a program that `exec` did not start ends with: none of the codes that it may mean something by itself.
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
