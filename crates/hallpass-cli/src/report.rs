//! From a failure to message, hint and exit code, in one place.

use hallpass::Error;
use hallpass::error::KeychainError;
use hallpass::error::{
    Denied, Misuse, NetworkError, NetworkErrorKind, ServerIncompatible, ServerMisbehaved, StoreError,
};
use serde_json::json;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::settings::knows_server;
use crate::{json, say};

/// What a failure becomes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) code: u8,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// How a failure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Lines on stderr.
    Words,
    /// One JSON object.
    Json,
    /// The last of a verb's JSON events.
    Event,
}

/// Tells the failure and gives its exit code.
pub(crate) fn report(failure: &Failure, form: Form, profile: Option<&str>) -> ExitCode {
    let mut report = describe(failure);
    if let (Failure::Library(Error::LoginRequired(_)), Some(_)) = (failure, profile) {
        report.hint = Some(format!("sign in with: {}", login_command(profile)));
    }
    tell(&report, form)
}

fn tell(Report { code, kind, message, hint }: &Report, form: Form) -> ExitCode {
    let error = || json!({"code": code, "kind": kind, "message": message, "hint": hint});
    match form {
        Form::Json => json::print_line(&json!({"error": error()})),
        Form::Event => json::print_line(&json!({"event": "error", "error": error()})),
        Form::Words => say::error(message, hint.as_deref()),
    }
    ExitCode::from(*code)
}

/// The same for a command that ended by a signal. Why it could not finish what it had begun by then is told as ever.
pub(crate) fn interrupted(signal: i32, failure: &Failure, form: Form) -> ExitCode {
    let cancelled = describe(&Failure::Signal(signal));
    let words = match failure {
        Failure::Untouched => Some("Cancelled; nothing was changed."),
        Failure::Signal(_) | Failure::Library(Error::Cancelled) => Some("Cancelled."),
        _ => None,
    };
    match (form, words) {
        (Form::Words, Some(words)) => {
            say::talk(words);
            ExitCode::from(cancelled.code)
        }
        (_, Some(_)) => tell(&cancelled, form),
        (_, None) => {
            let Report { message, hint, .. } = describe(failure);
            tell(&Report { message, hint, ..cancelled }, form)
        }
    }
}

/// The exact command that signs in to a profile; `None` is the current one.
pub(crate) fn login_command(profile: Option<&str>) -> String {
    let of_profile = profile.map(|profile| format!(" --profile {profile}")).unwrap_or_default();
    let server = if knows_server(profile) { "" } else { " --issuer URL --client-id ID" };
    format!("hallpass login{of_profile}{server}")
}

pub(crate) fn describe(failure: &Failure) -> Report {
    let report = |code, kind, message: &str, hint: Option<&str>| Report {
        code,
        kind,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    };
    match failure {
        Failure::Library(error) => describe_library(error),
        Failure::Usage { message, hint } => report(2, "usage", message, Some(hint)),
        Failure::Settings { code, message, hint } => report(*code, "settings", message, Some(hint)),
        Failure::TokenRefused { variable } => {
            let message = format!("the server does not take the token in {variable}");
            report(
                4,
                "login_required",
                &message,
                Some("unset it to use what is stored, or set one that is valid"),
            )
        }
        Failure::Signal(signal) => {
            report(128 + u8::try_from(*signal).unwrap_or(2), "interrupted", "cancelled", None)
        }
        Failure::Untouched => describe_library(&Error::Cancelled),
        Failure::Unexpected(message) => report(1, "unexpected", message, None),
    }
}

fn describe_library(error: &Error) -> Report {
    let (code, kind) = code_and_kind(error);
    Report { code, kind, message: error.to_string(), hint: hint(error) }
}

/// The published exit codes.
fn code_and_kind(error: &Error) -> (u8, &'static str) {
    match error {
        Error::LoginRequired(_) => (4, "login_required"),
        Error::Denied(_) => (6, "denied"),
        Error::ServerIncompatible(_) => (3, "server_incompatible"),
        Error::ServerMisbehaved(_) => (3, "server_misbehaved"),
        Error::Network(_) => (5, "network"),
        Error::Store(_) => (8, "store"),
        Error::TimedOut { .. } => (7, "timed_out"),
        Error::Cancelled => (130, "interrupted"),
        Error::Misuse(_) => (2, "usage"),
        _ => (1, "unexpected"),
    }
}

/// What to do next, as one sentence.
fn hint(error: &Error) -> Option<String> {
    let text = match error {
        Error::LoginRequired(_) => format!("sign in with: {}", login_command(None)),
        Error::Denied(denied) => denied_hint(denied),
        Error::ServerIncompatible(ServerIncompatible::NoMetadata { .. }) => {
            "check the issuer, or name the endpoints: --endpoint authorization=URL --endpoint token=URL"
                .to_owned()
        }
        Error::ServerIncompatible(ServerIncompatible::NoIdToken) => {
            "sign in again with the scope openid: hallpass login --scope \"openid …\"".to_owned()
        }
        Error::ServerIncompatible(_) => "this has to be changed at the server; nothing was stored".to_owned(),
        Error::ServerMisbehaved(
            ServerMisbehaved::IdTokenExpired { skew: Some(_), .. }
            | ServerMisbehaved::IdTokenFromFuture { skew: Some(_), .. },
        ) => "set this computer's clock, then sign in again; nothing was stored".to_owned(),
        Error::ServerMisbehaved(_) => "nothing was stored; report this to whoever runs the server".to_owned(),
        Error::Network(error) => network_hint(error)?,
        Error::Store(error) => store_hint(error),
        Error::TimedOut { redirect_uri, ignored, .. } => timeout_hint(redirect_uri.as_deref(), *ignored),
        Error::Misuse(misuse) => misuse_hint(misuse)?,
        _ => return None,
    };
    Some(text)
}

fn denied_hint(denied: &Denied) -> String {
    match denied {
        Denied::ByServer(error) if error.error == "access_denied" => {
            "run hallpass login again if that was a mistake".to_owned()
        }
        Denied::ByServer(error)
            if matches!(error.error.as_str(), "invalid_client" | "unauthorized_client") =>
        {
            "check the client id, and that it is registered as a public (native) client".to_owned()
        }
        Denied::OtherAccount { .. } => {
            "nothing was stored; sign in as that account, or choose it in the browser: hallpass login --select-account".to_owned()
        }
        Denied::ByServer(error) if error.error == "invalid_scope" => "ask for less with --scope".to_owned(),
        _ => "run hallpass login again; an older sign-in is untouched".to_owned(),
    }
}

fn network_hint(error: &NetworkError) -> Option<String> {
    let text = match error.kind {
        NetworkErrorKind::Tls if error.detail.starts_with("the CA file ") => {
            "name a file with certificates in PEM form that you may read".to_owned()
        }
        NetworkErrorKind::Tls => "add your authority with --ca-cert FILE or SSL_CERT_FILE".to_owned(),
        NetworkErrorKind::Proxy => "check HTTPS_PROXY and NO_PROXY".to_owned(),
        NetworkErrorKind::LifetimeTooShort => "ask for less with --min-ttl".to_owned(),
        NetworkErrorKind::Busy => "try again when it is done".to_owned(),
        NetworkErrorKind::RefusedRepeatedly(_) => {
            format!("the sign-in is kept; if this goes on, sign in again with: {}", login_command(None))
        }
        NetworkErrorKind::Unreachable => {
            "check the address and your connection, then try again; a saved sign-in is kept".to_owned()
        }
        _ => match error.retry_after {
            Some(pause) => {
                format!("try again in {}; a saved sign-in is kept", humantime::format_duration(pause))
            }
            None => "try again; a saved sign-in is kept".to_owned(),
        },
    };
    Some(text).filter(|hint| !error.detail.contains(hint.as_str()))
}

fn store_hint(error: &StoreError) -> String {
    match error {
        StoreError::Corrupt { .. } => {
            "hallpass login sets it aside and starts anew; hallpass logout erases it".to_owned()
        }
        StoreError::Keychain { cause, .. } => keychain_hint(cause).to_owned(),
        StoreError::NoKeychain(KeychainError::Absent(_)) => {
            "keep the sign-in in a file: --storage file".to_owned()
        }
        StoreError::NoKeychain(_) => {
            "unlock it and try again, or keep the sign-in in a file: --storage file".to_owned()
        }
        StoreError::SealBroken { .. } => {
            "sign in again with: hallpass login; or erase it with: hallpass logout".to_owned()
        }
        StoreError::Newer { .. } => "use the newer hallpass, or erase it with: hallpass logout".to_owned(),
        StoreError::NoDirectory(_) | StoreError::Io { .. } => {
            "make the place writable, or choose another one: HALLPASS_STATE_DIR=/path".to_owned()
        }
        _ => "see hallpass status for where the sign-in is kept".to_owned(),
    }
}

/// None of these means that nobody is signed in.
fn keychain_hint(cause: &KeychainError) -> &'static str {
    match cause {
        KeychainError::Locked | KeychainError::Refused => {
            "unlock the keychain and try again; the sign-in is kept"
        }
        KeychainError::NoItem => "the key was removed from the keychain; sign in again with: hallpass login",
        _ => "try again where your keychain is, or sign in again into a file: hallpass login --storage file",
    }
}

fn timeout_hint(redirect_uri: Option<&str>, ignored: u32) -> String {
    let Some(redirect_uri) = redirect_uri else {
        return "nobody finished the sign-in; try again (--timeout 15m waits longer, --force does not wait for another process)".to_owned();
    };
    let strangers = match ignored {
        0 => String::new(),
        count => format!("ignored {count} callback(s) of another sign-in; "),
    };
    format!(
        "{strangers}if the browser showed an error of the server, register exactly this redirect URI: {redirect_uri} \
         (--redirect-uri fixes its port); if it could not connect, it may be on another machine; if it showed something \
         else, another program may own the port"
    )
}

fn misuse_hint(misuse: &Misuse) -> Option<String> {
    match misuse {
        Misuse::PortTaken(_) => Some(
            "close the program that has it, or give another registered address: --redirect-uri URI"
                .to_owned(),
        ),
        Misuse::OtherSession { .. } => {
            Some("choose the profile with --profile NAME, or drop --issuer and --client-id (HALLPASS_ISSUER and HALLPASS_CLIENT_ID too)".to_owned())
        }
        Misuse::Setting { setting, .. } => Some(setting_hint(setting).to_owned()),
        _ => None,
    }
}

/// How the setting is written.
fn setting_hint(setting: &str) -> &'static str {
    match setting {
        "issuer" => "give the server's address: --issuer https://login.example.com",
        "client_id" => "give the id that is registered at the server: --client-id ID",
        "redirect_uri" => "give it as it is registered: --redirect-uri http://127.0.0.1/callback",
        "listen" => "give both: --listen 0.0.0.0:9999 --redirect-uri http://localhost:9999/callback",
        "scope" => "separate scopes by spaces: --scope \"openid email\"",
        "resource" => "name the API by its address: --resource https://api.example.com",
        "param" => "leave it out of --param; most have an option of their own: hallpass login --help",
        "endpoint" => "--endpoint NAME=URL; the names are in: hallpass login --help",
        "profile" => "choose another name: --profile NAME",
        _ => "see hallpass --help",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use hallpass::error::ClockSkew;
    use hallpass::error::{LoginRequired, OAuthError};

    #[test]
    fn p67_the_published_codes_never_change() {
        let code = |error: Error| describe(&Failure::Library(error)).code;
        let network = NetworkError::new(NetworkErrorKind::TimedOut, "a", "");
        assert_eq!(code(Misuse::setting("issuer", "x").into()), 2);
        assert_eq!(code(ServerMisbehaved::CodeMissing.into()), 3);
        assert_eq!(code(ServerIncompatible::NoS256.into()), 3);
        assert_eq!(code(LoginRequired::Expired.into()), 4);
        assert_eq!(code(network.into()), 5);
        assert_eq!(code(Denied::ByServer(OAuthError::new("access_denied", None, None)).into()), 6);
        assert_eq!(code(Error::TimedOut { waited: Default::default(), redirect_uri: None, ignored: 0 }), 7);
        assert_eq!(code(StoreError::NoDirectory(String::new()).into()), 8);
        assert_eq!(describe(&Failure::Signal(2)).code, 130);
        assert_eq!(describe(&Failure::Signal(15)).code, 143);
        assert_eq!(describe(&Failure::Signal(1)).code, 129);
    }

    #[test]
    fn p36_a_clock_that_is_known_to_be_wrong_is_nothing_to_report_to_the_server() {
        let hint = |skew| {
            let (ago, ahead) = (Duration::from_secs(3600), Duration::from_secs(3600));
            let expired = ServerMisbehaved::IdTokenExpired { ago, skew: Clone::clone(&skew) };
            let from_future = ServerMisbehaved::IdTokenFromFuture { ahead, skew };
            [expired, from_future].map(|rule| describe(&Failure::Library(rule.into())).hint.unwrap())
        };
        let skew = ClockSkew::Ahead { by: Duration::from_secs(3600), host: "login.example.com".to_owned() };
        assert!(hint(Some(skew)).iter().all(|hint| hint.starts_with("set this computer's clock")));
        assert!(hint(None).iter().all(|hint| hint.contains("report this to whoever runs the server")));
    }
}
