//! The authorization request and its response (RFC 6749 §4.1, RFC 9207, OpenID Connect Core §3.1.2).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;
use url::form_urlencoded;

use super::issuer::escaped;
use super::pkce::CodeVerifier;
use crate::error::{OAuthError, ServerMisbehaved};
use crate::secret::Secret;

/// The parameters of an authorization request. [`begin`](AuthorizationRequest::begin) builds its URL.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// The server's `authorization_endpoint`.
    pub authorization_endpoint: &'a Url,
    /// The issuer, exactly as in the metadata.
    pub issuer: &'a str,
    /// Whether the metadata promises `iss` in the response (RFC 9207 §3).
    pub iss_promised: bool,
    /// The client ID.
    pub client_id: &'a str,
    /// The redirect URI, with its port.
    pub redirect_uri: &'a str,
    /// The scopes. If `openid` is among them, the request has a nonce.
    pub scopes: &'a [String],
    /// The APIs that the token is for (RFC 8707 §2).
    pub resources: &'a [String],
    /// `prompt` (OpenID Connect Core §3.1.2.1).
    pub prompt: Option<&'a str>,
    /// The account that should sign in (OpenID Connect Core §3.1.2.1). The server may ignore it.
    pub login_hint: Option<&'a str>,
    /// Additional parameters. Those that the request already has are left out.
    pub extra: &'a [(String, String)],
}

/// Random bytes from the operating system for a single login: for state, nonce and code verifier, in this order.
pub struct Randomness(pub [[u8; 32]; 3]);

/// An authorization request that has no response yet.
#[derive(Debug)]
pub struct PendingAuthorization {
    issuer: String,
    pub(super) iss_promised: bool,
    redirect_uri: String,
    state: Secret,
    verifier: CodeVerifier,
    requested: RequestedIdToken,
}

/// The requirements for the ID token in an authorization request.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestedIdToken {
    /// The nonce that the ID token must contain. `None` without the scope `openid`.
    pub(crate) nonce: Option<Secret>,
    /// The maximum time since the user last authenticated (OpenID Connect Core §3.1.2.1).
    pub(crate) max_age: Option<Duration>,
    /// The authentication context classes of which one should be used. The server may ignore them (OpenID Connect Core
    /// §3.1.2.1).
    pub(crate) acr_values: Vec<String>,
}

impl RequestedIdToken {
    fn new(nonce: [u8; 32], extra: &[(String, String)]) -> RequestedIdToken {
        let value = |name: &str| extra.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let acr_values = value("acr_values").unwrap_or_default();
        RequestedIdToken {
            nonce: Some(Secret::new(URL_SAFE_NO_PAD.encode(nonce))),
            max_age: value("max_age").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
            acr_values: acr_values.split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// Whether a verified ID token's `acr` is one of the requested ones, if any were requested (OpenID Connect Core
    /// §3.1.3.7, 12).
    pub(crate) fn allows_acr(&self, acr: Option<&str>) -> bool {
        self.acr_values.is_empty() || self.acr_values.iter().any(|value| acr == Some(value))
    }
}

/// An authorization code whose response passed all checks. Only this can be exchanged for tokens.
#[derive(Debug)]
pub struct VerifiedCode {
    pub(crate) code: Secret,
    pub(crate) verifier: CodeVerifier,
    pub(crate) redirect_uri: String,
    pub(crate) requested: RequestedIdToken,
}

/// The verdict on a callback, the request that brings the authorization response to the redirect URI.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallbackVerdict {
    /// `state` is missing, duplicated or not ours: the response belongs to another sign-in, or is forged. The login
    /// continues.
    NotOurs,
    /// The server sent an error response (RFC 6749 §4.1.2.1).
    Denied(OAuthError),
    /// The response has our `state` and violates the protocol. The login fails.
    Broken(ServerMisbehaved),
    /// A code that can be exchanged.
    Code(VerifiedCode),
}

impl AuthorizationRequest<'_> {
    /// Builds the authorization URL, and the pending authorization that its response belongs to.
    ///
    /// A query of the endpoint itself is kept (RFC 6749 §3.1), except for parameters that the request sets. No parameter
    /// is set twice, except for `resource` (RFC 8707 §2).
    pub fn begin(&self, randomness: Randomness) -> (Url, PendingAuthorization) {
        let [state, nonce, verifier] = randomness.0;
        let requested = if self.scopes.iter().any(|scope| scope == "openid") {
            RequestedIdToken::new(nonce, self.extra)
        } else {
            RequestedIdToken::default()
        };
        let pending = PendingAuthorization {
            issuer: self.issuer.to_owned(),
            iss_promised: self.iss_promised,
            redirect_uri: self.redirect_uri.to_owned(),
            state: Secret::new(URL_SAFE_NO_PAD.encode(state)),
            verifier: CodeVerifier::from_random(verifier),
            requested,
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
        if !scope.is_empty() {
            fields.push(("scope", &scope));
        }
        if let Some(nonce) = &pending.requested.nonce {
            fields.push(("nonce", nonce.expose()));
        }
        fields.extend(self.prompt.map(|prompt| ("prompt", prompt)));
        fields.extend(self.login_hint.map(|hint| ("login_hint", hint)));

        let is_set = |fields: &[(&str, &str)], name: &str| fields.iter().any(|(set, _)| *set == name);
        let mut extra: Vec<(&str, &str)> =
            self.extra.iter().map(|(name, value)| (&**name, &**value)).collect();
        extra.retain(|(name, _)| !is_set(&fields, name));
        fields.extend(extra);
        let mut kept: Vec<_> = self.authorization_endpoint.query_pairs().into_owned().collect();
        kept.retain(|(name, _)| !is_set(&fields, name));
        fields.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));

        let mut url = self.authorization_endpoint.clone();
        url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(fields);
        url
    }
}

impl PendingAuthorization {
    /// Judges the query of a request to the redirect URI. `state` is checked before everything else (RFC 6749 §10.12,
    /// RFC 8252 §8.9).
    ///
    /// Empty values count as absent, and unknown parameters are ignored (RFC 6749 §3.1, §4.1.2).
    pub fn judge(&self, query: &str) -> CallbackVerdict {
        let query = CallbackQuery::parse(query);
        let is_ours = query.one("state").is_some_and(|state| Secret::new(state.to_owned()) == self.state);
        if !is_ours {
            return CallbackVerdict::NotOurs;
        }
        match self.judge_ours(&query) {
            Ok(verdict) => verdict,
            Err(broken) => CallbackVerdict::Broken(broken),
        }
    }

    fn judge_ours(&self, query: &CallbackQuery) -> Result<CallbackVerdict, ServerMisbehaved> {
        for name in ["iss", "error", "code"] {
            if query.values(name).count() > 1 {
                return Err(ServerMisbehaved::DuplicateParameter(name));
            }
        }
        if let Some(iss) = query.one("iss").filter(|iss| *iss != self.issuer) {
            let found = escaped(iss);
            return Err(ServerMisbehaved::AuthorizationIss { expected: self.issuer.clone(), found });
        }
        if let Some(error) = query.one("error") {
            let (description, uri) = (query.one("error_description"), query.one("error_uri"));
            return Ok(CallbackVerdict::Denied(OAuthError::new(error, description, uri)));
        }
        if self.iss_promised && query.one("iss").is_none() {
            return Err(ServerMisbehaved::AuthorizationIssMissing);
        }
        let code = query.one("code").ok_or(ServerMisbehaved::CodeMissing)?;
        Ok(CallbackVerdict::Code(self.verified(code)))
    }

    pub(super) fn verified(&self, code: &str) -> VerifiedCode {
        VerifiedCode {
            code: Secret::new(code.to_owned()),
            verifier: self.verifier.clone(),
            redirect_uri: self.redirect_uri.clone(),
            requested: self.requested.clone(),
        }
    }
}

/// The parameters of a callback that are not empty.
pub(super) struct CallbackQuery(Vec<(String, String)>);

impl CallbackQuery {
    pub(super) fn parse(query: &str) -> CallbackQuery {
        let mut parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        parameters.retain(|(_, value)| !value.is_empty());
        CallbackQuery(parameters)
    }

    /// Whether the query has a parameter, once or more often.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The value of a parameter that the query has exactly once.
    fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
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
    fn n01_the_url_has_a_challenge_a_state_and_a_nonce_of_43_characters() {
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
    fn n03_a_challenge_method_in_the_endpoints_query_is_replaced() {
        let endpoint = "https://a.example/authorize?code_challenge_method=plain&code_challenge=x";
        let (url, pending) = begin(endpoint, &["openid"], false, &[]);
        let named = |name: &str| {
            url.query_pairs().filter(|(n, _)| n == name).map(|(_, v)| v.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named("code_challenge_method"), ["S256"]);
        assert_eq!(named("code_challenge"), [pending.verifier.challenge()]);
    }

    #[test]
    fn n28_the_redirect_uri_is_sent_exactly_once() {
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
    fn n29_state_and_nonce_are_the_random_bytes() {
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
    fn n19_the_endpoints_query_is_kept_and_no_parameter_is_set_twice() {
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
    fn n05_a_wrong_missing_empty_or_duplicated_state_is_not_ours() {
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
            assert!(matches!(pending(false).judge(query), CallbackVerdict::NotOurs), "{query}");
        }
    }

    #[test]
    fn the_right_state_gives_the_code_and_unknown_parameters_are_ignored() {
        let query =
            format!("foo=1&foo=2&session_state=s&state={STATE}&code=c%2Bd&iss=https%3A%2F%2Fa.example");
        let CallbackVerdict::Code(code) = pending(true).judge(&query) else { panic!() };
        assert_eq!(code.code.expose(), "c+d");
        assert_eq!(code.redirect_uri, "http://127.0.0.1:5/callback");
    }

    #[test]
    fn n07_n09_another_iss_fails_the_login_promised_or_not() {
        for iss in ["https://b.example", "https://a.example/", "https://A.example"] {
            for promised in [true, false] {
                let verdict = pending(promised).judge(&format!("state={STATE}&code=c&iss={iss}"));
                assert!(
                    matches!(verdict, CallbackVerdict::Broken(ServerMisbehaved::AuthorizationIss { .. })),
                    "{iss}"
                );
            }
        }
    }

    #[test]
    fn n08_a_code_without_the_promised_iss_fails_the_login() {
        let verdict = pending(true).judge(&format!("state={STATE}&code=c"));
        assert!(matches!(verdict, CallbackVerdict::Broken(ServerMisbehaved::AuthorizationIssMissing)));
        assert!(matches!(pending(false).judge(&format!("state={STATE}&code=c")), CallbackVerdict::Code(_)));
    }

    #[test]
    fn an_error_without_the_promised_iss_is_still_that_error() {
        let verdict = pending(true).judge(&format!("state={STATE}&error=access_denied&error_description=no"));
        let CallbackVerdict::Denied(error) = verdict else { panic!() };
        assert_eq!(error.to_string(), "access_denied (no)");
    }

    #[test]
    fn n20_n22_a_missing_or_duplicated_code_and_tokens_instead_of_it_fail_the_login() {
        for (query, rule) in [
            ("", ServerMisbehaved::CodeMissing),
            ("&code=", ServerMisbehaved::CodeMissing),
            ("&access_token=t&id_token=i", ServerMisbehaved::CodeMissing),
            ("&code=a&code=b", ServerMisbehaved::DuplicateParameter("code")),
            ("&error=a&error=b", ServerMisbehaved::DuplicateParameter("error")),
        ] {
            let CallbackVerdict::Broken(found) = pending(false).judge(&format!("state={STATE}{query}"))
            else {
                panic!("{query}")
            };
            assert_eq!(found, rule);
        }
    }
}
