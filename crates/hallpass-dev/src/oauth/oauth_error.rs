//! What goes wrong, in the words of the standards.

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

/// One error; the endpoint decides whether it travels as JSON, in a redirect or on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub(crate) code: ErrorCode,
    pub(crate) description: String,
}

impl OAuthError {
    /// Keeps of `description` what RFC 6749 §5.2 allows: printable ASCII without `"` and `\`.
    pub(crate) fn new(code: ErrorCode, description: impl Into<String>) -> OAuthError {
        let allowed = |c: &char| matches!(c, ' '..='~') && !['"', '\\'].contains(c);
        let description: String = description.into().chars().filter(allowed).take(200).collect();
        OAuthError { code, description }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> OAuthError {
        OAuthError::new(ErrorCode::InvalidRequest, description)
    }

    pub(crate) fn doubled(name: &str) -> OAuthError {
        OAuthError::invalid_request(format!("The parameter {name} was sent more than once."))
    }

    /// The JSON answer of an endpoint for clients (RFC 6749 §5.2).
    pub(crate) fn into_json(self) -> Response {
        let body = json!({ "error": self.code.as_str(), "error_description": self.description });
        let mut response = (self.code.status(), axum::Json(body)).into_response();
        if self.code == ErrorCode::InvalidClient {
            let challenge = HeaderValue::from_static("Basic realm=\"hallpass-dev\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// The answer of a resource that asks for a Bearer token (RFC 6750 §3).
    pub(crate) fn into_bearer_challenge(self) -> Response {
        let challenge = format!(
            "Bearer realm=\"hallpass-dev\", error=\"{}\", error_description=\"{}\"",
            self.code.as_str(),
            self.description
        );
        let mut response = self.into_json();
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_description_is_printable_ascii_without_quotes() {
        let error = OAuthError::doubled("a\"b\\c\r\n\u{202e}ü");
        assert_eq!(error.description, "The parameter abc was sent more than once.");
    }
}
