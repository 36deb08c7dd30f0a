//! Strict JSON: UTF-8, and no duplicate members at any depth. Parsers disagree about which of two duplicate members
//! counts, and could be made to see different responses (RFC 8259 §4, RFC 7515 §4, RFC 7519 §4).

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use zeroize::Zeroize;

/// Parses an object.
///
/// # Errors
/// The outermost member in which parsing failed, if it was in one.
pub(super) fn object(json: &[u8]) -> Result<Map<String, Value>, Option<String>> {
    let mut reading = None;
    let mut parser = serde_json::Deserializer::from_slice(json);
    let checked = UniqueMembers { reading: &mut reading }.deserialize(&mut parser);
    // Parsed a second time for the values: the representation of numbers is internal to serde_json, and changes when any
    // crate of the program enables its feature `arbitrary_precision`.
    match checked.and_then(|()| parser.end()).and_then(|()| serde_json::from_slice(json)) {
        Ok(members) => Ok(members),
        Err(_) => Err(reading),
    }
}

/// Parses an object that may contain secrets.
pub(super) fn secrets(json: &[u8]) -> Result<Wiped, Option<String>> {
    object(json).map(Wiped)
}

/// The members of an object. Their texts are wiped from memory when they are dropped.
pub(super) struct Wiped(pub(super) Map<String, Value>);

impl Deref for Wiped {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// Checks that an object has unique members, at any depth.
struct UniqueMembers<'a> {
    /// The member that is being read.
    reading: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for UniqueMembers<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for UniqueMembers<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("duplicate member"));
            }
            *self.reading = Some(name);
            members.next_value::<Strict>()?;
            *self.reading = None;
        }
        Ok(())
    }
}

/// A JSON value in which all objects have [`UniqueMembers`].
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Strict, A::Error> {
        while elements.next_element::<Strict>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Strict, A::Error> {
        UniqueMembers { reading: &mut None }.visit_map(members)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n50_duplicate_members_are_refused_at_any_depth() {
        assert_eq!(object(br#"{"a":[{"b":1},{"b":2}],"b":3}"#).unwrap().len(), 2);
        for (json, inside) in [
            (r#"{"a":1,"a":1}"#, None),
            (r#"{"a":1,"\u0061":2}"#, None),
            (r#"{"a":{"b":1,"b":2}}"#, Some("a")),
            (r#"{"a":[[{"b":{},"b":{}}]]}"#, Some("a")),
        ] {
            assert_eq!(object(json.as_bytes()), Err(inside.map(str::to_owned)), "{json}");
        }
    }

    #[test]
    fn n50_encodings_other_than_utf_8_are_refused() {
        let utf_16: Vec<u8> = r#"{"a":"b"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for json in [&utf_16[..], b"{\"a\":\"\xff\"}", b"{\"a\":\"\xc3\x28\"}", b"{\"a\":\"\\ud800\"}"] {
            assert!(object(json).is_err(), "{json:?}");
        }
        assert_eq!(object("{\"a\":\"é\"}".as_bytes()).unwrap()["a"], "é");
    }
}
