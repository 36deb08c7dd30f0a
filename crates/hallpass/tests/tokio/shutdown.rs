//! A server or keychain that does not respond delays the end of neither a runtime nor the process.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use hallpass::error::KeychainError;
use hallpass::error::StoreError;
use hallpass::{Environment, Error, Hallpass, Storage, TokenRequest};
use hallpass_test::library::{
    self, Behavior, KeychainSetup, LibrarySandbox, RecordingUi, TestKeychain, timed,
};
use hallpass_test::provider::{CLIENT, OPENID_CONFIGURATION, Provider, TOKEN};
use hallpass_test::scripted_server::Response;
use tokio::runtime::Runtime;

use crate::runtimes::both;

/// Time limit for an immediate end on a busy machine; the time limits of requests are 20 s and more.
const SOON: Duration = Duration::from_secs(1);

fn silent() -> (LibrarySandbox, Provider) {
    let (sandbox, provider) = (LibrarySandbox::new(), Provider::clerk());
    sandbox.signed_in(&provider);
    for path in [TOKEN, OPENID_CONFIGURATION, provider.revoke_path()] {
        provider.always(path, Response::never());
    }
    (sandbox, provider)
}

/// Asks for everything that takes time.
fn ask(runtime: &Runtime, pass: &Hallpass) {
    let tokens = pass.token_source_for(TokenRequest::default().refreshed()).unwrap();
    let (login, logout) = (pass.cancellable(), pass.clone());
    runtime.spawn(async move { tokens.access_token_async().await });
    runtime.spawn(async move { login.login_async(RecordingUi::default()).await });
    runtime.spawn(async move { logout.logout_async().await });
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(200)).await });
}

#[test]
fn p48_a_runtime_ends_at_once_while_a_server_keeps_silent() {
    for runtime in both() {
        let (sandbox, provider) = silent();
        ask(&runtime, &sandbox.pass(&provider));
        let ((), took) = timed(|| drop(runtime));
        assert!(took < SOON, "{took:?}");
        assert!(!provider.requests().is_empty(), "something is still waited for");
    }
}

#[test]
fn p48_a_process_ends_at_once_while_a_server_or_a_keychain_keeps_silent() {
    if std::env::var_os("FLAVOUR").is_some() {
        return ask_in_this_process();
    }
    for flavour in 0..2 {
        let (sandbox, provider) = silent();
        let mut child = Command::new(std::env::current_exe().unwrap());
        let this = "shutdown::p48_a_process_ends_at_once_while_a_server_or_a_keychain_keeps_silent";
        child.args(["--exact", this, "--nocapture"]);
        child.env("FLAVOUR", flavour.to_string()).env("ISSUER", provider.issuer());
        child.env("STATE_DIR", sandbox.state_dir()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut output = String::new();
        let ((), took) = timed(|| {
            child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        });
        assert!(child.wait().unwrap().success() && output.contains("1 passed"), "{output}");
        // The harness and what `ask` waits are in it too.
        assert!(took < 3 * SOON, "{took:?}");
    }
}

/// The child process of the test above.
fn ask_in_this_process() {
    let variable = |name| std::env::var(name).unwrap();
    let flavour: usize = variable("FLAVOUR").parse().unwrap();
    let runtime = both().into_iter().nth(flavour).unwrap();
    let builder = || {
        let builder = Hallpass::builder(library::SERVICE, &variable("ISSUER"), CLIENT);
        builder
            .environment(Environment::from_variables([]))
            .state_dir(variable("STATE_DIR"))
            .keychain(TestKeychain::new(Behavior::Silent))
    };
    ask(&runtime, &builder().storage(Storage::File).build().unwrap());
    ask(&runtime, &builder().profile("other").storage(Storage::Keychain).build().unwrap());
}

type Call = fn(&Runtime, Hallpass) -> Error;

const CALLS: [(&str, Call); 4] = [
    ("awaited", |runtime, pass| runtime.block_on(pass.token_source().access_token_async()).unwrap_err()),
    ("in async code", |runtime, pass| runtime.block_on(async { pass.access_token() }).unwrap_err()),
    ("on the pool", |runtime, pass| {
        runtime.block_on(runtime.spawn_blocking(move || pass.access_token())).unwrap().unwrap_err()
    }),
    ("a login", |runtime, pass| runtime.block_on(pass.login_async(RecordingUi::default())).unwrap_err()),
];

#[test]
fn p48_a_keychain_that_never_answers_is_an_error_within_four_seconds() {
    let start = |(name, call)| {
        both().map(|runtime| thread::spawn(move || wait_for_a_mute_keychain(name, call, &runtime)))
    };
    let threads: Vec<_> = CALLS.into_iter().flat_map(start).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn wait_for_a_mute_keychain(name: &str, call: Call, runtime: &Runtime) {
    let setup = KeychainSetup::sealed();
    let before = setup.sandbox.bytes();
    setup.keychain.set_behavior(Behavior::Silent);
    let pass = setup.builder().storage(Storage::Keychain).build().unwrap();
    let (error, took) = timed(|| call(runtime, pass));
    let is_silent = matches!(
        error,
        Error::Store(StoreError::Keychain { cause: KeychainError::TimedOut, .. })
            | Error::Store(StoreError::NoKeychain(KeychainError::TimedOut))
    );
    assert!(is_silent, "{name}: {error:?}");
    assert!(took < Duration::from_secs(4), "{name}: {took:?}");
    assert!(setup.sandbox.bytes() == before, "{name}");
}
