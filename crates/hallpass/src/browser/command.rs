//! A browser given as a command.

use std::fmt;

/// Browsers that take over the terminal. They are started only if one is named.
const TEXT_BROWSERS: [&str; 7] = ["browsh", "elinks", "links", "links2", "lynx", "w3m", "www-browser"];

/// A program that is started with the URL as one argument, never through a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserCommand {
    words: Vec<String>,
}

impl BrowserCommand {
    /// Parses a command line: words separated by spaces, or in quotes. The URL replaces `%s`, else it is appended.
    /// Returns `None` if there is no word.
    pub fn parse(line: &str) -> Option<BrowserCommand> {
        let words = words(line);
        (!words.is_empty()).then_some(BrowserCommand { words })
    }

    /// Parses `$BROWSER`: commands separated by `:` (by `;` on Windows), each tried if the one before it fails. `none` ends
    /// the list; an empty list asks for no browser.
    pub fn parse_list(list: &str) -> Vec<BrowserCommand> {
        let separator = if cfg!(windows) { ';' } else { ':' };
        let lines = list.split(separator).map(str::trim).take_while(|line| *line != "none");
        lines.filter_map(BrowserCommand::parse).collect()
    }

    /// Whether it takes over the terminal.
    pub fn is_text_browser(&self) -> bool {
        let name = self.words[0].rsplit(std::path::is_separator).next().unwrap_or_default();
        TEXT_BROWSERS.contains(&name)
    }

    pub(super) fn program(&self) -> &str {
        &self.words[0]
    }

    /// The command is split before the URL is inserted, so no URL can add an argument.
    pub(super) fn arguments(&self, url: &str) -> Vec<String> {
        let mut arguments: Vec<String> = self.words[1..].iter().map(|word| word.replace("%s", url)).collect();
        if !self.words.iter().any(|word| word.contains("%s")) {
            arguments.push(url.to_owned());
        }
        arguments
    }
}

impl fmt::Display for BrowserCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::sanitize::text(&self.words.join(" ")))
    }
}

/// Splits at spaces outside quotes. An unclosed quote extends to the end.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut is_word, mut quote) = (String::new(), false, None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => (quote, is_word) = (Some(c), true),
            None if c.is_whitespace() => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                    is_word = false;
                }
            }
            _ => {
                word.push(c);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l03_a_url_is_always_one_argument() {
        let url = "https://a.example/?x=1 --proxy-server=evil&y='\"$(id)";
        let arguments = |line: &str| BrowserCommand::parse(line).unwrap().arguments(url);
        assert_eq!(arguments("firefox"), [url]);
        assert_eq!(arguments("firefox --new-window"), ["--new-window", url]);
        assert_eq!(arguments("firefox --app=%s --x"), [&format!("--app={url}"), "--x"]);
        assert_eq!(BrowserCommand::parse("  "), None);
    }

    #[test]
    fn p20_quotes_keep_words_together() {
        let words = |line: &str| BrowserCommand::parse(line).unwrap().words;
        assert_eq!(words("open -a 'Google Chrome' %s"), ["open", "-a", "Google Chrome", "%s"]);
        assert_eq!(words("\"/mnt/c/Program Files/x.exe\"  --x="), ["/mnt/c/Program Files/x.exe", "--x="]);
        assert_eq!(words("a '' b"), ["a", "", "b"]);
        assert_eq!(words("a --title=\"it's\""), ["a", "--title=it's"]);
        assert_eq!(words("a 'never closed"), ["a", "never closed"]);
    }

    #[cfg(not(windows))]
    #[test]
    fn p20_a_list_is_split_at_colons_and_ends_at_none() {
        let list =
            |text: &str| BrowserCommand::parse_list(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(list("firefox:chromium --new-window %s"), ["firefox", "chromium --new-window %s"]);
        assert_eq!(list("firefox: none :w3m"), ["firefox"]);
        assert_eq!(list(":firefox::"), ["firefox"]);
        for none in ["none", "none:firefox", ":", " "] {
            assert_eq!(list(none), <[&str; 0]>::default(), "{none}");
        }
    }

    #[test]
    fn p20_text_browsers_are_known_by_name() {
        let is_text = |line: &str| BrowserCommand::parse(line).unwrap().is_text_browser();
        assert!(is_text("w3m") && is_text("/usr/bin/lynx -accept_all_cookies") && is_text("links2 %s"));
        assert!(!is_text("firefox") && !is_text("/opt/w3m/firefox"));
    }
}
