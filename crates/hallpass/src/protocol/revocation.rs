//! Token revocation (RFC 7009).

use super::client::{ClientAuth, ClientRequest};
use super::oauth_error;
use crate::secret::Secret;

/// The type of a token that is revoked: `token_type_hint` (RFC 7009 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// `refresh_token`.
    RefreshToken,
    /// `access_token`.
    AccessToken,
}

impl TokenTypeHint {
    fn as_str(self) -> &'static str {
        match self {
            TokenTypeHint::RefreshToken => "refresh_token",
            TokenTypeHint::AccessToken => "access_token",
        }
    }
}

/// Builds the request that revokes a token.
pub fn request(client: &ClientAuth<'_>, token: &Secret, hint: TokenTypeHint) -> ClientRequest {
    client.request(&[("token", token.expose()), ("token_type_hint", hint.as_str())])
}

/// The outcome of revoking a token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// The server confirmed that the token is invalid. It also does so for unknown tokens (RFC 7009 §2.2).
    Revoked,
    /// The server has no revocation endpoint, does not revoke this type of token (RFC 7009 §2.2.1), or no longer knows
    /// the access token.
    Unsupported,
    /// The server refused the client because it has no secret (`invalid_client`, RFC 6749 §5.2), as many servers do. The
    /// token stays valid. The text is the server's error.
    ClientRefused(String),
    /// The token may still be valid. The text is the reason.
    Failed(String),
    /// There was no token to revoke.
    None,
}

/// Judges a revocation response. The body of a success response is ignored (RFC 7009 §2.2).
pub fn judge(client: &ClientAuth<'_>, status: u16, body: &[u8]) -> Revocation {
    if (200..300).contains(&status) {
        return Revocation::Revoked;
    }
    match oauth_error::from_body(body) {
        Some(error) if error.error == "unsupported_token_type" => Revocation::Unsupported,
        Some(error) if error.error == "invalid_client" && client.secret.is_none() => {
            Revocation::ClientRefused(error.to_string())
        }
        Some(error) => Revocation::Failed(format!("the server responded with HTTP {status}: {error}")),
        None => Revocation::Failed(format!("the server responded with HTTP {status}")),
    }
}

/// Judges the revocation response for an access token, given the outcome for its refresh token.
///
/// After the refresh token was revoked with the same kind of request, an error about the access token means that it was
/// revoked along with the refresh token (RFC 7009 §2.1), or that the server does not store access tokens. It should not be
/// an error (§2.2), but some servers send one.
pub fn judge_access_token(
    refresh_token: &Revocation,
    client: &ClientAuth<'_>,
    status: u16,
    body: &[u8],
) -> Revocation {
    let error = oauth_error::from_body(body);
    let is_about_the_token =
        error.is_some_and(|error| matches!(error.error.as_str(), "invalid_request" | "invalid_token"));
    match (refresh_token, judge(client, status, body)) {
        (Revocation::Revoked, Revocation::Failed(_)) if is_about_the_token => Revocation::Unsupported,
        (_, outcome) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::AuthMethod;

    const PUBLIC: ClientAuth<'static> =
        ClientAuth { client_id: "cli", secret: None, method: AuthMethod::None };

    #[test]
    fn n100_the_request_has_token_hint_and_client() {
        let form = request(&PUBLIC, &Secret::new("t".to_owned()), TokenTypeHint::RefreshToken).form;
        assert_eq!(*form, "token=t&token_type_hint=refresh_token&client_id=cli");
    }

    #[test]
    fn n101_n102_the_response_is_judged_by_status_then_error() {
        assert_eq!(judge(&PUBLIC, 200, b"<html>"), Revocation::Revoked);
        assert_eq!(judge(&PUBLIC, 204, b""), Revocation::Revoked);
        assert_eq!(judge(&PUBLIC, 400, br#"{"error":"unsupported_token_type"}"#), Revocation::Unsupported);
        assert!(matches!(judge(&PUBLIC, 400, br#"{"error":"invalid_request"}"#), Revocation::Failed(_)));
        assert!(matches!(judge(&PUBLIC, 503, b""), Revocation::Failed(_)));
        assert!(matches!(judge(&PUBLIC, 302, b""), Revocation::Failed(_)));
    }

    #[test]
    fn an_access_token_that_was_revoked_with_its_refresh_token_is_no_failure() {
        let failed = Revocation::Failed(String::new());
        for error in ["invalid_request", "invalid_token"] {
            let body = format!(r#"{{"error":"{error}"}}"#);
            let after = |refresh_token| judge_access_token(refresh_token, &PUBLIC, 400, body.as_bytes());
            assert_eq!(after(&Revocation::Revoked), Revocation::Unsupported, "{error}");
            for refresh_token in [&failed, &Revocation::None, &Revocation::Unsupported] {
                assert!(matches!(after(refresh_token), Revocation::Failed(_)), "{error}: {refresh_token:?}");
            }
        }
        for (status, body) in [(401, r#"{"error":"invalid_grant"}"#), (503, ""), (400, "")] {
            let outcome = judge_access_token(&Revocation::Revoked, &PUBLIC, status, body.as_bytes());
            assert!(matches!(outcome, Revocation::Failed(_)), "{status}: {body}");
        }
        assert_eq!(judge_access_token(&Revocation::Revoked, &PUBLIC, 200, b""), Revocation::Revoked);
    }

    #[test]
    fn p70_a_refused_client_without_a_secret_has_its_own_outcome() {
        let body = br#"{"error":"invalid_client","error_description":"authenticate"}"#;
        let secret = Secret::new("s".to_owned());
        let confidential =
            ClientAuth { secret: Some(&secret), method: AuthMethod::ClientSecretBasic, ..PUBLIC.clone() };
        let refused = Revocation::ClientRefused("invalid_client (authenticate)".to_owned());
        for status in [400, 401] {
            assert_eq!(judge(&PUBLIC, status, body), refused);
            assert_eq!(judge_access_token(&refused, &PUBLIC, status, body), refused);
            assert!(matches!(judge(&confidential, status, body), Revocation::Failed(_)));
        }
    }
}
