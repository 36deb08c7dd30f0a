//! Answers without end, without measure or without bottom.

use hallpass::error::{NetworkErrorKind, ServerIncompatible, ServerMisbehaved};
use hallpass::{Error, Revocation};
use hallpass_test::jose::RS256;
use hallpass_test::library::{IMPATIENT, LibrarySandbox, failure, get, login, playing, sign_in, visitor};
use hallpass_test::provider::{JWKS, OAUTH_METADATA, OPENID_CONFIGURATION, Provider, TOKEN, USERINFO};
use hallpass_test::scripted_server::Response;
use serde_json::{Value, json};

/// A deflate stream of one block with fixed codes (RFC 1951 §3.2.6) in a gzip frame: a space, and then "the 258 before
/// this once more", 13 bits each. A megabyte of it unpacks to 160.
fn bomb() -> Vec<u8> {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
    let begin = [true, true, false]; // the last block, with fixed codes
    let bits = |code: u32, count: u32| (0..count).rev().map(move |bit| code >> bit & 1 == 1);
    let space = bits(0x30 + u32::from(b' '), 8);
    let again = || bits(0b1100_0101, 8).chain(bits(0, 5));
    let end = bits(0, 7);
    let all = begin.into_iter().chain(space).chain((0..600_000).flat_map(|_| again())).chain(end);
    let all: Vec<bool> = all.collect();
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    HEADER.into_iter().chain(all.chunks(8).map(byte)).collect()
}

fn deep() -> Response {
    let body = format!(r#"{{"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    Response::new(200, "application/json", body)
}

fn monsters() -> Vec<(&'static str, Response)> {
    let json = |body: Vec<u8>| Response::new(200, "application/json", body);
    vec![
        ("more than there is room for", json(vec![b' '; 3 << 20])),
        ("a bomb", json(bomb()).header("Content-Encoding", "gzip")),
        ("a bottomless one", deep()),
        ("one that comes in drops", json(vec![b' '; 1000]).dripping()),
        ("more headers than anybody needs", (0..2000).fold(deep(), |a, _| a.header("X-More", "of these"))),
    ]
}

fn is_told(error: &Error) -> bool {
    match error {
        Error::ServerMisbehaved(ServerMisbehaved::TokenResponse(_) | ServerMisbehaved::TooLarge(_)) => true,
        Error::ServerMisbehaved(ServerMisbehaved::Jwks | ServerMisbehaved::Userinfo(_)) => true,
        Error::ServerIncompatible(ServerIncompatible::NoMetadata { .. }) => true,
        Error::Network(error) => matches!(error.kind, NetworkErrorKind::TimedOut | NetworkErrorKind::Broken),
        _ => false,
    }
}

#[test]
fn n49_a_login_survives_whatever_comes_in_place_of_metadata_keys_and_tokens() {
    for (name, answer) in monsters() {
        for paths in [&[OPENID_CONFIGURATION, OAUTH_METADATA][..], &[JWKS], &[TOKEN]] {
            let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
            paths.iter().for_each(|path| provider.always(path, answer.clone()));
            let error = failure(name, login(sandbox.at(&provider).request_timeout(IMPATIENT), visitor().0));
            assert!(is_told(&error), "{name}, {paths:?}: {error:?}");
            assert!(!sandbox.is_signed_in() && provider.count(TOKEN) <= 1, "{name}, {paths:?}");
        }
    }
}

#[test]
fn n49_who_is_signed_in_stays_so_whatever_userinfo_and_revocation_answer() {
    for (name, answer) in monsters() {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        sandbox.signed_in(&provider);
        let before = sandbox.bytes();
        provider.always(USERINFO, answer.clone());
        provider.always(provider.revoke_path(), answer.clone());
        let pass = sandbox.at(&provider).request_timeout(IMPATIENT).build().unwrap();
        let error = pass.fetch_user().unwrap_err();
        assert!(is_told(&error), "{name}: {error:?}");
        assert!(sandbox.bytes() == before, "{name}");
        let report = pass.logout().unwrap();
        // Any whole answer of 200 counts, whatever is in it (RFC 7009 §2.2).
        let is_whole = report.refresh_token == Revocation::Revoked;
        assert_eq!(is_whole, ["a bomb", "a bottomless one"].contains(&name), "{name}: {report:?}");
        assert!(report.erased && !sandbox.is_signed_in(), "{name}");
    }
}

fn publish(provider: &Provider, count: usize, at: usize) {
    let other = |index: usize| {
        let mut jwk = RS256.jwk.clone();
        jwk["kid"] = json!(format!("other-{index}"));
        jwk
    };
    let key = |index| if index == at { RS256.jwk.clone() } else { other(index) };
    let keys: Vec<Value> = (0..count).map(key).collect();
    provider.always(JWKS, Response::json(200, &json!({ "keys": keys })));
}

#[test]
fn n49_of_a_thousand_keys_a_hundred_are_looked_at() {
    for (at, is_found) in [(0, true), (99, true), (100, false), (999, false)] {
        let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
        publish(&provider, 1000, at);
        let (browser, _pages) = playing(|url| get(&sign_in(url)));
        let result = login(sandbox.at(&provider), browser);
        match is_found {
            true => drop(result.unwrap()),
            false => assert_eq!(result.unwrap_err(), ServerMisbehaved::IdTokenKey.into(), "{at}"),
        }
    }
}
