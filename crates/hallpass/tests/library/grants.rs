//! The grant types that the library can request at all, read from its sources: a test that runs it sees only the requests
//! that it provokes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The library without its tests.
fn text() -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&src).into_iter().filter(|path| !path.ends_with("tests.rs"));
    let texts = files.map(|path| fs::read_to_string(path).unwrap());
    texts.map(|text| text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned()).collect()
}

/// Returns the text after each `"grant_type", `.
fn grant_types(text: &str) -> BTreeSet<&str> {
    let behind = text.split("\"grant_type\"").skip(1);
    behind.map(|rest| rest.trim_start_matches([',', ' ', '\n']).split(')').next().unwrap()).collect()
}

/// The person signs in at the server, in a browser; nobody gives us a password (RFC 8252 §6, RFC 9700 §2.4).
#[test]
fn n17_a_code_a_device_code_and_a_refresh_token_are_all_that_is_ever_exchanged() {
    let text = text();
    let known = ["\"authorization_code\"", "\"refresh_token\"", "GRANT_TYPE"];
    assert_eq!(grant_types(&text), BTreeSet::from(known));
    let device = "const GRANT_TYPE: &str = \"urn:ietf:params:oauth:grant-type:device_code\";";
    assert_eq!((text.matches("const GRANT_TYPE").count(), text.matches(device).count()), (1, 1));
    assert!(!text.contains("\"password\"") && !text.contains("\"username\""));
}

/// A page within the program could read what is typed into it (RFC 8252 §8.12).
#[test]
fn n17_no_dependency_shows_web_pages_within_the_program() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock")).unwrap();
    let names: BTreeSet<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    assert!(names.contains("\"ureq\""), "{} names", names.len());
    for part in ["webview", "web-view", "webkit", "wry", "tauri", "servo", "cef", "electron", "tao"] {
        let is_one =
            |name: &&&str| name.trim_matches('"').split(['-', '_']).any(|word| word.starts_with(part));
        let found: Vec<_> = names.iter().filter(is_one).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}
