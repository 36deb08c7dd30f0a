//! A `.env` file that was named on the command line.

use std::collections::BTreeMap;

/// The settings that may come from such a file, with the names that the reference documents use for them.
const KNOWN: [(&str, &[&str]); 6] = [
    ("issuer", &["HALLPASS_ISSUER", "ISSUER", "CLERK_ISSUER"]),
    ("client_id", &["HALLPASS_CLIENT_ID", "CLIENT_ID", "CLERK_OAUTH_CLIENT_ID"]),
    ("client_secret", &["HALLPASS_CLIENT_SECRET"]),
    ("scope", &["HALLPASS_SCOPE"]),
    ("redirect_uri", &["HALLPASS_REDIRECT_URI", "REDIRECT_URI"]),
    ("resource", &["HALLPASS_RESOURCE"]),
];

/// What a file says: the settings that count, and the names that do not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvFile {
    settings: BTreeMap<&'static str, String>,
    pub(crate) ignored: Vec<String>,
}

impl EnvFile {
    /// Reads `NAME=value` lines: blank lines, `#` comments, `export `, and quotes around the value are known.
    /// Nothing is expanded or run.
    ///
    /// # Errors
    /// The number of the first line that is none of these.
    pub(crate) fn parse(text: &str) -> Result<EnvFile, usize> {
        let mut file = EnvFile::default();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=').ok_or(number + 1)?;
            file.take(name.trim(), unquoted(value.trim()));
        }
        Ok(file)
    }

    pub(crate) fn get(&self, setting: &str) -> Option<&str> {
        self.settings.get(setting).map(String::as_str)
    }

    /// Hallpass's own name rules over the documents' names.
    fn take(&mut self, name: &str, value: &str) {
        match KNOWN.iter().find(|(_, names)| names.contains(&name)) {
            Some((setting, _)) if name.starts_with("HALLPASS_") => {
                self.settings.insert(setting, value.to_owned());
            }
            Some((setting, _)) => {
                self.settings.entry(setting).or_insert_with(|| value.to_owned());
            }
            None => self.ignored.push(name.to_owned()),
        }
    }
}

/// Without quotes, a ` #` begins a comment.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    value.split(" #").next().unwrap_or(value).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_names_and_ours_are_read() {
        let file = EnvFile::parse(
            "# Paylent\nISSUER=http://localhost:4000\nexport CLIENT_ID='my cli' \n\nREDIRECT_URI=\"http://localhost:9999/callback\" # exact\nHALLPASS_SCOPE=openid email # two\n",
        )
        .unwrap();
        assert_eq!(file.get("issuer"), Some("http://localhost:4000"));
        assert_eq!(file.get("client_id"), Some("my cli"));
        assert_eq!(file.get("redirect_uri"), Some("http://localhost:9999/callback"));
        assert_eq!(file.get("scope"), Some("openid email"));
    }

    #[test]
    fn our_own_name_rules() {
        for text in ["HALLPASS_ISSUER=a\nISSUER=b", "ISSUER=b\nHALLPASS_ISSUER=a"] {
            assert_eq!(EnvFile::parse(text).unwrap().get("issuer"), Some("a"));
        }
    }

    #[test]
    fn everything_else_is_named_and_ignored() {
        let file = EnvFile::parse("PATH=/evil\nHALLPASS_STATE_DIR=/x\nBROWSER=evil %s").unwrap();
        assert_eq!(file.ignored, ["PATH", "HALLPASS_STATE_DIR", "BROWSER"]);
        assert!(file.settings.is_empty());
    }

    #[test]
    fn nothing_is_expanded_and_a_line_that_makes_no_sense_is_named() {
        assert_eq!(EnvFile::parse("CLIENT_ID=$(id)").unwrap().get("client_id"), Some("$(id)"));
        assert_eq!(EnvFile::parse("A=1\nnonsense"), Err(2));
    }
}
