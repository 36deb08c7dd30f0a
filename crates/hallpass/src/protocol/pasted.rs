//! What a person pastes in place of the callback: the address that the browser ended on, its query, or the code alone.

use zeroize::Zeroizing;

use super::authorization::{Answer, PendingAuthorization, Verdict};
use crate::error::ServerMisbehaved;

/// Why a pasted text is not the answer. Nothing is lost: the person can paste another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Nothing that a server would send.
    Nonsense,
    /// The address that was shown, not the one that the browser ended on.
    Request,
    /// Its `state` is not ours: another sign-in's answer, or an older one's.
    OtherSignIn,
    /// Something of it was not copied.
    Part,
    /// The code alone, where the server says more in the address (RFC 9207).
    BareCode,
}

impl NoAnswer {
    /// One sentence for the person.
    pub fn text(self) -> &'static str {
        match self {
            NoAnswer::Nonsense => "That is no answer; paste the whole address that the browser ended on.",
            NoAnswer::Request => {
                "That is the address to open; sign in there, then paste the one that the browser ends on."
            }
            NoAnswer::OtherSignIn => {
                "That is the answer to another sign-in, perhaps an older one; paste the address that this one ended on."
            }
            NoAnswer::Part => "That is only a part; paste the whole address that the browser ended on.",
            NoAnswer::BareCode => {
                "That is the code alone; this server needs the whole address that the browser ended on."
            }
        }
    }
}

impl PendingAuthorization {
    /// Judges a pasted text by the callback's rules. What a bad copy can be to blame for ends nothing; a refusal, and an
    /// `iss` of another server, do.
    ///
    /// # Errors
    /// [`NoAnswer`] where the person should paste again.
    pub fn judge_pasted(&self, text: &str) -> Result<Verdict, NoAnswer> {
        let text = cleaned(text);
        let query = text.split_once('?').map_or(text.as_str(), |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let answer = Answer::parse(query);
        if answer.has("response_type") {
            return Err(NoAnswer::Request);
        }
        if !["state", "code", "error"].iter().any(|name| answer.has(name)) {
            return self.judge_bare(&text);
        }
        match self.judge(query) {
            Verdict::NotOurs if answer.has("state") => Err(NoAnswer::OtherSignIn),
            Verdict::NotOurs => Err(NoAnswer::Part),
            Verdict::Broken(rule) if !is_another_servers(&rule) => Err(NoAnswer::Part),
            verdict => Ok(verdict),
        }
    }

    /// Nothing says which sign-in a code without its address belongs to but the person and PKCE, so it is only taken
    /// where the server does not promise `iss` (RFC 9207 §2.4).
    fn judge_bare(&self, text: &str) -> Result<Verdict, NoAnswer> {
        match can_be_code(text) {
            true if !self.iss_promised => Ok(Verdict::Code(self.verified(text))),
            true => Err(NoAnswer::BareCode),
            false => Err(NoAnswer::Nonsense),
        }
    }
}

/// A code is hard to guess (RFC 6749 §10.10). What is shorter was typed for somebody else, and to exchange it would end
/// the login.
const SHORTEST_CODE: usize = 16;

fn can_be_code(text: &str) -> bool {
    let is_of_address = text.contains("://") || text.contains(['?', '&']);
    text.len() >= SHORTEST_CODE && !is_of_address && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Without quotes, and without the blanks and line ends that a terminal or a letter puts into a long address; neither
/// an address nor a code has any.
fn cleaned(text: &str) -> Zeroizing<String> {
    let mut cleaned = Zeroizing::new(String::with_capacity(text.len()));
    cleaned.extend(text.split_whitespace());
    Zeroizing::new(cleaned.trim_matches(['"', '\'', '<', '>']).to_owned())
}

fn is_another_servers(rule: &ServerMisbehaved) -> bool {
    matches!(rule, ServerMisbehaved::AuthorizationIss { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::authorization::tests::{STATE, pending};

    const CODE: &str = "4/0AX4XfWh-c0de==";

    fn judged(iss_promised: bool, text: &str) -> Result<String, NoAnswer> {
        match pending(iss_promised).judge_pasted(text)? {
            Verdict::Code(code) => Ok(code.code.expose().to_owned()),
            other => Ok(format!("{other:?}")),
        }
    }

    #[test]
    fn p16_an_address_or_its_query_is_the_answer_however_it_was_copied() {
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
    fn p16_the_code_alone_is_taken_only_where_no_iss_is_promised() {
        assert_eq!(judged(false, CODE).as_deref(), Ok(CODE));
        assert_eq!(judged(true, CODE), Err(NoAnswer::BareCode));
    }

    #[test]
    fn p16_what_is_no_answer_is_told_why() {
        let request =
            crate::protocol::authorization::tests::begin("https://a.example/authorize", &[], true, &[]).0;
        for (text, why) in [
            ("", NoAnswer::Nonsense),
            ("ls -l", NoAnswer::Nonsense),
            ("hallpass token", NoAnswer::Nonsense),
            ("https://a.example/login?return_to=x", NoAnswer::Nonsense),
            ("k\u{e4}se-und-noch-viel-mehr", NoAnswer::Nonsense),
            (request.as_str(), NoAnswer::Request),
            ("http://127.0.0.1:5/callback?code=c&state=another", NoAnswer::OtherSignIn),
            ("error=access_denied&state=another", NoAnswer::OtherSignIn),
            ("http://127.0.0.1:5/callback?code=c", NoAnswer::Part),
            (&format!("?state={STATE}"), NoAnswer::Part),
            (&format!("?code=c&state={STATE}"), NoAnswer::Part),
            (&format!("?code=c&code=d&state={STATE}&iss=https://a.example"), NoAnswer::Part),
            (&format!("?code=c&state={STATE}&state={STATE}&iss=https://a.example"), NoAnswer::OtherSignIn),
        ] {
            assert_eq!(judged(true, text), Err(why), "{text}");
        }
    }

    #[test]
    fn n07_a_refusal_and_another_servers_iss_end_the_login_as_in_a_callback() {
        let denied = judged(true, &format!("?error=access_denied&state={STATE}&iss=https://a.example"));
        assert!(denied.is_ok_and(|verdict| verdict.starts_with("Denied")));
        let mixed_up = judged(true, &format!("?code=c&state={STATE}&iss=https://b.example"));
        assert!(mixed_up.is_ok_and(|verdict| verdict.starts_with("Broken")));
    }
}
