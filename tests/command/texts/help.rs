//! The help of every command.

use super::Transcript;
use crate::new_sandbox;

#[test]
fn help_of_every_command() {
    for command in [
        "",
        "login",
        "whoami",
        "token",
        "exec",
        "logout",
        "status",
        "profiles",
        "profiles list",
        "profiles use",
        "profiles move",
        "profiles remove",
        "dev",
        "demo",
        "doctor",
        "completions",
    ] {
        let (sandbox, mut transcript) = (new_sandbox(), Transcript::default());
        for option in ["-h", "--help"] {
            let args: Vec<&str> = command.split_whitespace().chain([option]).collect();
            transcript.run(&sandbox, &args);
        }
        let name = if command.is_empty() { "hallpass" } else { command };
        transcript.check(&format!("help-{}", name.replace(' ', "-")));
    }
}
