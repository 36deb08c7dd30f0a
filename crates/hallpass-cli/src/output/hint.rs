//! What to do about a failure.

use hallpass::Error;
use hallpass::error::{
    Denied, KeychainError, Misuse, NetworkError, NetworkErrorKind, ServerIncompatible, ServerMisbehaved,
    StoreError,
};

use crate::failure::Failure;

/// What to do next, as one sentence; `login_command` is the command that signs in again.
pub(crate) fn hint(failure: &Failure, login_command: &str) -> Option<String> {
    match failure {
        Failure::Library(error) => library_hint(error, login_command),
        Failure::Usage { hint, .. } => Some(hint.clone()),
        Failure::Settings { hint, .. } => Some((*hint).to_owned()),
        Failure::TokenRefused { .. } => {
            Some("unset it to use what is stored, or set one that is valid".to_owned())
        }
        Failure::Signal(_) | Failure::Untouched | Failure::Unexpected(_) => None,
    }
}

fn library_hint(error: &Error, login_command: &str) -> Option<String> {
    let text = match error {
        Error::LoginRequired(_) => format!("sign in with: {login_command}"),
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
        Error::Network(error) => network_hint(error, login_command)?,
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

fn network_hint(error: &NetworkError, login_command: &str) -> Option<String> {
    let text = match error.kind {
        NetworkErrorKind::Tls if error.detail.starts_with("the CA file ") => {
            "name a file with certificates in PEM form that you may read".to_owned()
        }
        NetworkErrorKind::Tls => "add your authority with --ca-cert FILE or SSL_CERT_FILE".to_owned(),
        NetworkErrorKind::Proxy => "check HTTPS_PROXY and NO_PROXY".to_owned(),
        NetworkErrorKind::ShortLived => "ask for less with --min-ttl".to_owned(),
        NetworkErrorKind::Busy => "try again when it is done".to_owned(),
        NetworkErrorKind::KeepsRefusing(_) => {
            format!("the sign-in is kept; if this goes on, sign in again with: {login_command}")
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
