//! The authorization request and its answer (RFC 6749 §4.1, RFC 9207, OpenID Connect Core §3.1.2).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;
use url::form_urlencoded;

use super::issuer::told_apart;
use super::pkce::CodeVerifier;
use crate::error::{OAuthError, ServerMisbehaved};
use crate::secret::Secret;

/// What to ask for. Turn it into an address and a pending login by [`begin`](AuthorizationRequest::begin).
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// The server's `authorization_endpoint`.
    pub authorization_endpoint: &'a Url,
    /// The issuer as the metadata spells it.
    pub issuer: &'a str,
    /// Whether the metadata promises `iss` in the answer (RFC 9207 §3).
    pub iss_promised: bool,
    /// The registered identifier.
    pub client_id: &'a str,
    /// Where the answer comes back, with the bound port.
    pub redirect_uri: &'a str,
    /// The scopes; with `openid` among them a nonce goes along.
    pub scopes: &'a [String],
    /// The APIs that the token is for (RFC 8707 §2).
    pub resources: &'a [String],
    /// `prompt` (OpenID Connect Core §3.1.2.1).
    pub prompt: Option<&'a str>,
    /// Who should sign in (OpenID Connect Core §3.1.2.1); the server need not care.
    pub login_hint: Option<&'a str>,
    /// The caller's own parameters; names that are already used here are left out.
    pub extra: &'a [(String, String)],
}

/// 96 random bytes from the operating system, spent by one login: state, nonce and verifier.
pub struct Randomness(pub [[u8; 32]; 3]);

/// A login that is waiting for its answer.
#[derive(Debug)]
pub struct PendingAuthorization {
    issuer: String,
    pub(super) iss_promised: bool,
    redirect_uri: String,
    state: Secret,
    verifier: CodeVerifier,
    asked: Asked,
}

/// What the request asked the ID token to say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Whatever belongs to an OpenID sign-in has one.
    pub(crate) nonce: Option<Secret>,
    /// How long ago the person may have proved who they are (OpenID Connect Core §3.1.2.1).
    pub(crate) max_age: Option<Duration>,
    /// How the person might prove it, any of these will do. The server need not care (OpenID Connect Core §3.1.2.1).
    pub(crate) acr_values: Vec<String>,
}

impl Asked {
    fn of(extra: &[(String, String)], nonce: [u8; 32]) -> Asked {
        let value = |name| extra.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        Asked {
            nonce: Some(Secret::new(URL_SAFE_NO_PAD.encode(nonce))),
            max_age: value("max_age").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
            acr_values: value("acr_values").map(words).unwrap_or_default(),
        }
    }

    /// Whether a verified ID token's `acr` is one that was asked for, if any was (OpenID Connect Core §3.1.3.7, 12).
    pub(crate) fn allows_acr(&self, acr: Option<&str>) -> bool {
        self.acr_values.is_empty() || self.acr_values.iter().any(|value| acr == Some(value))
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// An authorization code whose answer was checked in full: the only thing a code exchange accepts.
#[derive(Debug)]
pub struct VerifiedCode {
    pub(crate) code: Secret,
    pub(crate) verifier: CodeVerifier,
    pub(crate) redirect_uri: String,
    pub(crate) asked: Asked,
}

/// What an answer on the redirect URI is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// `state` is missing, doubled or not ours: another sign-in's answer, or a forged one. It changes nothing.
    NotOurs,
    /// The server said no (RFC 6749 §4.1.2.1).
    Denied(OAuthError),
    /// It carries our `state` and breaks a rule: the login is over.
    Broken(ServerMisbehaved),
    /// The code, ready to be exchanged.
    Code(VerifiedCode),
}

impl AuthorizationRequest<'_> {
    /// The address for the browser, and the login that its answer belongs to.
    ///
    /// A query that the endpoint already has is kept (RFC 6749 §3.1), but for names that are set here. No
    /// parameter comes twice, `resource` excepted (RFC 8707 §2).
    pub fn begin(&self, randomness: Randomness) -> (Url, PendingAuthorization) {
        let [state, nonce, verifier] = randomness.0;
        let is_openid = self.scopes.iter().any(|scope| scope == "openid");
        let pending = PendingAuthorization {
            issuer: self.issuer.to_owned(),
            iss_promised: self.iss_promised,
            redirect_uri: self.redirect_uri.to_owned(),
            state: Secret::new(URL_SAFE_NO_PAD.encode(state)),
            verifier: CodeVerifier::from_random(verifier),
            asked: if is_openid { Asked::of(self.extra, nonce) } else { Asked::default() },
        };
        (self.url(&pending), pending)
    }

    fn url(&self, pending: &PendingAuthorization) -> Url {
        let scope = self.scopes.join(" ");
        let challenge = pending.verifier.challenge();
        let mut fields: Vec<(&str, &str)> = vec![
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("state", pending.state.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        fields.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
        fields.extend(pending.asked.nonce.as_ref().map(|nonce| ("nonce", nonce.expose())));
        fields.extend(self.prompt.map(|prompt| ("prompt", prompt)));
        fields.extend(self.login_hint.map(|hint| ("login_hint", hint)));
        let own: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        fields.extend(
            self.extra
                .iter()
                .filter(|(name, _)| !own.contains(&name.as_str()))
                .map(|(n, v)| (n.as_str(), v.as_str())),
        );
        let taken: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let kept: Vec<(String, String)> = self
            .authorization_endpoint
            .query_pairs()
            .into_owned()
            .filter(|(name, _)| !taken.contains(&name.as_str()))
            .collect();
        fields.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        let mut url = self.authorization_endpoint.clone();
        url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(fields);
        url
    }
}

impl PendingAuthorization {
    /// Judges the query of a request on the redirect URI, `state` before everything else
    /// (RFC 6749 §10.12, RFC 8252 §8.9).
    ///
    /// Empty values count as absent, unknown parameters are ignored (RFC 6749 §3.1, §4.1.2).
    pub fn judge(&self, query: &str) -> Verdict {
        let answer = Answer::parse(query);
        if answer.one("state").map(|state| Secret::new(state.to_owned())).as_ref() != Some(&self.state) {
            return Verdict::NotOurs;
        }
        match self.judge_ours(&answer) {
            Ok(verdict) => verdict,
            Err(broken) => Verdict::Broken(broken),
        }
    }

    pub(super) fn verified(&self, code: &str) -> VerifiedCode {
        VerifiedCode {
            code: Secret::new(code.to_owned()),
            verifier: self.verifier.clone(),
            redirect_uri: self.redirect_uri.clone(),
            asked: self.asked.clone(),
        }
    }

    fn judge_ours(&self, answer: &Answer) -> Result<Verdict, ServerMisbehaved> {
        for name in ["iss", "error", "code"] {
            answer.at_most_one(name)?;
        }
        if let Some(iss) = answer.one("iss").filter(|iss| *iss != self.issuer) {
            let found = told_apart(iss);
            return Err(ServerMisbehaved::AuthorizationIss { expected: self.issuer.clone(), found });
        }
        if let Some(error) = answer.one("error") {
            return Ok(Verdict::Denied(OAuthError::new(
                error,
                answer.one("error_description"),
                answer.one("error_uri"),
            )));
        }
        if self.iss_promised && answer.one("iss").is_none() {
            return Err(ServerMisbehaved::AuthorizationIssMissing);
        }
        let code = answer.one("code").ok_or(ServerMisbehaved::CodeMissing)?;
        Ok(Verdict::Code(self.verified(code)))
    }
}

/// The parameters of an answer, empty ones left out.
pub(super) struct Answer(Vec<(String, String)>);

impl Answer {
    pub(super) fn parse(query: &str) -> Answer {
        Answer(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    /// Whether a parameter came, be it more than once.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// The value of a parameter that came exactly once.
    fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(n, _)| n == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    fn at_most_one(&self, name: &'static str) -> Result<(), ServerMisbehaved> {
        match self.0.iter().filter(|(n, _)| n == name).count() {
            0 | 1 => Ok(()),
            _ => Err(ServerMisbehaved::DuplicateParameter(name)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    pub(in crate::protocol) const STATE: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

    pub(in crate::protocol) fn begin(
        endpoint: &str,
        scopes: &[&str],
        iss_promised: bool,
        extra: &[(&str, &str)],
    ) -> (Url, PendingAuthorization) {
        let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
        let extra: Vec<(String, String)> =
            extra.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        AuthorizationRequest {
            authorization_endpoint: &Url::parse(endpoint).unwrap(),
            issuer: "https://a.example",
            iss_promised,
            client_id: "cli",
            redirect_uri: "http://127.0.0.1:5/callback",
            scopes: &scopes,
            resources: &[],
            prompt: None,
            login_hint: None,
            extra: &extra,
        }
        .begin(Randomness([[1; 32], [2; 32], [3; 32]]))
    }

    pub(in crate::protocol) fn pending(iss_promised: bool) -> PendingAuthorization {
        begin("https://a.example/authorize", &["openid"], iss_promised, &[]).1
    }

    fn parameters(url: &Url) -> BTreeMap<String, String> {
        url.query_pairs().into_owned().collect()
    }

    #[test]
    fn n01_the_address_has_a_challenge_a_state_and_a_nonce_of_43_characters() {
        let (url, _) = begin("https://a.example/authorize", &["openid", "email"], false, &[]);
        let sent = parameters(&url);
        assert_eq!(
            sent.keys().map(String::as_str).collect::<Vec<_>>(),
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "nonce",
                "redirect_uri",
                "response_type",
                "scope",
                "state",
            ]
        );
        assert_eq!(sent["code_challenge_method"], "S256");
        assert_eq!(sent["scope"], "openid email");
        assert!(["state", "nonce", "code_challenge"].iter().all(|name| sent[*name].len() == 43));
    }

    #[test]
    fn n03_a_challenge_method_of_the_endpoints_own_query_is_overruled() {
        let endpoint = "https://a.example/authorize?code_challenge_method=plain&code_challenge=x";
        let (url, pending) = begin(endpoint, &["openid"], false, &[]);
        let named = |name: &str| {
            url.query_pairs().filter(|(n, _)| n == name).map(|(_, v)| v.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named("code_challenge_method"), ["S256"]);
        assert_eq!(named("code_challenge"), [pending.verifier.challenge()]);
    }

    #[test]
    fn n28_the_redirect_uri_is_always_sent_and_once() {
        for endpoint in
            ["https://a.example/authorize", "https://a.example/authorize?redirect_uri=https://evil.example"]
        {
            for scopes in [&["openid"][..], &[]] {
                let (url, _) = begin(endpoint, scopes, false, &[("redirect_uri", "https://evil.example")]);
                let sent: Vec<_> = url.query_pairs().filter(|(name, _)| name == "redirect_uri").collect();
                assert_eq!(sent, [("redirect_uri".into(), "http://127.0.0.1:5/callback".into())]);
            }
        }
    }

    #[test]
    fn n29_state_and_nonce_are_random_bytes_and_nothing_else() {
        let (url, _) = begin("https://a.example/authorize", &["openid"], false, &[]);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(&parameters(&url)[name]).unwrap();
        assert_eq!((bytes("state"), bytes("nonce")), (vec![1; 32], vec![2; 32]));
    }

    #[test]
    fn n31_without_openid_there_is_no_nonce() {
        let (url, _) = begin("https://a.example/authorize", &["profile"], false, &[]);
        assert!(!parameters(&url).contains_key("nonce"));
    }

    #[test]
    fn n19_a_query_of_the_endpoint_is_kept_and_nothing_comes_twice() {
        let (url, _) = begin(
            "https://a.example/authorize?kept=k&tenant=x&client_id=fixed",
            &[],
            false,
            &[("tenant", "y"), ("state", "z"), ("a", "b")],
        );
        assert_eq!(url.query_pairs().filter(|(n, _)| n == "tenant").count(), 1);
        assert_eq!(url.query_pairs().filter(|(n, _)| n == "state").count(), 1);
        let sent = parameters(&url);
        assert_eq!(
            (sent["tenant"].as_str(), sent["client_id"].as_str(), sent["a"].as_str()),
            ("y", "cli", "b")
        );
        assert_eq!((sent["state"].as_str(), sent["kept"].as_str()), (STATE, "k"));
    }

    #[test]
    fn n05_a_wrong_missing_empty_or_doubled_state_is_not_ours_whatever_else_comes() {
        for query in [
            "",
            "code=c",
            "error=access_denied",
            "state=&code=c",
            "state=x&code=c",
            "state=x&error=access_denied",
            &format!("state={STATE}&state={STATE}&code=c"),
            &format!("state={STATE}&state=x&code=c"),
            &format!("State={STATE}&code=c"),
        ] {
            assert!(matches!(pending(false).judge(query), Verdict::NotOurs), "{query}");
        }
    }

    #[test]
    fn the_right_state_with_a_code_gives_the_code_and_unknown_parameters_are_ignored() {
        let query =
            format!("foo=1&foo=2&session_state=s&state={STATE}&code=c%2Bd&iss=https%3A%2F%2Fa.example");
        let Verdict::Code(code) = pending(true).judge(&query) else { panic!() };
        assert_eq!(code.code.expose(), "c+d");
        assert_eq!(code.redirect_uri, "http://127.0.0.1:5/callback");
    }

    #[test]
    fn n07_n09_another_iss_ends_the_login_promised_or_not() {
        for iss in ["https://b.example", "https://a.example/", "https://A.example"] {
            for promised in [true, false] {
                let verdict = pending(promised).judge(&format!("state={STATE}&code=c&iss={iss}"));
                assert!(
                    matches!(verdict, Verdict::Broken(ServerMisbehaved::AuthorizationIss { .. })),
                    "{iss}"
                );
            }
        }
    }

    #[test]
    fn n08_a_promised_iss_that_is_missing_beside_a_code_ends_the_login() {
        let verdict = pending(true).judge(&format!("state={STATE}&code=c"));
        assert!(matches!(verdict, Verdict::Broken(ServerMisbehaved::AuthorizationIssMissing)));
        assert!(matches!(pending(false).judge(&format!("state={STATE}&code=c")), Verdict::Code(_)));
    }

    #[test]
    fn an_error_without_the_promised_iss_is_still_that_error() {
        let verdict = pending(true).judge(&format!("state={STATE}&error=access_denied&error_description=no"));
        let Verdict::Denied(error) = verdict else { panic!() };
        assert_eq!(error.to_string(), "access_denied (no)");
    }

    #[test]
    fn n20_n22_a_missing_or_doubled_code_and_tokens_in_its_place_end_the_login() {
        for (query, rule) in [
            ("", ServerMisbehaved::CodeMissing),
            ("&code=", ServerMisbehaved::CodeMissing),
            ("&access_token=t&id_token=i", ServerMisbehaved::CodeMissing),
            ("&code=a&code=b", ServerMisbehaved::DuplicateParameter("code")),
            ("&error=a&error=b", ServerMisbehaved::DuplicateParameter("error")),
        ] {
            let Verdict::Broken(found) = pending(false).judge(&format!("state={STATE}{query}")) else {
                panic!("{query}")
            };
            assert_eq!(found, rule);
        }
    }
}
