//! Who is signed in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The person (or service) that signed in, as the server describes it.
///
/// A user is its issuer and `sub` together (OpenID Connect Core §5.7); every other field is text for
/// people and may change at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The server's own, unchanging name for the user.
    pub sub: String,
    /// The e-mail address, where the scope `email` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name to sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All profile claims as the server sent them (no `iss`, `aud`, `exp`, `nonce`, `at_hash`).
    #[serde(skip)]
    pub claims: Map<String, Value>,
}

impl User {
    /// Reads the user out of profile claims; `None` without a `sub`.
    pub(crate) fn of_claims(claims: &Map<String, Value>) -> Option<User> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(User {
            sub: text("sub")?.to_owned(),
            email: text("email").map(crate::sanitize::text),
            preferred_username: text("preferred_username").map(crate::sanitize::text),
            name: text("name").map(crate::sanitize::text),
            claims: claims.clone(),
        })
    }

    /// Whether this is who was meant, by `sub`, email address (in any case) or user name.
    pub(crate) fn is_called(&self, account: &str) -> bool {
        let email = self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(account));
        email || self.sub == account || self.preferred_username.as_deref() == Some(account)
    }

    /// What to call the user: e-mail, else user name, else name, else `sub`; safe to print.
    pub fn label(&self) -> String {
        let known = self.email.as_ref().or(self.preferred_username.as_ref()).or(self.name.as_ref());
        known.cloned().unwrap_or_else(|| crate::sanitize::text(&self.sub))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p62_an_account_is_meant_by_any_of_its_names_and_by_nothing_like_them() {
        let user = |json: &str| User::of_claims(&serde_json::from_str(json).unwrap()).unwrap();
        let ada = user(r#"{"sub":"u1","email":"Ada@example.com","preferred_username":"ada","name":"Ada"}"#);
        assert!(["u1", "ada@example.com", "ada"].iter().all(|name| ada.is_called(name)));
        assert!(!["U1", "Ada", "example.com", ""].iter().any(|name| ada.is_called(name)));
        assert!(!user(r#"{"sub":"u1","email":""}"#).is_called(""));
    }

    #[test]
    fn the_label_is_the_first_name_that_is_known_and_harmless() {
        let label = |json: &str| User::of_claims(&serde_json::from_str(json).unwrap()).unwrap().label();
        assert_eq!(label(r#"{"sub":"1","email":"a@b","name":"A"}"#), "a@b");
        assert_eq!(label(r#"{"sub":"1","name":"A","preferred_username":"ab"}"#), "ab");
        assert_eq!(label(r#"{"sub":"1\u001b[31m"}"#), "1[31m");
        assert_eq!(label(r#"{"sub":"1","email":""}"#), "1");
    }
}
