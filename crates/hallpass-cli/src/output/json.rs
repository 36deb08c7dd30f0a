//! The JSON that commands print. Times are RFC 3339 in UTC.

use std::path::Path;
use std::time::SystemTime;

use hallpass::error::Error;
use hallpass::text::is_unprintable;
use hallpass::{
    AccessToken, Diagnosis, Explanation, LogoutReport, Revocation, Session, State, Status, User, Verdict,
};
use serde_json::{Value, json};

use crate::output::say;

/// Prints a value in one line.
pub(crate) fn print_line(value: &Value) {
    say::value(&escaped(&value.to_string()));
}

/// Prints an indented value.
pub(crate) fn print_pretty(value: &Value) {
    // `{:#}` is the indented form.
    say::value(&escaped(&format!("{value:#}")));
}

/// Escapes characters that a terminal might obey or hide. In JSON they occur only inside strings, where the escape
/// means the same.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_unprintable(c) {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

/// A time, or `null`.
pub(crate) fn time(time: Option<SystemTime>) -> Value {
    match time {
        Some(time) => humantime::format_rfc3339_seconds(time).to_string().into(),
        None => Value::Null,
    }
}

/// The user's claims as the server sent them.
pub(crate) fn user(user: &User) -> Value {
    Value::Object(user.claims.clone())
}

/// The last event of a login.
pub(crate) fn session(session: &Session) -> Value {
    json!({
        "event": "done",
        "profile": session.profile(),
        "issuer": session.issuer(),
        "client_id": session.client_id(),
        "user": session.user().map(user),
        "scopes": session.scopes(),
        "expires_at": time(session.expires_at()),
        "renewable": session.renewable(),
        "store": session.store().as_str(),
        "path": session.path().map(Path::to_string_lossy),
        "notes": session.notes(),
    })
}

/// The only event of a login that was not needed: the fields of [`session`], and `already`.
pub(crate) fn already_signed_in(status: &Status, token: &AccessToken) -> Value {
    json!({
        "event": "done",
        "already": true,
        "profile": status.profile,
        "issuer": status.issuer,
        "client_id": status.client_id,
        "user": status.user.as_ref().map(user),
        "scopes": token.scopes(),
        "expires_at": time(token.expires_at()),
        "renewable": status.renewable,
        "store": status.store.as_str(),
        "path": status.path.as_deref().map(Path::to_string_lossy),
        "notes": token.notes(),
    })
}

pub(crate) fn token(token: &AccessToken) -> Value {
    json!({
        "access_token": token.expose(),
        "token_type": "Bearer",
        "expires_at": time(token.expires_at()),
        "scopes": token.scopes(),
        "issuer": token.issuer(),
        "profile": token.profile(),
    })
}

pub(crate) fn logout(report: &LogoutReport) -> Value {
    json!({
        "profile": report.profile,
        "erased": report.erased,
        "revoked": {"refresh_token": revocation(&report.refresh_token), "access_token": revocation(&report.access_token)},
    })
}

fn revocation(outcome: &Revocation) -> &'static str {
    match outcome {
        Revocation::Revoked => "revoked",
        Revocation::Unsupported => "unsupported",
        Revocation::None => "none",
        _ => "failed",
    }
}

/// The output of `login --explain`.
pub(crate) fn explanation(explanation: &Explanation) -> Value {
    let looked_at: serde_json::Map<_, _> =
        explanation.looked_at().map(|(what, found)| (what.to_owned(), found.into())).collect();
    json!({
        "browser": {
            "opens": explanation.opens_browser(),
            "with": explanation.opener().to_string(),
            "reason": explanation.browser_reason().to_string(),
        },
        "device_grant": {
            "offered": explanation.offers_device_grant(),
            "reason": explanation.device_grant_reason(),
        },
        "tunnel": explanation.ssh_tunnel(),
        "redirect_uris": explanation.redirect_uris(),
        "any_port": explanation.takes_any_port(),
        "looked_at": looked_at,
    })
}

/// The output of `doctor`; `hint` gives what to do about an error.
pub(crate) fn diagnosis(diagnosis: &Diagnosis, hint: impl Fn(&Error) -> Option<String>) -> Value {
    let findings = diagnosis.findings.iter().map(|finding| {
        let hint = match &finding.verdict {
            Verdict::Trouble(error) => hint(error),
            _ => None,
        };
        json!({
            "subject": finding.subject.as_str(),
            "verdict": finding.verdict.as_str(),
            "text": finding.text,
            "hint": hint,
        })
    });
    json!({
        "ok": diagnosis.trouble().is_none(),
        "findings": findings.collect::<Vec<_>>(),
        "login": explanation(&diagnosis.explanation),
    })
}

/// One profile of `status`; `current` is the name of the current profile.
pub(crate) fn status(status: &Status, current: &str) -> Value {
    json!({
        "profile": status.profile,
        "current": status.profile == current,
        "state": state(&status.state),
        "user": status.user.as_ref().map(user),
        "issuer": status.issuer,
        "expires_at": time(status.expires_at),
        "renewable": status.renewable,
        "store": status.store.as_str(),
        "path": status.path.as_deref().map(Path::to_string_lossy),
    })
}

fn state(state: &State) -> &'static str {
    match state {
        State::Verified => "verified",
        State::Unverified => "unverified",
        State::LoginRequired(_) => "login_required",
        _ => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_that_a_terminal_obeys_gets_through_and_the_value_stays() {
        let value = json!({"name": "a\u{1b}[31m\u{202e}b\u{200b}\u{9b}\u{e0041}é"});
        for text in [escaped(&value.to_string()), escaped(&format!("{value:#}"))] {
            assert!(!text.chars().any(|c| c != '\n' && is_unprintable(c)), "{text}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
