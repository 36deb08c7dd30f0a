//! The signed-in user.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The user that is signed in, as the server describes them.
///
/// Only issuer and `sub` together identify a user (OpenID Connect Core §5.7). All other fields are for display and may
/// change at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The user's identifier at the server. It never changes.
    pub sub: String,
    /// The email address, if the scope `email` was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All profile claims as the server sent them, without those of the protocol (`iss`, `aud`, `exp`, `nonce`, …).
    #[serde(skip)]
    pub claims: Map<String, Value>,
}

impl User {
    /// Reads a user from profile claims. Returns `None` if there is no `sub`.
    pub(crate) fn from_claims(claims: &Map<String, Value>) -> Option<User> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(User {
            sub: text("sub")?.to_owned(),
            email: text("email").map(crate::sanitize::text),
            preferred_username: text("preferred_username").map(crate::sanitize::text),
            name: text("name").map(crate::sanitize::text),
            claims: claims.clone(),
        })
    }

    /// Whether `account` is this user's `sub`, email address (in any case) or user name.
    pub(crate) fn matches_account(&self, account: &str) -> bool {
        let email = self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(account));
        email || self.sub == account || self.preferred_username.as_deref() == Some(account)
    }

    /// Returns the email address, or else the user name, the full name or the `sub`; safe to print.
    pub fn label(&self) -> String {
        let known = self.email.as_ref().or(self.preferred_username.as_ref()).or(self.name.as_ref());
        known.cloned().unwrap_or_else(|| crate::sanitize::text(&self.sub))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p62_an_account_matches_by_each_of_its_names_and_nothing_similar() {
        let user = |json: &str| User::from_claims(&serde_json::from_str(json).unwrap()).unwrap();
        let ada = user(r#"{"sub":"u1","email":"Ada@example.com","preferred_username":"ada","name":"Ada"}"#);
        assert!(["u1", "ada@example.com", "ada"].iter().all(|name| ada.matches_account(name)));
        assert!(!["U1", "Ada", "example.com", ""].iter().any(|name| ada.matches_account(name)));
        assert!(!user(r#"{"sub":"u1","email":""}"#).matches_account(""));
    }

    #[test]
    fn the_label_is_the_first_known_name_and_safe_to_print() {
        let label = |json: &str| User::from_claims(&serde_json::from_str(json).unwrap()).unwrap().label();
        assert_eq!(label(r#"{"sub":"1","email":"a@b","name":"A"}"#), "a@b");
        assert_eq!(label(r#"{"sub":"1","name":"A","preferred_username":"ab"}"#), "ab");
        assert_eq!(label(r#"{"sub":"1\u001b[31m"}"#), "1[31m");
        assert_eq!(label(r#"{"sub":"1","email":""}"#), "1");
    }
}
