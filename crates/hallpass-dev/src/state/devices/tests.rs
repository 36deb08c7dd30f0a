use super::*;
use crate::user::User;

const POLLING: Polling = Polling { lifetime: Duration::from_secs(600), interval: Duration::from_secs(5) };

/// A device authorization, with a clock that tests set forward.
struct DeviceFlow {
    devices: Devices,
    codes: CodePair,
    now: Instant,
}

impl DeviceFlow {
    fn new() -> DeviceFlow {
        let mut devices = Devices::default();
        let now = Instant::now();
        let codes = devices.begin(client("demo"), Scope::supported("openid email"), POLLING, now);
        DeviceFlow { devices, codes, now }
    }

    fn wait(&mut self, seconds: f64) -> &mut DeviceFlow {
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

    fn is_pending(&mut self) -> bool {
        self.devices.pending(&self.codes.user_code, self.now).is_some()
    }
}

fn client(id: &str) -> Arc<Client> {
    Arc::new(Client::public(id))
}

fn session() -> SignedIn {
    SignedIn { user: Arc::new(User::new("test@example.com", "password")), auth_time: 1 }
}

#[test]
fn s26_a_device_waits_is_allowed_and_redeems_its_code_once() {
    let mut flow = DeviceFlow::new();
    flow.expect(ErrorCode::AuthorizationPending);
    flow.wait(5.0).allow().expect("the request is pending");
    let (session, scope) = flow.wait(5.0).poll().expect("the request was allowed");
    assert_eq!(
        (session.user.email.as_str(), scope.to_string().as_str()),
        ("test@example.com", "openid email")
    );
    flow.wait(5.0).expect(ErrorCode::InvalidGrant);
}

#[test]
fn s26_a_denied_device_gets_access_denied_each_time() {
    let mut flow = DeviceFlow::new();
    flow.deny().expect("the request is pending");
    flow.expect(ErrorCode::AccessDenied);
    flow.wait(5.0).expect(ErrorCode::AccessDenied);
}

#[test]
fn s26_each_poll_that_comes_too_soon_makes_the_interval_longer_for_good() {
    let mut flow = DeviceFlow::new();
    flow.expect(ErrorCode::AuthorizationPending);
    flow.wait(4.0).expect(ErrorCode::SlowDown);
    flow.wait(9.0).expect(ErrorCode::SlowDown);
    flow.wait(15.0).expect(ErrorCode::AuthorizationPending);
    flow.wait(14.0).expect(ErrorCode::SlowDown);
    flow.wait(20.0).expect(ErrorCode::AuthorizationPending);
}

#[test]
fn s26_a_poll_may_arrive_a_little_early() {
    let mut flow = DeviceFlow::new();
    flow.expect(ErrorCode::AuthorizationPending);
    flow.wait(4.8).expect(ErrorCode::AuthorizationPending);
}

#[test]
fn s26_a_decision_is_not_held_back_from_a_client_that_polls_too_fast() {
    let mut flow = DeviceFlow::new();
    flow.expect(ErrorCode::AuthorizationPending);
    flow.allow();
    assert!(flow.poll().is_ok());
}

#[test]
fn s26_a_code_expires_for_the_device_and_for_the_user() {
    let mut flow = DeviceFlow::new();
    flow.wait(599.0).expect(ErrorCode::AuthorizationPending);
    assert!(flow.is_pending());
    flow.wait(1.0).expect(ErrorCode::ExpiredToken);
    assert!(!flow.is_pending());
    assert_eq!((flow.allow(), flow.deny()), (None, None));
}

#[test]
fn s26_a_decision_that_was_not_fetched_expires_as_well() {
    let mut flow = DeviceFlow::new();
    flow.allow();
    flow.wait(600.0).expect(ErrorCode::ExpiredToken);
}

#[test]
fn s26_an_expired_code_is_forgotten_after_a_while() {
    let mut flow = DeviceFlow::new();
    flow.wait(1200.0);
    flow.devices.begin(client("demo"), Scope::supported("openid"), POLLING, flow.now);
    flow.expect(ErrorCode::InvalidGrant);
}

#[test]
fn s26_another_client_gets_nothing_and_does_not_slow_the_device_down() {
    let mut flow = DeviceFlow::new();
    flow.expect(ErrorCode::AuthorizationPending);
    flow.wait(5.0);
    assert_eq!(flow.poll_as("other").err(), Some(ErrorCode::InvalidGrant));
    flow.expect(ErrorCode::AuthorizationPending);
    flow.allow();
    assert_eq!(flow.poll_as("other").err(), Some(ErrorCode::InvalidGrant));
    assert!(flow.poll().is_ok());
}

#[test]
fn s27_a_user_code_is_decided_once() {
    for decide in [DeviceFlow::allow, DeviceFlow::deny] {
        let mut flow = DeviceFlow::new();
        decide(&mut flow).expect("the request is pending");
        assert!(!flow.is_pending());
        assert_eq!((flow.allow(), flow.deny()), (None, None));
    }
}

#[test]
fn each_device_has_its_own_codes() {
    let mut flow = DeviceFlow::new();
    let other = flow.devices.begin(client("demo"), Scope::supported("openid"), POLLING, flow.now);
    assert_ne!(other.user_code, flow.codes.user_code);
    flow.devices.allow(&other.user_code, session(), flow.now).expect("the request is pending");
    flow.expect(ErrorCode::AuthorizationPending);
}
