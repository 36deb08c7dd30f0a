//! `hallpass demo` and `hallpass dev`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use hallpass_test::command::browse;

use super::Transcript;
use crate::new_sandbox;

#[test]
fn demo() {
    let (sandbox, mut transcript) = (new_sandbox(), Transcript::default());
    transcript.run(&sandbox, &["demo", "--headless"]);
    transcript.run(&sandbox, &["demo", "--headless", "--json"]);
    transcript.check("demo");
}

#[test]
fn dev() {
    let (sandbox, mut transcript) = (new_sandbox(), Transcript::default());
    let mut command = sandbox.hallpass(&["dev", "--port", "0"]).into_command();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut banner: Vec<String> = Vec::new();
    while !banner.last().is_some_and(|line| line.contains("Ctrl-C")) {
        banner.push(printed.next().unwrap_or_else(|| panic!("ended after {banner:#?}")));
    }
    let issuer = banner.iter().find_map(|line| {
        let at = line.find("http://127.0.0.1:")?;
        line[at..].split_whitespace().next().map(str::to_owned)
    });
    let issuer = issuer.unwrap_or_else(|| panic!("no URL in {banner:#?}"));
    for path in ["/", "/authorize?client_id=nobody", "/.well-known/openid-configuration"] {
        browse(&format!("{issuer}{path}")).unwrap();
    }
    let form = [("grant_type", "authorization_code"), ("client_id", "demo"), ("code", "x")];
    ureq::post(format!("{issuer}/token")).send_form(form).unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    banner.extend(log);
    transcript.push(&banner.join("\n"));
    transcript.check("dev");
}
