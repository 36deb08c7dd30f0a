//! `hallpass status`

use std::time::{Duration, SystemTime};

use hallpass::{Environment, State, Status as ProfileStatus, StoreKind};
use serde_json::Value;

use crate::args::{Common, Status};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::hint::error_hint;
use crate::output::{json, report, say};
use crate::settings::login_command::login_command;
use crate::settings::override_token;
use crate::settings::profiles::{ConfigDir, selected};
use crate::settings::stored::stored;

pub(crate) fn run(common: &Common, args: &Status) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    let environment = Environment::from_process();
    let selected = selected(common, &environment)?;
    let current = ConfigDir::from_environment(&environment)?.current()?;
    let statuses = statuses(args, &selected)?;
    if common.json {
        let values = statuses.iter().map(|status| json::status(status, &current)).collect();
        json::print_line(&Value::Array(values));
    } else {
        for status in &statuses {
            say::value(&text(status, &current));
        }
    }
    Ok(match statuses.iter().find(|status| status.profile == selected).map(|status| &status.state) {
        Some(State::LoginRequired(error) | State::Unavailable(error)) => {
            report::exit_code(&Failure::Library(error.clone()))
        }
        _ => ExitCode::SUCCESS,
    })
}

/// Returns the status of every profile with credentials, and of the selected profile even without.
fn statuses(args: &Status, selected: &str) -> Result<Vec<ProfileStatus>, Failure> {
    let pass = |profile: &str| stored(profile, Environment::from_process());
    let mut profiles = pass(selected)?.profiles()?;
    if !profiles.iter().any(|profile| profile == selected) {
        profiles.insert(0, selected.to_owned());
    }
    profiles
        .iter()
        .map(|profile| {
            let pass = pass(profile)?;
            Ok(if args.check { pass.check() } else { pass.status() })
        })
        .collect()
}

fn text(status: &ProfileStatus, current: &str) -> String {
    let mark = if status.profile == current { '*' } else { ' ' };
    let mut text = format!("{mark} {}", status.profile);
    for line in details(status, current) {
        text += &format!("\n    {line}");
    }
    text
}

fn details(status: &ProfileStatus, current: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match (&status.user, &status.issuer) {
        (Some(user), Some(issuer)) => lines.push(format!("{} at {issuer}", user.label())),
        (None, Some(issuer)) => lines.push(issuer.clone()),
        (_, None) => {}
    }
    match &status.state {
        State::LoginRequired(error) => {
            let profile = if status.profile == current { None } else { Some(status.profile.as_str()) };
            lines.push(format!("{error}; sign in with: {}", login_command(profile)));
        }
        State::Unavailable(error) => {
            lines.push(error.to_string());
            let hint = error_hint(error, &login_command(None));
            lines.extend(hint.map(|hint| format!("hint: {hint}")));
        }
        State::Verified => lines.extend(["signed in, confirmed by the server".to_owned(), expiry(status)]),
        _ => lines.extend(["signed in".to_owned(), expiry(status)]),
    }
    if let (Some(path), Some(_)) = (&status.path, &status.issuer) {
        let path = path.display();
        lines.push(match status.store {
            StoreKind::Keychain => format!("stored in {path}, encrypted with a key in the keychain"),
            _ => format!("stored in {path}, not encrypted"),
        });
    }
    lines
}

fn expiry(status: &ProfileStatus) -> String {
    let Some(end) = status.expires_at else {
        return "access token has no known expiry".to_owned();
    };
    match end.duration_since(SystemTime::now()) {
        Ok(left) if left.as_secs() > 0 => {
            let refresh = if status.renewable { "refreshed automatically" } else { "cannot be refreshed" };
            format!("access token expires in {}; {refresh}", rounded(left))
        }
        _ if status.renewable => "access token expired; refreshed on next use".to_owned(),
        _ => "access token expired; cannot be refreshed".to_owned(),
    }
}

/// Formats a duration in minutes, or in seconds if it is less than an hour.
fn rounded(duration: Duration) -> String {
    let seconds = match duration.as_secs() {
        seconds @ 0..3600 => seconds,
        seconds => seconds / 60 * 60,
    };
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}
