//! What processes tell each other about refreshes, in a small file beside the record.
//!
//! It holds no secret and nothing that cannot be done without: where it cannot be read or written, a refresh goes
//! on without it. It changes only under the lock of the record, and is never deleted.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::record::rfc3339;
use crate::crypto::{sha256, to_base64url};
use crate::secret::Secret;

/// More was not written by us.
const MAX_BYTES: u64 = 64 * 1024;

/// The journal of one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Journal {
    /// The refresh that was sent and whose outcome is not saved yet.
    pub(crate) in_flight: Option<InFlight>,
    /// The server asked all to wait until then (`Retry-After`).
    #[serde(with = "rfc3339::optional")]
    pub(crate) not_before: Option<SystemTime>,
    /// Refreshes that were answered, or failed, in all.
    pub(crate) attempts: u64,
    /// How the last one failed.
    pub(crate) failure: Option<String>,
    /// Refusals in a row that do not end a session.
    pub(crate) refusals: Option<Refusals>,
    /// The record as it was last written here, and the one before while that may not be in its place yet.
    pub(crate) written: Vec<Fingerprint>,
    /// Keys of records that are about to be erased. Where the process dies in between, nothing else names them.
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

/// Tells two tokens, or two records, apart and nothing more: SHA-256, base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(token: &Secret) -> Fingerprint {
        Fingerprint::of_bytes(token.expose().as_bytes())
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Fingerprint {
        Fingerprint(to_base64url(&sha256(bytes)))
    }
}

impl Journal {
    /// Nothing that is noted of refreshes holds for what comes next.
    pub(crate) fn settled(&self) -> Journal {
        let Journal { written, left_keys, .. } = self.clone();
        Journal { attempts: self.attempts + 1, written, left_keys, ..Journal::default() }
    }

    /// Before a record is put in the place of the `present` one. A process may die in between, so both are ours then.
    pub(crate) fn announce(&mut self, present: Option<&Fingerprint>, next: Fingerprint) {
        self.written.retain(|written| Some(written) == present);
        self.written.push(next);
    }

    /// Whether somebody else wrote the `present` record.
    pub(crate) fn is_foreign(&self, present: &Fingerprint) -> bool {
        !self.written.is_empty() && !self.written.contains(present)
    }
}

/// Where a journal is kept.
pub(crate) struct JournalFile(PathBuf);

impl JournalFile {
    pub(crate) fn new(dir: &Path, profile: &str) -> JournalFile {
        JournalFile(dir.join(format!("{profile}.refresh")))
    }

    /// The journal; a new one where it cannot be read.
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

    /// Written over in place: it is small, and half of one reads as none.
    pub(crate) fn write(&self, journal: &Journal) {
        if let Err(error) = self.try_write(journal) {
            log::debug!("the journal {} cannot be written: {error}", self.0.display());
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
    fn what_is_written_is_read_and_holds_no_token() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(dir.path(), "default");
        assert_eq!(file.read(), Journal::default());
        let token = Fingerprint::of(&Secret::new("CANARY".to_owned()));
        let since = humantime::parse_rfc3339("2026-11-22T10:00:00Z").unwrap();
        let long = Journal {
            in_flight: Some(InFlight { pid: 7, since, token: token.clone() }),
            not_before: Some(since),
            attempts: 3,
            failure: Some("no answer".to_owned()),
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
    fn p39_what_is_announced_and_what_it_replaces_are_ours_and_nothing_else() {
        let [a, b, c, other] =
            ["a", "b", "c", "other"].map(|record| Fingerprint::of_bytes(record.as_bytes()));
        let mut journal = Journal::default();
        assert!(!journal.is_foreign(&other), "nothing is known");
        journal.announce(None, a.clone());
        for next in [&b, &c] {
            journal.announce(Some(&a), next.clone());
            assert!(!journal.is_foreign(&a) && !journal.is_foreign(next) && journal.is_foreign(&other));
        }
        assert!(journal.is_foreign(&b), "it was never put in its place");
        journal.announce(Some(&other), a.clone());
        assert!(journal.is_foreign(&other) && !journal.settled().is_foreign(&a));
    }

    #[test]
    fn a_broken_journal_is_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(dir.path(), "default");
        for text in ["", "{", "[]", "{\"in_flight\":7}"] {
            std::fs::write(dir.path().join("default.refresh"), text).unwrap();
            assert_eq!(file.read(), Journal::default());
        }
    }
}
