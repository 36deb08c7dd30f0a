//! The code that a person reads on one device and types on another (RFC 8628 §6.1).

use std::fmt;

use crate::oauth::random;

/// Letters that are not taken for one another and make no words: no vowels, no digits.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

const LENGTH: usize = 8;

/// Bytes from here on would make the first letters of the alphabet likelier than the others.
const FAIR: u8 = 240;

/// Eight letters, shown as `WDJB-MJHT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserCode(String);

impl UserCode {
    pub(crate) fn random() -> UserCode {
        let mut letters = String::with_capacity(LENGTH);
        while letters.len() < LENGTH {
            let fair = random::bytes::<LENGTH>().into_iter().filter(|byte| *byte < FAIR);
            letters.extend(fair.take(LENGTH - letters.len()).map(letter));
        }
        UserCode(letters)
    }

    /// What a person typed: in any case, with whatever stands between the letters (RFC 8628 §6.1).
    pub(crate) fn parse(typed: &str) -> Option<UserCode> {
        let letters = typed.chars().map(|c| c.to_ascii_uppercase()).filter(char::is_ascii);
        let letters: String = letters.filter(|c| ALPHABET.contains(&(*c as u8))).collect();
        (letters.len() == LENGTH).then_some(UserCode(letters))
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
        for byte in 0..FAIR {
            counts[letter(byte) as usize] += 1;
        }
        assert!(ALPHABET.iter().all(|letter| counts[usize::from(*letter)] == u32::from(FAIR) / 20));
    }

    #[test]
    fn s27_user_codes_do_not_repeat() {
        let codes: HashSet<_> = (0..1000).map(|_| UserCode::random().to_string()).collect();
        assert_eq!(codes.len(), 1000);
    }

    #[test]
    fn s27_case_and_whatever_stands_between_the_letters_do_not_count() {
        let code = UserCode::parse("WDJB-MJHT");
        assert!(code.is_some());
        for typed in
            ["wdjbmjht", " wdjb mjht\n", "WDJB–MJHT", "w.d.j.b.m.j.h.t", "(WDJB)(MJHT)", "WDJB-MJHT0"]
        {
            assert_eq!(UserCode::parse(typed), code, "{typed}");
        }
    }

    #[test]
    fn what_is_not_eight_letters_of_the_alphabet_is_no_user_code() {
        for typed in ["", "-", "WDJB", "WDJB-MJH", "WDJB-MJHTT", "AEIO-UYAE", "1234-5678", "WDJＢ-MJHT"] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(typed: String) {
            let _ = UserCode::parse(&typed);
        }
    }
}
