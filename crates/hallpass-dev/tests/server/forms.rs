//! The forms of the pages: which posts are accepted, and how text from requests is displayed.

use hallpass_dev::{Client, DevServer};

use crate::support::*;

/// A browser on the sign-in page.
struct OnSignIn {
    server: DevServer,
    cookie: String,
    request: String,
    csrf: String,
    page: String,
}

fn open(server: DevServer, request: &Authorization) -> OnSignIn {
    let started = request.get(&server);
    assert_eq!(started.status, 303);
    let cookie = started.cookie().expect("a cookie");
    let page =
        get(&format!("{}{}", server.issuer(), started.header("location").unwrap()), &[("Cookie", &cookie)])
            .body;
    let (request, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    OnSignIn { server, cookie, request, csrf, page }
}

impl OnSignIn {
    fn new() -> OnSignIn {
        open(server(), &Authorization::valid())
    }

    fn submit(&self, password: &str, headers: Pairs<'_>, csrf: &str) -> Response {
        let form = [
            ("request", self.request.as_str()),
            ("csrf", csrf),
            ("email", "test@example.com"),
            ("password", password),
        ];
        post(&format!("{}/login", self.server.issuer()), headers, &form)
    }

    fn sign_in(&self) -> Response {
        self.submit("password", &[("Cookie", &self.cookie)], &self.csrf)
    }
}

#[test]
fn s17_every_form_post_gets_a_303() {
    let browser = OnSignIn::new();
    let response = browser.sign_in();
    assert_eq!(response.status, 303);
    assert!(response.header("location").unwrap().starts_with("/consent?request="));
    let wrong = OnSignIn::new();
    let response = wrong.submit("wrong", &[("Cookie", &wrong.cookie)], &wrong.csrf);
    assert_eq!(response.status, 303);
    assert!(response.header("location").unwrap().starts_with("/login?request="));
}

#[test]
fn s19_a_form_from_another_site_is_rejected() {
    let browser = OnSignIn::new();
    let issuer = browser.server.issuer();
    for (name, value) in [
        ("Origin", "https://evil.test"),
        ("Origin", "null"),
        ("Origin", "http://localhost:4000"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "none"),
    ] {
        let response =
            browser.submit("password", &[("Cookie", &browser.cookie), (name, value)], &browser.csrf);
        assert_eq!(response.status, 403, "{name}: {value}");
        assert_eq!(response.header("set-cookie"), None);
    }
    let both = [
        ("Cookie", browser.cookie.as_str()),
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "https://evil.test"),
    ];
    assert_eq!(browser.submit("password", &both, &browser.csrf).status, 403);
    let own = [("Cookie", browser.cookie.as_str()), ("Sec-Fetch-Site", "same-origin"), ("Origin", issuer)];
    assert_eq!(browser.submit("password", &own, &browser.csrf).status, 303);
}

#[test]
fn a_form_with_origin_null_is_accepted_if_the_browser_calls_it_same_origin() {
    let browser = OnSignIn::new();
    let headers =
        [("Cookie", browser.cookie.as_str()), ("Sec-Fetch-Site", "same-origin"), ("Origin", "null")];
    assert_eq!(browser.submit("password", &headers, &browser.csrf).status, 303);
}

#[test]
fn s19_a_form_without_the_csrf_token_of_its_session_is_rejected() {
    let (mine, other) = (OnSignIn::new(), OnSignIn::new());
    for csrf in ["", "x", &other.csrf] {
        assert_eq!(mine.submit("password", &[("Cookie", &mine.cookie)], csrf).status, 403, "{csrf}");
    }
    assert_eq!(mine.submit("password", &[], &mine.csrf).status, 400);
}

#[test]
fn the_cookie_is_hidden_from_scripts_and_changes_at_sign_in() {
    let browser = OnSignIn::new();
    let response = browser.sign_in();
    let cookie = response.header("set-cookie").unwrap();
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(attribute), "{attribute}");
    }
    assert_ne!(response.cookie().unwrap(), browser.cookie);
    let consent = format!("{}{}", browser.server.issuer(), response.header("location").unwrap());
    assert_eq!(get(&consent, &[("Cookie", &browser.cookie)]).status, 400);
    assert_eq!(get(&consent, &[("Cookie", &response.cookie().unwrap())]).status, 200);
}

#[test]
fn another_browser_cannot_take_over_a_request() {
    let browser = OnSignIn::new();
    let stranger = Authorization::valid().get(&browser.server).cookie().unwrap();
    let page = format!("{}/login?request={}", browser.server.issuer(), browser.request);
    assert_eq!(get(&page, &[("Cookie", &stranger)]).status, 400);
    assert_eq!(get(&page, &[]).status, 400);
}

#[test]
fn a_wrong_password_is_reported_once_as_an_alert() {
    let browser = OnSignIn::new();
    browser.submit("wrong", &[("Cookie", &browser.cookie)], &browser.csrf);
    let page = format!("{}/login?request={}", browser.server.issuer(), browser.request);
    let shown = get(&page, &[("Cookie", &browser.cookie)]).body;
    assert!(shown.contains("role=\"alert\""));
    assert!(shown.contains("value=\"test@example.com\""));
    assert!(!get(&page, &[("Cookie", &browser.cookie)]).body.contains("role=\"alert\""));
}

/// Signs in and returns the consent page and the new cookie.
fn on_consent(browser: &OnSignIn) -> (String, String) {
    let response = browser.sign_in();
    let cookie = response.cookie().unwrap();
    let url = format!("{}{}", browser.server.issuer(), response.header("location").unwrap());
    (get(&url, &[("Cookie", &cookie)]).body, cookie)
}

fn decide(browser: &OnSignIn, page: &str, cookie: &str, decision: &str) -> Response {
    let form =
        [("request", browser.request.as_str()), ("csrf", &hidden(page, "csrf")), ("decision", decision)];
    post(&format!("{}/consent", browser.server.issuer()), &[("Cookie", cookie)], &form)
}

#[test]
fn the_consent_page_shows_client_account_scope_and_destination() {
    let browser = OnSignIn::new();
    let (page, _) = on_consent(&browser);
    for said in [
        "Demo",
        "test@example.com",
        "Use another account",
        "See your profile",
        "See your email address",
        "Stay signed in",
        "127.0.0.1:50123",
        ">Deny<",
        ">Allow<",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn a_request_is_decided_once() {
    let browser = OnSignIn::new();
    let (page, cookie) = on_consent(&browser);
    let response = decide(&browser, &page, &cookie, "allow");
    assert_eq!(response.status, 303);
    assert!(response.param("code").is_some());
    assert_eq!(decide(&browser, &page, &cookie, "allow").status, 400);
}

#[test]
fn anything_but_allow_denies() {
    for decision in ["deny", "", "yes"] {
        let browser = OnSignIn::new();
        let (page, cookie) = on_consent(&browser);
        let response = decide(&browser, &page, &cookie, decision);
        assert_eq!(response.param("error").as_deref(), Some("access_denied"), "{decision}");
    }
}

#[test]
fn consent_cannot_be_given_before_the_sign_in() {
    let browser = OnSignIn::new();
    let response = decide(&browser, &browser.page, &browser.cookie, "allow");
    assert_eq!(response.status, 400);
    assert_eq!(response.header("location"), None);
}

#[test]
fn s25_prompt_login_cannot_be_skipped_by_opening_the_consent_page() {
    let first = OnSignIn::new();
    let (_, cookie) = on_consent(&first);
    let url = Authorization::valid().with("prompt", "login").url(&first.server);
    let started = get(&url, &[("Cookie", &cookie)]);
    let consent = started.header("location").unwrap().replace("/login", "/consent");
    let response = get(&format!("{}{consent}", first.server.issuer()), &[("Cookie", &cookie)]);
    assert_eq!(response.status, 303);
    assert!(response.header("location").unwrap().starts_with("/login"));
}

#[test]
fn s39_text_from_requests_is_escaped_and_cleaned() {
    const CANARY: &str = "\"><script>alert(1)</script>\u{202e}";
    let client = Client::public("odd").name(CANARY).redirect_uri("http://127.0.0.1/callback");
    let server = DevServer::builder().client(client).start().unwrap();
    let request =
        Authorization::valid().with("client_id", "odd").with("login_hint", CANARY).with("state", CANARY);
    let browser = open(server, &request);
    let (consent, _) = on_consent(&browser);
    let unknown = Authorization::valid().with("client_id", CANARY).get(&browser.server).body;
    let redirect = Authorization::valid().with("redirect_uri", CANARY).get(&browser.server).body;
    for page in [&browser.page, &consent, &unknown, &redirect] {
        assert!(!page.contains("<script") && !page.contains('\u{202e}'));
        assert!(page.contains("&lt;script&gt;"));
    }
}
