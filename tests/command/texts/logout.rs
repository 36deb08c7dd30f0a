//! `hallpass logout`.

use hallpass_dev::DevServer;
use hallpass_test::scripted_server::ScriptedServer;

use super::Transcript;
use super::login::sign_in_at;
use crate::new_sandbox;

#[test]
fn logout() {
    let (sandbox, server, mut transcript) =
        (new_sandbox(), DevServer::start().unwrap(), Transcript::default());
    transcript.run(&sandbox, &["logout"]);
    transcript.run(&sandbox, &["logout", "--json"]);
    transcript.run(&sandbox, &["logout", "--all"]);
    sandbox.sign_in(&server, &[]);
    transcript.run(&sandbox, &["logout", "--issuer", "https://other.example"]);
    transcript.run(&sandbox, &["logout"]);
    sandbox.sign_in(&server, &[]);
    transcript.run(&sandbox, &["logout", "--json"]);
    sandbox.sign_in(&server, &[]);
    sandbox.sign_in(&server, &["--profile", "work"]);
    transcript.run(&sandbox, &["logout", "--all"]);
    sandbox.sign_in(&server, &[]);
    drop(server);
    transcript.about("the server is gone");
    transcript.run(&sandbox, &["logout"]);
    let scripted = ScriptedServer::start();
    transcript.about("a server without revocation");
    sign_in_at(&sandbox, &scripted);
    transcript.run(&sandbox, &["logout"]);
    let (sandbox, server) = (new_sandbox(), DevServer::start().unwrap());
    sandbox.sign_in(&server, &[]);
    std::fs::write(sandbox.record_file("default"), "{").unwrap();
    transcript.about("a record that can't be read");
    transcript.run(&sandbox, &["logout"]);
    transcript.check("logout");
}
