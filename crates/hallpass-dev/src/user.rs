//! End-users.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

use crate::oauth::scope::Scope;

/// An account of this server. All claims follow from the email address, so they are the same at every start.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) sub: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
}

#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: Arc<User>,
    pub(crate) auth_time: u64,
}

impl User {
    pub(crate) fn new(email: &str, password: &str) -> User {
        let mut words = self::local_part(email).split(['.', '_', '-', '+']).filter(|w| !w.is_empty());
        let given_name = words.next().map_or_else(|| "Test".to_owned(), title_case);
        let family_name = words.next().map_or_else(|| "User".to_owned(), title_case);
        User {
            sub: sub_of(email),
            email: email.to_owned(),
            password: password.to_owned(),
            given_name,
            family_name,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// Email addresses are compared without case, passwords in constant time.
    pub(crate) fn is(&self, email: &str, password: &str) -> bool {
        self.email.eq_ignore_ascii_case(email.trim())
            && bool::from(self.password.as_bytes().ct_eq(password.as_bytes()))
    }

    /// The claims that `scope` asks for (OpenID Connect Core §5.4), without `sub`.
    pub(crate) fn claims(&self, scope: &Scope) -> Map<String, Value> {
        let mut claims = Map::new();
        if scope.contains("profile") {
            claims.insert("name".to_owned(), json!(self.name()));
            claims.insert("given_name".to_owned(), json!(self.given_name));
            claims.insert("family_name".to_owned(), json!(self.family_name));
            claims.insert("preferred_username".to_owned(), json!(local_part(&self.email)));
        }
        if scope.contains("email") {
            claims.insert("email".to_owned(), json!(self.email));
            claims.insert("email_verified".to_owned(), json!(true));
        }
        claims
    }
}

fn local_part(email: &str) -> &str {
    email.split('@').next().unwrap_or(email)
}

fn title_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn sub_of(email: &str) -> String {
    let hash = digest(&SHA256, email.to_ascii_lowercase().as_bytes());
    let hex: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("user_{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_user_is_called_test_user_at_every_start() {
        let user = User::new("test@example.com", "password");
        assert_eq!(user.name(), "Test User");
        assert_eq!(user.sub, User::new("Test@Example.com", "other").sub);
    }

    #[test]
    fn a_name_is_read_from_the_address() {
        assert_eq!(User::new("ada.lovelace@example.com", "x").name(), "Ada Lovelace");
        assert_eq!(User::new("@", "x").name(), "Test User");
    }
}
