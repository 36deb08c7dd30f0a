//! The signed-in user: from the record, from the server, and after either of them was wrong.

use hallpass::error::{LoginRequired, NetworkErrorKind, ServerIncompatible, ServerMisbehaved};
use hallpass::{Error, State};
use hallpass_test::jose::RS256;
use hallpass_test::library::{LibrarySandbox, login, visitor};
use hallpass_test::provider::{
    self, EMAIL, JWKS, Provider, SUB, TOKEN, USERINFO, clerk_error, providers, user_claims,
};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::{Value, json};

fn clerk() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    (sandbox, provider)
}

#[test]
fn whoami_answers_from_the_record_without_a_request() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        sandbox.signed_in(&provider);
        let user = sandbox.pass(&provider).whoami().unwrap();
        assert_eq!(
            (user.sub.as_str(), user.email.as_deref(), user.label()),
            (SUB, Some(EMAIL), EMAIL.to_owned())
        );
        assert_eq!(Value::Object(user.claims), user_claims());
        assert_eq!(provider.requests().len(), 0);
    }
}

#[test]
fn p66_whoami_answers_when_the_server_is_gone_and_the_token_expired() {
    let (sandbox, provider) = clerk();
    let pass = sandbox.pass(&provider);
    drop(provider);
    sandbox.wait(24 * 3600);
    assert_eq!(pass.whoami().unwrap().label(), EMAIL);
}

#[test]
fn nobody_signed_in_is_nobody() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let pass = sandbox.pass(&provider);
    let nobody = Error::from(LoginRequired::NotSignedIn { profile: "default".to_owned() });
    assert_eq!(pass.whoami().unwrap_err(), nobody);
    assert_eq!(pass.fetch_user().unwrap_err(), nobody);
    assert_eq!(pass.status().state, State::LoginRequired(nobody));
    assert_eq!(provider.requests().len(), 0);
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_login_asks_userinfo_only_for_what_the_id_token_lacks() {
    let lacking: [(&[&str], usize); 4] =
        [(&[], 0), (&["email"], 1), (&["given_name"], 0), (&["given_name", "family_name"], 1)];
    for (names, requests) in lacking {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        provider.twist_claims(move |claims| names.iter().for_each(|name| remove(claims, name)));
        let session = login(sandbox.at(&provider), visitor().0).unwrap();
        assert_eq!(provider.count(USERINFO), requests, "{names:?}");
        assert_eq!(session.user().unwrap().label(), EMAIL);
    }
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

/// Access and refresh tokens are for those who issued them; that one looks like a JWT says nothing to us.
#[test]
fn n48_what_seems_to_be_in_a_token_is_nobodys_business() {
    let forged = RS256.sign(
        &RS256.header(),
        &json!({
            "iss": "https://evil.example", "sub": "mallory", "email": "mallory@example.com", "aud": "other",
            "scope": "admin", "exp": 1, "iat": 1, "nbf": 9_000_000_000_u64,
        }),
    );
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let same = forged.clone();
    provider.twist_tokens(move |tokens| {
        tokens["access_token"] = json!(same);
        tokens["refresh_token"] = json!(same);
    });
    provider.twist_claims(|claims| remove(claims, "at_hash"));
    let session = sandbox.signed_in(&provider);
    let pass = sandbox.pass(&provider);
    assert_eq!(Value::Object(pass.whoami().unwrap().claims), user_claims());
    assert_eq!((session.issuer(), session.renewable()), (provider.issuer(), true));
    assert_eq!(session.scopes(), ["openid", "profile", "email", "offline_access"]);
    assert_eq!((pass.access_token().unwrap().expose(), provider.requests().len()), (forged.as_str(), 0));
    let stored = sandbox.record().to_string().replace(&forged, "");
    assert!(!stored.contains("mallory") && !stored.contains("admin"), "{stored}");
}

#[test]
fn asking_the_server_updates_the_record() {
    let (sandbox, provider) = clerk();
    let mut renamed = user_claims();
    renamed["email"] = json!("ada@new.example");
    provider.always(USERINFO, Response::json(200, &renamed));
    let pass = sandbox.pass(&provider);
    assert_eq!(pass.fetch_user().unwrap().label(), "ada@new.example");
    provider.forget();
    assert_eq!(pass.whoami().unwrap().label(), "ada@new.example");
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn an_answer_that_says_nothing_new_writes_nothing() {
    let (sandbox, provider) = (LibrarySandbox::new(), provider::paylent());
    sandbox.signed_in(&provider);
    let before = sandbox.bytes();
    sandbox.pass(&provider).fetch_user().unwrap();
    assert!(sandbox.bytes() == before);
}

#[test]
fn n92_a_401_means_one_refresh_and_one_more_try() {
    let (sandbox, provider) = clerk();
    provider.end_access_tokens();
    assert_eq!(sandbox.pass(&provider).fetch_user().unwrap().label(), EMAIL);
    assert_eq!((provider.count(USERINFO), provider.count(TOKEN)), (2, 1));
    let [first, second] = provider.requests_to(USERINFO).try_into().unwrap();
    assert_ne!(first.bearer(), second.bearer());
}

#[test]
fn n92_a_server_that_always_answers_401_is_asked_twice_and_no_more() {
    let (sandbox, provider) = clerk();
    provider.always(USERINFO, Response::oauth_error(401, "invalid_token"));
    let Err(Error::Network(error)) = sandbox.pass(&provider).fetch_user() else { panic!() };
    assert_eq!(error.kind, NetworkErrorKind::Status(401));
    assert!(!error.is_retryable());
    assert_eq!((provider.count(USERINFO), provider.count(TOKEN)), (2, 1));
}

#[test]
fn a_refusal_in_clerks_shape_gives_its_long_message_and_trace_id() {
    let (sandbox, provider) = clerk();
    provider.always(USERINFO, clerk_error());
    let text = sandbox.pass(&provider).fetch_user().unwrap_err().to_string();
    assert!(text.contains("The access token was revoked by an administrator"), "{text}");
    assert!(text.contains("oauth_token_revoked") && text.contains("[trace trace_4711]"), "{text}");
}

#[test]
fn n92_another_refusal_is_told_and_not_tried_again() {
    for (status, error) in [(403, "insufficient_scope"), (400, "invalid_request"), (500, "server_error")] {
        let (sandbox, provider) = clerk();
        provider.always(USERINFO, Response::oauth_error(status, error));
        let found = sandbox.pass(&provider).fetch_user().unwrap_err();
        assert!(found.to_string().contains(error), "{found}");
        assert_eq!((provider.count(USERINFO), provider.count(TOKEN)), (1, 0));
    }
}

#[test]
fn an_ended_session_ends_in_a_login_and_not_in_a_network_error() {
    let (sandbox, provider) = clerk();
    provider.end_sessions();
    let error = sandbox.pass(&provider).fetch_user().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(_))), "{error:?}");
}

/// The rest of the answers that are none.
#[test]
fn userinfo_that_is_no_json_object_is_a_broken_rule() {
    let (sandbox, provider) = clerk();
    for answer in
        [Response::html(200, "<h1>Hello</h1>"), Response::json(200, &json!([1])), Response::empty(200)]
    {
        provider.always(USERINFO, answer);
        let error = sandbox.pass(&provider).fetch_user().unwrap_err();
        assert!(matches!(error, Error::ServerMisbehaved(ServerMisbehaved::Userinfo(_))), "{error:?}");
    }
}

#[test]
fn without_openid_no_id_token_and_no_key_is_needed() {
    for provider in providers() {
        let sandbox = LibrarySandbox::new();
        let scopes = ["profile", "email", "offline_access"];
        let session = login(sandbox.at(&provider).scopes(scopes), visitor().0).unwrap();
        assert_eq!(session.user().unwrap().label(), EMAIL);
        assert_eq!((provider.count(USERINFO), provider.count(TOKEN)), (1, 1));
        assert!(sandbox.record()["secret"].get("id_token").is_none());
        let error = sandbox.pass(&provider).id_token().unwrap_err();
        assert!(matches!(error, Error::ServerIncompatible(_)), "{error:?}");
    }
}

/// A server of RFC 6749 and nothing else: neither metadata, keys nor userinfo.
fn plain_oauth(sandbox: &LibrarySandbox, provider: &Provider) -> hallpass::Builder {
    for path in
        ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", JWKS, USERINFO]
    {
        provider.always(path, Response::empty(404));
    }
    let endpoint = |path: &str| format!("{}{path}", provider.issuer());
    sandbox
        .at(provider)
        .scopes(["repo", "offline_access"])
        .endpoint("authorization", &endpoint("/oauth/authorize"))
        .endpoint("token", &endpoint("/oauth/token"))
}

#[test]
fn n76_a_plain_oauth_server_needs_two_endpoints_by_hand_and_no_metadata() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let session = login(plain_oauth(&sandbox, &provider), visitor().0).unwrap();
    assert_eq!(session.user(), None);
    assert!(session.renewable());
    let paths: Vec<String> = provider.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/oauth/authorize", "/oauth/token"]);
    let pass = plain_oauth(&sandbox, &provider).build().unwrap();
    assert!(pass.access_token().is_ok());
    sandbox.wait(24 * 3600);
    assert!(pass.access_token().is_ok());
    let error = pass.whoami().unwrap_err();
    assert_eq!(error, ServerIncompatible::NoEndpoint("userinfo_endpoint").into());
    assert!(pass.logout().unwrap().erased);
}

#[test]
fn a_user_whom_the_login_did_not_learn_is_asked_for_later() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.next(1, USERINFO, Response::empty(503));
    let session = login(sandbox.at(&provider).scopes(["email", "offline_access"]), visitor().0).unwrap();
    assert_eq!(session.user(), None);
    assert!(
        session.notes().iter().any(|note| note.contains("your user information")),
        "{:?}",
        session.notes()
    );
    let pass = sandbox.pass(&provider);
    assert_eq!(pass.whoami().unwrap().label(), EMAIL);
    provider.forget();
    assert_eq!(pass.whoami().unwrap().label(), EMAIL);
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn p66_status_tells_four_things_apart() {
    let (sandbox, provider) = clerk();
    let pass = sandbox.pass(&provider);
    let status = pass.status();
    assert_eq!(
        (status.state, status.renewable, status.user.unwrap().label()),
        (State::Unverified, true, EMAIL.to_owned())
    );
    assert_eq!((status.issuer.as_deref(), status.path), (Some(provider.issuer()), Some(sandbox.path())));
    assert_eq!(provider.requests().len(), 0);
    assert_eq!(pass.check().state, State::Verified);
    provider.always(USERINFO, Response::empty(503));
    assert!(matches!(pass.check().state, State::Unavailable(Error::Network(_))));
    provider.end_sessions();
    pass.force_refresh().unwrap_err();
    assert!(matches!(pass.check().state, State::LoginRequired(_)));
}

/// RFC 9728 §5.1, and what other servers write there.
#[test]
fn n78_an_answer_that_names_another_server_sends_nobody_there() {
    let ((sandbox, provider), other) = (clerk(), ScriptedServer::start());
    let there = other.origin();
    let challenge = format!(
        "Bearer error=\"invalid_token\", authorization_uri=\"{there}/authorize\", \
         resource_metadata=\"{there}/.well-known/oauth-protected-resource\""
    );
    let refusal = Response::empty(401).header("WWW-Authenticate", &challenge);
    provider.always(USERINFO, refusal.header("Link", &format!("<{there}>; rel=\"issuer\"")));
    let pass = sandbox.pass(&provider);
    assert!(matches!(pass.fetch_user(), Err(Error::Network(_))));
    assert!(matches!(pass.check().state, State::Unavailable(_) | State::LoginRequired(_)));
    assert_eq!(other.connections(), 0);
    assert_eq!(sandbox.record()["issuer"], provider.issuer());
}
