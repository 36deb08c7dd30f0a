//! Showing an access token to the server that it is for (RFC 6750 §2.1).

use crate::secret::Secret;

/// The value of `Authorization`.
///
/// ```
/// use hallpass::{Secret, protocol::bearer::authorization_header};
/// let token = Secret::new("mF_9.B5f-4.1JqM".to_owned());
/// assert_eq!(authorization_header(&token).expose(), "Bearer mF_9.B5f-4.1JqM");
/// ```
pub fn authorization_header(access_token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", access_token.expose()))
}
