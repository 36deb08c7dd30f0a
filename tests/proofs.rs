//! `proofs.json` says which test proves that a known pain (P..) does not hurt here, or that a duty of a standard (N..)
//! is done. This test keeps the list and the tests together: every id has a test or a reason for having none, every
//! test that is named exists, and every test whose name begins with an id stands in the list.
//!
//! `HALLPASS_UPDATE_PROOFS=1 cargo test -p hallpass-cli --test proofs` writes the names into the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What is known of one id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Proof {
    /// The pain or the duty, in a sentence.
    about: String,
    tests: BTreeSet<String>,
    /// Why there is no test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    none: Option<String>,
}

type Proofs = BTreeMap<String, Proof>;

#[test]
fn every_known_pain_and_duty_has_a_test_or_a_reason() {
    let tests = tests();
    let listed = read();
    let complete = with_names(listed.clone(), &tests);
    if std::env::var_os("HALLPASS_UPDATE_PROOFS").is_some() {
        fs::write(list(), serde_json::to_string_pretty(&complete).unwrap() + "\n").unwrap();
        return;
    }
    let mut faults = Vec::new();
    for (id, proof) in &listed {
        let gone = proof.tests.iter().filter(|test| !tests.contains(*test));
        faults.extend(gone.map(|test| format!("{id}: there is no test {test}")));
        let missing = complete[id].tests.difference(&proof.tests);
        faults.extend(missing.map(|test| format!("{id}: {test} is not in the list")));
        if proof.tests.is_empty() == proof.none.is_none() {
            faults.push(format!("{id}: either a test or a reason for having none"));
        }
    }
    assert!(faults.is_empty(), "tests/proofs.json:\n{}", faults.join("\n"));
}

fn list() -> PathBuf {
    root().join("tests/proofs.json")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read() -> Proofs {
    serde_json::from_str(&fs::read_to_string(list()).unwrap()).unwrap()
}

fn with_names(mut proofs: Proofs, tests: &BTreeSet<String>) -> Proofs {
    for (id, proof) in &mut proofs {
        proof.tests.retain(|test| tests.contains(test));
        proof.tests.extend(tests.iter().filter(|test| ids(test).any(|named| named == *id)).cloned());
        if !proof.tests.is_empty() {
            proof.none = None;
        }
    }
    proofs
}

/// The ids that a test's name begins with: `p03_n16_…` is of both.
fn ids(test: &str) -> impl Iterator<Item = String> + '_ {
    let is_id = |word: &&str| {
        let (letter, digits) = word.split_at(word.len().min(1));
        ["p", "n"].contains(&letter) && digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    test.split('_').take_while(is_id).map(str::to_ascii_uppercase)
}

/// The names of all functions in the sources that can be tests.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for dir in ["crates", "tests", "examples"] {
        for file in sources(&root().join(dir)) {
            let text = fs::read_to_string(file).unwrap();
            let functions = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            names.extend(functions.filter(|name| is_name(name)).map(str::to_owned));
        }
    }
    names
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let skipped = ["target", "node_modules"];
    let mut found = Vec::new();
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !skipped.iter().any(|name| path.ends_with(name)) {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
