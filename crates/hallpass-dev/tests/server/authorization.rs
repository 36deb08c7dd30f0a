//! `/authorize`: what goes on to the user, what goes back, and what stays on a page.

use hallpass_dev::DevServer;

use crate::support::*;

#[test]
fn s03_a_bad_client_or_redirect_uri_ends_on_a_page() {
    let server = server();
    let good = Authorization::good;
    for request in [
        good().without("client_id"),
        good().with("client_id", "nobody"),
        good().and("client_id", "demo"),
        good().without("redirect_uri"),
        good().and("redirect_uri", REDIRECT_URI),
        good().with("redirect_uri", "https://evil.test/callback"),
    ] {
        let answer = request.get(&server);
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("location"), None);
        assert!(answer.body.contains("<h1>"));
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
        let answer = Authorization::good().with("redirect_uri", uri).get(&server);
        assert_eq!((answer.status, answer.header("location")), (400, None), "{uri}");
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
        let visit = visit.visit(&Authorization::good().with("redirect_uri", uri).url(&server)).unwrap();
        assert!(visit.param("code").is_some(), "{uri}");
        assert!(visit.landed.as_str().starts_with(uri), "{uri}");
    }
}

/// Errors that go to the client, and what it is told.
fn refusals() -> Vec<(Authorization, &'static str)> {
    let good = Authorization::good;
    vec![
        (good().without("response_type"), "invalid_request"),
        (good().with("response_type", "token"), "unsupported_response_type"),
        (good().with("response_type", "id_token"), "unsupported_response_type"),
        (good().with("response_type", "code id_token"), "unsupported_response_type"),
        (good().with("response_mode", "fragment"), "invalid_request"),
        (good().with("response_mode", "form_post"), "invalid_request"),
        (good().without("code_challenge"), "invalid_request"),
        (good().with("code_challenge", ""), "invalid_request"),
        (good().with("code_challenge", "too-short"), "invalid_request"),
        (good().without("code_challenge_method"), "invalid_request"),
        (good().with("code_challenge_method", "plain"), "invalid_request"),
        (good().with("code_challenge_method", "s256"), "invalid_request"),
        (good().with("scope", "admin"), "invalid_scope"),
        (good().and("scope", "openid"), "invalid_request"),
        (good().and("nonce", "other"), "invalid_request"),
        (good().and("code_challenge", CHALLENGE), "invalid_request"),
        (good().and("x", "1").and("x", "2"), "invalid_request"),
        (good().with("prompt", "none"), "login_required"),
        (good().with("prompt", "none login"), "invalid_request"),
        (good().with("prompt", "sometimes"), "invalid_request"),
        (good().with("max_age", "soon"), "invalid_request"),
        (good().with("request", "eyJ"), "request_not_supported"),
        (good().with("request_uri", "https://a.example"), "request_uri_not_supported"),
    ]
}

#[test]
fn s04_s15_s34_errors_go_back_to_the_client_by_name() {
    let server = server();
    for (request, error) in refusals() {
        let answer = request.get(&server);
        assert_eq!(answer.status, 303, "{}", request.url(&server));
        assert_eq!(answer.param("error").as_deref(), Some(error), "{}", request.url(&server));
        assert_eq!(answer.param("code"), None);
    }
}

#[test]
fn s14_every_error_names_the_issuer_and_the_state() {
    let server = server();
    for (request, _) in refusals() {
        let answer = request.get(&server);
        assert_eq!(answer.param("iss").as_deref(), Some(server.issuer()));
        assert_eq!(answer.param("state").as_deref(), Some("s t+a/t=e"));
    }
}

#[test]
fn s14_a_code_comes_with_the_issuer() {
    let server = server();
    let visit = server.robot().without_landing().visit(&Authorization::good().url(&server)).unwrap();
    assert_eq!(visit.param("iss").as_deref(), Some(server.issuer()));
}

#[test]
fn a_user_who_denies_is_told_to_the_client() {
    let server = server();
    let visit = server.robot().deny().without_landing().visit(&Authorization::good().url(&server)).unwrap();
    assert_eq!(visit.param("error").as_deref(), Some("access_denied"));
    assert_eq!(visit.param("state").as_deref(), Some("s t+a/t=e"));
    assert_eq!(visit.param("iss").as_deref(), Some(server.issuer()));
}

#[test]
fn of_two_states_none_is_returned() {
    let server = server();
    let answer = Authorization::good().and("state", "other").get(&server);
    assert_eq!(answer.param("error").as_deref(), Some("invalid_request"));
    assert_eq!(answer.param("state"), None);
}

#[test]
fn s15_unknown_parameters_are_ignored() {
    let server = server();
    assert!(!Authorization::good().and("foo", "bar").and("display", "page").code(&server).is_empty());
}

/// The raw value of `state` in a query.
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
            Authorization::good().without("state").with("prompt", "none").url(&server)
        );
        let answer = get(&url, &[]);
        let location = answer.header("location").expect("a redirect");
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
    let url = Authorization::good().url(&server);
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
    let silent = Authorization::good().with("prompt", "none").url(&server);
    assert_eq!(robot.visit(&silent).unwrap().param("error").as_deref(), Some("login_required"));
    robot.visit(&Authorization::good().url(&server)).unwrap();
    let visit = robot.visit(&silent).unwrap();
    assert_eq!(visit.param("error").as_deref(), Some("consent_required"));
    assert_eq!(visit.steps.len(), 1);
}

#[test]
fn s25_prompt_login_and_max_age_zero_ask_for_the_password_again() {
    let server = server();
    let robot = server.robot().same_browser().without_landing();
    robot.visit(&Authorization::good().url(&server)).unwrap();
    for (name, value) in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "0")] {
        let visit = robot.visit(&Authorization::good().with(name, value).url(&server)).unwrap();
        assert!(
            visit.steps.iter().any(|step| step.path == "/login" && step.method == "POST"),
            "{name}={value}"
        );
    }
    let recent = robot.visit(&Authorization::good().with("max_age", "1000").url(&server)).unwrap();
    assert!(recent.steps.iter().all(|step| step.path != "/login"));
}

#[test]
fn a_confidential_client_that_was_allowed_once_is_not_asked_about_again() {
    let service =
        hallpass_dev::Client::confidential("service", "s3cr3t").redirect_uri("http://127.0.0.1/callback");
    let server = DevServer::builder().client(service).start().unwrap();
    let robot = server.robot().same_browser().without_landing();
    let request = Authorization::good().with("client_id", "service");
    robot.visit(&request.url(&server)).unwrap();
    assert_eq!(robot.visit(&request.clone().with("prompt", "none").url(&server)).unwrap().steps.len(), 1);
    let asked = robot.visit(&request.with("prompt", "consent").url(&server)).unwrap();
    assert!(asked.steps.iter().any(|step| step.path == "/consent"));
}

#[test]
fn login_hint_fills_in_the_email() {
    let server = server();
    let started = Authorization::good().with("login_hint", "ada@example.com").get(&server);
    let page = format!("{}{}", server.issuer(), started.header("location").unwrap());
    let page = get(&page, &[("Cookie", &started.cookie().unwrap())]);
    assert!(page.body.contains(r#"value="ada@example.com""#));
}

#[test]
fn a_request_by_post_is_judged_like_one_by_get() {
    let server = server();
    let url = format!("{}/authorize", server.issuer());
    let answer = post(&url, &[], &[("client_id", "demo"), ("redirect_uri", REDIRECT_URI)]);
    assert_eq!(answer.status, 303);
    assert_eq!(answer.param("error").as_deref(), Some("invalid_request"));
}

#[test]
fn s18_no_endpoint_opens_itself_to_scripts_of_other_sites() {
    let server = server();
    for path in ["/authorize", "/device", "/device_authorization", "/token", "/userinfo", "/jwks", "/revoke"]
    {
        let request = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nOrigin: https://evil.test\r\n\
             Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n",
            server.port()
        );
        let answer = raw(&server, &request).to_lowercase();
        assert!(answer.starts_with("http/1.1 405"), "{path}");
        assert!(!answer.contains("access-control-allow"), "{path}");
    }
}
