//! A program that runs for long, on the library, while a person uses the command beside it (P29).

use hallpass::error::LoginRequired;
use hallpass::{Environment, Error, Hallpass};
use hallpass_dev::DevServer;

use crate::bench::{Bench, EMAIL};

const OTHER: &str = "bob@example.com";

/// Another program that works from the command's sign-in.
fn program(bench: &Bench) -> Hallpass {
    let builder = Hallpass::stored("hallpass").state_dir(bench.state_dir());
    builder.environment(Environment::from_variables([])).build().unwrap()
}

fn sign_in(bench: &Bench, server: &DevServer, user: &str) {
    let robot = server.robot().as_user(user, "1");
    bench.login_at(server, &[]).play(|url| robot.visit(url).unwrap()).0.ok();
}

#[test]
fn p29_a_program_that_runs_follows_what_the_command_does() {
    let server = DevServer::builder().user(EMAIL, "1").user(OTHER, "1").start().unwrap();
    let bench = Bench::new();
    sign_in(&bench, &server, EMAIL);
    let pass = program(&bench);
    let tokens = pass.token_source();
    let first = tokens.access_token().unwrap();

    let rotated = bench.value(&["token", "--refresh"]);
    assert_eq!(tokens.access_token().unwrap().expose(), rotated);
    assert_eq!(tokens.renew(&first).unwrap().expose(), rotated);
    let renewed = tokens.renew(&tokens.access_token().unwrap()).unwrap();
    assert_eq!(bench.value(&["token"]), renewed.expose());

    bench.run(&["logout"]).ok();
    let error = tokens.access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");

    sign_in(&bench, &server, OTHER);
    assert_eq!(pass.whoami().unwrap().label(), OTHER);
    assert_eq!(bench.value(&["token"]), tokens.access_token().unwrap().expose());
}
