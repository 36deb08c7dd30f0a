//! JSON as a server has to send it: in UTF-8, and no member twice at any depth. Of two readers of a doubled member one
//! takes the first and one the last, and they would judge different answers (RFC 8259 §4, RFC 7515 §4, RFC 7519 §4).

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use zeroize::Zeroize;

/// The members of an object; or else the outermost member inside which the parser stopped, if it was in one.
///
/// It is read twice, since `serde_json` alone knows how it hands numbers to itself: whatever crate of a program asks for
/// its `arbitrary_precision` changes that for all of them.
pub(super) fn object(json: &[u8]) -> Result<Map<String, Value>, Option<String>> {
    let mut reading = None;
    let mut parser = serde_json::Deserializer::from_slice(json);
    let is_strict = UniqueMembers { reading: &mut reading }.deserialize(&mut parser);
    match is_strict.and_then(|()| parser.end()).and_then(|()| serde_json::from_slice(json)) {
        Ok(members) => Ok(members),
        Err(_) => Err(reading),
    }
}

/// The members of an object that may hold tokens.
pub(super) fn secrets(json: &[u8]) -> Result<Wiped, Option<String>> {
    object(json).map(Wiped)
}

/// Members whose texts are wiped when they are dropped.
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

/// Passes over an object whose members are unique.
struct UniqueMembers<'a> {
    /// The outermost member that is being read.
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
                return Err(A::Error::custom("a member comes twice"));
            }
            *self.reading = Some(name);
            members.next_value::<Strict>()?;
            *self.reading = None;
        }
        Ok(())
    }
}

/// A JSON value whose objects have [`UniqueMembers`].
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
    fn n50_a_member_that_comes_twice_at_any_depth_is_no_json() {
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
    fn n50_other_encodings_than_utf_8_are_no_json() {
        let utf_16: Vec<u8> = r#"{"a":"b"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for json in [&utf_16[..], b"{\"a\":\"\xff\"}", b"{\"a\":\"\xc3\x28\"}", b"{\"a\":\"\\ud800\"}"] {
            assert!(object(json).is_err(), "{json:?}");
        }
        assert_eq!(object("{\"a\":\"é\"}".as_bytes()).unwrap()["a"], "é");
    }
}
