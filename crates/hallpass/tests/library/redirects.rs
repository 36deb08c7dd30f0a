//! Endpoints that redirect: no redirect is followed, wherever it leads.

use hallpass::error::{NetworkError, NetworkErrorKind, ServerMisbehaved};
use hallpass::{DeviceGrant, Error, Revocation};
use hallpass_test::library::{LibrarySandbox, failure, login, unopened, visitor};
use hallpass_test::provider::{JWKS, OAUTH_METADATA, OPENID_CONFIGURATION, Provider, TOKEN, USERINFO};
use hallpass_test::scripted_server::{Response, ScriptedServer};
use serde_json::json;

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];
const ELSEWHERE: &str = "/elsewhere";
const DEVICE: &str = "/oauth/device_authorization";

type Action = fn(&LibrarySandbox, &Provider);

/// An endpoint that sends on, what precedes the request to it, and what comes of that request.
struct Case {
    name: &'static str,
    paths: &'static [&'static str],
    before: Action,
    asked: Action,
    /// How often it may be asked; each time it was not followed.
    at_most: usize,
}

fn signed_out(_: &LibrarySandbox, _: &Provider) {}

fn signed_in(sandbox: &LibrarySandbox, provider: &Provider) {
    sandbox.signed_in(provider);
}

fn device_endpoint(_: &LibrarySandbox, provider: &Provider) {
    let url = format!("{}{DEVICE}", provider.origin());
    provider.twist_metadata(move |document| document["device_authorization_endpoint"] = json!(url));
}

/// The server never answers a question about this code but with what the test makes of it.
fn device_code(sandbox: &LibrarySandbox, provider: &Provider) {
    device_endpoint(sandbox, provider);
    let code = json!({
        "device_code": "x", "user_code": "ABCD-EFGH", "verification_uri": provider.origin(),
        "expires_in": 600, "interval": 1,
    });
    provider.always(DEVICE, Response::json(200, &code));
}

#[track_caller]
fn is_redirected(error: &Error, endpoint: &str) {
    let is_right =
        matches!(error, Error::ServerMisbehaved(ServerMisbehaved::Redirected(named)) if *named == endpoint);
    assert!(is_right, "{endpoint}: {error:?}");
}

fn signs_nobody_in(sandbox: &LibrarySandbox, provider: &Provider, endpoint: &str) {
    is_redirected(&failure(endpoint, login(sandbox.at(provider), visitor().0)), endpoint);
    assert!(!sandbox.is_signed_in());
}

fn signs_no_device_in(sandbox: &LibrarySandbox, provider: &Provider, endpoint: &str) {
    let builder = sandbox.at(provider).device_grant(DeviceGrant::Only);
    is_redirected(&failure(endpoint, login(builder, unopened)), endpoint);
    assert!(!sandbox.is_signed_in());
}

fn keeps_the_session(sandbox: &LibrarySandbox, provider: &Provider) {
    let before = sandbox.bytes();
    sandbox.wait(3 * 3600);
    let error = sandbox.pass(provider).access_token().unwrap_err();
    let is_right =
        matches!(error, Error::Network(NetworkError { kind: NetworkErrorKind::InvalidResponse, .. }));
    assert!(is_right, "{error:?}");
    assert!(sandbox.bytes() == before);
}

fn confirms_no_logout(sandbox: &LibrarySandbox, provider: &Provider) {
    let report = sandbox.pass(provider).logout().unwrap();
    assert!(report.erased && report.refresh_token != Revocation::Revoked, "{report:?}");
}

const CASES: [Case; 7] = [
    Case {
        name: "metadata",
        paths: &[OPENID_CONFIGURATION, OAUTH_METADATA],
        before: signed_out,
        asked: |sandbox, provider| {
            is_redirected(&failure("metadata", login(sandbox.at(provider), unopened)), "metadata");
        },
        at_most: 1,
    },
    Case {
        name: "keys, which are asked for once more when they are needed",
        paths: &[JWKS],
        before: signed_out,
        asked: |sandbox, provider| signs_nobody_in(sandbox, provider, "JWKS"),
        at_most: 2,
    },
    Case {
        name: "a code",
        paths: &[TOKEN],
        before: signed_out,
        asked: |sandbox, provider| signs_nobody_in(sandbox, provider, "token endpoint"),
        at_most: 1,
    },
    Case { name: "a refresh", paths: &[TOKEN], before: signed_in, asked: keeps_the_session, at_most: 1 },
    Case {
        name: "userinfo",
        paths: &[USERINFO],
        before: signed_in,
        asked: |sandbox, provider| {
            is_redirected(&sandbox.pass(provider).fetch_user().unwrap_err(), "userinfo endpoint");
        },
        at_most: 1,
    },
    Case {
        name: "revocation of both tokens",
        paths: &["/oauth/token/revoke"],
        before: signed_in,
        asked: confirms_no_logout,
        at_most: 2,
    },
    Case {
        name: "a device code",
        paths: &[DEVICE],
        before: device_endpoint,
        asked: |sandbox, provider| signs_no_device_in(sandbox, provider, "device authorization endpoint"),
        at_most: 1,
    },
];

fn sent_on(case: &Case, status: u16, is_other_host: bool) {
    let (sandbox, provider, other) = (LibrarySandbox::new(), Provider::clerk(), ScriptedServer::start());
    (case.before)(&sandbox, &provider);
    provider.forget();
    let to = if is_other_host { other.origin() } else { provider.origin() };
    for path in case.paths {
        provider.always(path, Response::redirect(status, &format!("{to}{ELSEWHERE}")));
    }
    (case.asked)(&sandbox, &provider);
    let name = format!("{}, {status}, another host: {is_other_host}", case.name);
    for path in case.paths {
        assert!((1..=case.at_most).contains(&provider.count(path)), "{name}: {path}");
    }
    assert_eq!((provider.count(ELSEWHERE), other.connections()), (0, 0), "{name}");
}

#[test]
fn n36_no_redirect_is_followed_whatever_its_status_and_wherever_it_leads() {
    for case in &CASES {
        for status in STATUSES {
            sent_on(case, status, false);
            sent_on(case, status, true);
        }
    }
}

/// Each question has to wait for its time.
#[test]
fn n36_a_device_that_asks_for_its_token_is_not_sent_on() {
    let case = Case {
        name: "a device code's token",
        paths: &[TOKEN],
        before: device_code,
        asked: |sandbox, provider| signs_no_device_in(sandbox, provider, "token endpoint"),
        at_most: 1,
    };
    sent_on(&case, 307, true);
}
