//! User accounts.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

use crate::oauth::scope::Scope;

/// A user account. Its claims are derived from the email address, so they are the same after every start.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) sub: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
}

/// A signed-in user.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: Arc<User>,
    /// The time of the sign-in, in seconds since 1970.
    pub(crate) auth_time: u64,
}

impl User {
    pub(crate) fn new(email: &str, password: &str) -> User {
        let hash = digest(&SHA256, email.to_ascii_lowercase().as_bytes());
        let hex: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut names = local_part(email).split(['.', '_', '-', '+']).filter(|name| !name.is_empty());
        User {
            sub: format!("user_{hex}"),
            email: email.to_owned(),
            password: password.to_owned(),
            given_name: capitalized(names.next().unwrap_or("test")),
            family_name: capitalized(names.next().unwrap_or("user")),
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// Compares the email address case-insensitively, and the password in constant time.
    pub(crate) fn has_credentials(&self, email: &str, password: &str) -> bool {
        self.email.eq_ignore_ascii_case(email.trim())
            && bool::from(self.password.as_bytes().ct_eq(password.as_bytes()))
    }

    /// Returns the claims that `scope` grants, without `sub` (OpenID Connect Core §5.4).
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

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_user_is_the_same_after_every_start() {
        let user = User::new("test@example.com", "password");
        assert_eq!(user.name(), "Test User");
        assert_eq!(user.sub, User::new("Test@Example.com", "other").sub);
    }

    #[test]
    fn names_are_derived_from_the_email_address() {
        assert_eq!(User::new("ada.lovelace@example.com", "x").name(), "Ada Lovelace");
        assert_eq!(User::new("@", "x").name(), "Test User");
    }
}
