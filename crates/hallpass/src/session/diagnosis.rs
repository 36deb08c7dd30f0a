//! Diagnosis of a login that does not work.

use std::fmt;

use crate::browser::Explanation;
use crate::error::Error;

/// Findings about this machine and the server: the result of
/// [`Hallpass::diagnose`](crate::Hallpass::diagnose).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Diagnosis {
    /// How a login would use the browser.
    pub explanation: Explanation,
    /// One finding per check, in the order in which a login needs it.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// The error with which a login would fail first; `None` if no problem is known.
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
    /// The check.
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

/// The subject of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// The place of the record.
    Store,
    /// The keychain with the key that encrypts it.
    Keychain,
    /// The proxy.
    Proxy,
    /// The trusted certificate authorities.
    Trust,
    /// Whether the server answers and says who it is (OpenID Discovery 1.0, RFC 8414).
    Server,
    /// This machine's clock beside the server's.
    Clock,
    /// The features in the server's metadata.
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
