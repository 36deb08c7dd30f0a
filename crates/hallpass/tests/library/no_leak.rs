//! No secret in any text that the library makes: values, errors, diagnostics, files beside the record.

use std::fmt::{Debug, Write};
use std::sync::Mutex;
use std::time::Duration;

use hallpass::error::NetworkError;
use hallpass::protocol::authorization::{AuthorizationRequest, CallbackVerdict, Randomness};
use hallpass::protocol::token;
use hallpass::world::http::{Client as HttpClient, ClientSettings, Http, HttpRequest, HttpResponse};
use hallpass::{Builder, Error, Secret};
use hallpass_dev::{Client, DevServer};
use hallpass_test::library::{
    self, LibrarySandbox, RecordingUi, callback, get, log_recorder, login, playing, sign_in, visitor,
};
use hallpass_test::provider::{CANARY, Provider, TOKEN, USERINFO, providers};
use hallpass_test::scripted_server::Response;
use serde_json::json;
use url::Url;

/// Texts to search, and the secrets that must not be in them.
#[derive(Default)]
struct Search {
    text: String,
}

impl Search {
    fn value(&mut self, value: &impl Debug) {
        let _ = writeln!(self.text, "{value:?}\n{value:#?}");
    }

    fn error(&mut self, error: &Error) {
        self.value(error);
        let _ = writeln!(self.text, "{error}\n{error:#}");
    }

    /// In clear, and as it would stand in a URL or in a header.
    fn finds_none(&self, secrets: &[String]) {
        for secret in secrets {
            let shown = &secret[..secret.len().min(12)];
            assert!(!self.text.contains(secret.as_str()), "{shown}… is in {}", self.text);
        }
        assert!(!self.text.contains(CANARY), "{}", self.text);
    }
}

/// The secrets between client and provider that do not contain the canary.
fn made_here(sandbox: &LibrarySandbox, provider: &Provider) -> Vec<String> {
    let sent = provider.requests_to(TOKEN);
    let verifiers = sent.iter().filter_map(|request| request.param("code_verifier").map(str::to_owned));
    let id_token =
        sandbox.is_signed_in().then(|| sandbox.record()["secret"]["id_token"].as_str().map(str::to_owned));
    verifiers.chain(id_token.flatten()).collect()
}

/// An [`Http`] that looks at what passes.
struct Spy {
    client: HttpClient,
    seen: &'static Mutex<String>,
}

impl Http for Spy {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        let answer = self.client.send(request);
        let _ = writeln!(self.seen.lock().unwrap(), "{request:?} {answer:?}");
        answer
    }
}

fn spied(builder: Builder) -> (Builder, &'static Mutex<String>) {
    let seen: &'static Mutex<String> = Box::leak(Box::default());
    (builder.http(Spy { client: HttpClient::new(ClientSettings::default()), seen }), seen)
}

#[test]
fn p69_no_value_of_a_session_shows_a_secret_from_login_to_logout() {
    for provider in providers() {
        let (sandbox, mut search, mut ui) =
            (LibrarySandbox::new(), Search::default(), RecordingUi::default());
        let (builder, seen) = spied(sandbox.at(&provider));
        let pass = builder.browser(visitor().0).build().unwrap();
        search.value(&pass.login(&mut ui).unwrap());
        search.value(&ui.events);
        let token = pass.access_token().unwrap();
        search.value(&(&token, token.secret(), pass.id_token().unwrap(), pass.force_refresh().unwrap()));
        search.value(&(pass.whoami().unwrap(), pass.fetch_user().unwrap(), pass.status(), pass.check()));
        search.value(&(&pass, pass.canceller(), pass.profiles()));
        let secrets = made_here(&sandbox, &provider);
        assert_eq!(secrets.len(), 2);
        search.value(&pass.logout().unwrap());
        search.text.push_str(&seen.lock().unwrap());
        assert!(search.text.contains("/oauth/token") && search.text.contains("[redacted]"));
        search.finds_none(&secrets);
    }
}

/// Responses that contain our secrets.
fn echoes() -> Vec<(&'static str, Response)> {
    let body = format!("<h1>{CANARY}</h1>");
    vec![
        (TOKEN, Response::html(500, &body)),
        (TOKEN, Response::html(403, &body)),
        (TOKEN, Response::html(200, &body)),
        (TOKEN, Response::json(200, &json!({ "refresh_token": CANARY, "access_token": 7 }))),
        (TOKEN, Response::json(200, &json!({ "access_token": CANARY, "token_type": "mac" }))),
        (TOKEN, Response::json(200, &json!({ "access_token": CANARY, "id_token": CANARY }))),
        (TOKEN, Response::json(200, &json!({ "access_token": CANARY })).cut()),
        (TOKEN, Response::redirect(302, &format!("http://127.0.0.1:1/?{CANARY}"))),
        (TOKEN, Response::empty(503).header("Retry-After", CANARY)),
        (USERINFO, Response::html(500, &body)),
        (USERINFO, Response::html(200, &body)),
    ]
}

#[test]
fn n47_no_error_and_no_page_shows_what_a_failing_server_sent() {
    for (path, answer) in echoes() {
        let (sandbox, provider, mut search) = (LibrarySandbox::new(), Provider::clerk(), Search::default());
        sandbox.signed_in(&provider);
        provider.always(path, answer);
        let (browser, pages) = playing(|url| get(&sign_in(url)));
        let mut ui = RecordingUi::default();
        match sandbox.at(&provider).browser(browser).build().unwrap().login(&mut ui) {
            Ok(session) => search.value(&session),
            Err(error) => search.error(&error),
        }
        search.value(&ui.events);
        search.value(&pages.recv_timeout(library::PATIENCE).unwrap());
        sandbox.wait(24 * 3600 - 60);
        let pass = sandbox.pass(&provider);
        pass.access_token().err().iter().for_each(|error| search.error(error));
        pass.fetch_user().err().iter().for_each(|error| search.error(error));
        search.value(&pass.check());
        search.value(&pass.logout().unwrap());
        search.finds_none(&made_here(&sandbox, &provider));
    }
}

#[test]
fn n88_refusals_time_outs_and_broken_records_show_no_secret() {
    let (sandbox, provider, mut search) = (LibrarySandbox::new(), Provider::clerk(), Search::default());
    for query in [
        format!("code={CANARY}&state={{state}}&iss=https://evil.example"),
        format!("code={CANARY}&code={CANARY}&state={{state}}"),
        format!("access_token={CANARY}&state={{state}}"),
        format!("code={CANARY}&state=wrong"),
    ] {
        let (browser, pages) = playing(move |url| get(&callback(url, &query)));
        let builder = sandbox.at(&provider).login_timeout(Duration::from_millis(200));
        search.error(&login(builder, browser).unwrap_err());
        search.value(&pages.recv_timeout(library::PATIENCE).unwrap());
    }
    sandbox.signed_in(&provider);
    sandbox.write(format!("{{\"version\":1,\"secret\":\"{CANARY}\"}}").as_bytes());
    search.error(&sandbox.pass(&provider).access_token().unwrap_err());
    search.value(&sandbox.pass(&provider).status());
    search.value(&sandbox.pass(&provider).logout().unwrap());
    search.finds_none(&[]);
}

#[test]
fn n88_a_client_secret_is_sent_once_and_shown_nowhere() {
    let secret = format!("{CANARY}-client-secret");
    let client = Client::confidential("cli", secret.as_str()).redirect_uri("http://127.0.0.1/callback");
    let (sandbox, server) = (LibrarySandbox::new(), DevServer::builder().client(client).start().unwrap());
    let builder = sandbox.builder(server.issuer(), "cli").client_secret(Secret::new(secret.clone()));
    let (builder, seen) = spied(builder);
    let pass = builder.browser(server.robot().opener()).build().unwrap();
    let mut search = Search::default();
    search.value(&pass.login(&mut RecordingUi::default()).unwrap());
    search.value(&pass.force_refresh().unwrap());
    search.value(&pass.logout().unwrap());
    search.text.push_str(&seen.lock().unwrap());
    search.text.push_str(&log_recorder::installed().lines());
    search.finds_none(&[secret]);
    let tokens = server.journal().requests_to("/token");
    assert_eq!(tokens.len(), 2);
    assert!(tokens.iter().all(|token| token.has_authorization && token.param("client_secret").is_none()));
}

#[test]
fn n88_no_file_but_the_record_holds_a_secret() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let pass = sandbox.pass(&provider);
    pass.force_refresh().unwrap();
    let secrets = made_here(&sandbox, &provider);
    for (path, bytes) in sandbox.files() {
        let text = String::from_utf8_lossy(&bytes);
        let has_secret = text.contains(CANARY) || secrets.iter().any(|secret| text.contains(secret));
        assert_eq!(has_secret, path == sandbox.path(), "{}", path.display());
    }
    pass.logout().unwrap();
    for bytes in sandbox.files().values() {
        assert!(!String::from_utf8_lossy(bytes).contains(CANARY));
    }
}

#[test]
fn n87_n89_a_refresh_token_goes_to_two_endpoints_and_no_token_or_code_into_an_address() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        login(sandbox.at(&provider), visitor().0).unwrap();
        let pass = sandbox.pass(&provider);
        pass.force_refresh().unwrap();
        pass.fetch_user().unwrap();
        pass.check();
        let id_token = sandbox.record()["secret"]["id_token"].as_str().unwrap().to_owned();
        pass.logout().unwrap();
        let mut came = Vec::new();
        for request in provider.requests() {
            let address = format!("{}?{:?}", request.path, request.query);
            assert!(!address.contains(CANARY) && !address.contains(&id_token), "{address}");
            if format!("{:?}{:?}", request.headers, request.form).contains(&format!("refresh_{CANARY}")) {
                came.push(request.path);
            }
        }
        assert_eq!(came, [TOKEN, provider.revoke_path()]);
    }
}

#[test]
fn p69_diagnostics_at_every_level_name_endpoints_and_no_secret() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let pass = sandbox.pass(&provider);
    pass.force_refresh().unwrap();
    pass.fetch_user().unwrap();
    let secrets = made_here(&sandbox, &provider);
    pass.logout().unwrap();
    let search = Search { text: log_recorder::installed().lines() };
    for endpoint in ["token endpoint", "userinfo endpoint", "revocation endpoint", "JWKS"] {
        assert!(search.text.contains(endpoint), "{endpoint}");
    }
    search.finds_none(&secrets);
}

#[test]
fn n88_the_steps_of_the_protocol_show_no_secret() {
    let mut search = Search::default();
    let endpoint = Url::parse("https://login.example.com/authorize").unwrap();
    let (url, pending) = AuthorizationRequest {
        authorization_endpoint: &endpoint,
        issuer: "https://login.example.com",
        iss_promised: false,
        client_id: "cli",
        redirect_uri: "http://127.0.0.1:5/callback",
        scopes: &["openid".to_owned()],
        resources: &[],
        prompt: None,
        login_hint: None,
        extra: &[],
    }
    .begin(Randomness([[1; 32], [2; 32], [3; 32]]));
    let (state, nonce) = (library::param(&url, "state"), library::param(&url, "nonce"));
    search.value(&pending);
    let verdict = pending.judge(&format!("code={CANARY}&state={state}"));
    assert!(matches!(verdict, CallbackVerdict::Code(_)));
    search.value(&verdict);
    let body = json!({ "access_token": CANARY, "refresh_token": CANARY, "id_token": CANARY }).to_string();
    search.value(&token::judge(200, body.as_bytes()));
    search.value(&HttpRequest::post(endpoint.clone(), format!("code={CANARY}").into()));
    search.value(&HttpRequest::get(Url::parse(&format!("https://a.example/x?code={CANARY}")).unwrap()));
    search.value(&Secret::new(CANARY.to_owned()));
    search.finds_none(&[state, nonce]);
}
