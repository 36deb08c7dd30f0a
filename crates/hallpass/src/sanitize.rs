//! Text from a server, made harmless for a terminal.

/// Longest text of a server that is shown, in characters.
const MAX_CHARS: usize = 300;

/// Removes control, bidirectional and zero-width characters, folds white space, and shortens.
///
/// Everything a server says goes through here before it reaches a person (CVE-2024-52005 and its kin:
/// escape sequences in server text move the cursor, retitle the window, or reverse what is read).
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
    shorten(clean)
}

/// Whether a terminal might obey or hide `c`: a control, bidirectional or zero-width character.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn shorten(mut text: String) -> String {
    if let Some((cut, _)) = text.char_indices().nth(MAX_CHARS) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(text("\u{1b}]0;owned\u{7}\u{1b}[31mred\r\nnext"), "]0;owned[31mred next");
    }

    #[test]
    fn bidi_and_zero_width_characters_go() {
        assert_eq!(text("a\u{202e}b\u{200b}c\u{2066}d\u{feff}"), "abcd");
    }

    #[test]
    fn long_text_is_shortened() {
        let long = text(&"x".repeat(65_536));
        assert_eq!(long.chars().count(), 301);
    }

    #[test]
    fn other_scripts_stay() {
        assert_eq!(text("Zugriff verweigert – 拒否"), "Zugriff verweigert – 拒否");
    }
}
