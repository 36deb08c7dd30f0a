//! `/authorize`: valid requests, errors for the client, and error pages.

use hallpass_dev::DevServer;

use crate::support::*;

#[test]
fn s03_a_bad_client_or_redirect_uri_ends_on_an_error_page() {
    let server = server();
    let valid = Authorization::valid;
    for request in [
        valid().without("client_id"),
        valid().with("client_id", "unknown"),
        valid().and("client_id", "demo"),
        valid().without("redirect_uri"),
        valid().and("redirect_uri", REDIRECT_URI),
        valid().with("redirect_uri", "https://evil.test/callback"),
    ] {
        let response = request.get(&server);
        assert_eq!(response.status, 400);
        assert_eq!(response.header("location"), None);
        assert!(response.body.contains("<h1>"));
    }
}

#[test]
fn s01_a_redirect_uri_that_only_looks_alike_is_refused() {
    let server = server();
    for uri in [
        "http://127.0.0.1:8080/callback/",
        "http://127.0.0.1:8080/Callback",
        "http://127.0.0.1:8080/callback?x=1",
        "http://127.0.0.1:8080/callback#x",
        "http://user@127.0.0.1:8080/callback",
        "http://127.0.0.1.evil.test/callback",
        "http://127.1:8080/callback",
        "http://0x7f.1:8080/callback",
        "http://[::ffff:127.0.0.1]:8080/callback",
        "https://127.0.0.1:8080/callback",
        "http://localhost:8080/callback",
    ] {
        let response = Authorization::valid().with("redirect_uri", uri).get(&server);
        assert_eq!((response.status, response.header("location")), (400, None), "{uri}");
    }
}

#[test]
fn s02_every_registered_redirect_uri_and_loopback_port_is_accepted() {
    let server = server();
    for uri in [
        "http://127.0.0.1/callback",
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:65535/callback",
        "http://[::1]:8080/callback",
        "http://localhost:9999/callback",
    ] {
        let visit = server.robot().without_landing();
        let visit = visit.visit(&Authorization::valid().with("redirect_uri", uri).url(&server)).unwrap();
        assert!(visit.param("code").is_some(), "{uri}");
        assert!(visit.landed.as_str().starts_with(uri), "{uri}");
    }
}

/// Invalid requests, with the error that the client receives.
fn invalid_requests() -> Vec<(Authorization, &'static str)> {
    let valid = Authorization::valid;
    vec![
        (valid().without("response_type"), "invalid_request"),
        (valid().with("response_type", "token"), "unsupported_response_type"),
        (valid().with("response_type", "id_token"), "unsupported_response_type"),
        (valid().with("response_type", "code id_token"), "unsupported_response_type"),
        (valid().with("response_mode", "fragment"), "invalid_request"),
        (valid().with("response_mode", "form_post"), "invalid_request"),
        (valid().without("code_challenge"), "invalid_request"),
        (valid().with("code_challenge", ""), "invalid_request"),
        (valid().with("code_challenge", "too-short"), "invalid_request"),
        (valid().without("code_challenge_method"), "invalid_request"),
        (valid().with("code_challenge_method", "plain"), "invalid_request"),
        (valid().with("code_challenge_method", "s256"), "invalid_request"),
        (valid().with("scope", "admin"), "invalid_scope"),
        (valid().and("scope", "openid"), "invalid_request"),
        (valid().and("nonce", "other"), "invalid_request"),
        (valid().and("code_challenge", CHALLENGE), "invalid_request"),
        (valid().and("x", "1").and("x", "2"), "invalid_request"),
        (valid().with("prompt", "none"), "login_required"),
        (valid().with("prompt", "none login"), "invalid_request"),
        (valid().with("prompt", "sometimes"), "invalid_request"),
        (valid().with("max_age", "soon"), "invalid_request"),
        (valid().with("request", "eyJ"), "request_not_supported"),
        (valid().with("request_uri", "https://a.example"), "request_uri_not_supported"),
    ]
}

#[test]
fn s04_s15_s34_errors_are_sent_to_the_client() {
    let server = server();
    for (request, error) in invalid_requests() {
        let response = request.get(&server);
        assert_eq!(response.status, 303, "{}", request.url(&server));
        assert_eq!(response.param("error").as_deref(), Some(error), "{}", request.url(&server));
        assert_eq!(response.param("code"), None);
    }
}

#[test]
fn s14_every_error_names_the_issuer_and_the_state() {
    let server = server();
    for (request, _) in invalid_requests() {
        let response = request.get(&server);
        assert_eq!(response.param("iss").as_deref(), Some(server.issuer()));
        assert_eq!(response.param("state").as_deref(), Some("s t+a/t=e"));
    }
}

#[test]
fn s14_a_code_comes_with_the_issuer() {
    let server = server();
    let visit = server.robot().without_landing().visit(&Authorization::valid().url(&server)).unwrap();
    assert_eq!(visit.param("iss").as_deref(), Some(server.issuer()));
}

#[test]
fn the_client_learns_that_the_user_denied() {
    let server = server();
    let visit = server.robot().deny().without_landing().visit(&Authorization::valid().url(&server)).unwrap();
    assert_eq!(visit.param("error").as_deref(), Some("access_denied"));
    assert_eq!(visit.param("state").as_deref(), Some("s t+a/t=e"));
    assert_eq!(visit.param("iss").as_deref(), Some(server.issuer()));
}

#[test]
fn a_repeated_state_is_not_returned() {
    let server = server();
    let response = Authorization::valid().and("state", "other").get(&server);
    assert_eq!(response.param("error").as_deref(), Some("invalid_request"));
    assert_eq!(response.param("state"), None);
}

#[test]
fn s15_unknown_parameters_are_ignored() {
    let server = server();
    assert!(!Authorization::valid().and("foo", "bar").and("display", "page").code(&server).is_empty());
}

/// Returns the encoded value of `state` in a query.
fn raw_state(query: &str) -> &str {
    query.split('&').find_map(|pair| pair.strip_prefix("state=")).expect("a state")
}

#[test]
fn s16_state_comes_back_byte_for_byte() {
    let server = server();
    let every_byte: String = (1..=255u8).map(|byte| format!("%{byte:02X}")).collect();
    for state in
        ["a", "%20", "+", "a%26b%3Dc", "%22%3E%3Cscript%3E", "%E2%80%AE", "%C3%28", "%FF%FE", &every_byte]
    {
        let url = format!(
            "{}&state={state}",
            Authorization::valid().without("state").with("prompt", "none").url(&server)
        );
        let response = get(&url, &[]);
        let location = response.header("location").expect("a redirect");
        let returned = raw_state(location.split_once('?').unwrap().1);
        assert_eq!(decoded(returned), decoded(state), "{state}");
    }
}

fn decoded(raw: &str) -> Vec<u8> {
    let raw = raw.replace('+', " ");
    let mut parts = raw.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

#[test]
fn s20_consent_is_asked_again_for_a_public_client() {
    let server = server();
    let robot = server.robot().same_browser().without_landing();
    let url = Authorization::valid().url(&server);
    let pages = |url: &str| {
        let steps = robot.visit(url).unwrap().steps;
        steps.iter().filter(|step| step.status == 200).map(|step| step.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(pages(&url), ["/login", "/consent"]);
    assert_eq!(pages(&url), ["/consent"]);
    assert_eq!(pages(&url), ["/consent"]);
}

#[test]
fn s25_prompt_none_never_shows_a_page() {
    let server = server();
    let robot = server.robot().same_browser().without_landing();
    let silent = Authorization::valid().with("prompt", "none").url(&server);
    assert_eq!(robot.visit(&silent).unwrap().param("error").as_deref(), Some("login_required"));
    robot.visit(&Authorization::valid().url(&server)).unwrap();
    let visit = robot.visit(&silent).unwrap();
    assert_eq!(visit.param("error").as_deref(), Some("consent_required"));
    assert_eq!(visit.steps.len(), 1);
}

#[test]
fn s25_prompt_login_and_max_age_zero_ask_for_the_password_again() {
    let server = server();
    let robot = server.robot().same_browser().without_landing();
    robot.visit(&Authorization::valid().url(&server)).unwrap();
    for (name, value) in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "0")] {
        let visit = robot.visit(&Authorization::valid().with(name, value).url(&server)).unwrap();
        assert!(
            visit.steps.iter().any(|step| step.path == "/login" && step.method == "POST"),
            "{name}={value}"
        );
    }
    let recent = robot.visit(&Authorization::valid().with("max_age", "1000").url(&server)).unwrap();
    assert!(recent.steps.iter().all(|step| step.path != "/login"));
}

#[test]
fn consent_for_a_confidential_client_is_remembered() {
    let service =
        hallpass_dev::Client::confidential("service", "s3cr3t").redirect_uri("http://127.0.0.1/callback");
    let server = DevServer::builder().client(service).start().unwrap();
    let robot = server.robot().same_browser().without_landing();
    let request = Authorization::valid().with("client_id", "service");
    robot.visit(&request.url(&server)).unwrap();
    assert_eq!(robot.visit(&request.clone().with("prompt", "none").url(&server)).unwrap().steps.len(), 1);
    let asked = robot.visit(&request.with("prompt", "consent").url(&server)).unwrap();
    assert!(asked.steps.iter().any(|step| step.path == "/consent"));
}

#[test]
fn login_hint_fills_in_the_email() {
    let server = server();
    let started = Authorization::valid().with("login_hint", "ada@example.com").get(&server);
    let page = format!("{}{}", server.issuer(), started.header("location").unwrap());
    let page = get(&page, &[("Cookie", &started.cookie().unwrap())]);
    assert!(page.body.contains(r#"value="ada@example.com""#));
}

#[test]
fn a_post_is_checked_like_a_get() {
    let server = server();
    let url = format!("{}/authorize", server.issuer());
    let response = post(&url, &[], &[("client_id", "demo"), ("redirect_uri", REDIRECT_URI)]);
    assert_eq!(response.status, 303);
    assert_eq!(response.param("error").as_deref(), Some("invalid_request"));
}

#[test]
fn s18_no_endpoint_allows_cross_origin_requests() {
    let server = server();
    for path in ["/authorize", "/device", "/device_authorization", "/token", "/userinfo", "/jwks", "/revoke"]
    {
        let request = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nOrigin: https://evil.test\r\n\
             Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n",
            server.port()
        );
        let response = raw(&server, &request).to_lowercase();
        assert!(response.starts_with("http/1.1 405"), "{path}");
        assert!(!response.contains("access-control-allow"), "{path}");
    }
}
