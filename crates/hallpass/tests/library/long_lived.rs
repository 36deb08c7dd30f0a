//! A program that runs for days sees what happens to the sign-in elsewhere, without a restart.

use hallpass::Error;
use hallpass::error::LoginRequired;
use hallpass_test::library::{LibrarySandbox, login, visitor};
use hallpass_test::provider::{EMAIL, Provider, TOKEN};
use serde_json::json;

/// Later than the end of every access token here.
const DAY: u64 = 24 * 3600 - 60;

#[test]
fn p29_a_token_that_another_process_renewed_is_the_next_one_handed_out() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let long_lived = sandbox.pass(&provider);
    let old = long_lived.access_token().unwrap();
    let new = sandbox.pass(&provider).force_refresh().unwrap();
    assert_ne!(new.expose(), old.expose());
    assert_eq!(long_lived.access_token().unwrap().expose(), new.expose());
    sandbox.wait(DAY);
    let renewed = sandbox.pass(&provider).access_token().unwrap();
    assert_eq!(long_lived.access_token().unwrap().expose(), renewed.expose());
    assert_eq!(provider.count(TOKEN), 2);
}

#[test]
fn p29_a_logout_and_a_login_of_somebody_else_reach_a_program_that_runs() {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    let long_lived = sandbox.pass(&provider);
    assert_eq!(long_lived.whoami().unwrap().email.as_deref(), Some(EMAIL));
    sandbox.pass(&provider).logout().unwrap();
    for _ in 0..2 {
        let error = long_lived.access_token().unwrap_err();
        assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");
    }
    provider.twist_claims(|claims| {
        claims["sub"] = json!("user-2");
        claims["email"] = json!("grace@example.com");
    });
    login(sandbox.at(&provider), visitor().0).unwrap();
    assert_eq!(long_lived.whoami().unwrap().email.as_deref(), Some("grace@example.com"));
    let stored = sandbox.record()["secret"]["access_tokens"][0].clone();
    assert_eq!(stored, long_lived.access_token().unwrap().expose());
}
