//! Refreshes whose answer is lost, or whose process is killed: what the next one can save, and what it says if it cannot.

use std::time::Duration;

use hallpass::error::{LoginRequired, NetworkErrorKind};
use hallpass::{AccessToken, Error, Hallpass, LoginUi, Result};
use hallpass_dev::DevServer;
use hallpass_test::library::{LibrarySandbox, RecordingUi};
use serde_json::{Value, json};

use crate::unreliable_network::{Fault, UnreliableNetwork, until_killed};

const GRACE: Duration = Duration::from_secs(30);

/// An expired sign-in at a server that takes each refresh token once, or for a little longer.
struct RefreshSetup {
    sandbox: LibrarySandbox,
    server: DevServer,
    network: UnreliableNetwork,
}

impl RefreshSetup {
    fn with_grace(grace: Duration) -> RefreshSetup {
        let server = DevServer::builder().refresh_reuse_grace(grace).start().unwrap();
        let setup =
            RefreshSetup { sandbox: LibrarySandbox::new(), server, network: UnreliableNetwork::default() };
        setup.login();
        setup.expire();
        setup
    }

    fn strict() -> RefreshSetup {
        RefreshSetup::with_grace(Duration::ZERO)
    }

    fn login(&self) {
        self.pass().login(&mut RecordingUi::default() as &mut dyn LoginUi).unwrap();
    }

    fn expire(&self) {
        self.sandbox.wait(3600);
        self.server.journal().clear();
    }

    /// Builds the pass of a new process.
    fn pass(&self) -> Hallpass {
        let builder = self.sandbox.builder(self.server.issuer(), "demo").http(self.network.plain());
        builder.browser(self.server.robot().opener()).build().unwrap()
    }

    fn token(&self) -> Result<AccessToken> {
        self.pass().access_token()
    }

    /// Refreshes that arrived at the server.
    fn arrived(&self) -> usize {
        self.server.journal().count("/token")
    }

    fn refresh_token(&self) -> Value {
        self.sandbox.record()["secret"]["refresh_token"].clone()
    }

    fn journal(&self) -> Value {
        let bytes = std::fs::read(self.sandbox.folder().join("default.refresh")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

fn lost_answer(error: &Error) -> bool {
    matches!(error, Error::LoginRequired(LoginRequired::ResponseLost { error, .. }) if error.error == "invalid_grant")
}

fn kind(error: Error) -> NetworkErrorKind {
    match error {
        Error::Network(error) => error.kind,
        other => panic!("{other:?}"),
    }
}

/// Failures after which nobody knows whether the request arrived.
const AMBIGUOUS: [NetworkErrorKind; 2] = [NetworkErrorKind::Broken, NetworkErrorKind::TimedOut];

#[test]
fn p30_an_answer_that_was_lost_is_asked_for_once_more_at_once() {
    for kind in AMBIGUOUS {
        let setup = RefreshSetup::with_grace(GRACE);
        setup.network.inject([Fault::Lost(kind)]);
        let token = setup.token().unwrap();
        assert_eq!(token.notes(), [""; 0]);
        assert_eq!((setup.arrived(), setup.network.count()), (2, 2));
        assert_eq!(setup.sandbox.record()["secret"]["access_tokens"][0], token.expose());
        assert_eq!(setup.journal()["in_flight"], Value::Null);
        setup.expire();
        setup.token().unwrap();
    }
}

#[test]
fn p30_without_grace_a_lost_answer_is_a_clean_need_to_sign_in() {
    for kind in AMBIGUOUS {
        let setup = RefreshSetup::strict();
        let refresh_token = setup.refresh_token();
        setup.network.inject([Fault::Lost(kind)]);
        let error = setup.token().unwrap_err();
        assert!(lost_answer(&error), "{error:?}");
        assert!(error.to_string().contains("was lost"), "{error}");
        assert_eq!((setup.arrived(), setup.refresh_token()), (2, refresh_token));
        assert_eq!(setup.token().unwrap_err().to_string(), error.to_string(), "told again without asking");
        assert_eq!(setup.arrived(), 2);
        assert_eq!(setup.pass().whoami().unwrap().label(), "test@example.com");
        setup.login();
        setup.expire();
        setup.token().unwrap();
    }
}

#[test]
fn p30_definite_answers_are_not_asked_for_again() {
    use NetworkErrorKind::{InvalidResponse, Proxy, Status, Tls, Unreachable};
    for (fault, expected) in [
        (Fault::Unsent(Unreachable), Unreachable),
        (Fault::Unsent(Tls), Tls),
        (Fault::Unsent(Proxy), Proxy),
        (Fault::Instead(503, None, ""), Status(503)),
        (Fault::Instead(401, None, "{\"error\":\"invalid_client\"}"), Status(401)),
        (Fault::Instead(200, None, "<h1>Welcome to our hotel</h1>"), InvalidResponse),
    ] {
        let setup = RefreshSetup::strict();
        let before = setup.sandbox.bytes();
        setup.network.inject([fault]);
        assert_eq!(kind(setup.token().unwrap_err()), expected);
        assert_eq!((setup.network.count(), setup.arrived()), (1, 0), "{expected:?}");
        assert!(setup.sandbox.bytes() == before);
        setup.token().unwrap();
    }
}

#[test]
fn p30_a_refresh_with_its_second_try_takes_30_seconds_at_most() {
    let setup = RefreshSetup::strict();
    setup
        .network
        .inject([Fault::Unsent(NetworkErrorKind::TimedOut), Fault::Unsent(NetworkErrorKind::TimedOut)]);
    assert_eq!(kind(setup.token().unwrap_err()), NetworkErrorKind::TimedOut);
    let [first, second] = setup.network.limits().try_into().unwrap();
    assert_eq!(first, Duration::from_secs(20));
    assert!(second <= Duration::from_secs(30), "the first took no time: {second:?}");
}

/// The network goes away with the answer: the second try does not get through either, in whatever way.
#[test]
fn p30_an_answer_that_was_lost_is_remembered_whatever_the_second_try_meets() {
    for second in [
        Fault::Unsent(NetworkErrorKind::Unreachable),
        Fault::Unsent(NetworkErrorKind::TimedOut),
        Fault::Instead(503, None, ""),
        Fault::Instead(403, None, "<h1>Log in to this network</h1>"),
        Fault::Instead(200, None, "<h1>Log in to this network</h1>"),
    ] {
        let setup = RefreshSetup::strict();
        let before = setup.sandbox.bytes();
        setup.network.inject([Fault::Lost(NetworkErrorKind::Broken), second.clone()]);
        kind(setup.token().unwrap_err());
        setup.network.inject([second.clone(), second.clone()]);
        kind(setup.token().unwrap_err());
        assert!(setup.sandbox.bytes() == before, "{second:?}");
        setup.network.inject([]);
        let error = setup.token().unwrap_err();
        assert!(lost_answer(&error), "{second:?}: {error:?}");
    }
}

#[test]
fn p30_the_next_call_of_any_process_repeats_what_was_lost_within_the_grace() {
    let setup = RefreshSetup::with_grace(GRACE);
    setup
        .network
        .inject([Fault::Lost(NetworkErrorKind::Broken), Fault::Unsent(NetworkErrorKind::Unreachable)]);
    kind(setup.token().unwrap_err());
    setup.token().unwrap();
    assert_eq!(setup.arrived(), 2);
}

#[test]
fn p30_what_a_killed_process_had_sent_is_repeated_at_once_by_the_next() {
    for fault in [Fault::KilledBefore, Fault::KilledAfter] {
        let setup = RefreshSetup::with_grace(GRACE);
        let before = setup.sandbox.bytes();
        setup.network.inject([fault.clone()]);
        assert!(until_killed(|| setup.token()).is_none());
        assert_eq!(setup.journal()["in_flight"]["pid"], std::process::id(), "{fault:?}");
        assert!(setup.sandbox.bytes() == before);
        setup.token().unwrap();
        assert_eq!(setup.journal()["in_flight"], Value::Null);
        setup.expire();
        setup.token().unwrap();
    }
}

#[test]
fn p30_what_a_killed_process_had_sent_is_the_reason_that_is_given() {
    let setup = RefreshSetup::strict();
    setup.network.inject([Fault::KilledAfter]);
    assert!(until_killed(|| setup.token()).is_none());
    let since = humantime::parse_rfc3339(setup.journal()["in_flight"]["since"].as_str().unwrap()).unwrap();
    setup.sandbox.wait(100);
    let error = setup.token().unwrap_err();
    let Error::LoginRequired(LoginRequired::ResponseLost { lost_at, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(lost_at, since);
}

#[test]
fn an_end_that_has_nothing_to_do_with_a_lost_answer_is_not_called_one() {
    let setup = RefreshSetup::strict();
    setup.network.inject([Fault::KilledAfter]);
    assert!(until_killed(|| setup.token()).is_none());
    setup.login();
    setup.expire();
    let token = setup.refresh_token();
    let visit = format!("token={}&client_id=demo", token.as_str().unwrap());
    hallpass_test::library::post(&format!("{}/revoke", setup.server.issuer()).parse().unwrap(), &visit);
    let error = setup.token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(Some(_)))), "{error:?}");
}

/// Writes the journal by hand, as a process that is killed without unwinding leaves it.
#[test]
fn p30_a_journal_of_anybody_is_believed_and_a_torn_one_is_none() {
    let setup = RefreshSetup::strict();
    setup.network.inject([Fault::KilledAfter]);
    assert!(until_killed(|| setup.token()).is_none());
    let mut journal = setup.journal();
    journal["in_flight"]["pid"] = json!(1);
    journal["later"] = json!({ "a": 1 });
    let path = setup.sandbox.folder().join("default.refresh");
    let whole = journal.to_string();
    for torn in [&whole[..whole.len() / 2], "", "\0\0\0\0", "[]"] {
        std::fs::write(&path, torn).unwrap();
        setup.sandbox.edit(|_| ());
        setup.network.inject([Fault::Instead(503, None, "")]);
        assert_eq!(kind(setup.token().unwrap_err()), NetworkErrorKind::Status(503), "{torn}");
    }
    std::fs::write(&path, whole).unwrap();
    assert!(lost_answer(&setup.token().unwrap_err()));
}

#[test]
fn p30_a_token_that_lives_on_is_handed_out_while_the_answer_is_lost() {
    let setup = RefreshSetup::with_grace(GRACE);
    setup.login();
    setup.sandbox.wait(3600 - 20);
    setup
        .network
        .inject([Fault::Lost(NetworkErrorKind::Broken), Fault::Unsent(NetworkErrorKind::Unreachable)]);
    let token = setup.token().unwrap();
    assert_eq!(token.notes().len(), 1);
    assert_eq!(setup.sandbox.record()["secret"]["access_tokens"][0], token.expose());
    assert_ne!(setup.token().unwrap().expose(), token.expose());
}

#[test]
fn the_journal_holds_no_token() {
    let setup = RefreshSetup::strict();
    let secrets = setup.sandbox.record()["secret"].clone();
    setup.network.inject([Fault::KilledAfter]);
    assert!(until_killed(|| setup.token()).is_none());
    let text = setup.journal().to_string();
    for secret in [&secrets["refresh_token"], &secrets["access_tokens"][0], &secrets["id_token"]] {
        assert!(!text.contains(secret.as_str().unwrap()), "{text}");
    }
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(setup.sandbox.folder().join("default.refresh")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
}
