//! The text of every error of the library.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use hallpass::error::KeychainError;
use hallpass::error::{
    Denied, Error, LoginRequired, Misuse, NetworkError, NetworkErrorKind, OAuthError, ServerIncompatible,
    ServerMisbehaved, StoreError,
};

use super::Transcript;

fn path() -> PathBuf {
    PathBuf::from("/state/default.json")
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn every_error() {
    let mut transcript = Transcript::default();
    let mut list = |about: &str, errors: Vec<Error>| {
        transcript.about(about);
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        transcript.push(&lines.join("\n"));
    };
    list("LoginRequired", login_required());
    list("Denied", denied());
    list("ServerIncompatible", incompatible());
    list("ServerMisbehaved", misbehaved());
    list("Network", network());
    list("Store", store());
    list("TimedOut, Cancelled, Misuse", other());
    transcript.check("errors");
}

fn oauth_error() -> OAuthError {
    OAuthError::new("invalid_grant", Some("expired"), None)
}

fn login_required() -> Vec<Error> {
    let (stored, asked) = (text("https://a.example (client x)"), text("https://b.example (client y)"));
    [
        LoginRequired::NotSignedIn { profile: text("default") },
        LoginRequired::NotSignedIn { profile: text("work") },
        LoginRequired::OtherServer { stored, asked },
        LoginRequired::Expired,
        LoginRequired::NoRefreshToken,
        LoginRequired::Ended(None),
        LoginRequired::Ended(Some(oauth_error())),
        LoginRequired::ResponseLost {
            error: oauth_error(),
            lost_at: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        },
    ]
    .map(Error::from)
    .into()
}

fn denied() -> Vec<Error> {
    let other = Denied::OtherAccount { asked: text("ada@example.com"), found: text("test@example.com") };
    [Denied::ByServer(OAuthError::new("access_denied", Some("The user said no"), None)), other]
        .map(Error::from)
        .into()
}

fn incompatible() -> Vec<Error> {
    let issuer = text("https://a.example");
    let tried = vec![text("https://a.example/.well-known/openid-configuration: 404"), text("…: 404")];
    [
        ServerIncompatible::NoMetadata { issuer, tried },
        ServerIncompatible::NoEndpoint("token_endpoint"),
        ServerIncompatible::NoIdToken,
        ServerIncompatible::NoS256,
        ServerIncompatible::InsecureEndpoint { name: "token_endpoint", url: text("http://a.example/token") },
        ServerIncompatible::TokenType(text("mac")),
    ]
    .map(Error::from)
    .into()
}

fn misbehaved() -> Vec<Error> {
    let (expected, found) = (text("https://a.example"), text("https://b.example"));
    let hour = Duration::from_secs(3600);
    [
        ServerMisbehaved::MetadataIssuer { expected: expected.clone(), found: found.clone() },
        ServerMisbehaved::MetadataMember("jwks_uri"),
        ServerMisbehaved::AuthorizationIss { expected: expected.clone(), found: found.clone() },
        ServerMisbehaved::AuthorizationIssMissing,
        ServerMisbehaved::CodeMissing,
        ServerMisbehaved::DuplicateParameter("code"),
        ServerMisbehaved::TokenResponse(text("neither JSON nor a form")),
        ServerMisbehaved::DeviceResponse(text("no device_code")),
        ServerMisbehaved::AccessTokenMissing,
        ServerMisbehaved::Redirected("token endpoint"),
        ServerMisbehaved::TooLarge("token endpoint"),
        ServerMisbehaved::IdTokenMalformed("not three parts"),
        ServerMisbehaved::IdTokenAlg(text("none")),
        ServerMisbehaved::IdTokenHeader("crit"),
        ServerMisbehaved::IdTokenKey,
        ServerMisbehaved::IdTokenSignature,
        ServerMisbehaved::IdTokenClaim("sub"),
        ServerMisbehaved::IdTokenIss { expected, found },
        ServerMisbehaved::IdTokenAud,
        ServerMisbehaved::IdTokenAzp,
        ServerMisbehaved::IdTokenExpired { ago: hour, skew: None },
        ServerMisbehaved::IdTokenFromFuture { ahead: hour, skew: None },
        ServerMisbehaved::IdTokenNonce,
        ServerMisbehaved::IdTokenAuthTime(hour),
        ServerMisbehaved::IdTokenAtHash,
        ServerMisbehaved::IdTokenSub,
        ServerMisbehaved::Jwks,
        ServerMisbehaved::Userinfo(text("not JSON")),
        ServerMisbehaved::UserinfoSub,
    ]
    .map(Error::from)
    .into()
}

fn network() -> Vec<Error> {
    [
        NetworkErrorKind::Unreachable,
        NetworkErrorKind::TimedOut,
        NetworkErrorKind::Broken,
        NetworkErrorKind::InvalidResponse,
        NetworkErrorKind::Tls,
        NetworkErrorKind::Proxy,
        NetworkErrorKind::LifetimeTooShort,
        NetworkErrorKind::Status(401),
        NetworkErrorKind::Status(503),
        NetworkErrorKind::LoginFailed,
        NetworkErrorKind::Busy,
        NetworkErrorKind::FailedElsewhere,
        NetworkErrorKind::RetryLater,
        NetworkErrorKind::RefusedRepeatedly(4),
    ]
    .map(|kind| NetworkError::new(kind, "a.example:443", "the detail").into())
    .into()
}

fn store() -> Vec<Error> {
    let keychain = [
        KeychainError::Absent(text("the reason")),
        KeychainError::Locked,
        KeychainError::Refused,
        KeychainError::NoItem,
        KeychainError::TimedOut,
        KeychainError::Failed(text("the reason")),
    ];
    let sealed = keychain.clone().map(|cause| StoreError::Keychain { path: path(), cause });
    let others = [
        StoreError::Io { action: "write", path: path(), cause: text("the disk is full") },
        StoreError::SealBroken { path: path() },
        StoreError::Corrupt { path: path(), cause: text("line 1, column 2") },
        StoreError::Newer { path: path(), version: 2 },
        StoreError::Unsafe { path: path(), cause: text("it belongs to another user") },
        StoreError::NoDirectory(text("HOME is not set")),
        StoreError::ReadBack { path: path() },
    ];
    keychain.map(StoreError::NoKeychain).into_iter().chain(sealed).chain(others).map(Error::from).collect()
}

fn other() -> Vec<Error> {
    let redirect_uri = Some(text("http://127.0.0.1:5/callback"));
    vec![
        Error::TimedOut { waited: Duration::from_secs(300), redirect_uri, ignored: 0 },
        Error::Cancelled,
        Misuse::setting("issuer", "the problem").into(),
        Misuse::OtherSession {
            profile: text("work"),
            stored: text("https://a.example"),
            asked: text("https://b.example"),
        }
        .into(),
        Misuse::PortTaken(text("port 5 on 127.0.0.1 (in use by another program)")).into(),
    ]
}
