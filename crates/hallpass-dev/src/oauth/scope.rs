//! Scopes (RFC 6749 §3.3).

use std::fmt;

use crate::oauth::oauth_error::{ErrorCode, OAuthError};

/// The scope values that this server supports.
pub(crate) const SUPPORTED: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// A set of supported scope values, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(Vec<&'static str>);

impl Scope {
    /// Parses the `scope` of a request. Without one it is `openid`, and the token response says so (RFC 6749 §3.3).
    ///
    /// # Errors
    ///
    /// `invalid_scope` if no value is supported.
    pub(crate) fn requested(list: Option<&str>) -> Result<Scope, OAuthError> {
        let scope = Scope::supported(list.unwrap_or("openid"));
        if scope.0.is_empty() {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "No value of scope is supported."));
        }
        Ok(scope)
    }

    /// Returns the supported values of a space-separated list. Others are dropped, as RFC 6749 §3.3 allows.
    pub(crate) fn supported(list: &str) -> Scope {
        let mut values = Vec::new();
        for requested in list.split(' ') {
            let supported = SUPPORTED.into_iter().find(|value| *value == requested);
            values.extend(supported.filter(|value| !values.contains(value)));
        }
        Scope(values)
    }

    /// Returns the scope for a refresh: the values in `list`, or this whole scope if the request has none (RFC 6749
    /// §6).
    ///
    /// # Errors
    ///
    /// `invalid_scope` if the list has a value that was not granted.
    pub(crate) fn narrowed(&self, list: Option<&str>) -> Result<Scope, OAuthError> {
        let Some(list) = list else { return Ok(self.clone()) };
        let scope = Scope::supported(list);
        let is_granted = list.split(' ').filter(|value| !value.is_empty()).all(|value| self.contains(value));
        if scope.0.is_empty() || !is_granted {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "scope exceeds what was granted."));
        }
        Ok(scope)
    }

    pub(crate) fn contains(&self, value: &str) -> bool {
        self.0.contains(&value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
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
    fn unsupported_values_are_dropped_and_repeated_ones_merged() {
        assert_eq!(Scope::supported("openid  admin email openid").to_string(), "openid email");
    }

    #[test]
    fn s11_a_scope_narrows_but_never_widens() {
        let granted = Scope::supported("openid email");
        assert_eq!(granted.narrowed(None), Ok(granted.clone()));
        assert_eq!(granted.narrowed(Some("email")), Ok(Scope::supported("email")));
        for wider in ["email profile", "email admin", "admin", " "] {
            let error = granted.narrowed(Some(wider)).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidScope, "{wider}");
        }
    }
}
