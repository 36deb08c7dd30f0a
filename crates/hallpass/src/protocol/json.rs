//! JSON as a server has to send it: in UTF-8, and no member twice at any depth. Of two readers of a doubled member one
//! takes the first and one the last, and they would judge different answers (RFC 8259 §4, RFC 7515 §4, RFC 7519 §4).

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The members of an object; or else the outermost member inside which the parser stopped, if it was in one.
pub(super) fn object(json: &[u8]) -> Result<Map<String, Value>, Option<String>> {
    let mut reading = None;
    let mut parser = serde_json::Deserializer::from_slice(json);
    let members = Members { reading: &mut reading }.deserialize(&mut parser);
    match members.and_then(|members| parser.end().map(|()| members)) {
        Ok(members) => Ok(members),
        Err(_) => Err(reading),
    }
}

/// Reads an object whose members are unique.
struct Members<'a> {
    /// The outermost member that is being read.
    reading: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom("a member comes twice"));
            }
            *self.reading = Some(name.clone());
            map.insert(name, members.next_value::<StrictValue>()?.0);
            *self.reading = None;
        }
        Ok(map)
    }
}

/// A JSON value whose objects are [`Members`].
struct StrictValue(Value);

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StrictValue, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(StrictValue)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(StrictValue(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        Members { reading: &mut None }.visit_map(members).map(Value::Object)
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
