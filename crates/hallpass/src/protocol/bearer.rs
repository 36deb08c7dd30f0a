//! Sending an access token as a bearer token (RFC 6750 §2.1).

use crate::secret::Secret;

/// Returns the value of the `Authorization` header.
///
/// ```
/// use hallpass::{Secret, protocol::bearer::authorization_header};
/// let token = Secret::new("mF_9.B5f-4.1JqM".to_owned());
/// assert_eq!(authorization_header(&token).expose(), "Bearer mF_9.B5f-4.1JqM");
/// ```
pub fn authorization_header(access_token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", access_token.expose()))
}

/// Whether a token has only visible ASCII characters and spaces (RFC 6749 appendix A.12). A line break in a header value
/// would start a second header.
pub fn is_valid_token(token: &str) -> bool {
    token.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}
