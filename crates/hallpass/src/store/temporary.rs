//! Temporary files: records that are being written, beside the records that they will replace.
//!
//! Each is named `.<profile>-XXXXXX.tmp` and locked by its process. The lock tells it from the files that killed
//! processes left behind.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::StoreError;

/// The space that is reserved in each file. A record with tokens of 8 KiB fits.
const RESERVED_BYTES: u64 = 64 * 1024;

/// Creates a locked file.
pub(super) fn create(dir: &Path, profile: &str) -> io::Result<NamedTempFile> {
    loop {
        let file = Builder::new().prefix(&format!(".{profile}-")).suffix(".tmp").tempfile_in(dir)?;
        match file.as_file().try_lock() {
            // Another process found it before it was locked, took it for abandoned, and is removing it or already has.
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !file.path().exists() => {}
            // On a file system without locks, no file is taken for abandoned.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Reserves space, so the next write cannot fail with ENOSPC.
pub(super) fn reserve(mut file: &File) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;

        match fallocate(file, FallocateFlags::empty(), 0, RESERVED_BYTES) {
            // This file system reserves nothing: zeros do as well.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            result => return Ok(result?),
        }
    }
    file.write_all(&vec![0; RESERVED_BYTES as usize])?;
    io::Seek::rewind(&mut file)
}

/// Lists a profile's temporary files, in use or not.
pub(super) fn list(dir: &Path, profile: &str) -> Vec<PathBuf> {
    let prefix = format!(".{profile}-");
    let is_ours = |name: &str| match name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".tmp")) {
        // Another profile's name may start like this one's.
        Some(random) => random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        None => false,
    };
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_ours));
    ours.map(|entry| entry.path()).collect()
}

/// Whether a running process is writing the file.
pub(super) fn is_in_use(path: &Path) -> bool {
    matches!(try_lock(path), Ok((_, Err(TryLockError::WouldBlock))))
}

/// Removes the file unless a running process is writing it. One that cannot be opened or locked stays.
pub(super) fn remove_abandoned(path: &Path) -> Result<(), StoreError> {
    // The lock is held while the file is removed, so that no process starts to use it in between.
    if let Ok((_locked, Ok(()))) = try_lock(path) {
        remove(path)?;
    }
    Ok(())
}

/// Removes a file. Returns whether it existed.
pub(super) fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("remove", path, error)),
    }
}

fn try_lock(path: &Path) -> io::Result<(File, Result<(), TryLockError>)> {
    let file = File::options().write(true).open(path)?;
    let locked = file.try_lock();
    Ok((file, locked))
}
