//! The token request and its answer (RFC 6749 §4.1.3, §5, §6).

use std::time::Duration;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::authorization::VerifiedCode;
use super::client::{ClientAuth, ClientRequest};
use super::{json, oauth_error};
use crate::error::{OAuthError, ServerIncompatible, ServerMisbehaved};
use crate::secret::Secret;

/// A lifetime above this is taken for a mistake and treated as unknown: ten years.
const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The exchange of a code (RFC 6749 §4.1.3). It consumes the code: a code is sent once.
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

/// A refresh (RFC 6749 §6). No scope is sent: the server keeps what it granted.
pub fn refresh_request(
    client: &ClientAuth<'_>,
    refresh_token: &Secret,
    resource: Option<&str>,
) -> ClientRequest {
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
    fields.extend(resource.map(|resource| ("resource", resource)));
    client.request(&fields)
}

/// A token answer that passed the rules of RFC 6749 §5.1.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token: opaque, never looked into.
    pub access_token: Secret,
    /// Lifetime from now on; `None` where the server gives none that makes sense.
    pub expires_in: Option<Duration>,
    /// The new refresh token; `None` means: keep the old one.
    pub refresh_token: Option<Secret>,
    /// The ID token, not yet judged.
    pub id_token: Option<Secret>,
    /// What was granted; `None` means: as asked (RFC 6749 §5.1).
    pub scopes: Option<Vec<String>>,
}

/// What the token endpoint said.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenVerdict {
    /// Tokens.
    Granted(Tokens),
    /// An error answer with a code (RFC 6749 §5.2), whatever its status.
    Refused(OAuthError),
    /// A status that is no success, and no error code with it.
    Status(u16),
    /// A success that breaks a rule.
    Broken(ServerMisbehaved),
    /// A success with a token that cannot be used.
    Unusable(ServerIncompatible),
}

/// Judges an answer: `error` first, whatever the status (GitHub answers 200 with an error), JSON or a
/// form, `token_type` in any case or missing, `expires_in` as number, text or nothing.
pub fn judge(status: u16, body: &[u8]) -> TokenVerdict {
    if let Some(error) = oauth_error::from_body(body) {
        return TokenVerdict::Refused(error);
    }
    if status != 200 {
        return TokenVerdict::Status(status);
    }
    match members(body) {
        Some(answer) => judge_members(&answer),
        None => {
            TokenVerdict::Broken(ServerMisbehaved::TokenResponse("it is neither JSON nor a form".to_owned()))
        }
    }
}

fn judge_members(answer: &Map<String, Value>) -> TokenVerdict {
    let secret = |name: &str| text(answer, name).map(|value| Secret::new(value.to_owned()));
    let Some(access_token) = secret("access_token").filter(is_printable) else {
        return TokenVerdict::Broken(ServerMisbehaved::AccessTokenMissing);
    };
    if let Some(other) = text(answer, "token_type").filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return TokenVerdict::Unusable(ServerIncompatible::TokenType(crate::sanitize::text(other)));
    }
    TokenVerdict::Granted(Tokens {
        access_token,
        expires_in: answer.get("expires_in").and_then(lifetime),
        refresh_token: secret("refresh_token"),
        id_token: secret("id_token"),
        scopes: text(answer, "scope").map(scopes),
    })
}

/// Visible ASCII and spaces (RFC 6749 appendix A.12): a line end in a token would be a second header.
fn is_printable(token: &Secret) -> bool {
    token.expose().bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// The members of a JSON object or of a form, each of them once.
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
    form.contains_key("access_token").then_some(form)
}

fn text<'a>(answer: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// `expires_in` in seconds, as servers write it: 3600, 3600.0, "3600", "3600.5".
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    let lifetime = Duration::try_from_secs_f64(seconds).ok()?;
    (lifetime > Duration::ZERO && lifetime <= LONGEST_LIFETIME).then_some(lifetime)
}

/// Scopes are separated by spaces (RFC 6749 §3.3), at GitHub by commas.
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
    fn n83_a_refresh_asks_for_no_scope() {
        let form = refresh_request(&CLIENT, &Secret::new("r".to_owned()), Some("https://api.example")).form;
        assert_eq!(
            *form,
            "grant_type=refresh_token&refresh_token=r&resource=https%3A%2F%2Fapi.example&client_id=cli"
        );
    }

    #[test]
    fn p57_expires_in_in_every_shape() {
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
    fn p58_an_error_counts_whatever_the_status_and_the_encoding() {
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
    fn p58_an_empty_or_foreign_error_body_leaves_the_status() {
        for (status, body) in
            [(400, ""), (403, "<html>"), (500, "oops"), (400, r#"{"title":"problem"}"#), (302, "")]
        {
            assert!(matches!(judge(status, body.as_bytes()), TokenVerdict::Status(s) if s == status));
        }
    }

    #[test]
    fn n42_a_success_without_a_usable_access_token_is_none() {
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
    fn n50_a_success_with_two_tokens_is_none() {
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
    fn n50_a_refusal_with_two_reasons_ends_no_session() {
        for body in
            [r#"{"error":"slow_down","error":"invalid_grant"}"#, "error=slow_down&error=invalid_grant"]
        {
            assert!(matches!(judge(400, body.as_bytes()), TokenVerdict::Status(400)), "{body}");
        }
    }

    #[test]
    fn a_form_encoded_grant_is_read() {
        let body = "access_token=gho_x&scope=repo%2Cuser&token_type=bearer&expires_in=60";
        let tokens = granted(body);
        assert_eq!(tokens.access_token.expose(), "gho_x");
        assert_eq!(tokens.scopes.unwrap(), ["repo", "user"]);
        assert_eq!(tokens.expires_in, Some(Duration::from_secs(60)));
    }

    #[test]
    fn p33_an_absent_null_or_empty_refresh_token_is_no_refresh_token() {
        for member in ["", r#","refresh_token":null"#, r#","refresh_token":"""#] {
            assert!(granted(&format!(r#"{{"access_token":"a"{member}}}"#)).refresh_token.is_none());
        }
    }

    #[test]
    fn no_secret_shows_in_debug() {
        let verdict =
            judge(200, br#"{"access_token":"CANARY","refresh_token":"CANARY","id_token":"CANARY"}"#);
        assert!(!format!("{verdict:?}").contains("CANARY"));
    }
}
