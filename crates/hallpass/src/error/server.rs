//! Servers that lack a required feature or violate the protocol.

use std::time::Duration;

use super::ClockSkew;

/// The feature that the server lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerIncompatible {
    /// No metadata document was found, and no endpoints were configured (OpenID Connect Discovery §4, RFC 8414 §3).
    #[error("{issuer} publishes no usable metadata ({})", .tried.join("; "))]
    NoMetadata {
        /// The configured issuer.
        issuer: String,
        /// Each URL that was requested, with its response.
        tried: Vec<String>,
    },
    /// A required endpoint is neither in the metadata nor in the settings.
    #[error("the server's metadata has no {0}")]
    NoEndpoint(&'static str),
    /// The server issued no ID token, or the stored one has expired (a refresh response may leave it out, OpenID
    /// Connect Core §12.2).
    #[error("this session has no valid ID token")]
    NoIdToken,
    /// `code_challenge_methods_supported` is present and does not list `S256` (RFC 7636 §4.2).
    #[error("the server does not support PKCE with S256")]
    NoS256,
    /// An endpoint is neither https nor, if the issuer is http on loopback, http on loopback.
    #[error("the server's {name} is not a valid https URL: {url}")]
    InsecureEndpoint {
        /// The endpoint's name in the metadata.
        name: &'static str,
        /// The URL, cleaned for display.
        url: String,
    },
    /// The token has a type that cannot be sent as a bearer token (RFC 6749 §7.1).
    #[error("the server issued a token of type \"{0}\", which cannot be used as a bearer token")]
    TokenType(String),
}

/// The rule of the protocol that the server violated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerMisbehaved {
    /// The metadata belongs to another issuer (RFC 8414 §3.3, OpenID Connect Discovery §4.3).
    #[error("the metadata is for another issuer: expected {expected}, found {found}")]
    MetadataIssuer {
        /// The configured issuer.
        expected: String,
        /// The issuer in the document.
        found: String,
    },
    /// An endpoint in the metadata is not a usable URL (RFC 8414 §2).
    #[error("the server's metadata has an invalid {0}")]
    MetadataMember(&'static str),
    /// The authorization response came from another issuer (RFC 9207 §2.4).
    #[error("the authorization response came from another issuer: expected {expected}, found {found}")]
    AuthorizationIss {
        /// The issuer to which the browser was sent.
        expected: String,
        /// The `iss` parameter.
        found: String,
    },
    /// The authorization response has a code but no `iss`, although the metadata promises one (RFC 9207 §2.4).
    #[error("the authorization response has no \"iss\", which the server's metadata promises")]
    AuthorizationIssMissing,
    /// The authorization response has the right `state` but neither `code` nor `error` (RFC 6749 §4.1.2).
    #[error("the authorization response has no code")]
    CodeMissing,
    /// The authorization response has a parameter more than once (RFC 6749 §3.1).
    #[error("the authorization response has more than one \"{0}\"")]
    DuplicateParameter(&'static str),

    /// The token response is neither JSON nor form-encoded (RFC 6749 §5.1).
    #[error("the token response is invalid ({0})")]
    TokenResponse(String),
    /// The device authorization response lacks a required member (RFC 8628 §3.2).
    #[error("the device authorization response is invalid ({0})")]
    DeviceResponse(String),
    /// `access_token` is missing, empty, not a string, or not printable ASCII (RFC 6749 §5.1, appendix A.12).
    #[error("the token response has no usable access_token")]
    AccessTokenMissing,
    /// The response is a redirect. Requests with secrets never follow one.
    #[error("the {0} request was redirected")]
    Redirected(&'static str),
    /// The response is larger than 1 MiB.
    #[error("the {0} response is larger than 1 MiB")]
    TooLarge(&'static str),

    /// The ID token is not a JWS in compact form with JSON parts (RFC 7515 §7.1).
    #[error("the ID token is malformed: {0}")]
    IdTokenMalformed(&'static str),
    /// `alg` is `none`, symmetric or unknown (RFC 8725 §3.1).
    #[error("the ID token's signature algorithm \"{0}\" is not accepted")]
    IdTokenAlg(String),
    /// `typ` is that of another kind of token, or a header parameter has an unsupported value (RFC 8725 §3.11,
    /// RFC 7515 §4.1.11).
    #[error("the ID token's header has an invalid \"{0}\"")]
    IdTokenHeader(&'static str),
    /// No key of the server's JWKS fits (OpenID Connect Core §10.1).
    #[error("no key in the server's key set (JWKS) fits the ID token")]
    IdTokenKey,
    /// The signature does not verify (OpenID Connect Core §3.1.3.7, 6).
    #[error("the ID token's signature is invalid")]
    IdTokenSignature,
    /// A claim is missing or has the wrong type (OpenID Connect Core §2).
    #[error("the ID token has no valid \"{0}\"")]
    IdTokenClaim(&'static str),
    /// `iss` is not the issuer (OpenID Connect Core §3.1.3.7, 2).
    #[error("the ID token is from another issuer: expected {expected}, found {found}")]
    IdTokenIss {
        /// The issuer of the metadata.
        expected: String,
        /// The `iss` claim, cleaned for display.
        found: String,
    },
    /// `aud` is not this client, or names other clients as well (OpenID Connect Core §3.1.3.7, 3).
    #[error("the ID token is for another client (aud)")]
    IdTokenAud,
    /// `azp` is not this client, or is missing although there are several audiences (OpenID Connect Core §3.1.3.7, 4
    /// and 5).
    #[error("the ID token was issued to another client (azp)")]
    IdTokenAzp,
    /// `exp` has passed (OpenID Connect Core §3.1.3.7, 9).
    #[error("the ID token expired {} ago by this computer's clock{}", humantime::format_duration(*.ago), clause(.skew))]
    IdTokenExpired {
        /// The time since it expired.
        ago: Duration,
        /// How far this computer's clock is from the server's, if known from the response's `Date`.
        skew: Option<ClockSkew>,
    },
    /// `iat` or `nbf` is in the future (OpenID Connect Core §3.1.3.7, 10).
    #[error("the ID token is dated {} in the future by this computer's clock{}", humantime::format_duration(*.ahead), clause(.skew))]
    IdTokenFromFuture {
        /// The time until then.
        ahead: Duration,
        /// How far this computer's clock is from the server's, if known from the response's `Date`.
        skew: Option<ClockSkew>,
    },
    /// `nonce` is missing or not the one of the authorization request (OpenID Connect Core §3.1.3.7, 11).
    #[error("the ID token does not belong to this sign-in (nonce)")]
    IdTokenNonce,
    /// `auth_time` is longer ago than the requested `max_age` allows (OpenID Connect Core §3.1.3.7, 13).
    #[error("the user authenticated {} before the ID token was issued, longer ago than max_age allows", humantime::format_duration(*.0))]
    IdTokenAuthTime(Duration),
    /// `at_hash` does not match the access token (OpenID Connect Core §3.1.3.8).
    #[error("the ID token belongs to another access token (at_hash)")]
    IdTokenAtHash,
    /// The ID token of a refresh response names another user (OpenID Connect Core §12.2).
    #[error("the refreshed ID token is for another user")]
    IdTokenSub,

    /// The JWKS is not a JSON object with a list of keys (RFC 7517 §5).
    #[error("the server's key set (JWKS) is invalid")]
    Jwks,
    /// The userinfo response is not a JSON object (OpenID Connect Core §5.3.2).
    #[error("the userinfo response is invalid ({0})")]
    Userinfo(String),
    /// `sub` is missing from the userinfo response, or is not the ID token's (OpenID Connect Core §5.3.2).
    #[error("the userinfo response is for another user")]
    UserinfoSub,
}

impl ServerMisbehaved {
    /// Adds the measured clock skew to an error that depends on this computer's clock.
    pub(crate) fn with_skew(mut self, measured: Option<ClockSkew>) -> ServerMisbehaved {
        use ServerMisbehaved::{IdTokenExpired, IdTokenFromFuture};
        if let IdTokenExpired { skew, .. } | IdTokenFromFuture { skew, .. } = &mut self {
            *skew = measured;
        }
        self
    }
}

/// The end of a sentence about this computer's clock.
fn clause(skew: &Option<ClockSkew>) -> String {
    match skew {
        Some(skew) => format!(", which is {skew}"),
        None => String::new(),
    }
}
