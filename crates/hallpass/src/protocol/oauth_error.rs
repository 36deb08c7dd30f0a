//! Error responses (RFC 6749 §5.2), in the form of the standard and in other forms that servers use.

use serde_json::{Map, Value};

use super::json;
use crate::error::OAuthError;

/// Reads the error from a response body: JSON with any content type, a form, or Clerk's
/// `{"errors": [{"code", "long_message"}], "clerk_trace_id"}`. Returns `None` if the body has no error code.
pub fn from_body(body: &[u8]) -> Option<OAuthError> {
    match json::secrets(body) {
        Ok(members) => from_members(&members),
        Err(_) => from_form(body),
    }
}

fn from_members(json: &Map<String, Value>) -> Option<OAuthError> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(error) = text("error") {
        return Some(OAuthError::new(error, text("error_description"), text("error_uri")));
    }
    let first = json.get("errors")?.get(0)?;
    let member = |name: &str| first.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut error = OAuthError::new(member("code")?, member("long_message").or(member("message")), None);
    error.trace_id = text("clerk_trace_id").map(crate::sanitize::text);
    Some(error)
}

fn from_form(body: &[u8]) -> Option<OAuthError> {
    let pairs: Vec<_> = url::form_urlencoded::parse(body).collect();
    let text = |name: &str| {
        let mut values = pairs.iter().filter(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_ref());
        values.next().filter(|_| values.next().is_none())
    };
    Some(OAuthError::new(text("error")?, text("error_description"), text("error_uri")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_form() {
        let error = from_body(br#"{"error":"invalid_grant","error_description":"spent\u001b[31m"}"#).unwrap();
        assert_eq!(error.to_string(), "invalid_grant (spent[31m)");
    }

    #[test]
    fn clerks_form_has_the_long_message_and_the_trace_id() {
        let body = br#"{"errors":[{"message":"m","long_message":"The token is revoked","code":"oauth_token_revoked","meta":{}}],"clerk_trace_id":"t1"}"#;
        assert_eq!(
            from_body(body).unwrap().to_string(),
            "oauth_token_revoked (The token is revoked) [trace t1]"
        );
    }

    #[test]
    fn an_encoded_form_and_other_bodies() {
        assert_eq!(
            from_body(b"error=bad_verification_code&error_description=gone").unwrap().error,
            "bad_verification_code"
        );
        assert_eq!(from_body(b""), None);
        assert_eq!(from_body(b"<html>error=1</html>"), None);
        assert_eq!(from_body(br#"{"detail":"x"}"#), None);
    }
}
