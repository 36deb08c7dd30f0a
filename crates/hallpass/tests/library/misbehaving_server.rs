//! Servers that break the rules, one rule at a time: the exact error, nothing stored, nothing claimed. And
//! servers that are merely odd.

use hallpass::error::{Denied, NetworkError, NetworkErrorKind, ServerIncompatible, ServerMisbehaved};
use hallpass::{Builder, Error, Session};
use hallpass_test::jose::{ES256, RS256};
use hallpass_test::library::{
    self, IMPATIENT, LibrarySandbox, PATIENCE, get, login, playing, sign_in, unopened, visitor,
};
use hallpass_test::provider::{EMAIL, JWKS, OAUTH_METADATA, OPENID_CONFIGURATION, Provider, TOKEN, USERINFO};
use hallpass_test::scripted_server::Response;
use serde_json::{Value, json};

pub(crate) type Spoil = fn(&Provider);

/// A fault of a server, and the error of a login there.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) spoil: Spoil,
    pub(crate) is_right: fn(&Error) -> bool,
}

/// `case!(name, spoil => pattern of the error)`.
macro_rules! case {
    ($name:literal, $spoil:expr => $pattern:pat) => {
        Case { name: $name, spoil: $spoil, is_right: |error| matches!(error, $pattern) }
    };
}

macro_rules! misbehaved {
    ($rule:pat) => {
        Error::ServerMisbehaved($rule)
    };
}

pub(crate) use {case, misbehaved};

macro_rules! incompatible {
    ($lack:pat) => {
        Error::ServerIncompatible($lack)
    };
}

macro_rules! network {
    ($kind:pat) => {
        Error::Network(NetworkError { kind: $kind, .. })
    };
}

/// A login at a spoilt server by somebody who is signed in there, and by somebody who is not.
pub(crate) fn judge(case: &Case, sign_in_at: impl Fn(&Case, Builder) -> Error) {
    let (older, fresh, provider) = (LibrarySandbox::new(), LibrarySandbox::new(), Provider::clerk());
    older.signed_in(&provider);
    let before = older.bytes();
    (case.spoil)(&provider);
    for sandbox in [&older, &fresh] {
        let limit = if case.name == "silence" { IMPATIENT } else { PATIENCE };
        let error = sign_in_at(case, sandbox.at(&provider).request_timeout(limit));
        assert!((case.is_right)(&error), "{}: {error:?}", case.name);
        assert!(provider.count(TOKEN) <= 1, "{}: the code was sent again", case.name);
        assert_eq!(provider.count(USERINFO), 0, "{}: a token was used", case.name);
        provider.forget();
    }
    assert!(older.bytes() == before, "{}", case.name);
    assert!(!fresh.is_signed_in(), "{}", case.name);
}

fn both_documents(provider: &Provider, answer: Response) {
    provider.always(OPENID_CONFIGURATION, answer.clone());
    provider.always(OAUTH_METADATA, answer);
}

fn without(provider: &Provider, member: &'static str) {
    provider.twist_metadata(move |document| drop(document.as_object_mut().unwrap().remove(member)));
}

pub(crate) fn with(provider: &Provider, member: &'static str, value: &str) {
    let value = json!(value);
    provider.twist_metadata(move |document| document[member] = value.clone());
}

#[test]
fn unusable_metadata_ends_the_login_before_the_browser_opens() {
    use NetworkErrorKind::{Broken, Status, TimedOut};
    use ServerIncompatible::{InsecureEndpoint, NoEndpoint, NoMetadata, NoS256};
    use ServerMisbehaved::{MetadataMember, Redirected, TooLarge};
    let cases = [
        case!("HTML", |p| both_documents(p, Response::html(200, "<h1>Hi</h1>")) => incompatible!(NoMetadata { .. })),
        case!("a list", |p| both_documents(p, Response::json(200, &json!([]))) => incompatible!(NoMetadata { .. })),
        case!("404", |p| both_documents(p, Response::empty(404)) => incompatible!(NoMetadata { .. })),
        case!("500", |p| both_documents(p, Response::html(500, "<h1>Oops</h1>")) => network!(Status(500))),
        case!("429", |p| both_documents(p, Response::empty(429)) => network!(Status(429))),
        case!("cut", |p| both_documents(p, Response::json(200, &json!({})).cut()) => network!(Broken)),
        case!("silence", |p| both_documents(p, Response::never()) => network!(TimedOut)),
        case!("a redirect", |p| both_documents(p, Response::redirect(301, "http://127.0.0.1:1/"))
            => misbehaved!(Redirected("metadata"))),
        case!("3 MiB", |p| both_documents(p, Response::new(200, "application/json", vec![b' '; 3 << 20]))
            => misbehaved!(TooLarge("metadata"))),
        case!("plain http elsewhere", |p| with(p, "token_endpoint", "http://login.example.com/token")
            => incompatible!(InsecureEndpoint { name: "token_endpoint", .. })),
        case!("a script to open", |p| with(p, "authorization_endpoint", "javascript:alert(1)")
            => incompatible!(InsecureEndpoint { name: "authorization_endpoint", .. })),
        case!("a file to open", |p| with(p, "authorization_endpoint", "file:///etc/passwd")
            => incompatible!(InsecureEndpoint { .. })),
        case!("no URL", |p| with(p, "token_endpoint", "here") => misbehaved!(MetadataMember("token_endpoint"))),
        case!("no token endpoint", |p| without(p, "token_endpoint") => incompatible!(NoEndpoint("token_endpoint"))),
        case!("no authorization endpoint", |p| without(p, "authorization_endpoint")
            => incompatible!(NoEndpoint("authorization_endpoint"))),
        case!("no S256", |p| p.twist_metadata(|document| {
            document["code_challenge_methods_supported"] = json!(["plain"]);
        }) => incompatible!(NoS256)),
    ];
    for case in &cases {
        judge(case, |case, builder| library::failure(case.name, login(builder, unopened)));
    }
}

/// A login that gets as far as the token request, whose page must not claim anything.
pub(crate) fn from_callback_on(case: &Case, builder: Builder) -> Error {
    let (browser, pages) = playing(|url| get(&sign_in(url)));
    let error = library::failure(case.name, login(builder, browser));
    let page = pages.recv_timeout(library::PATIENCE).unwrap();
    assert!(page.is_complete() && !page.claims_success(), "{}: {page:?}", case.name);
    error
}

fn token(provider: &Provider, answer: Response) {
    provider.always(TOKEN, answer);
}

#[test]
fn n42_a_token_answer_that_is_none_ends_the_login() {
    use NetworkErrorKind::{Broken, Status, TimedOut};
    use ServerMisbehaved::{AccessTokenMissing, Redirected, TokenResponse, TooLarge};
    let cases = [
        case!("HTML", |p| token(p, Response::html(200, "<h1>Hi</h1>")) => misbehaved!(TokenResponse(_))),
        case!("nothing", |p| token(p, Response::empty(200)) => misbehaved!(TokenResponse(_))),
        case!("a list", |p| token(p, Response::json(200, &json!([]))) => misbehaved!(TokenResponse(_))),
        case!("no access token", |p| token(p, Response::json(200, &json!({ "id_token": "x" })))
            => misbehaved!(AccessTokenMissing)),
        case!("a number as token", |p| token(p, Response::json(200, &json!({ "access_token": 7 })))
            => misbehaved!(AccessTokenMissing)),
        case!("an empty token", |p| p.twist_tokens(|tokens| tokens["access_token"] = json!(""))
            => misbehaved!(AccessTokenMissing)),
        case!("a redirect", |p| token(p, Response::redirect(307, "http://127.0.0.1:1/"))
            => misbehaved!(Redirected("token endpoint"))),
        case!("3 MiB", |p| token(p, Response::new(200, "application/json", vec![b' '; 3 << 20]))
            => misbehaved!(TooLarge("token endpoint"))),
        case!("another kind of token", |p| p.twist_tokens(|tokens| tokens["token_type"] = json!("mac"))
            => incompatible!(ServerIncompatible::TokenType(_))),
        case!("an error in 200", |p| token(p, Response::oauth_error(200, "invalid_grant"))
            => Error::Denied(Denied::ByServer(_))),
        case!("400 invalid_grant", |p| token(p, Response::oauth_error(400, "invalid_grant"))
            => Error::Denied(Denied::ByServer(_))),
        case!("401 invalid_client", |p| token(p, Response::oauth_error(401, "invalid_client"))
            => Error::Denied(Denied::ByServer(_))),
        case!("400 and nothing", |p| token(p, Response::empty(400)) => Error::Denied(Denied::ByServer(_))),
        case!("403 HTML", |p| token(p, Response::html(403, "<h1>No</h1>")) => Error::Denied(Denied::ByServer(_))),
        case!("500", |p| token(p, Response::html(500, "<h1>Oops</h1>")) => network!(Status(500))),
        case!("500 in JSON", |p| token(p, Response::oauth_error(500, "internal_server_error")) => network!(Status(500))),
        case!("429", |p| token(p, Response::empty(429)) => network!(Status(429))),
        case!("cut", |p| token(p, Response::json(200, &json!({ "access_token": "x" })).cut()) => network!(Broken)),
        case!("silence", |p| token(p, Response::never()) => network!(TimedOut)),
    ];
    for case in &cases {
        judge(case, from_callback_on);
    }
}

/// A code may be exchanged once (RFC 6749 §4.1.2), and nobody knows whether it was.
#[test]
fn n39_a_code_whose_answer_is_lost_is_not_sent_again() {
    let lost: [(&str, Spoil); 5] = [
        ("cut before its first byte", |p| token(p, Response::new(200, "text/plain", "").cut())),
        ("cut in its middle", |p| token(p, Response::json(200, &json!({ "access_token": "x" })).cut())),
        ("silence", |p| token(p, Response::never())),
        ("trouble", |p| token(p, Response::empty(503).header("Retry-After", "0"))),
        ("too many", |p| token(p, Response::empty(429).header("Retry-After", "0"))),
    ];
    for (name, spoil) in lost {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        spoil(&provider);
        let builder = sandbox.at(&provider).request_timeout(IMPATIENT);
        let error = library::failure(name, login(builder, visitor().0));
        assert!(matches!(error, Error::Network(_)), "{name}: {error:?}");
        std::thread::sleep(IMPATIENT);
        assert_eq!(provider.count(TOKEN), 1, "{name}");
        assert!(!sandbox.is_signed_in(), "{name}");
    }
}

pub(crate) fn without_claim(provider: &Provider, name: &'static str) {
    provider.twist_claims(move |claims| drop(claims.as_object_mut().unwrap().remove(name)));
}

pub(crate) fn claim(provider: &Provider, name: &'static str, value: Value) {
    provider.twist_claims(move |claims| claims[name] = value.clone());
}

/// The claims of a good ID token under a signature of somebody else's making.
pub(crate) fn signed(provider: &Provider, sign: fn(&Value) -> String) {
    provider.sign_by(sign);
}

#[test]
fn n54_n58_n62_n66_n67_an_id_token_that_fails_one_rule_ends_the_login_and_nothing_of_it_is_used() {
    use ServerMisbehaved::*;
    let cases = [
        case!("somebody else's key under a known name", |p| signed(p, |claims| {
            ES256.sign(&json!({ "alg": "ES256", "kid": "rsa-1" }), claims)
        }) => misbehaved!(IdTokenKey)),
        case!("an unknown key", |p| signed(p, |claims| ES256.sign(&ES256.header(), claims))
            => misbehaved!(IdTokenKey)),
        case!("a key in the header", |p| signed(p, |claims| {
            ES256.sign(&json!({ "alg": "ES256", "jwk": ES256.jwk }), claims)
        }) => misbehaved!(IdTokenKey)),
        case!("an access token's typ", |p| signed(p, |claims| {
            RS256.sign(&json!({ "alg": "RS256", "kid": "rsa-1", "typ": "at+jwt" }), claims)
        }) => misbehaved!(IdTokenHeader(_))),
        case!("no JWS", |p| signed(p, |_| "hello".to_owned()) => misbehaved!(IdTokenMalformed(_))),
        case!("one more audience", |p| claim(p, "aud", json!(["cli", "other"])) => misbehaved!(IdTokenAud)),
        case!("another party", |p| claim(p, "azp", json!("other")) => misbehaved!(IdTokenAzp)),
        case!("no nonce", |p| without_claim(p, "nonce") => misbehaved!(IdTokenNonce)),
        case!("an empty sub", |p| claim(p, "sub", json!("")) => misbehaved!(IdTokenClaim("sub"))),
        case!("expired", |p| claim(p, "exp", json!(1_000_000_000)) => misbehaved!(IdTokenExpired { .. })),
        case!("exp as text", |p| claim(p, "exp", json!("tomorrow")) => misbehaved!(IdTokenClaim("exp"))),
        case!("from the future", |p| claim(p, "iat", json!(9_000_000_000_u64)) => misbehaved!(IdTokenFromFuture { .. })),
        case!("keys that are none", |p| p.always(JWKS, Response::html(200, "<h1>Keys</h1>")) => misbehaved!(Jwks)),
        case!("no keys", |p| p.always(JWKS, Response::json(200, &json!({ "keys": [] }))) => misbehaved!(IdTokenKey)),
        case!("keys behind a redirect", |p| p.always(JWKS, Response::redirect(302, "http://127.0.0.1:1/"))
            => misbehaved!(Redirected("JWKS"))),
        case!("3 MiB of keys", |p| p.always(JWKS, Response::new(200, "application/json", vec![b' '; 3 << 20]))
            => misbehaved!(TooLarge("JWKS"))),
        case!("keys that are down", |p| p.always(JWKS, Response::empty(503))
            => network!(NetworkErrorKind::Status(503))),
        case!("no address of keys", |p| without(p, "jwks_uri")
            => incompatible!(ServerIncompatible::NoEndpoint("jwks_uri"))),
    ];
    for case in &cases {
        judge(case, from_callback_on);
    }
}

/// A login at a server that is odd in one way.
fn at_odd(spoil: impl Fn(&Provider)) -> (LibrarySandbox, Provider, Session) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    spoil(&provider);
    let session = login(sandbox.at(&provider), visitor().0).unwrap();
    (sandbox, provider, session)
}

#[test]
fn n71_an_issuer_with_one_slash_more_is_taken_as_the_server_spells_it_and_told() {
    let (sandbox, provider, session) = at_odd(|provider| {
        let issuer = json!(format!("{}/", provider.issuer()));
        let same = issuer.clone();
        provider.twist_metadata(move |document| document["issuer"] = issuer.clone());
        provider.twist_claims(move |claims| claims["iss"] = same.clone());
    });
    assert_eq!(session.issuer(), format!("{}/", provider.issuer()));
    assert!(
        session.notes().iter().any(|note| note.contains("writes its issuer as")),
        "{:?}",
        session.notes()
    );
    sandbox.wait(24 * 3600 - 60);
    assert_eq!(sandbox.pass(&provider).access_token().unwrap().notes(), [""; 0]);
}

#[test]
fn n71_after_the_slash_was_accepted_the_documents_spelling_rules() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    with(&provider, "issuer", &format!("{}/", provider.issuer()));
    let error = library::failure("iss", login(sandbox.at(&provider), visitor().0));
    assert!(matches!(error, misbehaved!(ServerMisbehaved::IdTokenIss { .. })), "{error:?}");
}

#[test]
fn p58_a_form_encoded_token_answer_is_read() {
    let (_, provider, session) = at_odd(|provider| {
        let body = "access_token=gho_x&scope=email%2Coffline_access&token_type=bearer&refresh_token=ghr_x&expires_in=60";
        provider.always(TOKEN, Response::new(200, "application/x-www-form-urlencoded", body));
        provider.always(USERINFO, Response::json(200, &json!({ "sub": "1", "email": EMAIL })));
    });
    assert!(session.renewable() && session.user().unwrap().label() == EMAIL);
    assert_eq!(session.scopes(), ["email", "offline_access"]);
    assert_eq!(provider.count(TOKEN), 1);
}

#[test]
fn n75_either_document_is_enough_and_each_fills_the_others_gaps() {
    let cases: [(&str, Spoil); 3] = [
        ("OAuth metadata only", |p| p.always(OPENID_CONFIGURATION, Response::empty(404))),
        ("OpenID configuration only", |p| p.always(OAUTH_METADATA, Response::empty(404))),
        ("revocation in the OAuth metadata only", |p| {
            let path = p.revoke_path();
            let (origin, issuer) = (p.origin(), p.issuer().to_owned());
            p.twist_metadata(|document| {
                drop(document.as_object_mut().unwrap().remove("revocation_endpoint"))
            });
            p.always(
                OAUTH_METADATA,
                Response::json(
                    200,
                    &json!({ "issuer": issuer, "revocation_endpoint": format!("{origin}{path}") }),
                ),
            );
        }),
    ];
    for (name, spoil) in cases {
        let (sandbox, provider, _) = at_odd(spoil);
        assert!(sandbox.record()["endpoints"]["revocation"].is_string(), "{name}");
        assert!(sandbox.pass(&provider).logout().unwrap().erased, "{name}");
    }
}

#[test]
fn a_second_document_that_is_wrong_is_no_reason_to_fail() {
    for answer in
        [Response::json(200, &json!({ "issuer": "https://evil.example" })), Response::redirect(302, "/")]
    {
        at_odd(|provider| {
            without(provider, "revocation_endpoint");
            provider.always(OAUTH_METADATA, answer.clone());
        });
    }
}

#[test]
fn keys_that_were_down_for_a_moment_are_fetched_once_more() {
    let (_, provider, _) = at_odd(|provider| provider.next(1, JWKS, Response::empty(503)));
    assert_eq!((provider.count(JWKS), provider.count(TOKEN)), (2, 1));
}

#[test]
fn n44_n45_n52_odd_but_lawful_answers_are_taken() {
    let odd: [(&str, Spoil); 6] = [
        ("aud as a list of one", |p| claim(p, "aud", json!(["cli"]))),
        ("no token_type", |p| p.twist_tokens(|t| drop(t.as_object_mut().unwrap().remove("token_type")))),
        ("expires_in as text", |p| p.twist_tokens(|tokens| tokens["expires_in"] = json!("3599"))),
        ("more members", |p| p.twist_tokens(|tokens| tokens["ext_expires_in"] = json!({ "a": [1] }))),
        ("a token of 32 KiB", |p| {
            p.twist_tokens(|tokens| tokens["access_token"] = json!("x".repeat(32 * 1024)));
            p.twist_claims(|claims| drop(claims.as_object_mut().unwrap().remove("at_hash")));
        }),
        ("userinfo that is down", |p| {
            p.twist_claims(|claims| drop(claims.as_object_mut().unwrap().remove("email")));
            p.always(USERINFO, Response::empty(503));
        }),
    ];
    for (name, spoil) in odd {
        let (sandbox, provider, session) = at_odd(spoil);
        assert!(session.user().is_some() && session.renewable(), "{name}");
        let token = sandbox.pass(&provider).access_token().unwrap();
        assert_eq!(token.expose(), sandbox.record()["secret"]["access_tokens"][0], "{name}");
    }
}

#[test]
fn n46_p34_p61_what_was_not_granted_is_told() {
    let (_, _, session) = at_odd(|provider| {
        provider.twist_tokens(|tokens| {
            tokens["scope"] = json!("openid email");
            tokens.as_object_mut().unwrap().remove("refresh_token");
        });
    });
    assert_eq!(session.scopes(), ["openid", "email"]);
    let notes = session.notes().join("\n");
    assert!(notes.contains("did not grant these scopes: profile offline_access"), "{notes}");
    assert!(notes.contains("lasts 2h and cannot be refreshed"), "{notes}");
}

#[test]
fn p34_a_server_without_offline_access_is_named_only_where_the_sign_in_cannot_renew_itself() {
    let notes = |supported: Value, refresh_token: Option<&'static str>| {
        let (_, _, session) = at_odd(|provider| {
            let supported = supported.clone();
            provider.twist_metadata(move |document| document["scopes_supported"] = supported.clone());
            provider.twist_tokens(move |tokens| {
                refresh_token.iter().for_each(|token| tokens["refresh_token"] = json!(token));
            });
        });
        session.notes().join("\n")
    };
    let why = "lasts 2h and cannot be refreshed: the server does not support the scope offline_access";
    assert!(notes(json!(["openid", "profile", "email"]), None).contains(why));
    assert_eq!(notes(json!(["openid", "profile", "email"]), Some("given anyway")), "");
    assert_eq!(notes(json!(["openid", "offline_access"]), None), "", "what else is cut is of no matter");
}

#[test]
fn n46_without_a_word_about_scopes_they_are_those_that_were_asked_for() {
    for scope in [Value::Null, json!(""), json!(7)] {
        let (sandbox, _, session) = at_odd(|provider| {
            let scope = scope.clone();
            provider.twist_tokens(move |tokens| tokens["scope"] = scope.clone());
        });
        assert_eq!(session.scopes(), ["openid", "profile", "email", "offline_access"]);
        assert_eq!(
            (session.notes(), &sandbox.record()["access"][0]["scopes"]),
            (&[][..], &json!(session.scopes()))
        );
    }
}

#[test]
fn p34_a_login_after_one_without_a_refresh_token_asks_for_consent() {
    let (sandbox, provider, _) = at_odd(|provider| {
        provider.twist_tokens(|tokens| drop(tokens.as_object_mut().unwrap().remove("refresh_token")));
    });
    let (browser, urls) = playing(|url| {
        get(&sign_in(url));
        library::param(url, "prompt")
    });
    login(sandbox.at(&provider), browser).unwrap();
    assert_eq!(urls.recv_timeout(library::PATIENCE).unwrap(), "consent");
}

#[test]
fn n61_who_asks_for_a_recent_sign_in_gets_one_or_nothing() {
    let at = |auth_time: Value| {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        claim(&provider, "auth_time", auth_time);
        let (browser, asked) = playing(|url| {
            get(&sign_in(url));
            library::param(url, "max_age")
        });
        let result = login(sandbox.at(&provider).param("max_age", "60"), browser);
        assert_eq!(asked.recv_timeout(library::PATIENCE).unwrap(), "60");
        assert_eq!(result.is_ok(), sandbox.is_signed_in());
        result
    };
    let ago = |seconds| json!(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() - seconds);
    at(ago(0)).unwrap();
    let error = at(ago(3600)).unwrap_err();
    assert!(matches!(error, misbehaved!(ServerMisbehaved::IdTokenAuthTime(_))), "{error:?}");
    let error = at(json!("just now")).unwrap_err();
    assert!(matches!(error, misbehaved!(ServerMisbehaved::IdTokenClaim("auth_time"))), "{error:?}");
}

#[test]
fn n61_without_an_id_token_nobody_knows_when_the_person_signed_in() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    provider.twist_tokens(|tokens| drop(tokens.as_object_mut().unwrap().remove("id_token")));
    login(sandbox.at(&provider), visitor().0).unwrap();
    let error = library::failure("max_age", login(sandbox.at(&provider).param("max_age", "60"), visitor().0));
    assert!(matches!(error, misbehaved!(ServerMisbehaved::IdTokenClaim("auth_time"))), "{error:?}");
}

#[test]
fn n61_a_server_that_does_not_care_how_one_should_sign_in_is_told() {
    for (acr, said) in [("gold", None), ("bronze", Some("states \"bronze\"")), ("", Some("states none"))] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        if !acr.is_empty() {
            claim(&provider, "acr", json!(acr));
        }
        let session = login(sandbox.at(&provider).param("acr_values", "platinum gold"), visitor().0).unwrap();
        let notes = session.notes().join("\n");
        assert_eq!(notes.contains("acr_values"), said.is_some(), "{acr}: {notes}");
        assert!(said.is_none_or(|said| notes.contains(said)), "{notes}");
    }
}

#[test]
fn n30_our_own_scopes_shrink_to_what_the_server_lists_and_the_callers_never() {
    for (own, sent) in [(true, "openid email"), (false, "openid email offline_access repo")] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        provider.twist_metadata(|document| document["scopes_supported"] = json!(["openid", "email"]));
        let (browser, scopes) = playing(|url| {
            get(&sign_in(url));
            library::param(url, "scope")
        });
        let builder = sandbox.at(&provider);
        let builder =
            if own { builder } else { builder.scopes(["openid", "email", "offline_access", "repo"]) };
        login(builder, browser).unwrap();
        assert_eq!(scopes.recv_timeout(library::PATIENCE).unwrap(), sent);
    }
}
