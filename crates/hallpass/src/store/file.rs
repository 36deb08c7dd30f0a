//! A record in a file: created with mode 0600 in a 0700 directory, and replaced atomically.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

use super::journal::Fingerprint;
use super::lock::{Attempt, Lock};
use super::record::StoredRecord;
use crate::error::{Error, StoreError};
use crate::interrupt::Canceller;
use crate::settings::name;

/// The space reserved before a refresh token is used. Enough for a record with 8 KiB tokens.
const RESERVED_BYTES: u64 = 64 * 1024;
/// The size limit for reading; a larger file isn't ours.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The record file of one profile.
pub(crate) struct FileStore {
    dir: PathBuf,
    path: PathBuf,
    profile: String,
}

/// A temporary file beside the record, with its space reserved.
pub(crate) struct StagedFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl FileStore {
    /// The file of `profile` in `dir`. Doesn't access the file system.
    pub(crate) fn new(dir: PathBuf, profile: &str) -> FileStore {
        FileStore { path: dir.join(format!("{profile}.json")), dir, profile: profile.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the program's records.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn read(&self) -> Result<Option<StoredRecord>, StoreError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &self.path, error)),
        };
        protect(&file, &self.path)?;
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(length(&file)));
        file.take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::io("read", &self.path, error))?;
        StoredRecord::parse(&bytes, &self.path).map(Some)
    }

    /// The fingerprint of the file's content, valid or not.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        let bytes = fs::read(&self.path).map(zeroize::Zeroizing::new).ok()?;
        Some(Fingerprint::from_bytes(&bytes))
    }

    /// Locks the record for a change. Never held while waiting for the user.
    pub(crate) fn lock(&self, limit: Duration, cancel: &Canceller) -> Result<Lock, Error> {
        let path = self.dir.join(format!("{}.lock", self.profile));
        // Before each attempt, since the directory may be removed while we wait.
        Lock::acquire(&path, || self.create_dir(), limit, cancel)
    }

    /// Takes the lock held while a login waits for the user, or returns its holder's pid.
    pub(crate) fn login_lock(&self) -> Result<Attempt<Lock>, StoreError> {
        self.create_dir()?;
        Lock::attempt_or_holder(&self.login_lock_path())
    }

    /// Takes the login lock if it's free.
    pub(crate) fn free_login_lock(&self) -> Result<Option<Lock>, StoreError> {
        self.create_dir()?;
        Lock::attempt(&self.login_lock_path())
    }

    fn login_lock_path(&self) -> PathBuf {
        self.dir.join(format!("{}.login.lock", self.profile))
    }

    /// Creates a temporary file beside the record and reserves its space.
    pub(crate) fn stage(&self) -> Result<StagedFile, StoreError> {
        self.create_dir()?;
        let target = self.target()?;
        let parent = target.parent().unwrap_or(&self.dir);
        check_dir(parent)?;
        let file =
            temporary(parent, &self.profile).map_err(|error| StoreError::io("write", parent, error))?;
        reserve(file.as_file()).map_err(|error| StoreError::io("write", parent, error))?;
        Ok(StagedFile { file, target })
    }

    /// Writes the record to the staged file, syncs it, renames it into place and reads it back.
    pub(crate) fn replace(&self, staged: StagedFile, record: &StoredRecord) -> Result<(), StoreError> {
        let StagedFile { mut file, target } = staged;
        let failed = |error| StoreError::io("write", &target, error);
        let bytes = record.to_bytes();
        file.write_all(&bytes).map_err(failed)?;
        file.as_file().set_len(bytes.len() as u64).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        // On Windows a locked file can't be read. Another process can't sweep it now, since we hold the record's lock.
        #[cfg(windows)]
        let _ = file.as_file().unlock();
        file.persist(&target).map_err(|error| failed(error.error))?;
        sync_dir(&target);
        self.read_back(&bytes)
    }

    /// Renames an unreadable record to `<profile>.json.unreadable-<seconds>` and returns that path.
    pub(crate) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        let seconds =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let aside = self.dir.join(format!("{}.json.unreadable-{seconds}", self.profile));
        match fs::rename(&self.path, &aside) {
            Ok(()) => Ok(Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("move", &self.path, error)),
        }
    }

    /// Removes the record and the temporary files of killed processes. Returns whether there was a record.
    pub(crate) fn erase(&self) -> Result<bool, StoreError> {
        let target = self.target()?;
        self.leftovers(&target).iter().try_for_each(|leftover| remove(leftover).map(drop))?;
        let removed = remove(&target)?;
        sync_dir(&target);
        Ok(removed)
    }

    /// Removes the temporary files of killed processes. Those of running processes stay: one may soon hold the only
    /// refresh token that still works.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        self.leftovers(&self.target()?).iter().try_for_each(|leftover| remove_abandoned(leftover))
    }

    /// Whether another process has staged a record.
    pub(crate) fn has_rivals(&self, staged: &StagedFile) -> Result<bool, StoreError> {
        let others = self.leftovers(&self.target()?);
        // Compares names, since one path may be absolute and the other relative.
        let is_own = |other: &Path| other.file_name() == staged.file.path().file_name();
        Ok(others.iter().any(|other| !is_own(other) && is_in_use(other)))
    }

    /// The path of the record itself, behind a symbolic link that the user made (for example to dotfiles). The link is
    /// kept, even after a logout, when its target doesn't exist.
    fn target(&self) -> Result<PathBuf, StoreError> {
        let failed = |error| StoreError::io("follow", &self.path, error);
        match fs::symlink_metadata(&self.path) {
            Ok(meta) if meta.is_symlink() => {
                check_link(&meta, &self.path)?;
                match fs::canonicalize(&self.path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        Ok(self.dir.join(fs::read_link(&self.path).map_err(failed)?))
                    }
                    found => found.map_err(failed),
                }
            }
            _ => Ok(self.path.clone()),
        }
    }

    /// This profile's temporary files beside the record: `.<profile>-<6 random characters>.tmp`.
    fn leftovers(&self, target: &Path) -> Vec<PathBuf> {
        let (dir, prefix) = (target.parent().unwrap_or(&self.dir), format!(".{}-", self.profile));
        let is_random = |text: &str| text.len() == 6 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_ours = |name: &str| {
            name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".tmp")).is_some_and(is_random)
        };
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
            .map(|entry| entry.path())
            .collect()
    }

    fn create_dir(&self) -> Result<(), StoreError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir).map_err(|error| StoreError::io("create", &self.dir, error))?;
        check_dir(&self.dir)
    }

    fn read_back(&self, written: &[u8]) -> Result<(), StoreError> {
        let found = zeroize::Zeroizing::new(
            fs::read(&self.path).map_err(|error| StoreError::io("read", &self.path, error))?,
        );
        if *found == written { Ok(()) } else { Err(StoreError::ReadBack { path: self.path.clone() }) }
    }
}

/// Creates a temporary file, locked while in use to tell it from those of killed processes.
fn temporary(dir: &Path, profile: &str) -> io::Result<NamedTempFile> {
    loop {
        let file = Builder::new().prefix(&format!(".{profile}-")).suffix(".tmp").tempfile_in(dir)?;
        match file.as_file().try_lock() {
            // Another process took it for abandoned before we locked it, and is removing it or already has.
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !file.path().exists() => {}
            // On a file system without locks, no file counts as abandoned.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

fn is_in_use(temporary: &Path) -> bool {
    matches!(try_lock(temporary), Ok((_, Err(TryLockError::WouldBlock))))
}

/// Removes the file unless it's in use. Holds its lock meanwhile, so no process starts to use it. A file that can't be
/// opened or locked may be in use and stays.
fn remove_abandoned(temporary: &Path) -> Result<(), StoreError> {
    match try_lock(temporary) {
        Ok((_held, Ok(()))) => remove(temporary).map(drop),
        _ => Ok(()),
    }
}

fn try_lock(temporary: &Path) -> io::Result<(File, Result<(), TryLockError>)> {
    let file = File::options().write(true).open(temporary)?;
    let locked = file.try_lock();
    Ok((file, locked))
}

/// Removes a file. Returns whether it existed.
fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("remove", path, error)),
    }
}

/// The profiles that have a record in this directory, in alphabetical order.
pub(crate) fn profiles_in(dir: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", dir, error)),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut profiles: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    profiles.retain(|profile| name::check("profile", profile).is_ok());
    profiles.sort_unstable();
    Ok(profiles)
}

/// The capacity for reading the file: no more than needed, since all of it is wiped afterwards.
fn length(file: &File) -> usize {
    file.metadata().map_or(0, |meta| meta.len().min(MAX_BYTES) as usize + 1)
}

/// Refuses a file of another user or kind, and tightens its mode to 0600. Checks the open file, because a path can be
/// swapped between check and use.
#[cfg(unix)]
fn protect(file: &File, path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let meta = file.metadata().map_err(|error| StoreError::io("read", path, error))?;
    if !meta.is_file() {
        return Err(StoreError::Unsafe {
            path: path.to_owned(),
            cause: "it isn't a regular file".to_owned(),
        });
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::Unsafe {
            path: path.to_owned(),
            cause: "it belongs to another user".to_owned(),
        });
    }
    if meta.mode() & 0o077 != 0 {
        log::warn!("{} was readable by other users; changed its mode to 0600", path.display());
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(|error| StoreError::io("protect", path, error))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn protect(_file: &File, _path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Refuses a directory that other users own or can write to: they could swap the record.
#[cfg(unix)]
fn check_dir(dir: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(dir).map_err(|error| StoreError::io("read", dir, error))?;
    let refused = |cause: &str| Err(StoreError::Unsafe { path: dir.to_owned(), cause: cause.to_owned() });
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return refused("it belongs to another user");
    }
    if meta.mode() & 0o022 != 0 {
        return refused("other users can write to it (run chmod 700 on it)");
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_dir(_dir: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Refuses a symbolic link made by another user, who could point it anywhere.
#[cfg(unix)]
fn check_link(link: &fs::Metadata, path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;
    if link.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(StoreError::Unsafe {
        path: path.to_owned(),
        cause: "it is a symbolic link that belongs to another user".to_owned(),
    })
}

#[cfg(not(unix))]
fn check_link(_link: &fs::Metadata, _path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Reserves the file's space so the next write cannot fail with ENOSPC.
#[cfg(target_os = "linux")]
fn reserve(file: &File) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), 0, RESERVED_BYTES) {
        // The file system can't reserve space, so write zeros instead.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => fill(file),
        result => Ok(result?),
    }
}

/// Reserves the file's space so the next write cannot fail with ENOSPC.
#[cfg(not(target_os = "linux"))]
fn reserve(file: &File) -> io::Result<()> {
    fill(file)
}

fn fill(mut file: &File) -> io::Result<()> {
    use std::io::Seek;
    file.write_all(&vec![0; RESERVED_BYTES as usize])?;
    file.rewind()
}

/// Makes a rename or removal durable, as far as the platform can sync directories.
fn sync_dir(target: &Path) {
    #[cfg(unix)]
    if let Some(dir) = target.parent().and_then(|parent| File::open(parent).ok()) {
        let _ = dir.sync_all();
    }
    #[cfg(not(unix))]
    let _ = target;
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../../../../tests/fixtures/records/v1.json");

    fn record() -> StoredRecord {
        StoredRecord::parse(V1.as_bytes(), Path::new("v1")).unwrap()
    }

    fn store(dir: &Path) -> FileStore {
        FileStore::new(dir.join("state/mytool"), "default")
    }

    fn save(store: &FileStore) {
        store.replace(store.stage().unwrap(), &record()).unwrap();
    }

    #[test]
    fn a_saved_record_is_read_back_and_erased_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        assert!(store.read().unwrap().is_none());
        save(&store);
        assert_eq!(&*store.read().unwrap().unwrap().to_bytes(), V1.as_bytes());
        assert!(store.erase().unwrap());
        assert!(!store.erase().unwrap());
    }

    #[test]
    fn only_the_record_is_left_in_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        save(&store);
        drop(store.stage().unwrap());
        let names: Vec<_> =
            fs::read_dir(&store.dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["default.json"]);
    }

    #[test]
    fn erasing_removes_this_profiles_abandoned_files_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        save(&store);
        let path = |name: &str| store.dir.join(name);
        for name in [".default-aB3xYz.tmp", ".default-work-aB3xYz.tmp", ".default-notes.tmp2"] {
            fs::write(path(name), "secret").unwrap();
        }
        assert!(store.erase().unwrap());
        assert!(!path(".default-aB3xYz.tmp").exists());
        assert!(path(".default-work-aB3xYz.tmp").exists() && path(".default-notes.tmp2").exists());
    }

    #[test]
    fn a_sweep_keeps_the_staged_files_of_running_processes() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let staged = store.stage().unwrap();
        let left = store.dir.join(".default-aB3xYz.tmp");
        fs::write(&left, "secret").unwrap();
        assert!(!store.has_rivals(&staged).unwrap());
        assert!(store.has_rivals(&store.stage().unwrap()).unwrap());
        store.sweep().unwrap();
        assert!(!left.exists());
        store.replace(staged, &record()).unwrap();
        assert!(store.read().unwrap().is_some());
    }

    #[test]
    fn a_temporary_file_swept_before_it_is_locked_is_created_again() {
        let dir = tempfile::tempdir().unwrap();
        let (store, is_done) = (store(dir.path()), std::sync::atomic::AtomicBool::new(false));
        store.create_dir().unwrap();
        let done = || is_done.load(std::sync::atomic::Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done() {
                        store.sweep().unwrap();
                    }
                });
            }
            let staged = || temporary(&store.dir, &store.profile).unwrap();
            let swept = (0..5000).filter(|_| !staged().path().exists()).count();
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(swept, 0);
        });
    }

    #[test]
    fn an_unreadable_record_is_set_aside_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        save(&store);
        fs::write(&store.path, "{").unwrap();
        assert!(matches!(store.read(), Err(StoreError::Corrupt { .. })));
        let aside = store.set_aside().unwrap().unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), "{");
        assert!(store.read().unwrap().is_none());
    }

    #[cfg(unix)]
    mod unix {
        use super::*;
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().mode() & 0o777
        }

        #[test]
        fn p42_file_and_directories_are_private_and_a_looser_mode_is_tightened() {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            save(&store);
            assert_eq!(
                (mode(&store.path), mode(&store.dir), mode(&dir.path().join("state"))),
                (0o600, 0o700, 0o700)
            );
            fs::set_permissions(&store.path, fs::Permissions::from_mode(0o644)).unwrap();
            store.read().unwrap();
            assert_eq!(mode(&store.path), 0o600);
        }

        #[test]
        fn a_staged_file_is_not_its_own_rival_under_a_relative_path() {
            let dir = tempfile::tempdir().unwrap();
            let root = "../".repeat(std::env::current_dir().unwrap().components().count());
            let store = store(&Path::new(&root).join(dir.path().strip_prefix("/").unwrap()));
            let staged = store.stage().unwrap();
            assert!(!store.has_rivals(&staged).unwrap());
            assert!(store.has_rivals(&store.stage().unwrap()).unwrap());
        }

        #[test]
        fn p43_a_link_is_kept_and_its_target_updated() {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            save(&store);
            let real = dir.path().join("real.json");
            fs::rename(&store.path, &real).unwrap();
            symlink(&real, &store.path).unwrap();
            save(&store);
            assert!(fs::symlink_metadata(&store.path).unwrap().is_symlink());
            assert!(store.read().unwrap().is_some());
        }

        #[test]
        fn a_directory_that_others_can_write_to_is_refused() {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            save(&store);
            fs::set_permissions(&store.dir, fs::Permissions::from_mode(0o777)).unwrap();
            assert!(matches!(store.stage(), Err(StoreError::Unsafe { .. })));
        }

        #[test]
        fn a_directory_in_place_of_the_record_is_refused() {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            fs::create_dir_all(&store.path).unwrap();
            assert!(matches!(store.read(), Err(StoreError::Unsafe { .. })));
        }
    }
}
