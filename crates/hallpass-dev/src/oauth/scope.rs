//! Scopes (RFC 6749 §3.3).

use std::fmt;

use crate::oauth::oauth_error::{ErrorCode, OAuthError};

/// What this server knows.
pub(crate) const SUPPORTED: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// A set of known scope values, in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(Vec<&'static str>);

impl Scope {
    /// What a request asks for. One without scope gets `openid`, and the token response says so (RFC 6749 §3.3).
    pub(crate) fn requested(list: Option<&str>) -> Result<Scope, OAuthError> {
        let scope = Scope::known(list.unwrap_or("openid"));
        if scope.0.is_empty() {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "No scope of the request is known here."));
        }
        Ok(scope)
    }

    /// The known values of a space-separated list; unknown ones are dropped, as RFC 6749 §3.3 allows.
    pub(crate) fn known(list: &str) -> Scope {
        let mut values = Vec::new();
        for value in list.split(' ').filter_map(supported) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Scope(values)
    }

    /// The values of a list that must all lie within `self`; `None` where one does not (RFC 6749 §6).
    pub(crate) fn narrowed_to(&self, list: &str) -> Option<Scope> {
        let inside = list.split(' ').filter(|v| !v.is_empty()).all(|value| self.contains(value));
        inside.then(|| Scope::known(list)).filter(|scope| !scope.is_empty())
    }

    pub(crate) fn contains(&self, value: &str) -> bool {
        self.0.contains(&value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}

fn supported(value: &str) -> Option<&'static str> {
    SUPPORTED.into_iter().find(|known| *known == value)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_are_dropped_and_repeats_folded() {
        assert_eq!(Scope::known("openid  admin email openid").to_string(), "openid email");
    }

    #[test]
    fn s11_a_scope_narrows_but_never_widens() {
        let granted = Scope::known("openid email");
        assert_eq!(granted.narrowed_to("email"), Some(Scope::known("email")));
        assert_eq!(granted.narrowed_to("email profile"), None);
        assert_eq!(granted.narrowed_to("email admin"), None);
    }
}
