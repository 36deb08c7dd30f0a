//! Hints: one sentence on what to do about a failure.

use hallpass::Error;
use hallpass::error::{
    Denied, KeychainError, Misuse, NetworkError, NetworkErrorKind, ServerIncompatible, ServerMisbehaved,
    StoreError,
};

use crate::failure::Failure;

/// Returns the hint of a failure; `login_command` is the command that signs in again.
pub(crate) fn hint(failure: &Failure, login_command: &str) -> Option<String> {
    match failure {
        Failure::Library(error) => error_hint(error, login_command),
        Failure::Usage { hint, .. } => Some(hint.clone()),
        Failure::Settings { hint, .. } => Some((*hint).to_owned()),
        Failure::TokenRejected { .. } => {
            Some("unset it to use your saved credentials, or set a valid token".to_owned())
        }
        Failure::Signal(_) | Failure::CancelledUnchanged | Failure::Unexpected(_) => None,
    }
}

/// Returns the hint of a library error.
pub(crate) fn error_hint(error: &Error, login_command: &str) -> Option<String> {
    Some(match error {
        Error::LoginRequired(_) => format!("sign in with: {login_command}"),
        Error::Denied(denied) => denied_hint(denied).to_owned(),
        Error::ServerIncompatible(ServerIncompatible::NoMetadata { .. }) => {
            "check the issuer, or set the endpoints: --endpoint authorization=URL --endpoint token=URL"
                .to_owned()
        }
        Error::ServerIncompatible(ServerIncompatible::NoIdToken) => {
            "sign in again with the openid scope: hallpass login --scope \"openid profile email offline_access\"".to_owned()
        }
        Error::ServerIncompatible(_) => "nothing was saved; this has to be fixed at the server".to_owned(),
        Error::ServerMisbehaved(
            ServerMisbehaved::IdTokenExpired { skew: Some(_), .. }
            | ServerMisbehaved::IdTokenFromFuture { skew: Some(_), .. },
        ) => "set this computer's clock, then sign in again; nothing was saved".to_owned(),
        Error::ServerMisbehaved(_) => {
            "nothing was saved; report this to the operator of the server".to_owned()
        }
        Error::Network(error) => network_hint(error, login_command),
        Error::Store(error) => store_hint(error).to_owned(),
        Error::TimedOut { redirect_uri: Some(redirect_uri), ignored, .. } => {
            timeout_hint(redirect_uri, *ignored)
        }
        Error::TimedOut { redirect_uri: None, .. } => {
            "try again; to wait longer: --timeout 15m; to not wait for another process: --force".to_owned()
        }
        Error::Misuse(misuse) => misuse_hint(misuse)?.to_owned(),
        _ => return None,
    })
}

fn denied_hint(denied: &Denied) -> &'static str {
    match denied {
        Denied::OtherAccount { .. } => {
            "nothing was saved; sign in with that account, or pick it in the browser: hallpass login --select-account"
        }
        Denied::ByServer(error) => match error.error.as_str() {
            "access_denied" => "run hallpass login again if that was a mistake",
            "invalid_client" | "unauthorized_client" => {
                "check the client ID, and that it is registered as a public (native) client"
            }
            "invalid_scope" => "request fewer scopes with --scope",
            _ => RUN_AGAIN,
        },
        _ => RUN_AGAIN,
    }
}

const RUN_AGAIN: &str = "run hallpass login again; existing credentials are unchanged";

fn network_hint(error: &NetworkError, login_command: &str) -> String {
    let hint = match error.kind {
        NetworkErrorKind::CaFile => "use a file with certificates in PEM format that you can read",
        NetworkErrorKind::Tls => "check the URL and this computer's clock",
        NetworkErrorKind::Proxy => "check HTTPS_PROXY and NO_PROXY",
        NetworkErrorKind::LifetimeTooShort => "request a shorter lifetime with --min-ttl",
        NetworkErrorKind::Busy => "try again when it has finished",
        NetworkErrorKind::RefusedRepeatedly(_) => {
            return format!(
                "your credentials are kept; if this continues, sign in again with: {login_command}"
            );
        }
        NetworkErrorKind::Unreachable => {
            "check the URL and your connection, then try again; saved credentials are kept"
        }
        NetworkErrorKind::Status(_) if !error.is_retryable() => {
            "check the client ID and secret, then try again; saved credentials are kept"
        }
        _ => match error.retry_after {
            Some(pause) => {
                let pause = humantime::format_duration(pause);
                return format!("try again in {pause}; saved credentials are kept");
            }
            None => "try again; saved credentials are kept",
        },
    };
    hint.to_owned()
}

fn store_hint(error: &StoreError) -> &'static str {
    match error {
        StoreError::Corrupt { .. } => {
            "hallpass login moves it aside and starts fresh; hallpass logout deletes it"
        }
        StoreError::Keychain { cause, .. } => keychain_hint(cause),
        StoreError::NoKeychain(KeychainError::Absent(_)) => "store credentials in a file: --storage file",
        StoreError::NoKeychain(_) => {
            "unlock it and try again, or store credentials in a file: --storage file"
        }
        StoreError::SealBroken { .. } => {
            "sign in again with: hallpass login; or delete it with: hallpass logout"
        }
        StoreError::Newer { .. } => "use the newer hallpass, or delete it with: hallpass logout",
        StoreError::NoDirectory(_) => "set HOME, or choose a directory: HALLPASS_STATE_DIR=/path",
        StoreError::Io { .. } => {
            "check its permissions and the free space, or use another directory: HALLPASS_STATE_DIR=/path"
        }
        StoreError::Unsafe { .. } => {
            "correct its owner and permissions, or use another directory: HALLPASS_STATE_DIR=/path"
        }
        _ => "check the disk, or use another directory: HALLPASS_STATE_DIR=/path",
    }
}

fn keychain_hint(cause: &KeychainError) -> &'static str {
    match cause {
        KeychainError::Locked | KeychainError::Refused => {
            "unlock the keychain and try again; your credentials are kept"
        }
        KeychainError::NoItem => "the key was removed from the keychain; sign in again with: hallpass login",
        _ => {
            "try again where your keychain is available, or sign in again with: hallpass login --storage file"
        }
    }
}

fn timeout_hint(redirect_uri: &str, ignored: u32) -> String {
    let ignored = match ignored {
        0 => String::new(),
        1 => "ignored 1 callback of another sign-in; ".to_owned(),
        count => format!("ignored {count} callbacks of other sign-ins; "),
    };
    format!(
        "{ignored}check the client ID and that this redirect URI is registered: {redirect_uri}; \
         if your browser is on another machine, run: hallpass login --explain"
    )
}

fn misuse_hint(misuse: &Misuse) -> Option<&'static str> {
    match misuse {
        Misuse::PortTaken(_) => {
            Some("close the program that uses it, or use another registered redirect URI: --redirect-uri URI")
        }
        Misuse::OtherSession { .. } => Some(
            "choose a profile with --profile NAME, or remove --issuer and --client-id (and unset HALLPASS_ISSUER and HALLPASS_CLIENT_ID)",
        ),
        Misuse::Setting { setting, .. } => Some(setting_hint(setting)),
        _ => None,
    }
}

/// Shows how a setting is written.
fn setting_hint(setting: &str) -> &'static str {
    match setting {
        "issuer" => "use the issuer's URL: --issuer https://login.example.com",
        "client_id" => "use the client ID that is registered with the server: --client-id ID",
        "redirect_uri" => "use it exactly as registered: --redirect-uri http://127.0.0.1/callback",
        "listen" => "use both: --listen 0.0.0.0:9999 --redirect-uri http://localhost:9999/callback",
        "scope" => "separate scopes with spaces: --scope \"openid email\"",
        "resource" => "use the API's URL: --resource https://api.example.com",
        "param" => {
            "use --param NAME=VALUE, each name once; parameters that have an option are set with it: hallpass login --help"
        }
        "endpoint" => {
            "use an https URL: --endpoint token=https://login.example.com/token; for the names, see: hallpass login --help"
        }
        "profile" => "choose another name: --profile NAME",
        "provider" => "use one of these names: --provider NAME",
        _ => "see hallpass --help",
    }
}
