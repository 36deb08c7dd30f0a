//! Searches output and files for leaked secrets. The search finds them without a list, because the secrets of the tests
//! are 32 random bytes in base64url, parts of JWTs, or contain a mark.

use std::path::Path;

/// Part of every secret that a scripted server makes or a test plants.
const MARK: &str = "CANARY";

/// Minimum length of a random secret: 32 bytes are 43 characters, and no other output is as long and as mixed.
const LONG: usize = 40;

/// Characters of a known secret that must not appear either.
const BEGINNING: usize = 12;

/// Random values that are part of a URL that is shown.
const PUBLIC: [&str; 3] = ["state=", "nonce=", "code_challenge="];

/// Returns whether a text contains a marked or a random secret.
pub fn is_in(text: &str) -> bool {
    text.contains(MARK) || random(text).is_some()
}

/// Panics if a text contains a secret: a marked one, a random one, or one of `known`.
#[track_caller]
pub fn assert_none_in(place: &str, text: &str, known: &[String]) {
    let found = text.find(MARK).or_else(|| random(text)).or_else(|| beginning(text, known));
    assert!(found.is_none(), "a secret is in {place}, at byte {}:\n{text}", found.unwrap_or_default());
}

/// Returns the position of a long run of letters of both cases that is no public part of a URL.
fn random(text: &str) -> Option<usize> {
    let starts = text.split_inclusive(|c: char| !is_base64url(c)).scan(0, |next, run| {
        let start = *next;
        *next += run.len();
        Some((start, run))
    });
    let is_secret = |(start, run): &(usize, &str)| {
        run.len() >= LONG
            && run.bytes().any(|byte| byte.is_ascii_uppercase())
            && run.bytes().any(|byte| byte.is_ascii_lowercase())
            && !PUBLIC.iter().any(|name| text[..*start].ends_with(name))
    };
    starts.into_iter().find(is_secret).map(|(start, _)| start)
}

fn is_base64url(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn beginning(text: &str, known: &[String]) -> Option<usize> {
    let long_enough = known.iter().filter(|secret| secret.is_ascii() && secret.len() > BEGINNING);
    long_enough.filter_map(|secret| text.find(&secret[..BEGINNING])).min()
}

/// Panics if a file that must not hold secrets contains one.
#[track_caller]
pub fn assert_none_in_file(path: &Path, bytes: &[u8], known: &[String]) {
    let (place, text) = (path.display().to_string(), String::from_utf8_lossy(bytes));
    match path.extension().and_then(|extension| extension.to_str()) {
        // It identifies tokens by their hashes, which look random.
        Some("refresh") => assert_none_of(known, &place, &text),
        _ if is_store(path) || !of_record(bytes).is_empty() => {}
        _ => assert_none_in(&place, &text, known),
    }
}

/// Searches for marked and known secrets only: for texts that contain other random values.
#[track_caller]
fn assert_none_of(known: &[String], place: &str, text: &str) {
    let found = text.find(MARK).or_else(|| beginning(text, known));
    assert!(found.is_none(), "a secret is in {place}, at byte {}:\n{text}", found.unwrap_or_default());
}

/// Returns whether a file is the record, a record that was set aside, or a draft of one.
fn is_store(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".json")
        || name.contains(".json.unreadable-")
        || (name.starts_with('.') && name.ends_with(".tmp"))
}

/// Returns the secrets in a record's file, if it is a record and not sealed.
pub fn of_record(bytes: &[u8]) -> Vec<String> {
    let record: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let Some(secret) = record["secret"].as_object() else { return Vec::new() };
    let texts = secret.values().flat_map(|value| match value {
        serde_json::Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    });
    texts.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands_and_whoever_made_it() {
        let token = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        for text in [
            token.to_owned(),
            format!("Authorization: Bearer {token}\n"),
            format!("http://127.0.0.1:1/callback?code={token}&state={token}"),
            format!("{{\"code_verifier\":\"{token}\"}}"),
            "oat_CANARY_1".to_owned(),
        ] {
            assert!(is_in(&text), "{text}");
        }
        assert_eq!(beginning("token=opaque-token", &["opaque-token-of-theirs".to_owned()]), Some(6));
    }

    #[test]
    fn what_everybody_may_see_is_no_secret() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for text in [
            format!(
                "https://a.example/authorize?state={challenge}&nonce={challenge}&code_challenge={challenge}"
            ),
            "x".repeat(64),
            "_hallpass__subcmd__help__subcmd__profiles__subcmd__remove".to_owned(),
            "/home/somebody/With-Capitals/.local/state/hallpass/hallpass/default.json".to_owned(),
        ] {
            assert_eq!(random(&text), None, "{text}");
        }
        assert_eq!(beginning("short", &["short".to_owned()]), None);
    }
}
