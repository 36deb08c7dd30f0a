//! `hallpass completions`

use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::say;

pub(crate) fn run(args: &Completions) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hallpass", &mut script);
    say::value(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}
