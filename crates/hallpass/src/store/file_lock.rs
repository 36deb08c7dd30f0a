//! The lock between processes: a locked file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, NetworkError, NetworkErrorKind, StoreError};
use crate::interrupt::Canceller;

/// The pause between two attempts: too short to notice, long enough to spare the CPU.
const RETRY: Duration = Duration::from_millis(10);

/// How long a holder may take to write its pid, which it does after locking.
const PID_LIMIT: Duration = Duration::from_millis(500);

/// A locked file that holds the pid of its holder. It is never deleted; the operating system releases the lock when the
/// holder dies.
pub(crate) struct FileLock {
    file: File,
}

/// The outcome of an attempt to get a lock.
pub(crate) enum LockAttempt<L> {
    Locked(L),
    /// The pid of the process that holds the lock, or `unknown`.
    HeldBy(String),
}

impl FileLock {
    /// Tries until `limit`, calling `prepare` before each attempt. Never blocks in the system, because a network file
    /// system might not return.
    ///
    /// # Errors
    /// [`Error::Network`] of kind `Busy` after `limit`, with the holder's pid; [`Error::Cancelled`].
    pub(super) fn acquire(
        path: &Path,
        prepare: impl Fn() -> Result<(), StoreError>,
        limit: Duration,
        cancel: &Canceller,
    ) -> Result<FileLock, Error> {
        let deadline = Instant::now() + limit;
        loop {
            prepare()?;
            if Instant::now() >= deadline {
                return match FileLock::try_lock_or_holder(path)? {
                    LockAttempt::Locked(lock) => Ok(lock),
                    LockAttempt::HeldBy(pid) => {
                        Err(busy(&format!("process {pid} holds {}", path.display()), limit).into())
                    }
                };
            }
            if let Some(lock) = FileLock::try_lock(path)? {
                return Ok(lock);
            }
            cancel.check()?;
            std::thread::sleep(RETRY);
        }
    }

    /// Tries once. If another process has just locked the file, waits for its pid.
    pub(super) fn try_lock_or_holder(path: &Path) -> Result<LockAttempt<FileLock>, StoreError> {
        let deadline = Instant::now() + PID_LIMIT;
        loop {
            if let Some(lock) = FileLock::try_lock(path)? {
                return Ok(LockAttempt::Locked(lock));
            }
            match holder(path) {
                Some(pid) => return Ok(LockAttempt::HeldBy(pid)),
                None if Instant::now() >= deadline => return Ok(LockAttempt::HeldBy("unknown".to_owned())),
                None => std::thread::sleep(RETRY),
            }
        }
    }

    /// Tries once. Returns `None` if another process holds the lock.
    pub(super) fn try_lock(path: &Path) -> Result<Option<FileLock>, StoreError> {
        let mut file = match open(path) {
            Ok(file) => file,
            // The directory was removed a moment ago; the next attempt creates it.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(StoreError::io("lock", path, cause)),
        };
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => {
                write_pid(&mut file);
                Ok(Some(FileLock { file }))
            }
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(StoreError::io("lock", path, cause)),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Clear our pid so the next holder isn't mistaken for us. It is only used in messages, so a failure is
        // harmless.
        let _ = self.file.set_len(0);
    }
}

/// Creates the error for a lock that was not released in time. `held` says by whom it is held.
pub(crate) fn busy(held: &str, limit: Duration) -> NetworkError {
    let detail = match limit.as_secs() {
        0 => held.to_owned(),
        seconds => format!("{held} (waited {seconds}s)"),
    };
    NetworkError::new(NetworkErrorKind::Busy, "", &detail)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether the open file is still the one at this path. If the directory was removed between opening and locking, two
/// processes could each hold "the" lock.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

// Windows does not remove open files.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

// The pid is only used in messages, so a full disk must not keep us from locking.
fn write_pid(file: &mut File) {
    let emptied = file.set_len(0).and_then(|()| file.rewind());
    let _ = emptied.and_then(|()| writeln!(file, "{}", std::process::id()));
}

fn holder(path: &Path) -> Option<String> {
    let mut pid = String::new();
    let _ = File::open(path).and_then(|file| file.take(20).read_to_string(&mut pid));
    Some(pid.trim().to_owned()).filter(|pid| !pid.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(path: &Path, limit: Duration, cancel: &Canceller) -> Result<FileLock, Error> {
        FileLock::acquire(path, || Ok(()), limit, cancel)
    }

    #[test]
    fn a_second_process_waits_and_gets_the_pid_of_the_holder() {
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
    fn cancelling_ends_the_wait() {
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
        let asking = std::thread::spawn(move || FileLock::try_lock_or_holder(&path).unwrap());
        std::thread::sleep(Duration::from_millis(30));
        write_pid(&mut first);
        let LockAttempt::HeldBy(pid) = asking.join().unwrap() else { panic!() };
        assert_eq!(pid, std::process::id().to_string());
    }

    #[test]
    fn a_released_lock_names_no_holder() {
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
        assert!(!is_at(&file, &path));
        let _other = open(&path).unwrap();
        assert!(!is_at(&file, &path));
    }
}
