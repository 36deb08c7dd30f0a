//! Breaks long lines for narrow terminals.

/// Breaks lines between words. A word that is too long, such as a URL, stays in one piece so that it can be copied, and so
/// does an indented line.
pub fn fold(text: &str, columns: usize) -> String {
    text.split('\n').map(|line| fold_line(line, columns)).collect::<Vec<_>>().join("\n")
}

fn fold_line(line: &str, columns: usize) -> String {
    if line.starts_with(' ') {
        return line.to_owned();
    }
    let (mut folded, mut used) = (String::with_capacity(line.len()), 0);
    for word in line.split(' ') {
        let length = word.chars().count();
        let fits = used + 1 + length <= columns;
        match used {
            0 => {}
            _ if fits => folded.push(' '),
            _ => folded.push('\n'),
        }
        used = if used > 0 && fits { used + 1 + length } else { length };
        folded.push_str(word);
    }
    folded
}

/// The width of the terminal on standard error.
#[cfg(unix)]
pub(super) fn columns_of_stderr() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Left to the terminal.
#[cfg(not(unix))]
pub(super) fn columns_of_stderr() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_at_line_feeds() {
        assert_eq!(fold("aa bb cc\ndd", 5), "aa bb\ncc\ndd");
        assert_eq!(fold("aa bb cc", 8), "aa bb cc");
        assert_eq!(fold("\n\naa\n", 1), "\n\naa\n");
    }

    #[test]
    fn p18_a_url_stays_in_one_piece() {
        assert_eq!(
            fold("on http://127.0.0.1:5/callback... now", 10),
            "on\nhttp://127.0.0.1:5/callback...\nnow"
        );
        assert_eq!(fold("    WDJB-MJHT and more", 10), "    WDJB-MJHT and more");
    }
}
