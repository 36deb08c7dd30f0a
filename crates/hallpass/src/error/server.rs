//! A server that lacks something or broke a rule.

use std::time::Duration;

use super::ClockSkew;

/// What the server lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerIncompatible {
    /// No metadata document was found, and no endpoints were given (OpenID Discovery §4, RFC 8414 §3).
    #[error("{issuer} publishes no usable metadata ({})", .tried.join("; "))]
    NoMetadata {
        /// The issuer that was asked.
        issuer: String,
        /// Each address with what it answered.
        tried: Vec<String>,
    },
    /// An endpoint that this verb needs is neither in the metadata nor in the settings.
    #[error("the server names no {0}")]
    NoEndpoint(&'static str),
    /// The server gave no ID token, or none that is still valid (OpenID Connect Core §12.2 lets it leave it out
    /// of a refresh).
    #[error("this session has no valid ID token; ask for the scope openid, and sign in again if it expired")]
    NoIdToken,
    /// `code_challenge_methods_supported` is there and does not list `S256` (RFC 7636 §4.2).
    #[error("the server supports no PKCE with S256")]
    NoS256,
    /// An endpoint is neither https nor http on loopback under an http loopback issuer.
    #[error("the server's {name} is not https: {url}")]
    InsecureEndpoint {
        /// The metadata member.
        name: &'static str,
        /// The value, cleaned.
        url: String,
    },
    /// A token of a type that cannot be sent as a bearer token (RFC 6749 §7.1).
    #[error("the server gave a token of type \"{0}\", which cannot be used as a bearer token")]
    TokenType(String),
}

/// The rule that the server broke: one variant per rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerMisbehaved {
    /// The metadata is of another issuer (RFC 8414 §3.3, OpenID Discovery §4.3).
    #[error("the metadata names another issuer: asked {expected}, found {found}")]
    MetadataIssuer {
        /// The issuer that was asked.
        expected: String,
        /// What the document says.
        found: String,
    },
    /// A metadata member is not a usable URL (RFC 8414 §2).
    #[error("the server's metadata has an unusable {0}")]
    MetadataMember(&'static str),
    /// The callback came from another issuer (RFC 9207 §2.4).
    #[error("the answer came from another issuer: expected {expected}, got {found}")]
    AuthorizationIss {
        /// The issuer that the browser was sent to.
        expected: String,
        /// The `iss` parameter.
        found: String,
    },
    /// `iss` is missing beside a code although the metadata promises it (RFC 9207 §2.4).
    #[error("the answer lacks \"iss\", which this server's metadata promises")]
    AuthorizationIssMissing,
    /// Neither `code` nor `error` came back with our state (RFC 6749 §4.1.2).
    #[error("the answer has no authorization code")]
    CodeMissing,
    /// A parameter came twice (RFC 6749 §3.1).
    #[error("the answer has \"{0}\" twice")]
    ParameterDoubled(&'static str),

    /// The token endpoint sent something that is neither JSON nor form-encoded (RFC 6749 §5.1).
    #[error("the token endpoint's answer cannot be read ({0})")]
    TokenResponse(String),
    /// The device authorization endpoint sent something that lacks what is required (RFC 8628 §3.2).
    #[error("the device authorization endpoint's answer cannot be used ({0})")]
    DeviceResponse(String),
    /// `access_token` is missing, empty, no string, or not of printable ASCII (RFC 6749 §5.1, appendix A.12).
    #[error("the token endpoint's answer has no usable access_token")]
    AccessTokenMissing,
    /// An endpoint answered with a redirect, which is never followed with a secret.
    #[error("the {0} answered with a redirect")]
    Redirected(&'static str),
    /// An answer is larger than 1 MiB.
    #[error("the {0} sent more than 1 MiB")]
    TooLarge(&'static str),

    /// The ID token is no JWS in compact form with JSON parts (RFC 7515 §7.1).
    #[error("the ID token cannot be read: {0}")]
    IdTokenMalformed(&'static str),
    /// `alg` is `none`, symmetric or unknown (RFC 8725 §3.1).
    #[error("the ID token is signed with \"{0}\", which is not accepted")]
    IdTokenAlg(String),
    /// `typ` names another kind of token, or `crit` a header that is not understood (RFC 8725 §3.11, RFC 7515 §4.1.11).
    #[error("the ID token's header is not that of an ID token ({0})")]
    IdTokenHeader(&'static str),
    /// No key of the server's JWKS fits (OpenID Connect Core §10.1).
    #[error("the server publishes no key for its ID token's signature")]
    IdTokenKey,
    /// The signature does not verify (OpenID Connect Core §3.1.3.7, 6).
    #[error("the ID token's signature is wrong")]
    IdTokenSignature,
    /// A claim is missing or of the wrong type (OpenID Connect Core §2).
    #[error("the ID token has no usable \"{0}\"")]
    IdTokenClaim(&'static str),
    /// `iss` is not the issuer (OpenID Connect Core §3.1.3.7, 2).
    #[error("the ID token is of another issuer: expected {expected}, got {found}")]
    IdTokenIss {
        /// The issuer that was asked.
        expected: String,
        /// The `iss` claim, cleaned.
        found: String,
    },
    /// `aud` is not this client, or names another one beside it (OpenID Connect Core §3.1.3.7, 3).
    #[error("the ID token is for another client")]
    IdTokenAud,
    /// `azp` is missing with several audiences, or is not this client (OpenID Connect Core §3.1.3.7, 4 and 5).
    #[error("the ID token was issued to another client")]
    IdTokenAzp,
    /// `exp` has passed (OpenID Connect Core §3.1.3.7, 9).
    #[error("the ID token expired {} ago by this computer's clock{}", humantime::format_duration(*.ago), told(.skew))]
    IdTokenExpired {
        /// For how long by now.
        ago: Duration,
        /// How far that clock is from the server's, as far as its `Date` tells.
        skew: Option<ClockSkew>,
    },
    /// `iat` or `nbf` lies in the future (OpenID Connect Core §3.1.3.7, 10).
    #[error("the ID token is from {} in the future by this computer's clock{}", humantime::format_duration(*.ahead), told(.skew))]
    IdTokenFromFuture {
        /// How far.
        ahead: Duration,
        /// How far that clock is from the server's, as far as its `Date` tells.
        skew: Option<ClockSkew>,
    },
    /// `nonce` is missing or not the one sent (OpenID Connect Core §3.1.3.7, 11).
    #[error("the ID token does not belong to this sign-in (nonce)")]
    IdTokenNonce,
    /// `auth_time` is older than the `max_age` that was asked for (OpenID Connect Core §3.1.3.7, 13).
    #[error("the user signed in {} before the server issued the ID token, longer than max_age allows", humantime::format_duration(*.0))]
    IdTokenAuthTime(Duration),
    /// `at_hash` does not match the access token (OpenID Connect Core §3.1.3.8).
    #[error("the ID token belongs to another access token (at_hash)")]
    IdTokenAtHash,
    /// After a refresh, the ID token names another user (OpenID Connect Core §12.2).
    #[error("the refreshed ID token is of another user")]
    IdTokenSub,

    /// The JWKS is no JSON object with a list of keys (RFC 7517 §5).
    #[error("the server's keys cannot be read")]
    Jwks,
    /// Userinfo is no JSON object (OpenID Connect Core §5.3.2).
    #[error("the userinfo answer cannot be read ({0})")]
    Userinfo(String),
    /// Userinfo's `sub` is missing or not the ID token's (OpenID Connect Core §5.3.2).
    #[error("the userinfo answer is about another user")]
    UserinfoSub,
}

impl ServerMisbehaved {
    /// The same, with what is known of the clock that times were judged by.
    pub(crate) fn with_skew(mut self, measured: Option<ClockSkew>) -> ServerMisbehaved {
        use ServerMisbehaved::{IdTokenExpired, IdTokenFromFuture};
        if let IdTokenExpired { skew, .. } | IdTokenFromFuture { skew, .. } = &mut self {
            *skew = measured;
        }
        self
    }
}

fn told(skew: &Option<ClockSkew>) -> String {
    skew.as_ref().map(|skew| format!(", which is {skew}")).unwrap_or_default()
}
