//! Refreshes whose answer is lost, or whose process is killed: what the next one can save, and what it says if it cannot.

use std::time::Duration;

use hallpass::error::{LoginRequired, NetworkErrorKind};
use hallpass::{AccessToken, Error, Hallpass, LoginUi, Result};
use hallpass_dev::DevServer;
use serde_json::{Value, json};

use crate::bench::{Bench, Recorder};
use crate::wire::{Mishap, Wire, until_killed};

const GRACE: Duration = Duration::from_secs(30);

/// An expired sign-in at a server that takes each refresh token once, or for a little longer.
struct Scene {
    bench: Bench,
    server: DevServer,
    wire: Wire,
}

impl Scene {
    fn with_grace(grace: Duration) -> Scene {
        let server = DevServer::builder().refresh_reuse_grace(grace).start().unwrap();
        let scene = Scene { bench: Bench::new(), server, wire: Wire::default() };
        scene.login();
        scene.expire();
        scene
    }

    fn strict() -> Scene {
        Scene::with_grace(Duration::ZERO)
    }

    fn login(&self) {
        self.pass().login(&mut Recorder::default() as &mut dyn LoginUi).unwrap();
    }

    fn expire(&self) {
        self.bench.wait(3600);
        self.server.journal().clear();
    }

    /// What a new process would build.
    fn pass(&self) -> Hallpass {
        let builder = self.bench.builder(self.server.issuer(), "demo").http(self.wire.plain());
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
        self.bench.record()["secret"]["refresh_token"].clone()
    }

    fn journal(&self) -> Value {
        let bytes = std::fs::read(self.bench.folder().join("default.refresh")).unwrap();
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
        let scene = Scene::with_grace(GRACE);
        scene.wire.suffer([Mishap::Lost(kind)]);
        let token = scene.token().unwrap();
        assert_eq!(token.notes(), [""; 0]);
        assert_eq!((scene.arrived(), scene.wire.count()), (2, 2));
        assert_eq!(scene.bench.record()["secret"]["access_tokens"][0], token.expose());
        assert_eq!(scene.journal()["in_flight"], Value::Null);
        scene.expire();
        scene.token().unwrap();
    }
}

#[test]
fn p30_without_grace_a_lost_answer_is_a_clean_need_to_sign_in() {
    for kind in AMBIGUOUS {
        let scene = Scene::strict();
        let refresh_token = scene.refresh_token();
        scene.wire.suffer([Mishap::Lost(kind)]);
        let error = scene.token().unwrap_err();
        assert!(lost_answer(&error), "{error:?}");
        assert!(error.to_string().contains("was lost"), "{error}");
        assert_eq!((scene.arrived(), scene.refresh_token()), (2, refresh_token));
        assert_eq!(scene.token().unwrap_err().to_string(), error.to_string(), "told again without asking");
        assert_eq!(scene.arrived(), 2);
        assert_eq!(scene.pass().whoami().unwrap().label(), "test@example.com");
        scene.login();
        scene.expire();
        scene.token().unwrap();
    }
}

#[test]
fn p30_definite_answers_are_not_asked_for_again() {
    use NetworkErrorKind::{InvalidResponse, Proxy, Status, Tls, Unreachable};
    for (mishap, expected) in [
        (Mishap::Unsent(Unreachable), Unreachable),
        (Mishap::Unsent(Tls), Tls),
        (Mishap::Unsent(Proxy), Proxy),
        (Mishap::Instead(503, None, ""), Status(503)),
        (Mishap::Instead(401, None, "{\"error\":\"invalid_client\"}"), Status(401)),
        (Mishap::Instead(200, None, "<h1>Welcome to our hotel</h1>"), InvalidResponse),
    ] {
        let scene = Scene::strict();
        let before = scene.bench.bytes();
        scene.wire.suffer([mishap]);
        assert_eq!(kind(scene.token().unwrap_err()), expected);
        assert_eq!((scene.wire.count(), scene.arrived()), (1, 0), "{expected:?}");
        assert!(scene.bench.bytes() == before);
        scene.token().unwrap();
    }
}

#[test]
fn p30_a_refresh_with_its_second_try_takes_30_seconds_at_most() {
    let scene = Scene::strict();
    scene
        .wire
        .suffer([Mishap::Unsent(NetworkErrorKind::TimedOut), Mishap::Unsent(NetworkErrorKind::TimedOut)]);
    assert_eq!(kind(scene.token().unwrap_err()), NetworkErrorKind::TimedOut);
    let [first, second] = scene.wire.limits().try_into().unwrap();
    assert_eq!(first, Duration::from_secs(20));
    assert!(second <= Duration::from_secs(30), "the first took no time: {second:?}");
}

/// The network goes away with the answer: the second try does not get through either, in whatever way.
#[test]
fn p30_an_answer_that_was_lost_is_remembered_whatever_the_second_try_meets() {
    for second in [
        Mishap::Unsent(NetworkErrorKind::Unreachable),
        Mishap::Unsent(NetworkErrorKind::TimedOut),
        Mishap::Instead(503, None, ""),
        Mishap::Instead(403, None, "<h1>Log in to this network</h1>"),
        Mishap::Instead(200, None, "<h1>Log in to this network</h1>"),
    ] {
        let scene = Scene::strict();
        let before = scene.bench.bytes();
        scene.wire.suffer([Mishap::Lost(NetworkErrorKind::Broken), second.clone()]);
        kind(scene.token().unwrap_err());
        scene.wire.suffer([second.clone(), second.clone()]);
        kind(scene.token().unwrap_err());
        assert!(scene.bench.bytes() == before, "{second:?}");
        scene.wire.suffer([]);
        let error = scene.token().unwrap_err();
        assert!(lost_answer(&error), "{second:?}: {error:?}");
    }
}

#[test]
fn p30_the_next_call_of_any_process_repeats_what_was_lost_within_the_grace() {
    let scene = Scene::with_grace(GRACE);
    scene
        .wire
        .suffer([Mishap::Lost(NetworkErrorKind::Broken), Mishap::Unsent(NetworkErrorKind::Unreachable)]);
    kind(scene.token().unwrap_err());
    scene.token().unwrap();
    assert_eq!(scene.arrived(), 2);
}

#[test]
fn p30_what_a_killed_process_had_sent_is_repeated_at_once_by_the_next() {
    for mishap in [Mishap::KilledBefore, Mishap::KilledAfter] {
        let scene = Scene::with_grace(GRACE);
        let before = scene.bench.bytes();
        scene.wire.suffer([mishap.clone()]);
        assert!(until_killed(|| scene.token()).is_none());
        assert_eq!(scene.journal()["in_flight"]["pid"], std::process::id(), "{mishap:?}");
        assert!(scene.bench.bytes() == before);
        scene.token().unwrap();
        assert_eq!(scene.journal()["in_flight"], Value::Null);
        scene.expire();
        scene.token().unwrap();
    }
}

#[test]
fn p30_what_a_killed_process_had_sent_is_the_reason_that_is_given() {
    let scene = Scene::strict();
    scene.wire.suffer([Mishap::KilledAfter]);
    assert!(until_killed(|| scene.token()).is_none());
    let since = humantime::parse_rfc3339(scene.journal()["in_flight"]["since"].as_str().unwrap()).unwrap();
    scene.bench.wait(100);
    let error = scene.token().unwrap_err();
    let Error::LoginRequired(LoginRequired::ResponseLost { lost_at, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(lost_at, since);
}

#[test]
fn an_end_that_has_nothing_to_do_with_a_lost_answer_is_not_called_one() {
    let scene = Scene::strict();
    scene.wire.suffer([Mishap::KilledAfter]);
    assert!(until_killed(|| scene.token()).is_none());
    scene.login();
    scene.expire();
    let token = scene.refresh_token();
    let visit = format!("token={}&client_id=demo", token.as_str().unwrap());
    crate::bench::post(&format!("{}/revoke", scene.server.issuer()).parse().unwrap(), &visit);
    let error = scene.token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::Ended(Some(_)))), "{error:?}");
}

/// What another process wrote down by hand, as one that was killed without a chance to unwind would have left it.
#[test]
fn p30_a_journal_of_anybody_is_believed_and_a_torn_one_is_none() {
    let scene = Scene::strict();
    scene.wire.suffer([Mishap::KilledAfter]);
    assert!(until_killed(|| scene.token()).is_none());
    let mut journal = scene.journal();
    journal["in_flight"]["pid"] = json!(1);
    journal["later"] = json!({ "a": 1 });
    let path = scene.bench.folder().join("default.refresh");
    let whole = journal.to_string();
    for torn in [&whole[..whole.len() / 2], "", "\0\0\0\0", "[]"] {
        std::fs::write(&path, torn).unwrap();
        scene.bench.edit(|_| ());
        scene.wire.suffer([Mishap::Instead(503, None, "")]);
        assert_eq!(kind(scene.token().unwrap_err()), NetworkErrorKind::Status(503), "{torn}");
    }
    std::fs::write(&path, whole).unwrap();
    assert!(lost_answer(&scene.token().unwrap_err()));
}

#[test]
fn p30_a_token_that_lives_on_is_handed_out_while_the_answer_is_lost() {
    let scene = Scene::with_grace(GRACE);
    scene.login();
    scene.bench.wait(3600 - 20);
    scene
        .wire
        .suffer([Mishap::Lost(NetworkErrorKind::Broken), Mishap::Unsent(NetworkErrorKind::Unreachable)]);
    let token = scene.token().unwrap();
    assert_eq!(token.notes().len(), 1);
    assert_eq!(scene.bench.record()["secret"]["access_tokens"][0], token.expose());
    assert_ne!(scene.token().unwrap().expose(), token.expose());
}

#[test]
fn the_journal_holds_no_token() {
    let scene = Scene::strict();
    let secrets = scene.bench.record()["secret"].clone();
    scene.wire.suffer([Mishap::KilledAfter]);
    assert!(until_killed(|| scene.token()).is_none());
    let text = scene.journal().to_string();
    for secret in [&secrets["refresh_token"], &secrets["access_tokens"][0], &secrets["id_token"]] {
        assert!(!text.contains(secret.as_str().unwrap()), "{text}");
    }
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(scene.bench.folder().join("default.refresh")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
}
