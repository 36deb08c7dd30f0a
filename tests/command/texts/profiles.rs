//! `hallpass profiles`.

use hallpass_dev::DevServer;

use super::Transcript;
use crate::new_sandbox;

#[test]
fn profiles() {
    let (sandbox, server, mut transcript) =
        (new_sandbox(), DevServer::start().unwrap(), Transcript::default());
    transcript.run(&sandbox, &["profiles", "list"]);
    sandbox.sign_in(&server, &[]);
    sandbox.sign_in(&server, &["--profile", "work"]);
    for args in [
        &["profiles", "list"][..],
        &["profiles", "list", "--json"],
        &["profiles", "use", "work"],
        &["profiles", "use", "nobody"],
        &["profiles", "move", "work", "--storage", "file"],
        &["profiles", "move", "work", "--storage", "keychain"],
        &["profiles", "remove", "work"],
        &["profiles", "remove", "default"],
        &["profiles", "list"],
    ] {
        transcript.run(&sandbox, args);
    }
    transcript.check("profiles");
}
