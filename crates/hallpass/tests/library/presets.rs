//! Each preset against the recorded contract of its provider (`tests/fixtures/providers`): what is sent to the
//! browser and to the endpoints, and that the answers, in the provider's own shape, make a session that renews itself
//! and ends.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use hallpass::error::NetworkError;
use hallpass::world::http::{Http, HttpRequest, HttpResponse};
use hallpass::{Hallpass, Provider, Revocation, Secret};
use hallpass_test::jose::RS256;
use hallpass_test::library::{LibrarySandbox, callback, get, login, param, redirect_uri};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

const CLIENT: &str = "client-id";

type Posted = (String, Vec<(String, String)>);

/// A provider without a network in between.
#[derive(Clone)]
struct Recorded {
    contract: Arc<Value>,
    nonce: Arc<Mutex<String>>,
    /// The posted forms: URL and fields.
    forms: Arc<Mutex<Vec<Posted>>>,
}

impl Recorded {
    fn new(provider: Provider) -> Recorded {
        let name = provider.name();
        let path = format!("{}/../../tests/fixtures/providers/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let contract = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Recorded { contract: Arc::new(contract), nonce: Arc::default(), forms: Arc::default() }
    }

    fn issuer(&self) -> &str {
        self.contract["issuer"].as_str().unwrap()
    }

    fn endpoint(&self, member: &str) -> Option<&str> {
        self.contract["metadata"][member].as_str().or(self.contract[member].as_str())
    }

    fn answer(&self, request: &HttpRequest) -> (u16, Vec<u8>) {
        let url = request.url.as_str();
        let is = |member: &str| self.endpoint(member) == Some(url);
        if is("token_endpoint") {
            (200, self.tokens())
        } else if is("userinfo_endpoint") {
            (200, self.contract["userinfo"].to_string().into_bytes())
        } else if is("jwks_uri") {
            (200, json!({ "keys": [RS256.jwk] }).to_string().into_bytes())
        } else if is("revocation_endpoint") {
            (200, Vec::new())
        } else if url.ends_with("/.well-known/openid-configuration") && self.contract["metadata"].is_object()
        {
            (200, self.contract["metadata"].to_string().into_bytes())
        } else {
            (404, Vec::new())
        }
    }

    fn tokens(&self) -> Vec<u8> {
        let mut tokens = self.contract["token"].clone();
        let count = self.forms.lock().unwrap().len();
        tokens["access_token"] = json!(format!("access-{count}"));
        if tokens["refresh_token"] == json!(true) {
            tokens["refresh_token"] = json!(format!("refresh-{count}"));
        }
        if self.contract["keeps_refresh_token"] == json!(true) && count > 1 {
            tokens.as_object_mut().unwrap().remove("refresh_token");
        }
        if self.contract["id_token"] != json!(false) {
            tokens["id_token"] = json!(self.id_token());
        }
        if self.contract["form"] == json!(true) {
            let members = tokens.as_object().unwrap();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pairs = members.iter().map(|(name, value)| (name, text(value)));
            return form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes();
        }
        tokens.to_string().into_bytes()
    }

    fn id_token(&self) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": self.issuer(), "aud": CLIENT, "sub": self.contract["userinfo"]["sub"],
            "iat": now, "exp": now + 3600, "nonce": *self.nonce.lock().unwrap(),
            "email": self.contract["userinfo"]["email"], "name": self.contract["userinfo"]["name"],
        });
        if let Some(own) = self.contract["id_token"].as_object() {
            claims.as_object_mut().unwrap().extend(own.clone());
        }
        RS256.sign(&RS256.header(), &claims)
    }
}

impl Http for Recorded {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        if let Some(form) = &request.form {
            let pairs = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            self.forms.lock().unwrap().push((request.url.to_string(), pairs));
        }
        let (status, body) = self.answer(request);
        Ok(HttpResponse { status, headers: Vec::new(), body: Zeroizing::new(body), truncated: false })
    }
}

/// The person, and what the provider was asked in the address.
fn browser(recorded: &Recorded, asked: &Arc<Mutex<Option<Url>>>) -> impl Fn(&str) -> io::Result<()> + use<> {
    let (recorded, asked) = (recorded.clone(), asked.clone());
    move |url: &str| {
        let url = Url::parse(url).unwrap();
        if url.query_pairs().any(|(name, _)| name == "nonce") {
            *recorded.nonce.lock().unwrap() = param(&url, "nonce");
        }
        *asked.lock().unwrap() = Some(url.clone());
        let iss = form_urlencoded::byte_serialize(recorded.issuer().as_bytes()).collect::<String>();
        let promised =
            recorded.contract["metadata"]["authorization_response_iss_parameter_supported"] == json!(true);
        let iss = if promised { format!("&iss={iss}") } else { String::new() };
        let page = get(&callback(&url, &format!("code=c&state={{state}}{iss}")));
        assert_eq!(page.status, 200, "{page:?}");
        Ok(())
    }
}

fn signed_in(provider: Provider) -> (LibrarySandbox, Recorded, Hallpass, Url) {
    let (sandbox, recorded) = (LibrarySandbox::new(), Recorded::new(provider));
    let asked = Arc::default();
    let builder = || {
        let mut builder =
            sandbox.builder(recorded.issuer(), CLIENT).provider(provider).http(recorded.clone());
        if let Some(secret) = recorded.contract["client_secret"].as_str() {
            builder = builder.client_secret(Secret::new(secret.to_owned()));
        }
        builder
    };
    let session = login(builder(), browser(&recorded, &asked)).unwrap_or_else(|e| panic!("{provider}: {e}"));
    let sub = recorded.contract["sub"].as_str().or(recorded.contract["userinfo"]["sub"].as_str());
    assert_eq!(session.user().map(|user| user.sub.as_str()), sub, "{provider}");
    let pass = builder().build().unwrap();
    let url = asked.lock().unwrap().clone().unwrap();
    (sandbox, recorded, pass, url)
}

/// Ports that two tests must not want at once.
static PORTS: Mutex<()> = Mutex::new(());

#[test]
fn p60_every_provider_is_asked_as_its_contract_has_it() {
    let _ports = PORTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for provider in Provider::ALL {
        let (_bench, recorded, _pass, url) = signed_in(provider);
        for (name, expected) in recorded.contract["expects"].as_object().unwrap() {
            let port = redirect_uri(&url).port().unwrap().to_string();
            let expected = expected.as_str().unwrap().replace("PORT", &port);
            assert_eq!(param(&url, name), expected, "{provider}: {name}");
        }
        let forms = recorded.forms.lock().unwrap();
        let (endpoint, form) = &forms[0];
        assert_eq!(Some(endpoint.as_str()), recorded.endpoint("token_endpoint"), "{provider}");
        assert!(form.iter().any(|(name, _)| name == "code_verifier"), "{provider}");
    }
}

#[test]
fn every_providers_session_renews_itself_as_far_as_it_can_and_ends() {
    let _ports = PORTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for provider in Provider::ALL {
        let (sandbox, recorded, pass, _) = signed_in(provider);
        let lives = recorded.contract["token"]["expires_in"].as_u64();
        sandbox.wait(lives.unwrap_or(1_000_000) + 1);
        let token = pass.access_token().unwrap_or_else(|error| panic!("{provider}: {error}"));
        assert_eq!(token.expose() == "access-1", lives.is_none(), "{provider}");
        assert!(pass.fetch_user().is_ok(), "{provider}");
        let report = pass.logout().unwrap();
        let expected = match recorded.contract["revocation"].as_str() {
            Some("revoked") => Revocation::Revoked,
            _ => Revocation::Unsupported,
        };
        assert_eq!(report.access_token, expected, "{provider}");
    }
}

#[test]
fn a_token_of_another_tenant_than_its_own_claim_says_is_refused() {
    let (sandbox, mut recorded) = (LibrarySandbox::new(), Recorded::new(Provider::Entra));
    let mut contract = (*recorded.contract).clone();
    contract["id_token"]["tid"] = json!("00000000-0000-0000-0000-000000000000");
    recorded.contract = Arc::new(contract);
    let play = |url: &str| {
        let url = Url::parse(url).unwrap();
        get(&callback(&url, "code=c&state={state}"));
        Ok(())
    };
    let builder = sandbox.builder(recorded.issuer(), CLIENT).provider(Provider::Entra).http(recorded);
    let error = login(builder.login_timeout(Duration::from_secs(10)), play).unwrap_err();
    assert!(error.to_string().contains("another issuer"), "{error}");
}

#[test]
fn what_the_program_sets_itself_rules_over_the_preset() {
    let (sandbox, recorded) = (LibrarySandbox::new(), Recorded::new(Provider::Google));
    let asked = Arc::default();
    let builder =
        sandbox.builder(recorded.issuer(), CLIENT).provider(Provider::Google).http(recorded.clone());
    let builder = builder.scopes(["openid"]).prompt("login").param("access_type", "online");
    login(builder, browser(&recorded, &asked)).unwrap();
    let url = asked.lock().unwrap().clone().unwrap();
    assert_eq!((param(&url, "scope"), param(&url, "prompt")), ("openid".to_owned(), "login".to_owned()));
    assert_eq!(param(&url, "access_type"), "online");
}
