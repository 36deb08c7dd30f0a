//! What a login would meet here, for a person whose login does not work.

use std::fmt;

use crate::browser::Explanation;
use crate::error::Error;

/// What was found out about this machine and the server: the answer of
/// [`Hallpass::diagnose`](crate::Hallpass::diagnose).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What a login would do about the browser.
    pub explanation: Explanation,
    /// What was looked at, in the order in which a login needs it.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// What a login would fail with first; `None` where nothing is known to stand in its way.
    pub fn trouble(&self) -> Option<&Error> {
        self.findings.iter().find_map(|finding| match &finding.verdict {
            Verdict::Trouble(error) => Some(error),
            _ => None,
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub subject: Subject,
    /// Whether a login can go on with it.
    pub verdict: Verdict,
    /// How it is, in one line; for [`Verdict::Trouble`] the text of its error.
    pub text: String,
}

impl Finding {
    pub(crate) fn good(subject: Subject, text: impl Into<String>) -> Finding {
        Finding { subject, verdict: Verdict::Good, text: text.into() }
    }

    pub(crate) fn remark(subject: Subject, text: impl Into<String>) -> Finding {
        Finding { subject, verdict: Verdict::Remark, text: text.into() }
    }

    pub(crate) fn trouble(subject: Subject, error: impl Into<Error>) -> Finding {
        let error = error.into();
        Finding { subject, text: error.to_string(), verdict: Verdict::Trouble(error) }
    }
}

/// Whether a login can go on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Verdict {
    /// All is well.
    Good,
    /// It can, and the person may want to know.
    Remark,
    /// It would end with this.
    Trouble(Error),
}

impl Verdict {
    /// `good`, `remark` or `trouble`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Remark => "remark",
            Verdict::Trouble(_) => "trouble",
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// Where the record is kept.
    Store,
    /// What keeps the key that seals it.
    Keychain,
    /// What requests go through.
    Proxy,
    /// Whose certificates are believed.
    Trust,
    /// Whether the server answers and says who it is (OpenID Discovery 1.0, RFC 8414).
    Server,
    /// This machine's clock beside the server's.
    Clock,
    /// What the server says that it can do.
    Features,
}

impl Subject {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Subject::Store => "store",
            Subject::Keychain => "keychain",
            Subject::Proxy => "proxy",
            Subject::Trust => "trust",
            Subject::Server => "server",
            Subject::Clock => "clock",
            Subject::Features => "features",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject.as_str(), self.text)
    }
}
