//! A login on a terminal of 80 columns.

use hallpass_dev::DevServer;
use hallpass_test::command::{CLIENT, visit};

use super::Transcript;
use super::login::without_device_grant;

/// The texts of an answer pasted by mistake.
#[test]
fn pasted_by_mistake() {
    let (sandbox, server, mut transcript) =
        (without_device_grant(), DevServer::start().unwrap(), Transcript::default());
    let file = sandbox.file(
        "pasted",
        "hallpass token\nhttps://a.example/callback?code=abcdefgh&state=other\n?code=x\nabcdefghijkl\n",
    );
    let args = ["--paste", "--timeout", "3s"];
    let input = std::fs::File::open(file).unwrap();
    let login = sandbox.login_at(&server, &args).start_reading(input).finish();
    transcript.outcome(&["login", "--paste"], &login);
    transcript.check("login-paste");
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal() {
    let (sandbox, server, mut transcript) =
        (without_device_grant(), DevServer::start().unwrap(), Transcript::default());
    let pty = hallpass_test::command::pty::Pty::new(80);
    let command = sandbox.login(&["--issuer", server.issuer(), "--client-id", CLIENT]).into_command();
    let mut login = pty.start(&command);
    let url = login.url();
    visit(&server, &url);
    assert_eq!(login.end().0, 0, "{}", pty.shown());
    let shown = pty.shown().replace('\r', "\n");
    let lines = shown.lines().filter(|line| !line.contains(" left"));
    transcript.push(&lines.collect::<Vec<_>>().join("\n"));
    transcript.check("login-terminal");
}
