//! One issuer and its spellings, and the places where its metadata may be.

use std::thread;
use std::time::Duration;

use hallpass::error::{ServerIncompatible, ServerMisbehaved};
use hallpass::{Error, Result, Session};
use hallpass_test::library::{
    LibrarySandbox, PATIENCE, failure, get, login, playing, sign_in, unopened, visitor,
};
use hallpass_test::provider::{CLIENT, OAUTH_METADATA, OPENID_CONFIGURATION, Provider};
use hallpass_test::scripted_server::Response;
use serde_json::json;

/// A login where the settings, the document, the callback and the ID token each spell the issuer in their way.
fn spelled(provider: &Provider, [config, document, callback, id_token]: &[String; 4]) -> Result<Session> {
    let (issuer, claim, iss) = (json!(document), json!(id_token), callback.clone());
    provider.twist_metadata(move |document| document["issuer"] = issuer.clone());
    provider.twist_claims(move |claims| claims["iss"] = claim.clone());
    let (browser, _pages) = playing(move |url| {
        let mut landed = sign_in(url);
        landed.query_pairs_mut().append_pair("iss", &iss);
        get(&landed)
    });
    let sandbox = LibrarySandbox::new();
    let builder = sandbox.builder(config, CLIENT).redirect_uris([provider.redirect_uri()]);
    login(builder.login_timeout(PATIENCE), browser)
}

#[test]
fn p59_the_documents_spelling_is_what_every_answer_must_have_and_the_settings_may_differ_by_a_slash() {
    let provider = Provider::clerk();
    for number in 0..16 {
        let slash = |at: u32| if number >> at & 1 == 1 { "/" } else { "" };
        let spelling = [0, 1, 2, 3].map(|at| format!("{}{}", provider.issuer(), slash(at)));
        let [config, document, callback, id_token] = &spelling;
        let found_in = |found: &String| (document.clone(), found.clone());
        match spelled(&provider, &spelling) {
            Ok(session) => {
                assert_eq!((callback, id_token, session.issuer()), (document, document, document.as_str()));
                let note = format!("the server writes its issuer as {document}");
                let is_noted = session.notes().contains(&note);
                assert_eq!(is_noted, config != document, "{spelling:?}");
            }
            Err(Error::ServerMisbehaved(ServerMisbehaved::AuthorizationIss { expected, found })) => {
                assert!((expected, found) == found_in(callback) && callback != document, "{spelling:?}");
            }
            Err(Error::ServerMisbehaved(ServerMisbehaved::IdTokenIss { expected, found })) => {
                assert!((expected, found) == found_in(id_token) && id_token != document, "{spelling:?}");
                assert_eq!(callback, document, "the callback comes first");
            }
            Err(error) => panic!("{spelling:?}: {error:?}"),
        }
    }
}

#[test]
fn p59_a_document_of_anybody_else_is_refused_in_words_that_tell_the_two_apart() {
    let provider = Provider::clerk();
    let issuer = provider.issuer().to_owned();
    let port = issuer.rsplit(':').next().unwrap().to_owned();
    for other in [
        format!("{issuer}//"),
        format!("{issuer}/t"),
        format!("{issuer} "),
        format!("{issuer}\u{200b}"),
        issuer.to_uppercase(),
        issuer.replace("http:", "https:"),
        issuer.replace("127.0.0.1", "localhost"),
        issuer.replace(&port, "1"),
        issuer.replace(&format!(":{port}"), ""),
    ] {
        let document = json!(other);
        provider.twist_metadata(move |metadata| metadata["issuer"] = document.clone());
        let error = failure(&other, login(LibrarySandbox::new().at(&provider), unopened));
        let Error::ServerMisbehaved(ServerMisbehaved::MetadataIssuer { expected, found }) = error else {
            panic!("{other}: {error:?}")
        };
        assert_eq!(expected, issuer);
        assert!(found != issuer && found.is_ascii() && !found.contains(' '), "{found:?}");
    }
}

#[test]
fn p59_a_document_that_names_no_issuer_is_none_and_endpoints_by_hand_need_none() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.twist_metadata(|document| drop(document.as_object_mut().unwrap().remove("issuer")));
    let error = failure("no issuer", login(sandbox.at(&provider), unopened));
    assert!(matches!(error, Error::ServerIncompatible(ServerIncompatible::NoMetadata { .. })), "{error:?}");
    provider.forget();
    let endpoint = |path: &str| format!("{}{path}", provider.origin());
    let by_hand = sandbox
        .at(&provider)
        .endpoint("authorization", &endpoint("/oauth/authorize"))
        .endpoint("token", &endpoint("/oauth/token"))
        .endpoint("jwks", &endpoint("/.well-known/jwks.json"));
    login(by_hand, visitor().0).unwrap();
    assert_eq!((provider.count(OPENID_CONFIGURATION), provider.count(OAUTH_METADATA)), (0, 0));
}

/// The places of the metadata document of an issuer with a path, in the order of the requests.
const FORMS: [&str; 3] = [
    "/t/1/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/t/1",
    "/t/1/.well-known/oauth-authorization-server",
];

/// The responses at the other places.
fn others(provider: &Provider) -> Vec<(&'static str, Response)> {
    vec![
        ("404", Response::empty(404)),
        ("500", Response::html(500, "<h1>Oops</h1>")),
        ("HTML", Response::html(200, "<h1>Sign in</h1>")),
        ("a redirect to itself", Response::redirect(302, &format!("{}{}", provider.origin(), FORMS[0]))),
        ("more than 1 MiB", Response::new(200, "application/json", vec![b' '; (1 << 20) + 1])),
    ]
}

fn with_path(provider: &Provider) -> String {
    let issuer = format!("{}/t/1", provider.issuer());
    let claim = json!(issuer);
    provider.twist_claims(move |claims| claims["iss"] = claim.clone());
    issuer
}

fn publish(provider: &Provider, path: &str, issuer: &str) {
    let at = |path: &str| format!("{}{path}", provider.origin());
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "revocation_endpoint": at("/oauth/token/revoke"),
        "jwks_uri": at("/.well-known/jwks.json"),
    });
    provider.always(path, Response::json(200, &document));
}

#[test]
fn p59_the_document_is_found_in_each_of_its_places_whatever_is_in_the_others() {
    for place in FORMS {
        for (name, answer) in others(&Provider::clerk()) {
            let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
            let issuer = with_path(&provider);
            for form in FORMS {
                provider.always(form, answer.clone());
                provider.slow(form, Duration::from_millis(20));
            }
            publish(&provider, place, &issuer);
            let builder = sandbox.builder(&issuer, CLIENT).redirect_uris([provider.redirect_uri()]);
            let session = login(builder, visitor().0).unwrap_or_else(|e| panic!("{place}, {name}: {e:?}"));
            assert_eq!(session.issuer(), issuer);
            let tried = FORMS.iter().position(|form| *form == place).unwrap() + 1;
            let asked = FORMS.map(|form| provider.count(form));
            assert_eq!(asked, [1, 2, 3].map(|at| usize::from(at <= tried)), "{place}, {name}");
        }
    }
}

#[test]
fn p59_without_a_document_every_place_is_named_with_what_was_there() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let issuer = with_path(&provider);
    provider.always(FORMS[0], Response::redirect(302, "/"));
    provider.always(FORMS[1], Response::html(200, "<h1>Sign in</h1>"));
    provider.always(FORMS[2], Response::empty(404));
    let error = failure("none", login(sandbox.builder(&issuer, CLIENT), unopened));
    let Error::ServerIncompatible(ServerIncompatible::NoMetadata { issuer: named, tried }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*named, issuer);
    let there = ["the metadata request was redirected", "no metadata", "404"];
    assert_eq!(*tried, [0, 1, 2].map(|at| format!("{}: {}", FORMS[at], there[at])));
    assert!(tried.iter().all(|place| error.to_string().contains(place)), "{error}");
}

/// A server that says nothing at all is named within the time for one request, not for three.
#[test]
fn p59_a_place_where_nobody_answers_ends_the_search_in_time() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.always(FORMS[0], Response::never());
    let limit = Duration::from_millis(300);
    let builder = sandbox.builder(&with_path(&provider), CLIENT).request_timeout(limit);
    let error = failure("silence", login(builder, unopened));
    assert!(error.is_retryable() && error.to_string().contains("127.0.0.1"), "{error:?}");
    thread::sleep(limit);
    assert_eq!(FORMS.map(|form| provider.count(form)), [1, 0, 0]);
}
