//! User codes, which the user reads on one device and types on another (RFC 8628 §6.1).

use std::fmt;

use crate::oauth::random;

/// Consonants only, so that codes spell no words and their characters are not mistaken for one another.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

const LENGTH: usize = 8;

/// The largest multiple of the alphabet's size that fits in a byte. Using the bytes above it would make the first
/// letters more likely than the others.
const UNBIASED: u8 = 240;

/// Eight letters, displayed as `WDJB-MJHT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserCode(String);

impl UserCode {
    pub(crate) fn random() -> UserCode {
        let mut letters = String::with_capacity(LENGTH);
        while letters.len() < LENGTH {
            let bytes = random::bytes::<LENGTH>().into_iter().filter(|byte| *byte < UNBIASED);
            letters.extend(bytes.take(LENGTH - letters.len()).map(letter));
        }
        UserCode(letters)
    }

    /// Parses a code as a user types it: in any case, with anything between the letters (RFC 8628 §6.1).
    pub(crate) fn parse(typed: &str) -> Option<UserCode> {
        let bytes = typed.bytes().map(|byte| byte.to_ascii_uppercase());
        let letters: String = bytes.filter(|byte| ALPHABET.contains(byte)).map(char::from).collect();
        if letters.len() == LENGTH { Some(UserCode(letters)) } else { None }
    }
}

fn letter(byte: u8) -> char {
    char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.0.split_at(LENGTH / 2);
        write!(f, "{left}-{right}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s27_a_user_code_is_eight_consonants_in_two_groups() {
        for _ in 0..1000 {
            let shown = UserCode::random().to_string();
            let (left, right) = shown.split_once('-').expect("a hyphen");
            assert_eq!((left.len(), right.len()), (4, 4), "{shown}");
            assert!(shown.bytes().all(|b| b == b'-' || ALPHABET.contains(&b)), "{shown}");
        }
    }

    #[test]
    fn s27_every_letter_is_as_likely_as_the_others() {
        let mut counts = [0u32; 256];
        for byte in 0..UNBIASED {
            counts[letter(byte) as usize] += 1;
        }
        assert!(ALPHABET.iter().all(|letter| counts[usize::from(*letter)] == u32::from(UNBIASED) / 20));
    }

    #[test]
    fn s27_user_codes_do_not_repeat() {
        let codes: HashSet<_> = (0..1000).map(|_| UserCode::random().to_string()).collect();
        assert_eq!(codes.len(), 1000);
    }

    #[test]
    fn s27_case_and_anything_between_the_letters_is_ignored() {
        let code = UserCode::parse("WDJB-MJHT");
        assert!(code.is_some());
        for typed in
            ["wdjbmjht", " wdjb mjht\n", "WDJB–MJHT", "w.d.j.b.m.j.h.t", "(WDJB)(MJHT)", "WDJB-MJHT0"]
        {
            assert_eq!(UserCode::parse(typed), code, "{typed}");
        }
    }

    #[test]
    fn anything_but_eight_letters_of_the_alphabet_is_not_a_user_code() {
        for typed in ["", "-", "WDJB", "WDJB-MJH", "WDJB-MJHTT", "AEIO-UYAE", "1234-5678", "WDJＢ-MJHT"] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(typed: String) {
            let _ = UserCode::parse(&typed);
        }
    }
}
