//! Query and form parameters.

/// The decoded parameters of a query or form, in order.
///
/// Values are bytes because `state` has to be returned exactly as it was sent (RFC 6749 §4.1.2), even if it isn't
/// valid UTF-8.
#[derive(Clone, Default)]
pub(crate) struct Params(Vec<(String, Vec<u8>)>);

impl Params {
    pub(crate) fn parse(raw: &[u8]) -> Params {
        let pairs = raw.split(|b| *b == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default());
            let value = decode(halves.next().unwrap_or_default());
            (String::from_utf8_lossy(&name).into_owned(), value)
        });
        Params(pairs.collect())
    }

    /// Returns the value of a parameter. A parameter with an empty value counts as absent (RFC 6749 §3.1).
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        if value.is_empty() { None } else { Some(value) }
    }

    /// Returns the value of a parameter as text. A value that isn't valid UTF-8 counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// Returns the first parameter that was sent more than once, which RFC 6749 §3.1 and §3.2 forbid for all but
    /// `resource` (RFC 8707 §2).
    pub(crate) fn repeated(&self) -> Option<&str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| *name != "resource").find(|name| self.is_repeated(name))
    }

    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(n, _)| n == name).count() > 1
    }

    /// Returns all parameters as text, for the journal.
    pub(crate) fn to_text(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(n, v)| (n.clone(), String::from_utf8_lossy(v).into_owned())).collect()
    }
}

/// Decodes `+` and `%XX`. A `%` that starts no escape stands for itself, as in browsers.
pub(crate) fn decode(raw: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, after)) = rest.split_first() {
        let (byte, length) = match (first, hex_pair(after)) {
            (b'%', Some(escaped)) => (escaped, 3),
            (b'+', _) => (b' ', 1),
            _ => (*first, 1),
        };
        decoded.push(byte);
        rest = &rest[length..];
    }
    decoded
}

/// Returns the byte that the first two hexadecimal digits of `text` stand for.
fn hex_pair(text: &[u8]) -> Option<u8> {
    let high = char::from(*text.first()?).to_digit(16)?;
    let low = char::from(*text.get(1)?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::form_urlencoded::byte_serialize;

    #[test]
    fn an_empty_parameter_is_absent_and_a_repeated_one_is_found() {
        let params = Params::parse(b"a=&b=1&c=2&b=3&resource=x&resource=y");
        assert_eq!(params.text("a"), None);
        assert_eq!(params.repeated(), Some("b"));
        assert_eq!(Params::parse(b"resource=x&resource=y").repeated(), None);
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
            let _ = Params::parse(&raw).repeated();
        }
    }
}
