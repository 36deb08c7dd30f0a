//! Client authentication (RFC 6749 §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The client's authentication method at the token and revocation endpoints.
///
/// A client secret that is shipped with a program is not confidential (RFC 8252 §8.5). Some servers require one
/// nevertheless; PKCE is used in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthMethod {
    /// A public client: only `client_id` in the body.
    #[default]
    None,
    /// `client_id` and `client_secret` in an `Authorization: Basic` header, each form-encoded (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body.
    ClientSecretPost,
}

/// A client with its credentials.
#[derive(Debug, Clone)]
pub struct ClientAuth<'a> {
    /// The client ID.
    pub client_id: &'a str,
    /// The client secret, for the methods that have one.
    pub secret: Option<&'a Secret>,
    /// How the client authenticates.
    pub method: AuthMethod,
}

/// The body and header of a request to the token, revocation or device authorization endpoint.
#[derive(Debug)]
pub struct ClientRequest {
    /// The form-encoded body.
    pub form: Zeroizing<String>,
    /// The `Authorization` header, only for [`AuthMethod::ClientSecretBasic`].
    pub authorization: Option<Secret>,
}

impl ClientAuth<'_> {
    /// Encodes a form and adds the client's credentials, with exactly one method (RFC 6749 §2.3).
    pub fn request(&self, fields: &[(&str, &str)]) -> ClientRequest {
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(self.max_length(fields)));
        form.extend_pairs(fields);
        let mut authorization = None;
        match (self.method, self.secret) {
            (AuthMethod::ClientSecretBasic, Some(secret)) => {
                authorization = Some(basic(self.client_id, secret))
            }
            (AuthMethod::ClientSecretPost, Some(secret)) => {
                form.append_pair("client_id", self.client_id).append_pair("client_secret", secret.expose());
            }
            _ => {
                form.append_pair("client_id", self.client_id);
            }
        }
        ClientRequest { form: Zeroizing::new(form.finish()), authorization }
    }

    /// An upper limit for the length of a form. A string that has to grow would leave copies of its secrets in memory.
    fn max_length(&self, fields: &[(&str, &str)]) -> usize {
        let secret = self.secret.map(|secret| secret.expose().len()).unwrap_or_default();
        let fields: usize = fields.iter().map(|(name, value)| 2 + name.len() + 3 * value.len()).sum();
        fields + 3 * (self.client_id.len() + secret) + "&client_id=&client_secret=".len()
    }
}

fn basic(client_id: &str, secret: &Secret) -> Secret {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(client_id), encode(secret.expose())));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n40_a_public_client_has_its_id_in_the_body_and_no_header() {
        let request = ClientAuth { client_id: "cli", secret: None, method: AuthMethod::None }
            .request(&[("a", "b c&=+ü")]);
        assert_eq!(*request.form, "a=b+c%26%3D%2B%C3%BC&client_id=cli");
        assert!(request.authorization.is_none());
    }

    #[test]
    fn basic_encodes_both_parts() {
        let secret = Secret::new("p:w/+ é".to_owned());
        let request =
            ClientAuth { client_id: "a:b", secret: Some(&secret), method: AuthMethod::ClientSecretBasic }
                .request(&[]);
        let header = request.authorization.unwrap();
        let decoded = STANDARD.decode(header.expose().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "a%3Ab:p%3Aw%2F%2B+%C3%A9");
        assert_eq!(*request.form, "");
    }
}
