//! Notes to the user about a token that was returned anyway.

use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, StoreError};

/// A problem that did not prevent an access token from being returned.
pub(super) enum Note {
    /// The refresh failed, and the stored token is still valid.
    NotRefreshed(Error),
    /// The record was written by a later version and cannot be refreshed by this one.
    ReadOnly(StoreError),
    /// The ID token of a refresh could not be verified.
    IdTokenNotVerified(Error),
    /// An invalid ID token could not be removed from the record.
    IdTokenNotRemoved(Error),
    /// The temporary files of killed processes could not be removed.
    NotSwept(StoreError),
    /// Something other than Hallpass wrote the record.
    ForeignRecord(PathBuf),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::NotRefreshed(error) => {
                write!(f, "could not refresh the access token ({error}); the current one is still valid")
            }
            Note::ReadOnly(error) => write!(f, "{error}; it can be used until the access token expires"),
            Note::IdTokenNotVerified(error) => {
                write!(f, "could not verify the new ID token ({error}); the user's details were not updated")
            }
            Note::IdTokenNotRemoved(error) => {
                write!(f, "could not remove the new ID token from the record: {error}")
            }
            Note::NotSwept(error) => write!(f, "{error}"),
            Note::ForeignRecord(path) => {
                let path = path.display();
                write!(
                    f,
                    "another program modified {path}; if it refreshes the tokens itself, the server may end the session. \
                     Let it get its tokens from here instead"
                )
            }
        }
    }
}
