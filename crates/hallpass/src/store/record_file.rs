//! The file of a record: 0600 from its first byte, in a directory of mode 0700, and replaced atomically.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use super::file_lock::{FileLock, LockAttempt};
use super::journal::Fingerprint;
use super::permissions::{check_dir, check_link, protect};
use super::record::StoredRecord;
use super::temporary::{self, remove};
use crate::error::{Error, StoreError};
use crate::interrupt::Canceller;
use crate::settings::name;

/// The largest file that is read. A larger one is not a record.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The record's file of one profile, and its lock files.
pub(crate) struct RecordFile {
    dir: PathBuf,
    path: PathBuf,
    profile: String,
}

/// A temporary file beside the record, with its space reserved.
pub(crate) struct StagedFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl RecordFile {
    /// Names the record of `profile` in `dir`, without touching either.
    pub(crate) fn new(dir: PathBuf, profile: &str) -> RecordFile {
        RecordFile { path: dir.join(format!("{profile}.json")), dir, profile: profile.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the directory of the program's records.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn read(&self) -> Result<Option<StoredRecord>, StoreError> {
        let failed = |error| StoreError::io("read", &self.path, error);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        protect(&file, &self.path)?;
        // The whole capacity is wiped afterwards, so it is no larger than the file.
        let length = file.metadata().map_or(0, |meta| meta.len().min(MAX_BYTES) as usize + 1);
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(length));
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        StoredRecord::parse(&bytes, &self.path).map(Some)
    }

    /// Returns the fingerprint of the file's content, valid or not. `None` if it cannot be read.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        let bytes = fs::read(&self.path).map(zeroize::Zeroizing::new).ok()?;
        Some(Fingerprint::new(&bytes))
    }

    /// Waits for the lock that is held while the record changes, and never while the user is waited for.
    pub(super) fn lock(&self, limit: Duration, cancel: &Canceller) -> Result<FileLock, Error> {
        let path = self.dir.join(format!("{}.lock", self.profile));
        // Before each attempt, because another process may remove the directory in the meantime.
        FileLock::acquire(&path, || self.create_dir(), limit, cancel)
    }

    /// Tries to get the lock that is held while a login waits for the user.
    pub(super) fn try_login_lock(&self) -> Result<Option<FileLock>, StoreError> {
        self.create_dir()?;
        FileLock::try_lock(&self.login_lock_path())
    }

    /// Tries to get the lock that is held while a login waits for the user; if it's taken, says by which process.
    pub(super) fn login_lock_or_holder(&self) -> Result<LockAttempt<FileLock>, StoreError> {
        self.create_dir()?;
        FileLock::try_lock_or_holder(&self.login_lock_path())
    }

    fn login_lock_path(&self) -> PathBuf {
        self.dir.join(format!("{}.login.lock", self.profile))
    }

    /// Reserves the space that the next record needs.
    pub(super) fn stage(&self) -> Result<StagedFile, StoreError> {
        self.create_dir()?;
        let target = self.target()?;
        let parent = target.parent().unwrap_or(&self.dir);
        check_dir(parent)?;
        let failed = |error| StoreError::io("write", parent, error);
        let file = temporary::create(parent, &self.profile).map_err(failed)?;
        temporary::reserve(file.as_file()).map_err(failed)?;
        Ok(StagedFile { file, target })
    }

    /// Writes the record, makes it durable, puts it in place atomically, and reads it back.
    pub(super) fn replace(&self, staged: StagedFile, record: &StoredRecord) -> Result<(), StoreError> {
        let StagedFile { mut file, target } = staged;
        let failed = |error| StoreError::io("write", &target, error);
        let bytes = record.to_bytes();
        file.write_all(&bytes).map_err(failed)?;
        file.as_file().set_len(bytes.len() as u64).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        // On Windows no process can read a locked file. It is safe to unlock it there: removing it
        // takes the record's lock, which this process holds.
        #[cfg(windows)]
        let _ = file.as_file().unlock();
        file.persist(&target).map_err(|error| failed(error.error))?;
        sync_parent(&target);
        let found = fs::read(&self.path).map(zeroize::Zeroizing::new);
        if *found.map_err(|error| StoreError::io("read", &self.path, error))? != *bytes {
            return Err(StoreError::ReadBack { path: self.path.clone() });
        }
        Ok(())
    }

    /// Renames a record that cannot be parsed to `<profile>.json.unreadable-<seconds>`. Returns the new path.
    pub(super) fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let aside = self.dir.join(format!("{}.json.unreadable-{seconds}", self.profile));
        match fs::rename(&self.path, &aside) {
            Ok(()) => Ok(Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("move", &self.path, error)),
        }
    }

    /// Removes the record and its temporary files, in use or not. Returns whether there was a record.
    pub(super) fn erase(&self) -> Result<bool, StoreError> {
        let target = self.target()?;
        for temporary in self.temporaries(&target) {
            remove(&temporary)?;
        }
        let removed = remove(&target)?;
        sync_parent(&target);
        Ok(removed)
    }

    /// Removes the temporary files of killed processes. Those of running ones stay: they may hold the only refresh
    /// token that is still valid.
    pub(super) fn sweep(&self) -> Result<(), StoreError> {
        for temporary in self.temporaries(&self.target()?) {
            temporary::remove_abandoned(&temporary)?;
        }
        Ok(())
    }

    /// Whether another process is about to replace the record too.
    pub(super) fn has_rivals(&self, staged: &StagedFile) -> Result<bool, StoreError> {
        // Compared by name, because one path may be absolute and the other relative.
        let is_own = |path: &Path| path.file_name() == staged.file.path().file_name();
        let others = self.temporaries(&self.target()?);
        Ok(others.iter().any(|other| !is_own(other) && temporary::is_in_use(other)))
    }

    /// Returns the path of the record itself. If the user made the record a symbolic link (dotfiles), that is where the
    /// link leads, even if there is no file yet, so that the link is kept.
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

    fn temporaries(&self, target: &Path) -> Vec<PathBuf> {
        temporary::list(target.parent().unwrap_or(&self.dir), &self.profile)
    }

    fn create_dir(&self) -> Result<(), StoreError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir).map_err(|error| StoreError::io("create", &self.dir, error))?;
        check_dir(&self.dir)
    }
}

/// Lists the profiles that have a record in a directory, in alphabetical order.
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

/// Makes the rename in a file's directory durable. If the directory cannot be synced, the rename is as durable as the
/// file system makes it.
fn sync_parent(file: &Path) {
    #[cfg(unix)]
    if let Some(dir) = file.parent().and_then(|parent| File::open(parent).ok()) {
        let _ = dir.sync_all();
    }
    #[cfg(not(unix))]
    let _ = file;
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../../../../tests/fixtures/records/v1.json");

    fn record() -> StoredRecord {
        StoredRecord::parse(V1.as_bytes(), Path::new("v1")).unwrap()
    }

    fn store(dir: &Path) -> RecordFile {
        RecordFile::new(dir.join("state/mytool"), "default")
    }

    fn save(store: &RecordFile) {
        store.replace(store.stage().unwrap(), &record()).unwrap();
    }

    #[test]
    fn a_record_reads_back_as_saved() {
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
    fn erasing_removes_the_temporary_files_of_this_profile_alone() {
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
    fn a_sweep_spares_the_temporary_files_of_running_processes() {
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
    fn a_temporary_file_that_is_swept_too_early_is_created_again() {
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
            let staged = || temporary::create(&store.dir, &store.profile).unwrap();
            let lost = (0..5000).filter(|_| !staged().path().exists()).count();
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(lost, 0);
        });
    }

    #[test]
    fn a_corrupt_record_is_set_aside_and_kept() {
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
        fn a_process_is_not_its_own_rival_in_a_relative_directory() {
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
        fn a_directory_that_other_users_may_write_to_is_refused() {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            save(&store);
            fs::set_permissions(&store.dir, fs::Permissions::from_mode(0o777)).unwrap();
            assert!(matches!(store.stage(), Err(StoreError::Unsafe { .. })));
        }

        #[test]
        fn a_directory_in_place_of_the_record_is_reported() {
            let dir = tempfile::tempdir().unwrap();
            let store = store(dir.path());
            fs::create_dir_all(&store.path).unwrap();
            assert!(matches!(store.read(), Err(StoreError::Unsafe { .. })));
        }
    }
}
