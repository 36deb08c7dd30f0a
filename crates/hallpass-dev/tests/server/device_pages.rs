//! The device authorization grant (RFC 8628), from the side of the user: `/device` and the pages after it.

use hallpass_dev::{Client, DevServer};
use serde_json::Value;

use crate::support::*;

/// A browser on the page that asks for the code or shows one to compare.
struct OnDevice<'a> {
    server: &'a DevServer,
    cookie: String,
    page: String,
}

impl<'a> OnDevice<'a> {
    fn open(server: &'a DevServer, query: &str) -> OnDevice<'a> {
        let opened = get(&format!("{}/device{query}", server.issuer()), &[]);
        assert_eq!(opened.status, 200);
        OnDevice { server, cookie: opened.cookie().expect("a cookie"), page: opened.body }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.issuer())
    }

    fn get(&self, path: &str) -> Response {
        get(&self.url(path), &[("Cookie", &self.cookie)])
    }

    fn csrf(&self) -> String {
        hidden(&self.page, "csrf")
    }

    fn submit(&self, user_code: &str, headers: Pairs<'_>) -> Response {
        let headers = [&[("Cookie", self.cookie.as_str())], headers].concat();
        post(&self.url("/device"), &headers, &[("csrf", &self.csrf()), ("user_code", user_code)])
    }

    /// Enters a code and signs in. Returns the consent page and its path.
    fn on_consent(&mut self, user_code: &str) -> (Response, String) {
        let asked = self.submit(user_code, &[]);
        let login = self.get(asked.header("location").expect("a sign-in page")).body;
        let form = [
            ("request", hidden(&login, "request")),
            ("csrf", hidden(&login, "csrf")),
            ("email", "test@example.com".to_owned()),
            ("password", "password".to_owned()),
        ];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let signed_in = post(&self.url("/login"), &[("Cookie", &self.cookie)], &form);
        self.cookie = signed_in.cookie().expect("a new cookie");
        let consent = signed_in.header("location").expect("a consent page").to_owned();
        (self.get(&consent), consent)
    }

    fn decide(&self, consent: &str, decision: &str) -> Response {
        let form = [
            ("request", hidden(consent, "request")),
            ("csrf", hidden(consent, "csrf")),
            ("decision", decision.to_owned()),
        ];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        post(&self.url("/consent"), &[("Cookie", &self.cookie)], &form)
    }
}

fn is_pending(server: &DevServer, device: &Value) -> bool {
    ["authorization_pending", "slow_down"]
        .contains(&poll(server, text(device, "device_code")).error().as_str())
}

#[test]
fn s27_a_code_can_be_typed_in_any_form() {
    let server = server();
    let device = begin_device(&server);
    let user_code = text(&device, "user_code");
    let browser = OnDevice::open(&server, "");
    for typed in [user_code.to_lowercase(), user_code.replace('-', ""), user_code.replace('-', " ")] {
        let response = browser.submit(&typed, &[]);
        assert_eq!(response.status, 303);
        assert!(response.header("location").unwrap().starts_with("/login?request="), "{typed}");
    }
}

#[test]
fn s28_a_code_in_the_url_is_shown_for_comparison_and_not_used_yet() {
    let server = server();
    let device = begin_device(&server);
    let (_, query) = text(&device, "verification_uri_complete").split_once('?').unwrap();
    let browser = OnDevice::open(&server, &format!("?{query}"));
    assert!(browser.page.contains(&format!("value=\"{}\"", text(&device, "user_code"))));
    assert!(browser.page.contains("Does your device show this code?"));
    assert!(is_pending(&server, &device));
}

#[test]
fn a_url_without_a_valid_code_asks_for_one() {
    let server = server();
    for query in ["", "?user_code=", "?user_code=%22%3E%3Cscript%3E", "?user_code=BBBB"] {
        let page = OnDevice::open(&server, query).page;
        assert!(page.contains("Enter the code"), "{query}");
        assert!(!page.contains("<script") && page.contains("name=\"user_code\""), "{query}");
    }
}

#[test]
fn s28_the_consent_page_shows_code_client_account_and_scope_and_two_equal_buttons() {
    let server = server();
    let device = begin_device(&server);
    let (consent, _) = OnDevice::open(&server, "").on_consent(text(&device, "user_code"));
    assert_eq!(consent.status, 200);
    for said in [
        "Demo",
        text(&device, "user_code"),
        "test@example.com",
        "See your email address",
        "Stay signed in",
        "if you started it",
        "<button type=\"submit\" name=\"decision\" value=\"deny\">",
        "<button type=\"submit\" name=\"decision\" value=\"allow\">",
    ] {
        assert!(consent.body.contains(said), "{said}");
    }
    assert!(!consent.body.contains("sent back to"));
}

#[test]
fn the_forms_for_a_device_lead_to_this_server_only() {
    let server = server();
    let device = begin_device(&server);
    let mut browser = OnDevice::open(&server, "");
    let (consent, _) = browser.on_consent(text(&device, "user_code"));
    for response in [consent, browser.get("/device")] {
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self';"), "{policy}");
    }
}

#[test]
fn s20_a_device_needs_consent_each_time() {
    let server = DevServer::builder().client(Client::confidential("service", "s3cr3t")).start().unwrap();
    let robot = server.robot().same_browser();
    for _ in 0..2 {
        let form = [("client_id", "service"), ("client_secret", "s3cr3t")];
        let device = post(&format!("{}/device_authorization", server.issuer()), &[], &form).json();
        let visit = robot.approve_device(text(&device, "verification_uri"), text(&device, "user_code"));
        assert!(visit.unwrap().steps.iter().any(|step| step.path == "/consent" && step.method == "POST"));
    }
}

#[test]
fn s17_s27_a_code_is_decided_once_and_by_303() {
    let server = server();
    let device = begin_device(&server);
    let mut browser = OnDevice::open(&server, "");
    let (consent, _) = browser.on_consent(text(&device, "user_code"));
    let response = browser.decide(&consent.body, "allow");
    assert_eq!((response.status, response.header("location")), (303, Some("/device/allowed")));
    assert_eq!(browser.decide(&consent.body, "allow").status, 400);
    let again = OnDevice::open(&server, "").submit(text(&device, "user_code"), &[]);
    assert_eq!(again.header("location"), Some("/device"));
}

#[test]
fn s27_the_first_of_two_users_with_one_code_decides() {
    let server = server();
    let device = begin_device(&server);
    let user_code = text(&device, "user_code");
    let (mut first, mut second) = (OnDevice::open(&server, ""), OnDevice::open(&server, ""));
    let (one, two) = (first.on_consent(user_code).0, second.on_consent(user_code).0);
    assert_eq!(first.decide(&one.body, "deny").header("location"), Some("/device/denied"));
    assert_eq!(second.decide(&two.body, "allow").status, 400);
    assert_eq!(poll(&server, text(&device, "device_code")).error(), "access_denied");
}

#[test]
fn anything_but_allow_denies() {
    let server = server();
    for decision in ["deny", "", "yes"] {
        let device = begin_device(&server);
        let mut browser = OnDevice::open(&server, "");
        let (consent, _) = browser.on_consent(text(&device, "user_code"));
        assert_eq!(browser.decide(&consent.body, decision).header("location"), Some("/device/denied"));
        assert_eq!(poll(&server, text(&device, "device_code")).error(), "access_denied", "{decision}");
    }
}

#[test]
fn consent_cannot_be_given_before_the_sign_in() {
    let server = server();
    let device = begin_device(&server);
    let browser = OnDevice::open(&server, "");
    let asked = browser.submit(text(&device, "user_code"), &[]);
    let login = browser.get(asked.header("location").unwrap()).body;
    assert_eq!(browser.decide(&login, "allow").status, 400);
    assert!(is_pending(&server, &device));
}

#[test]
fn s19_a_code_from_another_site_is_rejected() {
    let server = server();
    let device = begin_device(&server);
    let browser = OnDevice::open(&server, "");
    let user_code = text(&device, "user_code");
    for (name, value) in
        [("Origin", "https://evil.test"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
    {
        assert_eq!(browser.submit(user_code, &[(name, value)]).status, 403, "{name}: {value}");
    }
    let foreign = OnDevice { server: &server, cookie: browser.cookie.clone(), ..OnDevice::open(&server, "") };
    assert_eq!(foreign.submit(user_code, &[]).status, 403);
    let own = [("Sec-Fetch-Site", "same-origin"), ("Origin", "null")];
    assert_eq!(browser.submit(user_code, &own).status, 303);
}

#[test]
fn a_wrong_code_is_reported_once_and_can_be_corrected() {
    let server = server();
    let browser = OnDevice::open(&server, "");
    for wrong in ["BBBB-BBBB", "bbb", "\"><script>"] {
        let response = browser.submit(wrong, &[]);
        assert_eq!((response.status, response.header("location")), (303, Some("/device")));
        let shown = browser.get("/device").body;
        assert!(shown.contains("role=\"alert\"") && shown.contains("aria-invalid=\"true\""), "{wrong}");
        assert!(shown.contains("value=\"BBBB-BBBB\"") == (wrong == "BBBB-BBBB"));
        assert!(!shown.contains("<script"), "{wrong}");
        assert!(!browser.get("/device").body.contains("role=\"alert\""), "{wrong}");
    }
}

#[test]
fn s27_ten_wrong_codes_lock_this_browser_only() {
    let server = server();
    let device = begin_device(&server);
    let browser = OnDevice::open(&server, "");
    for _ in 0..10 {
        assert_eq!(browser.get("/device").status, 200);
        browser.submit("BBBB-BBBB", &[]);
    }
    let locked = browser.get("/device");
    assert_eq!(locked.status, 429);
    assert!(locked.body.contains("Too many wrong codes"));
    let right = browser.submit(text(&device, "user_code"), &[]);
    assert_eq!(right.header("location"), Some("/device"));
    let other = OnDevice::open(&server, "").submit(text(&device, "user_code"), &[]);
    assert!(other.header("location").unwrap().starts_with("/login"));
}

#[test]
fn s27_a_sign_in_does_not_reset_the_guesses() {
    let server = server();
    let device = begin_device(&server);
    let mut browser = OnDevice::open(&server, "");
    (0..9).for_each(|_| drop(browser.submit("BBBB-BBBB", &[])));
    browser.on_consent(text(&device, "user_code"));
    browser.page = browser.get("/device").body;
    browser.submit("BBBB-BBBB", &[]);
    assert_eq!(browser.get("/device").status, 429);
}

#[test]
fn s27_a_hundred_wrong_codes_lock_all_browsers() {
    let server = server();
    for _ in 0..10 {
        let browser = OnDevice::open(&server, "");
        (0..10).for_each(|_| drop(browser.submit("BBBB-BBBB", &[])));
    }
    assert_eq!(get(&format!("{}/device", server.issuer()), &[]).status, 429);
}

#[test]
fn s27_a_typo_or_a_link_does_not_count_as_a_guess() {
    let server = server();
    let browser = OnDevice::open(&server, "");
    for _ in 0..20 {
        browser.submit("BBBB-BBB", &[]);
        browser.get("/device?user_code=BBBB-BBBB");
    }
    assert_eq!(browser.get("/device").status, 200);
}
