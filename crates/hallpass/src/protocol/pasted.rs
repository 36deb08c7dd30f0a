//! Pasted authorization responses: the URL from the browser's address bar, its query, or the code alone.

use zeroize::Zeroizing;

use super::authorization::{CallbackQuery, CallbackVerdict, PendingAuthorization};
use crate::error::ServerMisbehaved;

/// The shortest text that is accepted as a code. A code is hard to guess (RFC 6749 §10.10) and therefore longer; a short
/// text was typed by mistake, and exchanging it would end the login.
const MIN_CODE_LENGTH: usize = 16;

/// The reason why a pasted text is not the authorization response. The login continues, and the user can paste again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasteError {
    /// The text is neither a redirect URI with a response nor a code.
    Unrecognized,
    /// The text is the authorization URL itself.
    AuthorizationUrl,
    /// Its `state` is not ours: the response belongs to another sign-in, perhaps an older one.
    OtherSignIn,
    /// Part of the response is missing.
    Incomplete,
    /// The text is the code alone, but the server promises `iss` in the response (RFC 9207).
    CodeOnly,
}

impl PasteError {
    /// A message for the user.
    pub fn text(self) -> &'static str {
        match self {
            PasteError::Unrecognized => {
                "That's not the sign-in URL. Paste the full URL from the browser's address bar."
            }
            PasteError::AuthorizationUrl => {
                "That's the URL to open. Sign in there, then paste the URL from the browser's address bar."
            }
            PasteError::OtherSignIn => {
                "That URL belongs to another sign-in, perhaps an older one. Paste the URL from this one."
            }
            PasteError::Incomplete => {
                "That URL is incomplete. Paste the full URL from the browser's address bar."
            }
            PasteError::CodeOnly => {
                "That's only the code. This server requires the full URL from the browser's address bar."
            }
        }
    }
}

impl PendingAuthorization {
    /// Judges a pasted text by the rules for callbacks. Only an error response and an `iss` of another server end the
    /// login; everything else may be a copying mistake.
    ///
    /// # Errors
    /// [`PasteError`] if the user should paste again.
    pub fn judge_pasted(&self, text: &str) -> Result<CallbackVerdict, PasteError> {
        let text = without_white_space(text);
        let query = match text.split_once('?') {
            Some((_, query)) => query,
            None => &text,
        };
        let query = query.split('#').next().unwrap_or_default();
        let parameters = CallbackQuery::parse(query);
        if parameters.has("response_type") {
            return Err(PasteError::AuthorizationUrl);
        }
        if !["state", "code", "error"].iter().any(|name| parameters.has(name)) {
            return self.judge_code(&text);
        }
        match self.judge(query) {
            CallbackVerdict::NotOurs if parameters.has("state") => Err(PasteError::OtherSignIn),
            CallbackVerdict::NotOurs => Err(PasteError::Incomplete),
            verdict @ CallbackVerdict::Broken(ServerMisbehaved::AuthorizationIss { .. }) => Ok(verdict),
            CallbackVerdict::Broken(_) => Err(PasteError::Incomplete),
            verdict => Ok(verdict),
        }
    }

    /// A code alone does not show which server it came from, so it is accepted only if the server does not promise `iss`
    /// (RFC 9207 §2.4). PKCE and the user ensure that it belongs to this sign-in.
    fn judge_code(&self, text: &str) -> Result<CallbackVerdict, PasteError> {
        let is_code = text.len() >= MIN_CODE_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.contains("://")
            && !text.contains(['?', '&']);
        if !is_code {
            return Err(PasteError::Unrecognized);
        }
        if self.iss_promised {
            return Err(PasteError::CodeOnly);
        }
        Ok(CallbackVerdict::Code(self.verified(text)))
    }
}

/// Removes quotes around the text, and the spaces and line breaks that a terminal or an email puts into a long URL.
/// Neither URLs nor codes contain white space.
fn without_white_space(text: &str) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    joined.extend(text.split_whitespace());
    Zeroizing::new(joined.trim_matches(['"', '\'', '<', '>']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::authorization::tests::{STATE, pending};

    const CODE: &str = "4/0AX4XfWh-c0de==";

    fn judged(iss_promised: bool, text: &str) -> Result<String, PasteError> {
        match pending(iss_promised).judge_pasted(text)? {
            CallbackVerdict::Code(code) => Ok(code.code.expose().to_owned()),
            other => Ok(format!("{other:?}")),
        }
    }

    #[test]
    fn p16_a_url_or_its_query_is_accepted_however_it_was_copied() {
        let query = format!("code=c&state={STATE}");
        for text in [
            format!("http://127.0.0.1:5/callback?{query}"),
            format!("http://127.0.0.1:5/callback?{query}#_=_"),
            format!("  ?{query}\r\n"),
            query.clone(),
            format!("\"http://127.0.0.1:5/callback?{query}\""),
            format!("<?{query}>"),
            format!("http://127.0.0.1:5/callback?code=c&st\n  ate={STATE}"),
        ] {
            assert_eq!(judged(false, &text).as_deref(), Ok("c"), "{text}");
        }
    }

    #[test]
    fn p16_the_code_alone_is_accepted_only_if_no_iss_is_promised() {
        assert_eq!(judged(false, CODE).as_deref(), Ok(CODE));
        assert_eq!(judged(true, CODE), Err(PasteError::CodeOnly));
    }

    #[test]
    fn p16_each_other_text_has_its_error() {
        let request =
            crate::protocol::authorization::tests::begin("https://a.example/authorize", &[], true, &[]).0;
        for (text, why) in [
            ("", PasteError::Unrecognized),
            ("ls -l", PasteError::Unrecognized),
            ("hallpass token", PasteError::Unrecognized),
            ("https://a.example/login?return_to=x", PasteError::Unrecognized),
            ("k\u{e4}se-und-noch-viel-mehr", PasteError::Unrecognized),
            (request.as_str(), PasteError::AuthorizationUrl),
            ("http://127.0.0.1:5/callback?code=c&state=another", PasteError::OtherSignIn),
            ("error=access_denied&state=another", PasteError::OtherSignIn),
            ("http://127.0.0.1:5/callback?code=c", PasteError::Incomplete),
            (&format!("?state={STATE}"), PasteError::Incomplete),
            (&format!("?code=c&state={STATE}"), PasteError::Incomplete),
            (&format!("?code=c&code=d&state={STATE}&iss=https://a.example"), PasteError::Incomplete),
            (&format!("?code=c&state={STATE}&state={STATE}&iss=https://a.example"), PasteError::OtherSignIn),
        ] {
            assert_eq!(judged(true, text), Err(why), "{text}");
        }
    }

    #[test]
    fn n07_an_error_and_another_iss_end_the_login_as_in_a_callback() {
        let denied = judged(true, &format!("?error=access_denied&state={STATE}&iss=https://a.example"));
        assert!(denied.is_ok_and(|verdict| verdict.starts_with("Denied")));
        let mixed_up = judged(true, &format!("?code=c&state={STATE}&iss=https://b.example"));
        assert!(mixed_up.is_ok_and(|verdict| verdict.starts_with("Broken")));
    }
}
