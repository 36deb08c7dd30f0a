//! The `.env` file that `--env-file` names.

use std::collections::BTreeMap;

/// The variables that are read from such a file, and other names for them that servers' guides use.
const KNOWN: [(&str, &[&str]); 6] = [
    ("HALLPASS_ISSUER", &["ISSUER", "CLERK_ISSUER"]),
    ("HALLPASS_CLIENT_ID", &["CLIENT_ID", "CLERK_OAUTH_CLIENT_ID"]),
    ("HALLPASS_CLIENT_SECRET", &[]),
    ("HALLPASS_SCOPE", &[]),
    ("HALLPASS_REDIRECT_URI", &["REDIRECT_URI"]),
    ("HALLPASS_RESOURCE", &[]),
];

/// A parsed file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvFile {
    variables: BTreeMap<&'static str, String>,
    /// Names in the file that are not read.
    pub(crate) ignored: Vec<String>,
}

impl EnvFile {
    /// Parses `NAME=value` lines, blank lines and `#` comments. `export ` before a name and quotes around a value are
    /// removed. Nothing is expanded or run.
    ///
    /// # Errors
    /// The number of the first line of another form.
    pub(crate) fn parse(text: &str) -> Result<EnvFile, usize> {
        let mut file = EnvFile::default();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=').ok_or(number + 1)?;
            file.insert(name.trim(), unquoted(value.trim()));
        }
        Ok(file)
    }

    /// Returns a variable by its `HALLPASS_` name.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// Adds a variable. A `HALLPASS_` name wins over the other names for the same setting.
    fn insert(&mut self, name: &str, value: &str) {
        for (known, aliases) in KNOWN {
            if name == known {
                self.variables.insert(known, value.to_owned());
                return;
            }
            if aliases.contains(&name) {
                self.variables.entry(known).or_insert_with(|| value.to_owned());
                return;
            }
        }
        self.ignored.push(name.to_owned());
    }
}

/// Removes quotes, or a ` #` comment if there are none.
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

    #[track_caller]
    fn assert_value(file: &EnvFile, name: &str, value: &str) {
        assert_eq!(file.get(name).as_deref(), Some(value));
    }

    #[test]
    fn the_documents_names_and_ours_are_read() {
        let file = EnvFile::parse(
            "# Paylent\nISSUER=http://localhost:4000\nexport CLIENT_ID='my cli' \n\nREDIRECT_URI=\"http://localhost:9999/callback\" # exact\nHALLPASS_SCOPE=openid email # two\n",
        )
        .unwrap();
        assert_value(&file, "HALLPASS_ISSUER", "http://localhost:4000");
        assert_value(&file, "HALLPASS_CLIENT_ID", "my cli");
        assert_value(&file, "HALLPASS_REDIRECT_URI", "http://localhost:9999/callback");
        assert_value(&file, "HALLPASS_SCOPE", "openid email");
    }

    #[test]
    fn our_own_name_rules() {
        for text in ["HALLPASS_ISSUER=a\nISSUER=b", "ISSUER=b\nHALLPASS_ISSUER=a"] {
            assert_value(&EnvFile::parse(text).unwrap(), "HALLPASS_ISSUER", "a");
        }
    }

    #[test]
    fn everything_else_is_named_and_ignored() {
        let file = EnvFile::parse("PATH=/evil\nHALLPASS_STATE_DIR=/x\nBROWSER=evil %s").unwrap();
        assert_eq!(file.ignored, ["PATH", "HALLPASS_STATE_DIR", "BROWSER"]);
        assert!(file.variables.is_empty());
    }

    #[test]
    fn nothing_is_expanded_and_a_line_that_makes_no_sense_is_named() {
        assert_value(&EnvFile::parse("CLIENT_ID=$(id)").unwrap(), "HALLPASS_CLIENT_ID", "$(id)");
        assert_eq!(EnvFile::parse("A=1\nnonsense"), Err(2));
    }
}
