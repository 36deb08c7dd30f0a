//! The result of checking whether a login would work on this machine.

use std::fmt;

use crate::browser::Explanation;
use crate::error::Error;

/// The result of [`Hallpass::diagnose`](crate::Hallpass::diagnose): findings about this machine and the server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Whether a login would open a browser, and why.
    pub explanation: Explanation,
    /// One finding per check, in the order in which a login depends on them.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// Returns the first error that a login would fail with, or `None` if no check failed.
    pub fn trouble(&self) -> Option<&Error> {
        self.findings.iter().find_map(|finding| match &finding.verdict {
            Verdict::Trouble(error) => Some(error),
            _ => None,
        })
    }
}

/// The result of one check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The subject of the check.
    pub subject: Subject,
    /// Whether a login would get past it.
    pub verdict: Verdict,
    /// The finding in one line. For [`Verdict::Trouble`], the error's text.
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

/// Whether a login would get past a check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Verdict {
    /// No problem.
    Good,
    /// A login would go on, but the user may want to know about this.
    Remark,
    /// A login would fail with this error.
    Trouble(Error),
}

impl Verdict {
    /// Returns `good`, `remark` or `trouble`.
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
    /// The file or memory that holds the credentials.
    Store,
    /// The keychain, which holds the key that encrypts the credentials.
    Keychain,
    /// The proxy for requests to the server.
    Proxy,
    /// The trusted certificate authorities.
    Trust,
    /// The server's metadata (OpenID Connect Discovery 1.0, RFC 8414).
    Server,
    /// This machine's clock, compared with the server's.
    Clock,
    /// The features that the server's metadata lists.
    Features,
}

impl Subject {
    /// Returns the subject as one lower-case word.
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
