//! An error that the server reports in an OAuth response.

use std::fmt;

/// The fields of an OAuth error response (RFC 6749 §4.1.2.1 and §5.2), cleaned for display.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthError {
    /// The registered error code, for example `access_denied`.
    pub error: String,
    /// The server's explanation for developers.
    pub error_description: Option<String>,
    /// The URL of a page about the error. Only shown, never opened.
    pub error_uri: Option<String>,
    /// The server's identifier for this failure, if it sent one (Clerk's `clerk_trace_id`).
    pub trace_id: Option<String>,
}

impl OAuthError {
    /// Creates an error from the fields of a response; each is cleaned and shortened, and an empty one is left out.
    pub fn new(error: &str, error_description: Option<&str>, error_uri: Option<&str>) -> OAuthError {
        OAuthError {
            error: crate::sanitize::text(error),
            error_description: error_description.map(crate::sanitize::text).filter(|text| !text.is_empty()),
            error_uri: error_uri.map(crate::sanitize::text).filter(|text| !text.is_empty()),
            trace_id: None,
        }
    }

    /// Creates an error from a status whose response has no error code (glewlwyd's for an invalid code, for example).
    pub(crate) fn from_status(status: u16) -> OAuthError {
        OAuthError::new(&format!("HTTP {status} without an error code"), None, None)
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        if let Some(description) = &self.error_description {
            write!(f, " ({description})")?;
        }
        if let Some(trace_id) = &self.trace_id {
            write!(f, " [trace {trace_id}]")?;
        }
        Ok(())
    }
}
