//! `hallpass doctor`.

use hallpass_dev::DevServer;
use hallpass_test::command::CLIENT;

use super::Transcript;
use crate::new_sandbox;

#[test]
fn doctor() {
    let (sandbox, server, mut transcript) =
        (new_sandbox(), DevServer::start().unwrap(), Transcript::default());
    let run = |transcript: &mut Transcript, args: &[&str]| {
        transcript
            .play(args, sandbox.hallpass(args).env("PATH", "/nonexistent").env("SSH_TTY", "/dev/pts/1"));
    };
    run(&mut transcript, &["doctor"]);
    run(&mut transcript, &["doctor", "--issuer", server.issuer(), "--client-id", CLIENT]);
    run(&mut transcript, &["doctor", "--issuer", server.issuer(), "--json"]);
    run(&mut transcript, &["doctor", "--issuer", "https://127.0.0.1:1", "--client-id", CLIENT]);
    run(&mut transcript, &["doctor", "--issuer", "https://127.0.0.1:1", "--storage", "keychain"]);
    run(&mut transcript, &["doctor", "--issuer", "https://127.0.0.1:1", "--ca-cert", "/dev/null"]);
    run(&mut transcript, &["doctor", "--profile", "nobody"]);
    sandbox.sign_in(&server, &[]);
    run(&mut transcript, &["doctor"]);
    transcript.check("doctor");
}
