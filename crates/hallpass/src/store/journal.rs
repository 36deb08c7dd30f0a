//! Notes about refreshes that processes share, in a small file beside the record.
//!
//! The journal holds no secrets and nothing essential: if it can't be read or written, a refresh goes on without it.
//! It's only changed while the record's lock is held, and never deleted.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::rfc3339;
use crate::crypto::{sha256, to_base64url};
use crate::secret::Secret;

/// The size limit for reading; a larger file isn't ours.
const MAX_BYTES: u64 = 64 * 1024;

/// The journal of one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Journal {
    /// The refresh that was sent, until its outcome is saved.
    pub(crate) in_flight: Option<InFlight>,
    /// The server asked not to send another request before this time (`Retry-After`).
    #[serde(with = "rfc3339::optional")]
    pub(crate) not_before: Option<SystemTime>,
    /// The number of finished refreshes, successful or not.
    pub(crate) attempts: u64,
    /// The error of the last refresh, if it failed.
    pub(crate) failure: Option<String>,
    /// Consecutive refusals that don't end the session.
    pub(crate) refusals: Option<Refusals>,
    /// The record that Hallpass wrote last, and the previous one as long as it might still be in place.
    pub(crate) written: Vec<Fingerprint>,
    /// Keys of records about to be erased. If the process dies midway, nothing else refers to them.
    pub(crate) left_keys: Vec<String>,
}

/// A refresh under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InFlight {
    pub(crate) pid: u32,
    #[serde(with = "rfc3339")]
    pub(crate) since: SystemTime,
    pub(crate) token: Fingerprint,
}

/// Refusals of one refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusals {
    pub(crate) token: Fingerprint,
    pub(crate) times: u32,
    #[serde(with = "rfc3339")]
    pub(crate) since: SystemTime,
}

/// The SHA-256 of a token or a record, base64url-encoded: enough to compare two of them, and nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn from_token(token: &Secret) -> Fingerprint {
        Fingerprint::from_bytes(token.expose().as_bytes())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Fingerprint {
        Fingerprint(to_base64url(&sha256(bytes)))
    }
}

impl Journal {
    /// The journal for a new session: without the notes about refreshes of the previous one.
    pub(crate) fn settled(&self) -> Journal {
        let Journal { written, left_keys, .. } = self.clone();
        Journal { attempts: self.attempts + 1, written, left_keys, ..Journal::default() }
    }

    /// Notes that the record `next` is about to replace `present`. The process may die before it does, so both count as
    /// ours.
    pub(crate) fn announce(&mut self, present: Option<&Fingerprint>, next: Fingerprint) {
        self.written.retain(|written| Some(written) == present);
        self.written.push(next);
    }

    /// Whether the `present` record was written by something other than Hallpass.
    pub(crate) fn is_foreign(&self, present: &Fingerprint) -> bool {
        !self.written.is_empty() && !self.written.contains(present)
    }
}

/// The file of a profile's journal.
pub(crate) struct JournalFile(PathBuf);

impl JournalFile {
    pub(crate) fn new(dir: &Path, profile: &str) -> JournalFile {
        JournalFile(dir.join(format!("{profile}.refresh")))
    }

    /// Returns the journal, or an empty one if it can't be read.
    pub(crate) fn read(&self) -> Journal {
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&self.0).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        match read.and_then(|_| Ok(serde_json::from_slice(&bytes)?)) {
            Ok(journal) => journal,
            Err(error) => {
                log::debug!("no journal at {}: {error}", self.0.display());
                Journal::default()
            }
        }
    }

    /// Overwrites the journal in place. It's small, and a half-written one reads as empty.
    pub(crate) fn write(&self, journal: &Journal) {
        if let Err(error) = self.try_write(journal) {
            log::debug!("could not write the journal {}: {error}", self.0.display());
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
    fn a_journal_round_trips_and_holds_no_token() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(dir.path(), "default");
        assert_eq!(file.read(), Journal::default());
        let token = Fingerprint::from_token(&Secret::new("CANARY".to_owned()));
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
        let [a, b, c, other] =
            ["a", "b", "c", "other"].map(|record| Fingerprint::from_bytes(record.as_bytes()));
        let mut journal = Journal::default();
        assert!(!journal.is_foreign(&other), "nothing was written yet");
        journal.announce(None, a.clone());
        for next in [&b, &c] {
            journal.announce(Some(&a), next.clone());
            assert!(!journal.is_foreign(&a) && !journal.is_foreign(next) && journal.is_foreign(&other));
        }
        assert!(journal.is_foreign(&b), "it never replaced the record");
        journal.announce(Some(&other), a.clone());
        assert!(journal.is_foreign(&other) && !journal.settled().is_foreign(&a));
    }

    #[test]
    fn a_broken_journal_reads_as_empty() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(dir.path(), "default");
        for text in ["", "{", "[]", "{\"in_flight\":7}"] {
            std::fs::write(dir.path().join("default.refresh"), text).unwrap();
            assert_eq!(file.read(), Journal::default());
        }
    }
}
