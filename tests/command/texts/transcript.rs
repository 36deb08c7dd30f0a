//! Runs of the command, written down for a snapshot.

use hallpass_test::command::{CommandSandbox, Invocation, Outcome};

/// What differs from run to run, with what stands for it. Applied in this order.
const REPLACED: [(&str, &str); 27] = [
    (r"\x1b\[[0-9;]*[A-Za-z]", ""),
    (r"/[^\s,;:)]*/(home|tmp|browser\.sh)\b", "[dir]/$1"),
    (r"/[^\s,;:)]*/target/debug/hallpass", "hallpass"),
    (r"(code_challenge|state|nonce|code|client_id|user_code)=[A-Za-z0-9_.%~-]{8,}", "$1=[…]"),
    (r"(127\.0\.0\.1|localhost|\[::1\])(%3A|:)\d{2,5}", "$1${2}PORT"),
    (r"127\.0\.0\.1-\d+", "127.0.0.1-PORT"),
    (r"/\.dockerenv=exists, ", ""),
    (r#"("/\.dockerenv": ?)"exists""#, "${1}null"),
    (r#"(osrelease(=|": ?"))[^,"]+"#, "${1}[kernel]"),
    (r"\b(0\.0\.0\.0):\d+", "$1:PORT"),
    (r"port \d{4,5}", "port PORT"),
    (r"ssh -L \d+:127\.0\.0\.1:PORT", "ssh -L PORT:127.0.0.1:PORT"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "[time]"),
    (r"\b([Pp])rocess \d+", "${1}rocess PID"),
    (r#""pid": ?\d+"#, r#""pid": PID"#),
    (r"\b(\d+days? )?(\d+h )?(\d+m )?\d+s (left|old|ago)", "[duration] $4"),
    (r"\bexpires in \d+[hms]( \d+[ms])*", "expires in [duration]"),
    (r"\b(59m|1h|59m \d+s|4m \d+s|5m)\b left", "[duration] left"),
    (r"\b\d+(\.\d+)? ?(ms|µs)\b", "[duration]"),
    (r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b", "USER-CODE"),
    (r"hallpass \d+\.\d+\.\d+", "hallpass [version]"),
    (r"\b[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", "[jwt]"),
    (r"\b[A-Za-z0-9_-]{40,}\b", "[random]"),
    (r#""left": ?\d+"#, r#""left": 0"#),
    (r#"(expires_in"?: ?)\d+"#, "${1}0"),
    (r"tmp\.?[A-Za-z0-9]{6}", "[tmp]"),
];

/// The text of a snapshot.
#[derive(Default)]
pub(super) struct Transcript {
    text: String,
}

impl Transcript {
    /// Writes a line about what comes next.
    pub(super) fn about(&mut self, what: &str) {
        self.text.push_str(&format!("## {what}\n"));
    }

    /// Runs the command in a sandbox.
    pub(super) fn run(&mut self, sandbox: &CommandSandbox, args: &[&str]) {
        self.play(args, sandbox.hallpass(args));
    }

    /// Runs a prepared command, shown with these arguments.
    pub(super) fn play(&mut self, args: &[&str], invocation: Invocation<'_>) {
        let outcome = invocation.run();
        self.outcome(args, &outcome);
    }

    /// Writes down how a run ended.
    pub(super) fn outcome(&mut self, args: &[&str], outcome: &Outcome) {
        let words: Vec<String> = args.iter().map(|word| quoted(word)).collect();
        self.text.push_str(&format!("$ hallpass {}\n", words.join(" ")));
        for (name, output) in [("", &outcome.stdout), ("stderr:\n", &outcome.stderr)] {
            if !output.is_empty() {
                self.text.push_str(name);
                self.text.push_str(output);
                if !output.ends_with('\n') {
                    self.text.push('\n');
                }
            }
        }
        self.text.push_str(&format!("exit code {}\n\n", outcome.code));
    }

    /// Writes down any other text.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str("\n\n");
    }

    /// Compares the transcript with the snapshot of this name.
    pub(super) fn check(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_path("../snapshots");
        for (pattern, replacement) in REPLACED {
            settings.add_filter(pattern, replacement);
        }
        settings.bind(|| insta::assert_snapshot!(name, self.text.trim_end()));
    }
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word.to_owned() }
}
