//! `hallpass logout`

use std::process::ExitCode;

use hallpass::{Environment, Hallpass, LogoutReport};
use serde_json::Value;

use crate::args::{Common, Logout};
use crate::commands::override_token;
use crate::failure::Failure;
use crate::profiles::DEFAULT;
use crate::settings::{stored_builder, stored_pass};
use crate::{json, say};

pub(crate) fn run(common: &Common, args: &Logout) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    let pass = stored_pass(common, &args.asked)?;
    let reports = if args.all { all(&pass)? } else { vec![pass.logout()?] };
    if common.json {
        print_json(&reports, args.all);
    } else {
        reports.iter().for_each(tell);
    }
    Ok(exit_code(&reports))
}

fn all(pass: &Hallpass) -> Result<Vec<LogoutReport>, Failure> {
    let profiles = pass.profiles()?;
    profiles
        .iter()
        .map(|profile| Ok(stored_builder(profile, Environment::of_process())?.build()?.logout()?))
        .collect()
}

/// Erased here but not confirmed there is worth a code of its own.
fn exit_code(reports: &[LogoutReport]) -> ExitCode {
    if reports.iter().any(LogoutReport::is_unconfirmed) { ExitCode::from(5) } else { ExitCode::SUCCESS }
}

fn print_json(reports: &[LogoutReport], is_list: bool) {
    let mut values: Vec<Value> = reports.iter().map(json::logout).collect();
    match is_list {
        true => json::print_line(&Value::Array(values)),
        false => json::print_line(&values.remove(0)),
    }
}

/// The truth in a line or two.
pub(crate) fn tell(report: &LogoutReport) {
    let profile = if report.profile == DEFAULT { String::new() } else { format!("{}: ", report.profile) };
    say::talk(&format!("{profile}{report}"));
    if !report.shared_with.is_empty() {
        let others = report.shared_with.join(", ");
        say::note(&format!("the same account is signed in as {others}; some servers end that session too"));
    }
}
