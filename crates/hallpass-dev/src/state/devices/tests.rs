use super::*;
use crate::user::User;

const POLLING: Polling = Polling { lifetime: Duration::from_secs(600), interval: Duration::from_secs(5) };

/// One device, and a clock that goes when it is told to.
struct Scene {
    devices: Devices,
    codes: CodePair,
    now: Instant,
}

impl Scene {
    fn new() -> Scene {
        let mut devices = Devices::default();
        let now = Instant::now();
        let codes = devices.begin(client("demo"), Scope::known("openid email"), POLLING, now);
        Scene { devices, codes, now }
    }

    fn wait(&mut self, seconds: f64) -> &mut Scene {
        self.now += Duration::from_secs_f64(seconds);
        self
    }

    fn poll_as(&mut self, client_id: &str) -> Result<(SignedIn, Scope), ErrorCode> {
        self.devices.poll(&self.codes.device_code, client_id, self.now).map_err(|error| error.code)
    }

    fn poll(&mut self) -> Result<(SignedIn, Scope), ErrorCode> {
        self.poll_as("demo")
    }

    #[track_caller]
    fn expect(&mut self, code: ErrorCode) {
        assert_eq!(self.poll().err(), Some(code));
    }

    fn allow(&mut self) -> Option<()> {
        self.devices.allow(&self.codes.user_code, session(), self.now)
    }

    fn deny(&mut self) -> Option<()> {
        self.devices.deny(&self.codes.user_code, self.now)
    }

    fn is_waiting(&mut self) -> bool {
        self.devices.waiting(&self.codes.user_code, self.now).is_some()
    }
}

fn client(id: &str) -> Arc<Client> {
    Arc::new(Client::public(id))
}

fn session() -> SignedIn {
    SignedIn { user: Arc::new(User::new("test@example.com", "password")), auth_time: 1 }
}

#[test]
fn s26_a_device_waits_is_allowed_and_gets_its_answer_once() {
    let mut scene = Scene::new();
    scene.expect(ErrorCode::AuthorizationPending);
    scene.wait(5.0).allow().expect("the code is waiting");
    let (session, scope) = scene.wait(5.0).poll().expect("an answer");
    assert_eq!(
        (session.user.email.as_str(), scope.to_string().as_str()),
        ("test@example.com", "openid email")
    );
    scene.wait(5.0).expect(ErrorCode::InvalidGrant);
}

#[test]
fn s26_a_denied_device_is_told_so_each_time() {
    let mut scene = Scene::new();
    scene.deny().expect("the code is waiting");
    scene.expect(ErrorCode::AccessDenied);
    scene.wait(5.0).expect(ErrorCode::AccessDenied);
}

#[test]
fn s26_each_poll_that_comes_too_soon_makes_the_interval_longer_for_good() {
    let mut scene = Scene::new();
    scene.expect(ErrorCode::AuthorizationPending);
    scene.wait(4.0).expect(ErrorCode::SlowDown);
    scene.wait(9.0).expect(ErrorCode::SlowDown);
    scene.wait(15.0).expect(ErrorCode::AuthorizationPending);
    scene.wait(14.0).expect(ErrorCode::SlowDown);
    scene.wait(20.0).expect(ErrorCode::AuthorizationPending);
}

#[test]
fn s26_a_poll_may_arrive_a_little_early() {
    let mut scene = Scene::new();
    scene.expect(ErrorCode::AuthorizationPending);
    scene.wait(4.8).expect(ErrorCode::AuthorizationPending);
}

#[test]
fn s26_an_answer_that_exists_is_not_held_back_from_a_hasty_client() {
    let mut scene = Scene::new();
    scene.expect(ErrorCode::AuthorizationPending);
    scene.allow();
    assert!(scene.poll().is_ok());
}

#[test]
fn s26_a_code_expires_for_the_device_and_for_the_user() {
    let mut scene = Scene::new();
    scene.wait(599.0).expect(ErrorCode::AuthorizationPending);
    assert!(scene.is_waiting());
    scene.wait(1.0).expect(ErrorCode::ExpiredToken);
    assert!(!scene.is_waiting());
    assert_eq!((scene.allow(), scene.deny()), (None, None));
}

#[test]
fn s26_an_answer_that_nobody_fetched_expires_as_well() {
    let mut scene = Scene::new();
    scene.allow();
    scene.wait(600.0).expect(ErrorCode::ExpiredToken);
}

#[test]
fn s26_long_after_its_end_a_code_is_forgotten() {
    let mut scene = Scene::new();
    scene.wait(1200.0);
    scene.devices.begin(client("demo"), Scope::known("openid"), POLLING, scene.now);
    scene.expect(ErrorCode::InvalidGrant);
}

#[test]
fn s26_another_client_gets_nothing_and_slows_nobody_down() {
    let mut scene = Scene::new();
    scene.expect(ErrorCode::AuthorizationPending);
    scene.wait(5.0);
    assert_eq!(scene.poll_as("other").err(), Some(ErrorCode::InvalidGrant));
    scene.expect(ErrorCode::AuthorizationPending);
    scene.allow();
    assert_eq!(scene.poll_as("other").err(), Some(ErrorCode::InvalidGrant));
    assert!(scene.poll().is_ok());
}

#[test]
fn s27_a_user_code_is_answered_once() {
    for answer in [Scene::allow, Scene::deny] {
        let mut scene = Scene::new();
        answer(&mut scene).expect("the code is waiting");
        assert!(!scene.is_waiting());
        assert_eq!((scene.allow(), scene.deny()), (None, None));
    }
}

#[test]
fn each_device_has_its_own_codes() {
    let mut scene = Scene::new();
    let other = scene.devices.begin(client("demo"), Scope::known("openid"), POLLING, scene.now);
    assert_ne!(other.user_code, scene.codes.user_code);
    scene.devices.allow(&other.user_code, session(), scene.now).expect("the code is waiting");
    scene.expect(ErrorCode::AuthorizationPending);
}
