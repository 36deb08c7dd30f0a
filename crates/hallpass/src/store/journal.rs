//! The journal: a small file beside the record, by which processes tell each other about refreshes.
//!
//! It holds no secret and nothing essential: if it cannot be read or written, a refresh goes on without it. It is
//! written only under the record's lock, and never deleted.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::rfc3339;
use crate::crypto::{sha256, to_base64url};

/// The largest file that is read. A larger one is not a journal.
const MAX_BYTES: u64 = 64 * 1024;

/// The journal of one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Journal {
    /// The refresh that was sent and whose outcome is not saved.
    pub(crate) in_flight: Option<InFlight>,
    /// The time before which the server wants no further refresh (`Retry-After`).
    #[serde(with = "rfc3339::optional")]
    pub(crate) not_before: Option<SystemTime>,
    /// The number of refreshes that have succeeded or failed.
    pub(crate) attempts: u64,
    /// The reason why the last refresh failed; `None` if it succeeded.
    pub(crate) failure: Option<String>,
    /// Consecutive refusals that do not end the session.
    pub(crate) refusals: Option<Refusals>,
    /// The record that was last written here, and its predecessor until the replacement is certain.
    pub(crate) written: Vec<Fingerprint>,
    /// Keys of records that are being erased. If the process dies in between, nothing else refers to them.
    pub(crate) left_keys: Vec<String>,
}

/// A refresh that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InFlight {
    pub(crate) pid: u32,
    #[serde(with = "rfc3339")]
    pub(crate) since: SystemTime,
    pub(crate) token: Fingerprint,
}

/// Consecutive refusals of one refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusals {
    pub(crate) token: Fingerprint,
    pub(crate) times: u32,
    #[serde(with = "rfc3339")]
    pub(crate) since: SystemTime,
}

/// Identifies a token or a record without revealing it: its SHA-256, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn new(bytes: &[u8]) -> Fingerprint {
        Fingerprint(to_base64url(&sha256(bytes)))
    }
}

impl Journal {
    /// Returns the journal after a refresh has succeeded or the session was replaced: without earlier failures.
    pub(crate) fn settled(&self) -> Journal {
        let Journal { written, left_keys, .. } = self.clone();
        Journal { attempts: self.attempts + 1, written, left_keys, ..Journal::default() }
    }

    /// Notes that a record is about to replace the `present` one. If the process dies in between, either is ours.
    pub(crate) fn announce(&mut self, present: Option<&Fingerprint>, next: Fingerprint) {
        self.written.retain(|written| Some(written) == present);
        self.written.push(next);
    }

    /// Whether something other than Hallpass wrote the `present` record, as far as the journal knows.
    pub(crate) fn is_foreign(&self, present: &Fingerprint) -> bool {
        !self.written.is_empty() && !self.written.contains(present)
    }
}

/// The journal's file.
pub(crate) struct JournalFile(PathBuf);

impl JournalFile {
    pub(crate) fn new(dir: &Path, profile: &str) -> JournalFile {
        JournalFile(dir.join(format!("{profile}.refresh")))
    }

    /// Reads the journal. Returns an empty one if it cannot be read.
    pub(crate) fn read(&self) -> Journal {
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&self.0).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        match read.and_then(|_| Ok(serde_json::from_slice(&bytes)?)) {
            Ok(journal) => journal,
            Err(error) => {
                log::debug!("cannot read the journal {}: {error}", self.0.display());
                Journal::default()
            }
        }
    }

    /// Overwrites the journal in place: it is small, and half of one reads as an empty one.
    pub(crate) fn write(&self, journal: &Journal) {
        if let Err(error) = self.try_write(journal) {
            log::debug!("cannot write the journal {}: {error}", self.0.display());
        }
    }

    fn try_write(&self, journal: &Journal) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.0)?;
        let bytes = serde_json::to_vec(journal)?;
        file.rewind()?;
        file.write_all(&bytes)?;
        file.set_len(bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_reads_back_as_written_and_holds_no_token() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(dir.path(), "default");
        assert_eq!(file.read(), Journal::default());
        let token = Fingerprint::new(b"CANARY");
        let since = humantime::parse_rfc3339("2026-11-22T10:00:00Z").unwrap();
        let long = Journal {
            in_flight: Some(InFlight { pid: 7, since, token: token.clone() }),
            not_before: Some(since),
            attempts: 3,
            failure: Some("no response".to_owned()),
            refusals: Some(Refusals { token: token.clone(), times: 2, since }),
            written: vec![token],
            left_keys: vec!["k1".to_owned()],
        };
        for journal in [&long, &Journal::default(), &long] {
            file.write(journal);
            assert_eq!(file.read(), *journal);
        }
        assert!(!std::fs::read_to_string(dir.path().join("default.refresh")).unwrap().contains("CANARY"));
    }

    #[test]
    fn p39_only_the_announced_record_and_the_one_it_replaces_are_ours() {
        let [a, b, c, other] = ["a", "b", "c", "other"].map(|record| Fingerprint::new(record.as_bytes()));
        let mut journal = Journal::default();
        assert!(!journal.is_foreign(&other), "nothing is known");
        journal.announce(None, a.clone());
        for next in [&b, &c] {
            journal.announce(Some(&a), next.clone());
            assert!(!journal.is_foreign(&a) && !journal.is_foreign(next) && journal.is_foreign(&other));
        }
        assert!(journal.is_foreign(&b), "it was never in place");
        journal.announce(Some(&other), a.clone());
        assert!(journal.is_foreign(&other) && !journal.settled().is_foreign(&a));
    }

    #[test]
    fn a_broken_journal_reads_as_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(dir.path(), "default");
        for text in ["", "{", "[]", "{\"in_flight\":7}"] {
            std::fs::write(dir.path().join("default.refresh"), text).unwrap();
            assert_eq!(file.read(), Journal::default());
        }
    }
}
