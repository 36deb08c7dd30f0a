//! Giving a token back (RFC 7009).

use super::client::{ClientAuth, ClientRequest};
use super::oauth_error;
use crate::secret::Secret;

/// `token_type_hint` (RFC 7009 §2.1).
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

/// The request that revokes one token.
pub fn request(client: &ClientAuth<'_>, token: &Secret, hint: TokenTypeHint) -> ClientRequest {
    client.request(&[("token", token.expose()), ("token_type_hint", hint.as_str())])
}

/// What became of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// The server confirmed it: 200, also for a token that it does not know (RFC 7009 §2.2).
    Revoked,
    /// The server has no revocation endpoint, or does not revoke this kind of token (RFC 7009 §2.2.1).
    Unsupported,
    /// It is not known to be revoked; the text says why.
    Failed(String),
    /// There was no such token.
    None,
}

/// Judges the answer; the body of a success is ignored (RFC 7009 §2.2).
pub fn judge(status: u16, body: &[u8]) -> Revocation {
    if (200..300).contains(&status) {
        return Revocation::Revoked;
    }
    match oauth_error::from_body(body) {
        Some(error) if error.error == "unsupported_token_type" => Revocation::Unsupported,
        Some(error) => Revocation::Failed(format!("the server answered {status}: {error}")),
        None => Revocation::Failed(format!("the server answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::AuthMethod;

    #[test]
    fn n100_the_request_names_token_hint_and_client() {
        let client = ClientAuth { client_id: "cli", secret: None, method: AuthMethod::None };
        let form = request(&client, &Secret::new("t".to_owned()), TokenTypeHint::RefreshToken).form;
        assert_eq!(*form, "token=t&token_type_hint=refresh_token&client_id=cli");
    }

    #[test]
    fn n101_n102_the_answer_is_judged_by_status_then_error() {
        assert_eq!(judge(200, b"<html>"), Revocation::Revoked);
        assert_eq!(judge(204, b""), Revocation::Revoked);
        assert_eq!(judge(400, br#"{"error":"unsupported_token_type"}"#), Revocation::Unsupported);
        assert!(matches!(judge(400, br#"{"error":"invalid_request"}"#), Revocation::Failed(_)));
        assert!(matches!(judge(503, b""), Revocation::Failed(_)));
        assert!(matches!(judge(302, b""), Revocation::Failed(_)));
    }
}
