//! Token requests and their responses (RFC 6749 §4.1.3, §5, §6).

use std::time::Duration;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::authorization::VerifiedCode;
use super::client::{ClientAuth, ClientRequest};
use super::{bearer, json, oauth_error, seconds};
use crate::error::{OAuthError, ServerIncompatible, ServerMisbehaved};
use crate::secret::Secret;

/// The longest plausible lifetime, ten years. A longer one counts as unknown.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Builds the request that exchanges a code for tokens (RFC 6749 §4.1.3). It consumes the code, which must not be sent
/// twice.
pub fn code_request(client: &ClientAuth<'_>, code: VerifiedCode, resources: &[String]) -> ClientRequest {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code.code.expose()),
        ("redirect_uri", &code.redirect_uri),
        ("code_verifier", code.verifier.secret().expose()),
    ];
    fields.extend(resources.iter().map(|resource| ("resource", resource.as_str())));
    client.request(&fields)
}

/// Builds a refresh request (RFC 6749 §6). It has no `scope`, so that the server keeps the granted scopes.
pub fn refresh_request(
    client: &ClientAuth<'_>,
    refresh_token: &Secret,
    resource: Option<&str>,
) -> ClientRequest {
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
    fields.extend(resource.map(|resource| ("resource", resource)));
    client.request(&fields)
}

/// The tokens of a valid response (RFC 6749 §5.1).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token. It is opaque to the client.
    pub access_token: Secret,
    /// The lifetime of the access token, from now on. `None` if the response has no plausible one.
    pub expires_in: Option<Duration>,
    /// The refresh token. If `None` after a refresh, the old one remains valid.
    pub refresh_token: Option<Secret>,
    /// The ID token, not yet verified.
    pub id_token: Option<Secret>,
    /// The granted scopes. `None` if they are the requested ones (RFC 6749 §5.1).
    pub scopes: Option<Vec<String>>,
}

/// The verdict on a token response.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenVerdict {
    /// The tokens.
    Granted(Tokens),
    /// An error response with an error code, whatever its status (RFC 6749 §5.2).
    Refused(OAuthError),
    /// A status other than 200, without an error code.
    Status(u16),
    /// A success response that violates the standard.
    Broken(ServerMisbehaved),
    /// A success response with a token that cannot be used.
    Unusable(ServerIncompatible),
}

/// Judges a token response. `error` counts whatever the status is, because GitHub sends errors with 200. The body may be
/// JSON or a form, `token_type` may have any case or be missing, and `expires_in` may be a number, text or missing.
pub fn judge(status: u16, body: &[u8]) -> TokenVerdict {
    if let Some(error) = oauth_error::from_body(body) {
        return TokenVerdict::Refused(error);
    }
    if status != 200 {
        return TokenVerdict::Status(status);
    }
    match members(body) {
        Some(response) => judge_members(&response),
        None => TokenVerdict::Broken(ServerMisbehaved::TokenResponse("neither JSON nor a form".to_owned())),
    }
}

fn judge_members(response: &Map<String, Value>) -> TokenVerdict {
    let secret = |name: &str| text(response, name).map(|value| Secret::new(value.to_owned()));
    let Some(access_token) = secret("access_token").filter(|token| bearer::is_valid_token(token.expose()))
    else {
        return TokenVerdict::Broken(ServerMisbehaved::AccessTokenMissing);
    };
    if let Some(other) = text(response, "token_type").filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return TokenVerdict::Unusable(ServerIncompatible::TokenType(crate::sanitize::text(other)));
    }
    let lifetime = response.get("expires_in").and_then(seconds::parse);
    TokenVerdict::Granted(Tokens {
        access_token,
        expires_in: lifetime.filter(|lifetime| *lifetime <= MAX_LIFETIME),
        refresh_token: secret("refresh_token"),
        id_token: secret("id_token"),
        scopes: text(response, "scope").map(scopes),
    })
}

/// The members of a JSON object or of a form, if none of them is duplicated.
fn members(body: &[u8]) -> Option<json::Wiped> {
    json::secrets(body).ok().or_else(|| form(body))
}

fn form(body: &[u8]) -> Option<json::Wiped> {
    let mut form = json::Wiped(Map::new());
    for (name, value) in form_urlencoded::parse(body) {
        if form.0.insert(name.into_owned(), Value::String(value.into_owned())).is_some() {
            return None;
        }
    }
    if form.contains_key("access_token") { Some(form) } else { None }
}

fn text<'a>(response: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    response.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Splits scopes, which are separated by spaces (RFC 6749 §3.3), or by commas at GitHub.
fn scopes(text: &str) -> Vec<String> {
    let separators: &[char] =
        if text.contains(char::is_whitespace) { &[' ', '\t', '\n'] } else { &[',', ' '] };
    text.split(separators).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::authorization::RequestedIdToken;
    use crate::protocol::client::AuthMethod;
    use crate::protocol::pkce::CodeVerifier;

    const CLIENT: ClientAuth<'static> =
        ClientAuth { client_id: "cli", secret: None, method: AuthMethod::None };

    fn granted(body: &str) -> Tokens {
        match judge(200, body.as_bytes()) {
            TokenVerdict::Granted(tokens) => tokens,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn n38_the_code_request_has_exactly_these_fields() {
        let code = VerifiedCode {
            code: Secret::new("c".to_owned()),
            verifier: CodeVerifier::from_random([0; 32]),
            redirect_uri: "http://127.0.0.1:5/callback".to_owned(),
            requested: RequestedIdToken::default(),
        };
        let form = code_request(&CLIENT, code, &[]).form;
        let names: Vec<_> = form_urlencoded::parse(form.as_bytes()).map(|(n, _)| n.into_owned()).collect();
        assert_eq!(names, ["grant_type", "code", "redirect_uri", "code_verifier", "client_id"]);
    }

    #[test]
    fn n83_a_refresh_requests_no_scope() {
        let form = refresh_request(&CLIENT, &Secret::new("r".to_owned()), Some("https://api.example")).form;
        assert_eq!(
            *form,
            "grant_type=refresh_token&refresh_token=r&resource=https%3A%2F%2Fapi.example&client_id=cli"
        );
    }

    #[test]
    fn p57_expires_in_in_every_form() {
        let seconds = |value: &str| {
            granted(&format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{value}}}"#))
                .expires_in
                .map(|d| d.as_secs())
        };
        for value in ["3600", "\"3600\"", "3600.0", "\"3600.5\"", "\" 3600 \""] {
            assert_eq!(seconds(value), Some(3600), "{value}");
        }
        for value in
            ["null", "\"\"", "-1", "0", "1e18", "1e308", "\"NaN\"", "\"inf\"", "\"soon\"", "[]", "true"]
        {
            assert_eq!(seconds(value), None, "{value}");
        }
        assert_eq!(granted(r#"{"access_token":"a"}"#).expires_in, None);
    }

    #[test]
    fn n43_token_type_is_read_in_any_case_and_may_be_missing() {
        for kind in ["Bearer", "bearer", "BEARER", ""] {
            granted(&format!(r#"{{"access_token":"a","token_type":"{kind}"}}"#));
        }
        for kind in ["mac", "DPoP"] {
            let body = format!(r#"{{"access_token":"a","token_type":"{kind}"}}"#);
            assert!(matches!(
                judge(200, body.as_bytes()),
                TokenVerdict::Unusable(ServerIncompatible::TokenType(_))
            ));
        }
    }

    #[test]
    fn p58_an_error_counts_whatever_its_status_and_encoding() {
        for (status, body) in [
            (200, r#"{"error":"invalid_grant"}"#),
            (400, r#"{"error":"invalid_grant"}"#),
            (401, r#"{"error":"invalid_grant","access_token":"a"}"#),
            (200, "error=invalid_grant&error_description=x"),
        ] {
            let TokenVerdict::Refused(error) = judge(status, body.as_bytes()) else { panic!("{body}") };
            assert_eq!(error.error, "invalid_grant");
        }
    }

    #[test]
    fn p58_without_an_error_code_the_status_counts() {
        for (status, body) in
            [(400, ""), (403, "<html>"), (500, "oops"), (400, r#"{"title":"problem"}"#), (302, "")]
        {
            assert!(matches!(judge(status, body.as_bytes()), TokenVerdict::Status(s) if s == status));
        }
    }

    #[test]
    fn n42_a_success_without_a_usable_access_token_is_broken() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":1}"#,
            r#"{"access_token":"a\r\nX-Evil: 1"}"#,
            r#"{"access_token":"a\u001b[31m"}"#,
            r#"{"access_token":null}"#,
            "null",
        ] {
            assert!(matches!(judge(200, body.as_bytes()), TokenVerdict::Broken(_)), "{body}");
        }
    }

    #[test]
    fn n50_a_success_with_duplicate_members_is_broken() {
        for body in [
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"access_token":"a","refresh_token":"r","refresh_token":"s"}"#,
            "access_token=a&access_token=b",
            "access_token=a&refresh_token=r&refresh_token=s",
        ] {
            let verdict = judge(200, body.as_bytes());
            assert!(matches!(verdict, TokenVerdict::Broken(ServerMisbehaved::TokenResponse(_))), "{body}");
        }
    }

    #[test]
    fn n50_an_error_response_with_two_codes_does_not_end_the_session() {
        for body in
            [r#"{"error":"slow_down","error":"invalid_grant"}"#, "error=slow_down&error=invalid_grant"]
        {
            assert!(matches!(judge(400, body.as_bytes()), TokenVerdict::Status(400)), "{body}");
        }
    }

    #[test]
    fn a_form_encoded_response_is_read() {
        let body = "access_token=gho_x&scope=repo%2Cuser&token_type=bearer&expires_in=60";
        let tokens = granted(body);
        assert_eq!(tokens.access_token.expose(), "gho_x");
        assert_eq!(tokens.scopes.unwrap(), ["repo", "user"]);
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(60)));
    }

    #[test]
    fn p33_a_null_or_empty_refresh_token_counts_as_missing() {
        for member in ["", r#","refresh_token":null"#, r#","refresh_token":"""#] {
            assert!(granted(&format!(r#"{{"access_token":"a"{member}}}"#)).refresh_token.is_none());
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let verdict =
            judge(200, br#"{"access_token":"CANARY","refresh_token":"CANARY","id_token":"CANARY"}"#);
        assert!(!format!("{verdict:?}").contains("CANARY"));
    }
}
