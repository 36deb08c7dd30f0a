//! The guides from the two documents name nothing that does not exist.

use std::fs;
use std::path::Path;

use crate::new_sandbox;

const GUIDES: [&str; 2] = ["docs/from-clerk.md", "docs/from-paylent.md"];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The verb of each `hallpass VERB …`, and its options up to the end of the code.
fn calls(text: &str) -> Vec<(String, Vec<String>)> {
    let starts = text.match_indices("hallpass ").map(|(start, found)| &text[start + found.len()..]);
    let calls = starts.map(|rest| rest.split(['`', '\n', '|', ';']).next().unwrap());
    let words = calls.map(|call| call.split_whitespace().collect::<Vec<_>>());
    let known = words.filter(|words| words.first().is_some_and(|verb| verb.chars().all(char::is_lowercase)));
    known.map(|words| (words[0].to_owned(), options(&words[1..].join(" ")))).collect()
}

fn options(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 3).map(str::to_owned).collect()
}

#[test]
fn every_call_in_the_guides_is_one_that_the_command_takes() {
    let sandbox = new_sandbox();
    for guide in GUIDES {
        let calls = calls(&read(guide));
        assert!(calls.len() > 5, "{guide}: {calls:?}");
        for (verb, options) in calls {
            let help = sandbox.run(&[&verb, "--help"]).ok().stdout;
            for option in options {
                assert!(help.contains(&option), "{guide}: hallpass {verb} {option}");
            }
        }
    }
}

#[test]
fn every_option_in_the_guides_is_one_of_some_verb() {
    let sandbox = new_sandbox();
    let verbs = ["login", "whoami", "token", "logout", "status"];
    let help: String = verbs.iter().map(|verb| sandbox.run(&[verb, "--help"]).ok().stdout).collect();
    for guide in GUIDES {
        for option in options(&read(guide)) {
            assert!(help.contains(&option), "{guide}: {option}");
        }
    }
}
