//! `hallpass status`

use std::time::{Duration, SystemTime};

use hallpass::{Environment, State, Status as ProfileStatus, StoreKind, User};
use serde_json::Value;

use crate::args::{Common, Status};
use crate::commands::override_token;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::profiles::{ConfigDir, selected};
use crate::settings::stored;
use crate::{json, report, say};

pub(crate) fn run(common: &Common, args: &Status) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    let environment = Environment::from_process();
    let (selected, current) = (selected(common, &environment)?, ConfigDir::of(&environment)?.current()?);
    let statuses = statuses(&selected, args.check)?;
    if common.json {
        let values = statuses.iter().map(|status| json::status(status, status.profile == current)).collect();
        json::print_line(&Value::Array(values));
    } else {
        statuses.iter().for_each(|status| say::value(&text(status, status.profile == current)));
    }
    Ok(exit_code(statuses.iter().find(|status| status.profile == selected)))
}

/// Every profile with a record, and the selected one in any case.
fn statuses(selected: &str, check: bool) -> Result<Vec<ProfileStatus>, Failure> {
    let pass = |profile: &str| stored(profile, Environment::from_process());
    let mut profiles = pass(selected)?.profiles()?;
    if !profiles.iter().any(|profile| profile == selected) {
        profiles.insert(0, selected.to_owned());
    }
    profiles
        .iter()
        .map(|profile| Ok(if check { pass(profile)?.check() } else { pass(profile)?.status() }))
        .collect()
}

fn exit_code(selected: Option<&ProfileStatus>) -> ExitCode {
    match selected.map(|status| &status.state) {
        Some(State::LoginRequired(error) | State::Unavailable(error)) => {
            ExitCode::from(report::describe(&Failure::Library(error.clone())).code)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn text(status: &ProfileStatus, is_current: bool) -> String {
    let star = if is_current { '*' } else { ' ' };
    let mut lines = vec![format!("{star} {}", status.profile)];
    if let Some(issuer) = &status.issuer {
        let who = status.user.as_ref().map_or_else(|| "somebody".to_owned(), User::label);
        lines.push(format!("    {who} at {issuer}"));
    }
    lines.push(format!("    {}", state(status, is_current)));
    if let Some(path) = status.path.as_ref().filter(|_| status.issuer.is_some()) {
        lines.push(match status.store {
            StoreKind::Keychain => format!("    kept in {}, sealed by the keychain", path.display()),
            _ => format!("    kept in the file {}", path.display()),
        });
    }
    lines.join("\n")
}

fn state(status: &ProfileStatus, is_current: bool) -> String {
    let profile = (!is_current).then_some(status.profile.as_str());
    match &status.state {
        State::LoginRequired(error) => format!("{error}; sign in with: {}", report::login_command(profile)),
        State::Unavailable(error) => error.to_string(),
        State::Verified => format!("signed in, confirmed by the server; {}", life(status)),
        _ => format!("signed in; {}", life(status)),
    }
}

fn life(status: &ProfileStatus) -> String {
    let renews = if status.renewable { "renews itself" } else { "does not renew itself" };
    let Some(end) = status.expires_at else { return format!("the token has no known end and {renews}") };
    match end.duration_since(SystemTime::now()) {
        Ok(left) => format!("the token has {} left and {renews}", rounded(left)),
        Err(_) => format!("the token has expired and {renews}"),
    }
}

/// Two units at most: nobody reads nanoseconds.
fn rounded(time: Duration) -> String {
    let seconds = match time.as_secs() {
        seconds @ 0..3600 => seconds,
        seconds => seconds / 60 * 60,
    };
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}
