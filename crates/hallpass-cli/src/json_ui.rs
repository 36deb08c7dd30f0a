//! The steps of a login as JSON, one line each, for a parent program that relays them.

use std::time::SystemTime;

use hallpass::{LoginEvent, LoginUi};
use serde_json::json;

use crate::json;

/// Prints each event once.
#[derive(Default)]
pub(crate) struct JsonUi {
    announced: bool,
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
            LoginEvent::Waiting { .. } if std::mem::replace(&mut self.announced, true) => return,
            LoginEvent::Waiting { redirect_uri, left } => {
                json!({"event": "waiting", "redirect_uri": redirect_uri, "until": json::time(Some(SystemTime::now() + left))})
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
