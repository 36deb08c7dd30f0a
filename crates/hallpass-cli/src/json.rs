//! What commands answer as JSON; every time is RFC 3339 in UTC.

use std::path::Path;
use std::time::SystemTime;

use hallpass::{
    AccessToken, Diagnosis, Explanation, LogoutReport, Revocation, Session, State, Status, User, Verdict,
};
use serde_json::{Value, json};

use crate::say;

/// One line.
pub(crate) fn print_line(value: &Value) {
    say::value(&harmless(&value.to_string()));
}

/// Indented, for people and programs alike.
pub(crate) fn print_pretty(value: &Value) {
    say::value(&pretty(value));
}

pub(crate) fn pretty(value: &Value) -> String {
    harmless(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// Spells out what a terminal might obey or hide: control, bidirectional and zero-width characters. In JSON
/// they can stand inside strings only, where an escape means the same.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\n' => text.push(c),
            c if c.is_control() || is_invisible(c) => {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
            }
            c => text.push(c),
        }
    }
    text
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

pub(crate) fn time(time: Option<SystemTime>) -> Value {
    time.map_or(Value::Null, |time| humantime::format_rfc3339_seconds(time).to_string().into())
}

/// The claims as the server sent them.
pub(crate) fn user(user: &User) -> Value {
    Value::Object(user.claims.clone())
}

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

/// What a login says that was not needed: as [`session`], and that nothing was done.
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

/// What a login would do about the browser, and all that was looked at.
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

pub(crate) fn diagnosis(diagnosis: &Diagnosis, hint: impl Fn(&Verdict) -> Option<String>) -> Value {
    let findings = diagnosis.findings.iter().map(|finding| {
        json!({
            "subject": finding.subject.as_str(),
            "verdict": finding.verdict.as_str(),
            "text": finding.text,
            "hint": hint(&finding.verdict),
        })
    });
    json!({
        "ok": diagnosis.trouble().is_none(),
        "findings": findings.collect::<Vec<_>>(),
        "login": explanation(&diagnosis.explanation),
    })
}

pub(crate) fn status(status: &Status, is_current: bool) -> Value {
    json!({
        "profile": status.profile,
        "current": is_current,
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
        for text in [harmless(&value.to_string()), pretty(&value)] {
            assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || is_invisible(c))), "{text}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
