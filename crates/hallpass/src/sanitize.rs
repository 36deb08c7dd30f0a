//! Cleaning text from outside before it is shown.

/// The number of characters after which a text is cut.
const MAX_CHARS: usize = 300;

/// Removes control and invisible characters, collapses white space, and cuts the text after 300 characters.
///
/// All text from a server passes through this function before it is shown. Otherwise its escape sequences could move
/// the cursor, retitle the window, or reverse the text (CVE-2024-52005).
pub(crate) fn text(raw: &str) -> String {
    let mut clean = String::new();
    let mut gap = false;
    for c in raw.chars().take(4 * MAX_CHARS) {
        if c.is_whitespace() {
            gap = !clean.is_empty();
        } else if !is_unprintable(c) {
            if std::mem::take(&mut gap) {
                clean.push(' ');
            }
            clean.push(c);
        }
    }
    if let Some((end, _)) = clean.char_indices().nth(MAX_CHARS) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

/// Whether a terminal might obey or hide `c`: a control, bidirectional or zero-width character.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(text("\u{1b}]0;owned\u{7}\u{1b}[31mred\r\nnext"), "]0;owned[31mred next");
    }

    #[test]
    fn bidi_and_zero_width_characters_are_removed() {
        assert_eq!(text("a\u{202e}b\u{200b}c\u{2066}d\u{feff}"), "abcd");
    }

    #[test]
    fn long_text_is_shortened() {
        let long = text(&"x".repeat(65_536));
        assert_eq!(long.chars().count(), 301);
    }

    #[test]
    fn other_scripts_are_kept() {
        assert_eq!(text("Zugriff verweigert – 拒否"), "Zugriff verweigert – 拒否");
    }

    #[test]
    fn control_and_invisible_characters_are_unprintable() {
        for c in [
            '\u{ad}',
            '\u{180e}',
            '\u{200b}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}',
            '\n',
            '\u{1b}',
        ] {
            assert!(is_unprintable(c), "{c:?}");
        }
        for c in ['a', 'ü', '拒', '…', ' '] {
            assert!(!is_unprintable(c), "{c:?}");
        }
    }
}
