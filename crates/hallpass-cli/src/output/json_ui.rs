//! The steps of a login as JSON lines, for a parent program.

use std::time::SystemTime;

use hallpass::{LoginEvent, LoginUi};
use serde_json::json;

use crate::output::json;

/// Prints each event as one line; the countdown only once.
#[derive(Default)]
pub(crate) struct JsonUi {
    is_waiting: bool,
}

impl LoginUi for JsonUi {
    fn event(&mut self, event: LoginEvent) {
        let line = match event {
            LoginEvent::Store { kind, path, no_keychain } => {
                let no_keychain = no_keychain.map(|why| why.to_string());
                json!({"event": "store", "store": kind.as_str(), "path": path, "no_keychain": no_keychain})
            }
            LoginEvent::SlowKeychain => json!({"event": "slow_keychain"}),
            LoginEvent::OtherLogin { process } => json!({"event": "other_login", "pid": process}),
            LoginEvent::NoBrowser { reason } => {
                let told = if reason.is_request() { None } else { Some(reason.to_string()) };
                json!({"event": "no_browser", "reason": told})
            }
            LoginEvent::Tunnel(line) => json!({"event": "tunnel", "command": line}),
            LoginEvent::Url(url) => json!({"event": "url", "url": url.as_str()}),
            LoginEvent::UserCode {
                user_code,
                verification_uri,
                verification_uri_complete,
                expires_in,
                host,
            } => json!({
                "event": "user_code",
                "user_code": user_code,
                "verification_uri": verification_uri.as_str(),
                "verification_uri_complete": verification_uri_complete.as_ref().map(|url| url.as_str()),
                "expires_at": json::time(Some(SystemTime::now() + expires_in)),
                "host": host,
            }),
            LoginEvent::BrowserFailed(why) => json!({"event": "browser_failed", "reason": why}),
            LoginEvent::Waiting { .. } if std::mem::replace(&mut self.is_waiting, true) => return,
            LoginEvent::Waiting { redirect_uri, left } => {
                let until = json::time(Some(SystemTime::now() + left));
                json!({"event": "waiting", "redirect_uri": redirect_uri, "until": until})
            }
            LoginEvent::Pasted { characters } => json!({"event": "pasted", "characters": characters}),
            LoginEvent::Ignored(what) => json!({"event": "ignored", "reason": what.text()}),
            LoginEvent::Exchanging => json!({"event": "exchanging"}),
            LoginEvent::Note(note) => json!({"event": "note", "note": note}),
            _ => return,
        };
        json::print_line(&line);
    }
}
