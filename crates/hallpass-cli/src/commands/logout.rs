//! `hallpass logout`

use hallpass::{Environment, LogoutReport, Revocation};
use serde_json::Value;

use crate::args::{Common, Logout};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{json, say};
use crate::settings::override_token;
use crate::settings::profiles::DEFAULT;
use crate::settings::stored::{stored, stored_pass};
use crate::system::signals;

pub(crate) fn run(common: &Common, args: &Logout) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    if args.all {
        return logout_all(common);
    }
    let report = stored_pass(common, &args.server)?.logout()?;
    if common.json {
        json::print_line(&json::logout(&report));
    } else {
        show(&report);
    }
    Ok(exit_code(&[report]))
}

/// Signs out of all profiles. A failure does not keep the others from being signed out, and the first one is returned;
/// a signal does.
fn logout_all(common: &Common) -> Result<ExitCode, Failure> {
    let profiles = stored(DEFAULT, Environment::from_process())?.profiles()?;
    let (mut reports, mut failure) = (Vec::new(), None);
    for profile in &profiles {
        let outcome = match signals::first() {
            Some(signal) => Err(Failure::Signal(signal)),
            None => stored(profile, Environment::from_process()).and_then(|pass| Ok(pass.logout()?)),
        };
        match outcome {
            Ok(report) => reports.push(report),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    if common.json {
        json::print_line(&Value::Array(reports.iter().map(json::logout).collect()));
    } else if profiles.is_empty() {
        say::message("Not signed in.");
    } else {
        reports.iter().for_each(show);
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(exit_code(&reports)),
    }
}

/// Returns the exit code of logouts that succeeded here.
pub(crate) fn exit_code(reports: &[LogoutReport]) -> ExitCode {
    if reports.iter().any(LogoutReport::is_unconfirmed) { ExitCode::UNCONFIRMED } else { ExitCode::SUCCESS }
}

/// Prints what was deleted and revoked.
pub(crate) fn show(report: &LogoutReport) {
    let profile = if report.profile == DEFAULT { String::new() } else { format!("{}: ", report.profile) };
    say::message(&format!("{profile}{report}"));
    if !report.shared_with.is_empty() && report.refresh_token == Revocation::Revoked {
        let others = report.shared_with.join(", ");
        say::note(&format!("these profiles use the same account: {others}; some servers sign them out too"));
    }
}
