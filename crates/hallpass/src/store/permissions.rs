//! Permission checks: only their user may read a record, and only their user may replace it.

#[cfg(not(unix))]
pub(super) use not_checked::{check_dir, check_link, protect};
#[cfg(unix)]
pub(super) use unix::{check_dir, check_link, protect};

#[cfg(unix)]
mod unix {
    use std::fs::{self, File, Metadata, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::Path;

    use crate::error::StoreError;

    /// Checks that an open record is a file of this user, and takes other users' access away. Looks at the open file
    /// because the path could be swapped between the check and the use.
    pub(crate) fn protect(file: &File, path: &Path) -> Result<(), StoreError> {
        let meta = file.metadata().map_err(|error| StoreError::io("read", path, error))?;
        if !meta.is_file() {
            return Err(refused(path, "it isn't a regular file"));
        }
        if !is_ours(&meta) {
            return Err(refused(path, "it belongs to another user"));
        }
        if meta.mode() & 0o077 != 0 {
            log::warn!("{} was accessible to other users; changed its mode to 0600", path.display());
            file.set_permissions(Permissions::from_mode(0o600))
                .map_err(|error| StoreError::io("protect", path, error))?;
        }
        Ok(())
    }

    /// Checks that no other user may write to a directory: they could replace a record in it.
    pub(crate) fn check_dir(dir: &Path) -> Result<(), StoreError> {
        let meta = fs::metadata(dir).map_err(|error| StoreError::io("read", dir, error))?;
        if !is_ours(&meta) {
            return Err(refused(dir, "it belongs to another user"));
        }
        if meta.mode() & 0o022 != 0 {
            return Err(refused(dir, "other users can write to it (run chmod 700 on it)"));
        }
        Ok(())
    }

    /// Checks that a symbolic link belongs to this user: another user's link could lead anywhere.
    pub(crate) fn check_link(link: &Metadata, path: &Path) -> Result<(), StoreError> {
        if is_ours(link) {
            return Ok(());
        }
        Err(refused(path, "it is a symbolic link that belongs to another user"))
    }

    fn is_ours(meta: &Metadata) -> bool {
        meta.uid() == rustix::process::geteuid().as_raw()
    }

    fn refused(path: &Path, cause: &str) -> StoreError {
        StoreError::Unsafe { path: path.to_owned(), cause: cause.to_owned() }
    }
}

// On Windows, the user's profile directory already keeps other users out.
#[cfg(not(unix))]
mod not_checked {
    use std::fs::{File, Metadata};
    use std::path::Path;

    use crate::error::StoreError;

    pub(crate) fn protect(_file: &File, _path: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn check_dir(_dir: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(crate) fn check_link(_link: &Metadata, _path: &Path) -> Result<(), StoreError> {
        Ok(())
    }
}
