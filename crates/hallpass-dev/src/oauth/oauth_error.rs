//! Error codes and error responses.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error code of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8628 §3.5 or OpenID Connect Core §3.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    AccessDenied,
    AuthorizationPending,
    ConsentRequired,
    ExpiredToken,
    InsufficientScope,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidToken,
    LoginRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    ServerError,
    SlowDown,
    UnsupportedGrantType,
    UnsupportedResponseType,
}

impl ErrorCode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ErrorCode::AccessDenied => "access_denied",
            ErrorCode::AuthorizationPending => "authorization_pending",
            ErrorCode::ConsentRequired => "consent_required",
            ErrorCode::ExpiredToken => "expired_token",
            ErrorCode::InsufficientScope => "insufficient_scope",
            ErrorCode::InvalidClient => "invalid_client",
            ErrorCode::InvalidGrant => "invalid_grant",
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::InvalidToken => "invalid_token",
            ErrorCode::LoginRequired => "login_required",
            ErrorCode::RequestNotSupported => "request_not_supported",
            ErrorCode::RequestUriNotSupported => "request_uri_not_supported",
            ErrorCode::ServerError => "server_error",
            ErrorCode::SlowDown => "slow_down",
            ErrorCode::UnsupportedGrantType => "unsupported_grant_type",
            ErrorCode::UnsupportedResponseType => "unsupported_response_type",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
            ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// An error response, which is sent as JSON, in a redirect or as a Bearer challenge, depending on the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub(crate) code: ErrorCode,
    pub(crate) description: String,
}

impl OAuthError {
    /// Creates an error. Its description keeps only the characters that RFC 6749 §5.2 allows: printable ASCII without
    /// `"` and `\`.
    pub(crate) fn new(code: ErrorCode, description: impl Into<String>) -> OAuthError {
        let is_allowed = |c: &char| matches!(c, ' '..='~') && !['"', '\\'].contains(c);
        let description = description.into().chars().filter(is_allowed).take(200).collect();
        OAuthError { code, description }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> OAuthError {
        OAuthError::new(ErrorCode::InvalidRequest, description)
    }

    pub(crate) fn missing(name: &str) -> OAuthError {
        OAuthError::invalid_request(format!("{name} is missing."))
    }

    pub(crate) fn repeated(name: &str) -> OAuthError {
        OAuthError::invalid_request(format!("{name} was sent more than once."))
    }

    /// Returns the response of a resource that requires a Bearer token (RFC 6750 §3).
    pub(crate) fn into_bearer_challenge(self) -> Response {
        let challenge = format!(
            "Bearer realm=\"hallpass-dev\", error=\"{}\", error_description=\"{}\"",
            self.code.as_str(),
            self.description
        );
        let mut response = self.into_response();
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// The JSON error response (RFC 6749 §5.2).
impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code.as_str(), "error_description": self.description });
        let mut response = (self.code.status(), axum::Json(body)).into_response();
        if self.code == ErrorCode::InvalidClient {
            let challenge = HeaderValue::from_static("Basic realm=\"hallpass-dev\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_description_is_printable_ascii_without_quotes() {
        let error = OAuthError::repeated("a\"b\\c\r\n\u{202e}ü");
        assert_eq!(error.description, "abc was sent more than once.");
    }
}
