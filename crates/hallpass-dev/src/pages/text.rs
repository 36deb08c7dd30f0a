//! Text from requests, cleaned for display.

/// Drops control characters and those that hide or reverse text, and limits the length. The templates escape markup.
pub(super) fn clean(text: &str) -> String {
    let is_deceptive = |c| {
        matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().filter(|c| !c.is_control() && !is_deceptive(*c)).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s39_control_and_direction_characters_are_dropped() {
        assert_eq!(clean("a\u{202e}b\u{200b}c\r\n\u{1b}[31md"), "abc[31md");
        assert_eq!(clean(&"x".repeat(1000)).len(), 200);
    }
}
