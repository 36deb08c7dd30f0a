//! `hallpass whoami`.

use hallpass_dev::DevServer;

use super::Transcript;
use crate::new_sandbox;

#[test]
fn whoami() {
    let (sandbox, server, mut transcript) =
        (new_sandbox(), DevServer::start().unwrap(), Transcript::default());
    transcript.run(&sandbox, &["whoami"]);
    transcript.run(&sandbox, &["whoami", "--json"]);
    transcript.run(&sandbox, &["whoami", "--profile", "work"]);
    sandbox.sign_in(&server, &[]);
    transcript.run(&sandbox, &["whoami"]);
    transcript.run(&sandbox, &["whoami", "--json"]);
    transcript.run(&sandbox, &["whoami", "--fresh"]);
    transcript.run(&sandbox, &["whoami", "--issuer", "https://other.example"]);
    transcript.play(&["whoami"], sandbox.hallpass(&["whoami"]).env("HALLPASS_ACCESS_TOKEN", "x"));
    drop(server);
    transcript.run(&sandbox, &["whoami", "--fresh"]);
    transcript.check("whoami");
}
