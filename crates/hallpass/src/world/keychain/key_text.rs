//! A key as one line of ASCII, which no keychain changes: base64url without padding (RFC 4648 §5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::Key;
use crate::error::KeychainError;

pub(super) fn encode(key: &Key) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(key.expose()))
}

/// Decodes a key.
///
/// # Errors
/// [`KeychainError::Failed`] if the text doesn't come from [`encode`].
pub(super) fn decode(text: &[u8]) -> Result<Key, KeychainError> {
    let mut key = Zeroizing::new([0; 32]);
    match URL_SAFE_NO_PAD.decode_slice(text, &mut *key) {
        Ok(32) => Ok(Key(key)),
        _ => Err(KeychainError::Failed("the stored item is not a Hallpass key".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p53_a_key_is_encoded_as_one_line_of_ascii_and_decodes_to_itself() {
        for key in [Key::new([0; 32]), Key::new([0xff; 32]), Key::new(std::array::from_fn(|i| (i * 9) as u8))]
        {
            let text = encode(&key);
            assert!(
                text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            );
            assert_eq!(decode(text.as_bytes()), Ok(key));
        }
    }

    #[test]
    fn n113_p50_an_encoded_key_fits_the_windows_limit_even_as_utf_16() {
        assert!(2 * encode(&Key::new([0xff; 32])).len() < 2560);
    }

    #[test]
    fn p53_other_text_does_not_decode() {
        let text = encode(&Key::new([7; 32]));
        let longer = format!("{}A", *text);
        let newline = format!("{}\n", *text);
        for wrong in ["", "not a key", &text[..42], &longer, &newline, &"A".repeat(86)] {
            assert!(matches!(decode(wrong.as_bytes()), Err(KeychainError::Failed(_))), "{wrong:?}");
        }
    }
}
