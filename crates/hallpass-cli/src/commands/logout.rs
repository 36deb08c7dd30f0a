//! `hallpass logout`

use hallpass::{Environment, LogoutReport, Revocation};
use serde_json::Value;

use crate::args::{Common, Logout};
use crate::commands::override_token;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::profiles::DEFAULT;
use crate::settings::{stored, stored_pass};
use crate::{json, say, signals};

pub(crate) fn run(common: &Common, args: &Logout) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    if args.all {
        return all(common);
    }
    let report = stored_pass(common, &args.asked)?.logout()?;
    match common.json {
        true => json::print_line(&json::logout(&report)),
        false => tell(&report),
    }
    Ok(exit_code(&[report]))
}

/// Every profile, whatever becomes of the others, but none any more once a signal came. The first that could not be
/// erased is the failure.
fn all(common: &Common) -> Result<ExitCode, Failure> {
    let logout = |profile: &String| -> Result<LogoutReport, Failure> {
        signals::first().map_or(Ok(()), |signal| Err(Failure::Signal(signal)))?;
        Ok(stored(profile, Environment::from_process())?.logout()?)
    };
    let profiles = stored(DEFAULT, Environment::from_process())?.profiles()?;
    let (reports, failures): (Vec<_>, Vec<_>) = profiles.iter().map(logout).partition(Result::is_ok);
    let reports: Vec<LogoutReport> = reports.into_iter().flatten().collect();
    match common.json {
        true => json::print_line(&Value::Array(reports.iter().map(json::logout).collect())),
        false if profiles.is_empty() => say::talk("Nobody was signed in."),
        false => reports.iter().for_each(tell),
    }
    match failures.into_iter().next() {
        Some(failure) => failure.map(|_| ExitCode::SUCCESS),
        None => Ok(exit_code(&reports)),
    }
}

/// Erased here but not confirmed there is worth a code of its own.
fn exit_code(reports: &[LogoutReport]) -> ExitCode {
    if reports.iter().any(LogoutReport::is_unconfirmed) { ExitCode::from(5) } else { ExitCode::SUCCESS }
}

/// The truth in a line or two.
pub(crate) fn tell(report: &LogoutReport) {
    let profile = if report.profile == DEFAULT { String::new() } else { format!("{}: ", report.profile) };
    say::talk(&format!("{profile}{report}"));
    if !report.shared_with.is_empty() && report.refresh_token == Revocation::Revoked {
        let others = report.shared_with.join(", ");
        say::note(&format!("the same account is signed in as {others}; some servers end that session too"));
    }
}
