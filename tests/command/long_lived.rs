//! A program that runs for long, on the library, while a person uses the command beside it (P29).

use hallpass::error::LoginRequired;
use hallpass::{Environment, Error, Hallpass};
use hallpass_dev::DevServer;
use hallpass_test::command::{CommandSandbox, EMAIL};

use crate::new_sandbox;

const OTHER: &str = "bob@example.com";

/// Another program that works from the command's sign-in.
fn program(sandbox: &CommandSandbox) -> Hallpass {
    let builder = Hallpass::stored("hallpass").state_dir(sandbox.state_dir());
    builder.environment(Environment::from_variables([])).build().unwrap()
}

fn sign_in(sandbox: &CommandSandbox, server: &DevServer, user: &str) {
    let robot = server.robot().as_user(user, "1");
    sandbox.login_at(server, &[]).play(|url| robot.visit(url).unwrap()).0.ok();
}

#[test]
fn p29_a_program_that_runs_follows_what_the_command_does() {
    let server = DevServer::builder().user(EMAIL, "1").user(OTHER, "1").start().unwrap();
    let sandbox = new_sandbox();
    sign_in(&sandbox, &server, EMAIL);
    let pass = program(&sandbox);
    let tokens = pass.token_source();
    let first = tokens.access_token().unwrap();

    let rotated = sandbox.value(&["token", "--refresh"]);
    assert_eq!(tokens.access_token().unwrap().expose(), rotated);
    assert_eq!(tokens.refresh(&first).unwrap().expose(), rotated);
    let renewed = tokens.refresh(&tokens.access_token().unwrap()).unwrap();
    assert_eq!(sandbox.value(&["token"]), renewed.expose());

    sandbox.run(&["logout"]).ok();
    let error = tokens.access_token().unwrap_err();
    assert!(matches!(error, Error::LoginRequired(LoginRequired::NotSignedIn { .. })), "{error:?}");

    sign_in(&sandbox, &server, OTHER);
    assert_eq!(pass.whoami().unwrap().label(), OTHER);
    assert_eq!(sandbox.value(&["token"]), tokens.access_token().unwrap().expose());
}
