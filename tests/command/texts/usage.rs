//! Command lines and settings that are refused.

use super::Transcript;
use crate::new_sandbox;

const ISSUER: [&str; 4] = ["--issuer", "https://login.example.com", "--client-id", "mytool"];

#[test]
fn command_lines_that_are_refused() {
    let (sandbox, mut transcript) = (new_sandbox(), Transcript::default());
    for args in [
        &[][..],
        &["nonsense"],
        &["whoam"],
        &["login", "--nonsense"],
        &["login", "--issuer"],
        &["login", "--timeout", "soon"],
        &["login", "--timeout", "0s"],
        &["login", "--listen", "here"],
        &["login", "--param", "x"],
        &["login", "--storage", "cloud"],
        &["login", "--account", ""],
        &["login", "--device", "--browser=x"],
        &["login", "--if-needed", "--force"],
        &["login", "--replace"],
        &["token", "--min-ttl", "x"],
        &["token", "--header", "--json"],
        &["exec"],
        &["exec", "--env", "A=B", "--", "true"],
        &["profiles"],
        &["profiles", "use"],
        &["profiles", "use", "nobody"],
        &["profiles", "remove", "nobody"],
        &["profiles", "move", "nobody", "--storage", "file"],
        &["completions", "tcsh"],
        &["dev", "--client", "x=ftp://y"],
        &["--json", "login", "--nonsense"],
        &["--json", "status", "--nonsense"],
        &["--profile", "../x", "status"],
        &["logout", "--all", "--profile", "x"],
    ] {
        transcript.run(&sandbox, args);
    }
    transcript.check("usage");
}

#[test]
fn settings_that_are_refused() {
    let (sandbox, mut transcript) = (new_sandbox(), Transcript::default());
    for args in [
        &["login"][..],
        &["login", "--issuer", "https://login.example.com"],
        &["login", "--client-id", "mytool"],
        &["login", "--issuer", "login.example.com", "--client-id", "x"],
        &["login", "--issuer", "http://login.example.com", "--client-id", "x"],
        &["login", "--issuer", "https://login.example.com?x=1", "--client-id", "x"],
        &["login", "--issuer", "https://login.example.com", "--client-id", " "],
        &["login", "--provider", "nobody"],
        &["login", "--provider", "okta"],
        &["login", "--provider", "google"],
        &["login", "--env-file", "/nonexistent.env"],
        &["login", "--client-secret-file", "/nonexistent"],
    ] {
        transcript.run(&sandbox, args);
    }
    for more in [
        &["--redirect-uri", "https://login.example.com/callback"][..],
        &["--redirect-uri", "nonsense"],
        &["--redirect-uri", "http://127.0.0.1/a b"],
        &["--listen", "0.0.0.0:9999"],
        &[
            "--listen",
            "0.0.0.0:9999",
            "--redirect-uri",
            "http://localhost:1/a",
            "--redirect-uri",
            "http://localhost:2/b",
        ],
        &["--scope", "a\"b"],
        &["--resource", "api"],
        &["--resource", "https://a/#b"],
        &["--param", "state=x"],
        &["--param", "x=1", "--param", "x=2"],
        &["--param", "max_age=soon"],
        &["--endpoint", "nonsense=https://a"],
        &["--endpoint", "token=nonsense"],
        &["--endpoint", "token=http://a.example"],
        &["--ca-cert", "/nonexistent.pem"],
        &["--browser="],
        &["--profile", "UPPER"],
    ] {
        transcript.run(&sandbox, &[&["login"][..], &ISSUER, more].concat());
    }
    std::fs::create_dir_all(sandbox.config_dir()).unwrap();
    for text in ["isuer = \"x\"", "issuer = 7", "= broken"] {
        std::fs::write(sandbox.config_dir().join("config.toml"), text).unwrap();
        transcript.about(&format!("config.toml: {text}"));
        transcript.run(&sandbox, &["login"]);
    }
    transcript.check("usage-settings");
}
