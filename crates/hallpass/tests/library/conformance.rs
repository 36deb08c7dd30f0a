//! The OpenID Foundation's conformance suite for clients, module by module (`oidcc-client-test-*`, conformance-suite @
//! 12f2a4d): what its servers answer, as whole logins at a scripted server. Each test is named after its module. A
//! module that poisons an answer is passed where nothing more is asked for; the others end with a question to userinfo.
//!
//! Not here, because Hallpass has nothing that they could judge:
//!
//! | module | why |
//! |---|---|
//! | `rp-init-logout`, `-other-state`, `-no-state`, `rp-frontchannel-*`, `rp-backchannel-*`, `session-management` | a logout revokes the tokens; it does not end the browser's own session at the server |
//! | `dynamic-registration` | a client is registered by whoever runs the server |
//! | `userinfo-bearer-body` | the token is sent in the header alone |
//! | `aggregated-claims`, `distributed-claims` | no claim is fetched from an address that a server names |
//! | `discovery-webfinger-acct`, `-url` | the issuer is named, not looked up |
//! | `3rd-party-init-login` | nobody but the user starts a login |
//! | `request-uri-signed-none`, `-rs256` | requests are not sent as objects |
//! | `mtls-endpoint-aliases` | no client certificates |
//! | `form-post-error` | no answer is posted; one that is gets 405, and the login goes on |
//! | `missing-athash`, `invalid-chash`, `missing-chash`, `nonce-unless-code-flow` | of other flows than the code's |
//!
//! `client-secret-basic` is `n88_a_client_secret_is_sent_once_and_shown_nowhere`, at the development server.

use hallpass::error::ServerMisbehaved::{
    IdTokenAlg, IdTokenAtHash, IdTokenAud, IdTokenAzp, IdTokenClaim, IdTokenIss, IdTokenNonce,
    IdTokenSignature, IdTokenSub, MetadataIssuer, Userinfo, UserinfoSub,
};
use hallpass::{Error, Result, User};
use hallpass_test::jose::{self, ES256, OTHER_RSA_JWK, RS256, unsigned};
use hallpass_test::library::{self, LibrarySandbox, login, unopened, visitor};
use hallpass_test::provider::{
    AUTHORIZE, EMAIL, JWKS, OPENID_CONFIGURATION, Provider, SUB, TOKEN, USERINFO, user_claims,
};
use hallpass_test::scripted_server::Response;
use serde_json::{Value, json};

use crate::misbehaving_server::{
    Case, case, claim, from_callback_on, judge, misbehaved, signed, with, without_claim,
};

/// Longer than access tokens live.
const DAY: u64 = 24 * 3600 - 60;

/// As the suite's driver: a login, and a question to userinfo where that worked.
fn drive(sandbox: &LibrarySandbox, provider: &Provider) -> Result<User> {
    login(sandbox.at(provider), visitor().0)?;
    sandbox.pass(provider).fetch_user()
}

/// A server whose answers have to be taken.
fn accepts(prepare: impl FnOnce(&Provider)) -> Provider {
    let provider = Provider::clerk();
    prepare(&provider);
    assert_eq!(drive(&LibrarySandbox::new(), &provider).unwrap().label(), EMAIL);
    assert_eq!((provider.count(AUTHORIZE), provider.count(TOKEN), provider.count(USERINFO)), (1, 1, 1));
    provider
}

/// A login at a server whose answer is poisoned, with and without an older sign-in: nothing of it is kept or used.
fn refuses(case: Case) {
    judge(&case, from_callback_on);
}

fn keys(provider: &Provider, keys: &[&Value]) {
    provider.always(JWKS, Response::json(200, &json!({ "keys": keys })));
}

/// Without its name.
fn nameless(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

#[test]
fn oidcc_client_test() {
    accepts(|_| {});
}

#[test]
fn n51_oidcc_client_test_invalid_iss() {
    refuses(case!("iss", |p| p.twist_claims(|claims| {
        claims["iss"] = json!(format!("{}1", claims["iss"].as_str().unwrap()));
    }) => misbehaved!(IdTokenIss { .. })));
}

#[test]
fn n52_oidcc_client_test_invalid_aud() {
    refuses(case!("aud", |p| claim(p, "aud", json!("other")) => misbehaved!(IdTokenAud)));
}

#[test]
fn n52_oidcc_client_test_missing_aud() {
    refuses(case!("aud", |p| without_claim(p, "aud") => misbehaved!(IdTokenClaim("aud"))));
}

#[test]
fn n59_oidcc_client_test_missing_sub() {
    refuses(case!("sub", |p| without_claim(p, "sub") => misbehaved!(IdTokenClaim("sub"))));
}

#[test]
fn n56_oidcc_client_test_missing_iat() {
    refuses(case!("iat", |p| without_claim(p, "iat") => misbehaved!(IdTokenClaim("iat"))));
}

#[test]
fn n57_oidcc_client_test_nonce_invalid() {
    refuses(case!("nonce", |p| claim(p, "nonce", json!("replayed")) => misbehaved!(IdTokenNonce)));
}

#[test]
fn n55_oidcc_client_test_idtoken_sig_rs256() {
    let provider = accepts(|provider| signed(provider, |claims| RS256.sign(&RS256.header(), claims)));
    assert_eq!(provider.count(JWKS), 1);
}

/// The suite would have it taken or refused.
#[test]
fn n55_oidcc_client_test_idtoken_sig_none() {
    refuses(case!("none", |p| {
        signed(p, |claims| format!("{}.", unsigned(&json!({ "alg": "none" }), claims)));
    } => misbehaved!(IdTokenAlg(_))));
}

/// The claims of one token under the signature of another.
pub(crate) fn with_foreign_signature(signer: &jose::Signer, claims: &Value) -> String {
    let other = signer.sign(&signer.header(), &json!({ "sub": "somebody else" }));
    format!("{}.{}", unsigned(&signer.header(), claims), other.rsplit('.').next().unwrap())
}

#[test]
fn n54_oidcc_client_test_invalid_sig_rs256() {
    refuses(case!("RS256", |p| {
        signed(p, |claims| with_foreign_signature(&RS256, claims));
    } => misbehaved!(IdTokenSignature)));
}

#[test]
fn n54_oidcc_client_test_invalid_sig_es256() {
    refuses(case!("ES256", |p| {
        keys(p, &[&ES256.jwk]);
        signed(p, |claims| with_foreign_signature(&ES256, claims));
    } => misbehaved!(IdTokenSignature)));
}

/// Not for clients without a secret, but nobody should get far with an HMAC.
#[test]
fn n55_oidcc_client_test_invalid_sig_hs256() {
    refuses(case!("HS256", |p| {
        signed(p, |claims| format!("{}.AAAA", unsigned(&json!({ "alg": "HS256", "kid": "rsa-1" }), claims)));
    } => misbehaved!(IdTokenAlg(_))));
}

#[test]
fn n64_oidcc_client_test_kid_absent_single_jwks() {
    accepts(|provider| {
        keys(provider, &[&nameless(&RS256.jwk)]);
        signed(provider, |claims| RS256.sign(&json!({ "alg": "RS256" }), claims));
    });
}

/// The suite would have it refused, or every key tried.
#[test]
fn n64_oidcc_client_test_kid_absent_multiple_jwks() {
    accepts(|provider| {
        keys(provider, &[&OTHER_RSA_JWK, &nameless(&RS256.jwk)]);
        signed(provider, |claims| RS256.sign(&json!({ "alg": "RS256" }), claims));
    });
}

#[test]
fn n60_oidcc_client_test_invalid_athash() {
    refuses(case!("at_hash", |p| {
        claim(p, "at_hash", json!(jose::at_hash("other")));
    } => misbehaved!(IdTokenAtHash)));
}

#[test]
fn n68_oidcc_client_test_userinfo_invalid_sub() {
    let case = case!("userinfo", |p| {
        without_claim(p, "email");
        p.always(USERINFO, Response::json(200, &json!({ "sub": "mallory", "email": EMAIL })));
    } => misbehaved!(UserinfoSub));
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    (case.spoil)(&provider);
    assert_eq!(from_callback_on(&case, sandbox.at(&provider)), UserinfoSub.into(), "the login asks");
    assert!(!sandbox.is_signed_in());
}

#[test]
fn n68_the_same_when_userinfo_is_asked_later() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let before = sandbox.bytes();
    for body in [json!({ "sub": "mallory", "email": EMAIL }), json!({ "email": EMAIL }), json!({ "sub": 7 })]
    {
        provider.always(USERINFO, Response::json(200, &body));
        let error = sandbox.pass(&provider).fetch_user().unwrap_err();
        assert_eq!(error, UserinfoSub.into(), "{body}");
    }
    assert!(sandbox.bytes() == before);
}

/// Signed answers are not read, and refused cleanly.
#[test]
fn oidcc_client_test_userinfo_signed() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    let mut claims = user_claims();
    claims["aud"] = json!("cli");
    provider.always(USERINFO, Response::new(200, "application/jwt", RS256.sign(&RS256.header(), &claims)));
    let error = drive(&sandbox, &provider).unwrap_err();
    assert!(matches!(error, misbehaved!(Userinfo(_))), "{error:?}");
    assert_eq!(sandbox.pass(&provider).whoami().unwrap().label(), EMAIL, "the sign-in itself is good");
}

#[test]
fn n69_oidcc_client_test_userinfo_bearer_header() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    drive(&sandbox, &provider).unwrap();
    let [request] = provider.requests_to(USERINFO).try_into().unwrap();
    assert_eq!((request.method.as_str(), request.query.len(), request.form.len()), ("GET", 0, 0));
    assert_eq!(request.bearer(), sandbox.record()["secret"]["access_tokens"][0].as_str());
}

#[test]
fn n30_oidcc_client_test_scope_userinfo_claims() {
    let claims: [(&str, Value); 4] = [
        ("profile", json!({ "name": "Ada Lovelace" })),
        ("email", json!({ "email": EMAIL })),
        ("phone", json!({ "phone_number": "+44 20 7946 0000" })),
        ("address", json!({ "address": { "country": "GB" } })),
    ];
    for (scope, claims) in claims {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        provider.twist_claims(|claims| {
            claims
                .as_object_mut()
                .unwrap()
                .retain(|name, _| !user_claims().as_object().unwrap().contains_key(name) || name == "sub");
        });
        let mut body = claims.clone();
        body["sub"] = json!(SUB);
        provider.always(USERINFO, Response::json(200, &body));
        login(sandbox.at(&provider).scopes(["openid", scope]), visitor().0).unwrap();
        assert_eq!(
            provider.requests_to(AUTHORIZE)[0].param("scope"),
            Some(format!("openid {scope}").as_str())
        );
        sandbox.pass(&provider).fetch_user().unwrap();
        assert_eq!(Value::Object(sandbox.pass(&provider).whoami().unwrap().claims), body, "{scope}");
    }
}

#[test]
fn n75_oidcc_client_test_discovery_openid_config() {
    let provider = Provider::clerk();
    let elsewhere = Provider::clerk();
    let token = format!("{}{TOKEN}", elsewhere.origin());
    with(&provider, "token_endpoint", &token);
    elsewhere.always(TOKEN, Response::oauth_error(400, "invalid_grant"));
    library::failure("token_endpoint", login(LibrarySandbox::new().at(&provider), visitor().0));
    assert_eq!(
        (provider.count(OPENID_CONFIGURATION), provider.count(TOKEN), elsewhere.count(TOKEN)),
        (1, 0, 1)
    );
}

#[test]
fn n62_oidcc_client_test_discovery_jwks_uri_keys() {
    let provider = accepts(|provider| {
        with(provider, "jwks_uri", &format!("{}/keys/of/this/run", provider.origin()));
        provider.always("/keys/of/this/run", Response::json(200, &json!({ "keys": [RS256.jwk] })));
    });
    assert_eq!((provider.count("/keys/of/this/run"), provider.count(JWKS)), (1, 0));
}

#[test]
fn n71_oidcc_client_test_discovery_issuer_mismatch() {
    let cases = [
        case!("another issuer", |p| with(p, "issuer", "https://evil.example") => misbehaved!(MetadataIssuer { .. })),
        case!("two slashes more", |p| {
            let issuer = format!("{}//", p.issuer());
            with(p, "issuer", &issuer);
        } => misbehaved!(MetadataIssuer { .. })),
    ];
    for case in &cases {
        judge(case, |case, builder| library::failure(case.name, login(builder, unopened)));
    }
}

#[test]
fn n63_oidcc_client_test_signing_key_rotation() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    drive(&sandbox, &provider).unwrap();
    keys(&provider, &[&ES256.jwk]);
    signed(&provider, |claims| ES256.sign(&ES256.header(), claims));
    drive(&sandbox, &provider).unwrap();
    assert_eq!((provider.count(JWKS), provider.count(USERINFO)), (2, 2));
}

#[test]
fn n63_oidcc_client_test_signing_key_rotation_just_before_signing() {
    let provider = accepts(|provider| {
        signed(provider, |claims| ES256.sign(&ES256.header(), claims));
        keys(provider, &[&ES256.jwk, &RS256.jwk]);
        provider.next(1, JWKS, Response::json(200, &json!({ "keys": [RS256.jwk] })));
    });
    assert_eq!(provider.count(JWKS), 2);
}

#[test]
fn n79_oidcc_client_test_refresh_token() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    drive(&sandbox, &provider).unwrap();
    sandbox.wait(DAY);
    sandbox.pass(&provider).fetch_user().unwrap();
    let [first, second] = provider.requests_to(USERINFO).try_into().unwrap();
    assert_ne!(first.bearer(), second.bearer());
    assert_eq!(second.bearer(), sandbox.record()["secret"]["access_tokens"][0].as_str());
    assert_eq!(provider.requests_to(TOKEN)[1].param("grant_type"), Some("refresh_token"));
}

/// A refresh whose ID token is poisoned: nothing of it is kept or used.
fn refuses_renewed(twist: fn(&mut Value), is_right: fn(&Error) -> bool) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    sandbox.wait(DAY);
    provider.twist_claims(twist);
    let before = sandbox.bytes();
    let error = sandbox.pass(&provider).fetch_user().unwrap_err();
    assert!(is_right(&error), "{error:?}");
    assert_eq!((provider.count(TOKEN), provider.count(USERINFO)), (1, 0));
    assert!(sandbox.bytes() == before);
}

#[test]
fn n84_oidcc_client_test_refresh_token_invalid_issuer() {
    refuses_renewed(
        |claims| claims["iss"] = json!("https://evil.example"),
        |error| matches!(error, misbehaved!(IdTokenIss { .. })),
    );
}

#[test]
fn n84_oidcc_client_test_refresh_token_invalid_sub() {
    refuses_renewed(
        |claims| claims["sub"] = json!("mallory"),
        |error| matches!(error, misbehaved!(IdTokenSub)),
    );
}

#[test]
fn n84_the_same_of_another_audience_or_party() {
    refuses_renewed(
        |claims| claims["aud"] = json!("other"),
        |error| matches!(error, misbehaved!(IdTokenAud)),
    );
    refuses_renewed(
        |claims| claims["azp"] = json!("other"),
        |error| matches!(error, misbehaved!(IdTokenAzp)),
    );
}
