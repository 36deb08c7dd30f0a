//! `hallpass status`.

use hallpass_dev::DevServer;

use super::Transcript;
use crate::new_sandbox;

#[test]
fn status() {
    let (sandbox, server, mut transcript) =
        (new_sandbox(), DevServer::start().unwrap(), Transcript::default());
    transcript.run(&sandbox, &["status"]);
    transcript.run(&sandbox, &["status", "--json"]);
    sandbox.sign_in(&server, &[]);
    sandbox.sign_in(&server, &["--profile", "work"]);
    transcript.run(&sandbox, &["status"]);
    transcript.run(&sandbox, &["status", "--json"]);
    transcript.run(&sandbox, &["status", "--check"]);
    transcript.run(&sandbox, &["status", "--profile", "nobody"]);
    sandbox.let_expire_in("default", 0);
    sandbox.let_expire_in("work", 10);
    transcript.about("an expired token, and one about to expire");
    transcript.run(&sandbox, &["status"]);
    drop(server);
    transcript.about("the server is gone");
    transcript.run(&sandbox, &["status", "--check"]);
    std::fs::write(sandbox.record_file("default"), "{").unwrap();
    transcript.about("a record that can't be read");
    transcript.run(&sandbox, &["status"]);
    transcript.check("status");
}
