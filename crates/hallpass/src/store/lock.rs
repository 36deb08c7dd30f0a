//! A file lock: one writer at a time across processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, NetworkError, NetworkErrorKind, StoreError};
use crate::interrupt::Canceller;

/// The pause between two attempts: too short to notice, long enough not to burn a core.
const RETRY: Duration = Duration::from_millis(10);

/// How long to wait for the holder's pid, which is written only after the file is locked.
const INTRODUCTION: Duration = Duration::from_millis(500);

/// A lock on a separate file, which holds the holder's pid and is never deleted. The operating system releases the
/// lock if the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// The outcome of an attempt to take a lock.
#[derive(Debug)]
pub(crate) enum Attempt<L> {
    Locked(L),
    /// The holder's pid, or `unknown`.
    HeldBy(String),
}

impl Lock {
    /// Retries until `limit` and calls `before` each time. Never uses a blocking lock, which could hang forever on a
    /// network file system.
    ///
    /// # Errors
    /// [`Error::Network`] of kind `Busy` after `limit`, naming the holder; [`Error::Cancelled`].
    pub(crate) fn acquire(
        path: &Path,
        before: impl Fn() -> Result<(), StoreError>,
        limit: Duration,
        cancel: &Canceller,
    ) -> Result<Lock, Error> {
        let deadline = Instant::now() + limit;
        loop {
            before()?;
            if Instant::now() >= deadline {
                return match Lock::attempt_or_holder(path)? {
                    Attempt::Locked(lock) => Ok(lock),
                    Attempt::HeldBy(holder) => Err(busy(path, &holder, limit).into()),
                };
            }
            if let Some(lock) = Lock::attempt(path)? {
                return Ok(lock);
            }
            cancel.check()?;
            std::thread::sleep(RETRY);
        }
    }

    /// Takes the lock, or returns the holder's pid. If the lock is held but no pid is written yet, waits for it
    /// briefly.
    pub(crate) fn attempt_or_holder(path: &Path) -> Result<Attempt<Lock>, StoreError> {
        let deadline = Instant::now() + INTRODUCTION;
        loop {
            if let Some(lock) = Lock::attempt(path)? {
                return Ok(Attempt::Locked(lock));
            }
            match holder(path) {
                Some(holder) => return Ok(Attempt::HeldBy(holder)),
                None if Instant::now() >= deadline => return Ok(Attempt::HeldBy("unknown".to_owned())),
                None => std::thread::sleep(RETRY),
            }
        }
    }

    /// Takes the lock if it's free, without waiting.
    pub(crate) fn attempt(path: &Path) -> Result<Option<Lock>, StoreError> {
        let mut file = match open(path) {
            Ok(file) => file,
            // The directory was just removed; `acquire` creates it again before the next attempt.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(StoreError::io("lock", path, cause)),
        };
        match file.try_lock() {
            Ok(()) if is_still_at(&file, path) => {
                note_holder(&mut file);
                Ok(Some(Lock { file }))
            }
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(StoreError::io("lock", path, cause)),
        }
    }
}

/// Clears our pid so the next holder isn't mistaken for us.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0); // the pid is only for messages
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether `path` is still the file that we locked. If the directory was removed between our open and our lock, another
/// process can lock a new file of the same name.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    matches!((file.metadata(), std::fs::metadata(path)), (Ok(ours), Ok(there)) if id(ours.clone()) == id(there.clone()))
}

/// Always: an open file can't be removed on this platform.
#[cfg(not(unix))]
fn is_still_at(_file: &File, _path: &Path) -> bool {
    true
}

/// Writes our pid, for messages only. A full disk must not prevent locking, so errors are ignored.
fn note_holder(file: &mut File) {
    let _ =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
}

fn busy(path: &Path, holder: &str, limit: Duration) -> NetworkError {
    let detail = format!("process {holder} has held {} for more than {} s", path.display(), limit.as_secs());
    NetworkError::new(NetworkErrorKind::Busy, "", &detail)
}

/// The pid in the lock file, for messages only.
fn holder(path: &Path) -> Option<String> {
    let mut pid = String::new();
    let _ = File::open(path).and_then(|file| file.take(20).read_to_string(&mut pid));
    let pid = pid.trim();
    if pid.is_empty() { None } else { Some(pid.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(path: &Path, limit: Duration, cancel: &Canceller) -> Result<Lock, Error> {
        Lock::acquire(path, || Ok(()), limit, cancel)
    }

    #[test]
    fn a_second_holder_waits_and_learns_the_pid_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.lock");
        let first = acquire(&path, Duration::from_secs(1), &Canceller::default()).unwrap();
        let Err(Error::Network(error)) = acquire(&path, Duration::from_millis(30), &Canceller::default())
        else {
            panic!()
        };
        assert_eq!(error.kind, NetworkErrorKind::Busy);
        assert!(error.detail.contains(&format!("process {} ", std::process::id())), "{}", error.detail);
        drop(first);
        assert!(acquire(&path, Duration::ZERO, &Canceller::default()).is_ok());
    }

    #[test]
    fn a_cancelled_wait_ends_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.lock");
        let cancel = Canceller::default();
        let _first = acquire(&path, Duration::ZERO, &cancel).unwrap();
        cancel.cancel();
        assert!(matches!(acquire(&path, Duration::from_secs(60), &cancel), Err(Error::Cancelled)));
    }

    #[test]
    fn p38_waits_for_a_holder_that_has_not_written_its_pid_yet() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.lock");
        let mut first = open(&path).unwrap();
        first.lock().unwrap();
        let asking = std::thread::spawn(move || Lock::attempt_or_holder(&path).unwrap());
        std::thread::sleep(Duration::from_millis(30));
        note_holder(&mut first);
        let own_pid = std::process::id().to_string();
        assert!(matches!(asking.join().unwrap(), Attempt::HeldBy(pid) if pid == own_pid));
    }

    #[test]
    fn dropping_the_lock_clears_the_pid() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.lock");
        let lock = acquire(&path, Duration::ZERO, &Canceller::default()).unwrap();
        assert_eq!(holder(&path), Some(std::process::id().to_string()));
        drop(lock);
        assert_eq!(holder(&path), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_removed_file_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.lock");
        let file = open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(!is_still_at(&file, &path));
        let _other = open(&path).unwrap();
        assert!(!is_still_at(&file, &path));
    }
}
