//! The encryption of a record's secret half, so that a copy of the file alone is worthless.
//!
//! AES-256-GCM with a key that each login generates and that only the keychain holds. The whole clear half is
//! associated data: a record whose token endpoint was changed cannot be opened.

use serde::Serialize;
use serde_json::{Map, Value};

use super::record::{Record, Seal, StoredRecord};
use super::secrets::{Secrets, StoredSecrets};
use crate::crypto::{self, NONCE_BYTES, from_base64url, to_base64url};
use crate::secret::wiped::WipedBytes;
use crate::world::entropy;
use crate::world::keychain::Key;

/// The name of AES-256-GCM in RFC 7518 §5.1.
const ALG: &str = "A256GCM";

impl Seal {
    /// Creates a seal with a key that is in the keychain.
    pub(super) fn new(key_id: String, key: Key) -> Seal {
        Seal { alg: ALG.to_owned(), key_id, nonce: String::new(), key: Some(key), unknown: Map::new() }
    }
}

/// Encrypts the secret half of a record, with a new nonce.
pub(super) fn seal(mut record: Record, key: &Key) -> StoredRecord {
    let nonce: [u8; NONCE_BYTES] = entropy::bytes();
    if let Some(seal) = &mut record.seal {
        seal.nonce = to_base64url(&nonce);
    }
    let (clear, secrets) = record.replace_secret(());
    let mut plain = WipedBytes::default();
    serde_json::to_writer(&mut plain, &secrets).expect("strings and lists can always be written");
    let sealed = crypto::seal(key.expose(), nonce, &canonical(&clear), plain.into_inner());
    clear.replace_secret(StoredSecrets::Sealed(to_base64url(&sealed))).0
}

/// Decrypts the secret half of a record. Returns `None` if the key is a different one or the record was changed.
pub(super) fn open(record: StoredRecord, key: &Key) -> Option<Record> {
    let seal = record.seal.as_ref()?;
    if seal.alg != ALG {
        return None;
    }
    let nonce = from_base64url(&seal.nonce)?.try_into().ok()?;
    let (clear, secrets) = record.replace_secret(());
    let StoredSecrets::Sealed(text) = secrets else { return None };
    let plain = crypto::open(key.expose(), nonce, &canonical(&clear), from_base64url(&text)?)?;
    let secrets: Secrets = serde_json::from_slice(&plain).ok()?;
    if secrets.access_tokens.len() != clear.access.len() {
        return None;
    }
    let (mut opened, ()) = clear.replace_secret(secrets);
    if let Some(seal) = &mut opened.seal {
        seal.key = Some(key.clone());
    }
    Some(opened)
}

/// Writes the clear half in canonical form: members sorted by name at every depth, whatever the order in the file.
fn canonical(clear: &impl Serialize) -> Vec<u8> {
    let value = serde_json::to_value(clear).unwrap_or_default();
    serde_json::to_vec(&sorted(value)).unwrap_or_default()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const V1: &str = include_str!("../../../../tests/fixtures/records/v1.json");
    const SEALED: &str = include_str!("../../../../tests/fixtures/records/v1-sealed.json");

    fn key() -> Key {
        Key::new([7; 32])
    }

    fn stored(text: &str) -> StoredRecord {
        StoredRecord::parse(text.as_bytes(), Path::new("r")).unwrap()
    }

    fn record() -> Record {
        Record { seal: Some(Seal::new("k1".to_owned(), key())), ..stored(V1).into_open().unwrap() }
    }

    fn text(record: &StoredRecord) -> String {
        String::from_utf8(record.to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_sealed_record_opens_with_its_key_alone() {
        let written = text(&seal(record(), &key()));
        assert!(!written.contains("CANARY") && written.contains("\"email\": \"test@example.com\""));
        let opened = open(stored(&written), &key()).unwrap();
        assert_eq!(opened.secret.refresh_token.unwrap().expose(), "CANARY-refresh");
        assert!(open(stored(&written), &Key::new([8; 32])).is_none());
    }

    #[test]
    fn sealing_twice_gives_different_ciphertexts() {
        assert_ne!(text(&seal(record(), &key())), text(&seal(record(), &key())));
    }

    #[test]
    fn a_sealed_record_of_version_1_opens() {
        let opened = open(stored(SEALED), &key()).unwrap();
        assert_eq!(opened.secret.access_tokens[0].expose(), "CANARY-access");
    }

    #[test]
    fn changing_any_clear_member_breaks_the_seal() {
        let written = text(&seal(record(), &key()));
        for (from, to) in [
            ("login.example.com/oauth/token", "evil.example/oauth/token"),
            ("\"client_id\": \"mytool\"", "\"client_id\": \"other\""),
            ("\"generation\": 3", "\"generation\": 4"),
            ("2026-11-22T11:00:00Z", "2036-11-22T11:00:00Z"),
            ("\"renewable\": true", "\"renewable\": true, \"later\": 1"),
            ("\"renewable\": true", "\"renewable\": false"),
        ] {
            assert!(written.contains(from), "{from}");
            assert!(open(stored(&written.replacen(from, to, 1)), &key()).is_none(), "{to}");
        }
    }

    #[test]
    fn member_order_and_white_space_do_not_matter() {
        let sealed = seal(record(), &key());
        let reversed: Vec<String> = match serde_json::to_value(&sealed).unwrap() {
            Value::Object(members) => {
                members.iter().rev().map(|(name, value)| format!("{name:?}:{value}")).collect()
            }
            _ => panic!(),
        };
        assert!(open(stored(&format!("{{{}}}", reversed.join(","))), &key()).is_some());
    }

    #[test]
    fn an_invalid_seal_opens_nothing() {
        let written = text(&seal(record(), &key()));
        let nonce = stored(&written).seal.unwrap().nonce;
        for broken in [
            written.replacen("A256GCM", "none", 1),
            written.replacen(&nonce, "", 1),
            written.replacen(&nonce, "AAAA", 1),
        ] {
            assert!(open(stored(&broken), &key()).is_none());
        }
        let (clear, _) = stored(&written).replace_secret(());
        for text in ["", "AAAA", "!"] {
            assert!(
                open(clear.clone().replace_secret(StoredSecrets::Sealed(text.to_owned())).0, &key())
                    .is_none()
            );
        }
    }
}
