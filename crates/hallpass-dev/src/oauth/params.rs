//! Query and form parameters as they were sent.

/// Decoded `application/x-www-form-urlencoded` pairs.
///
/// Values stay bytes: `state` must go back exactly as it came (RFC 6749 §4.1.2), also where it is
/// no UTF-8, and a lossy decoding would change it.
#[derive(Clone, Default)]
pub(crate) struct Params(Vec<(String, Vec<u8>)>);

impl Params {
    pub(crate) fn parse(raw: &[u8]) -> Params {
        Params(raw.split(|b| *b == b'&').filter(|pair| !pair.is_empty()).map(decode_pair).collect())
    }

    /// The value; a parameter without a value counts as absent (RFC 6749 §3.1).
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// The value as text. One that is no UTF-8 counts as absent: no text parameter may be that.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// The first name that came twice, which RFC 6749 §3.1 and §3.2 forbid for all but `resource` (RFC 8707 §2).
    pub(crate) fn doubled(&self) -> Option<&str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| *name != "resource").find(|name| self.is_doubled(name))
    }

    pub(crate) fn is_doubled(&self, name: &str) -> bool {
        self.0.iter().filter(|(n, _)| n == name).count() > 1
    }

    /// All pairs as text, for the journal.
    pub(crate) fn to_text(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(n, v)| (n.clone(), String::from_utf8_lossy(v).into_owned())).collect()
    }
}

fn decode_pair(pair: &[u8]) -> (String, Vec<u8>) {
    let at = pair.iter().position(|b| *b == b'=');
    let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
    (String::from_utf8_lossy(&decode(name)).into_owned(), decode(value))
}

/// `+` and `%XX` decoded; a `%` that starts no escape stands for itself, as browsers read it.
pub(crate) fn decode(raw: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let escaped = (raw[at] == b'%').then(|| hex_pair(raw.get(at + 1..at + 3))).flatten();
        decoded.push(escaped.unwrap_or(if raw[at] == b'+' { b' ' } else { raw[at] }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    decoded
}

fn hex_pair(digits: Option<&[u8]>) -> Option<u8> {
    let digits = digits?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::form_urlencoded::byte_serialize;

    #[test]
    fn empty_is_absent_and_doubled_is_named() {
        let params = Params::parse(b"a=&b=1&c=2&b=3&resource=x&resource=y");
        assert_eq!(params.text("a"), None);
        assert_eq!(params.doubled(), Some("b"));
        assert_eq!(Params::parse(b"resource=x&resource=y").doubled(), None);
    }

    #[test]
    fn a_stray_percent_sign_stands_for_itself() {
        assert_eq!(decode(b"100%+%2"), b"100% %2");
        assert_eq!(decode(b"%zz%41"), b"%zzA");
    }

    proptest! {
        #[test]
        fn s16_any_bytes_survive_encoding_and_decoding(value: Vec<u8>) {
            let encoded: String = byte_serialize(&value).collect();
            prop_assert_eq!(decode(encoded.as_bytes()), value);
        }

        #[test]
        fn any_query_is_parsed_without_panic(raw: Vec<u8>) {
            let _ = Params::parse(&raw).doubled();
        }
    }
}
