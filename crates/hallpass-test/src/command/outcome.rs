//! How a run of the command ended, and what it printed.

use std::time::Duration;

use serde_json::Value;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    /// The arguments; shown by `Debug` when an assertion fails.
    pub call: String,
}

impl Outcome {
    /// Panics unless it succeeded.
    #[track_caller]
    pub fn ok(self) -> Outcome {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// Returns the one line on stdout.
    #[track_caller]
    pub fn value(&self) -> &str {
        let value = self.stdout.strip_suffix('\n').filter(|value| !value.is_empty() && !value.contains('\n'));
        value.unwrap_or_else(|| panic!("not one line: {self:#?}"))
    }

    /// Returns stdout as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Returns stdout as one JSON value per line.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let event = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        self.stdout.lines().map(event).collect()
    }

    /// Panics unless it failed with this exit code, an empty stdout, and one `error:` line and one `hint:` line that
    /// contain these texts, at the end of stderr.
    #[track_caller]
    pub fn fails(&self, code: i32, error: &str, hint: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:#?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!((count("error: "), count("hint: ")), (1, 1), "{self:#?}");
        let [.., error_line, hint_line] = lines.as_slice() else { panic!("{self:#?}") };
        assert!(error_line.starts_with("error: ") && error_line.contains(error), "not {error:?}: {self:#?}");
        assert!(hint_line.starts_with("hint: ") && hint_line.contains(hint), "not {hint:?}: {self:#?}");
    }

    /// Panics unless it failed with this exit code and kind in the last JSON object on stdout, and without an error on
    /// stderr. Returns that object.
    #[track_caller]
    pub fn fails_as_json(&self, code: i32, kind: &str) -> Value {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.stderr.contains("error:"), "{self:#?}");
        let last = self.events().pop().unwrap_or_else(|| panic!("{self:#?}"));
        let error = &last["error"];
        assert_eq!((&error["code"], &error["kind"]), (&code.into(), &kind.into()), "{self:#?}");
        assert!(error["message"].is_string() && error.get("hint").is_some(), "{self:#?}");
        last
    }
}
