//! Grants that are replaced by a new session, or that will not be saved.

use crate::flow::{Context, logout};
use crate::store::{Record, StoredRecord};

/// Revokes the old grant and removes its encryption key. Returns a note if something of it may remain.
pub(super) fn clean_up(context: &Context, old: StoredRecord) -> Option<String> {
    let seal = old.seal.clone();
    let note = revoke(context, old);
    if let Some(seal) = seal {
        context.store.break_seal(&seal);
    }
    note
}

/// Revokes the old grant after the new one is saved, but only if no stored session, the new one included, has the same
/// issuer, client and user: some servers end all of a user's grants with one. Returns a note if the server did not
/// confirm it.
fn revoke(context: &Context, old: StoredRecord) -> Option<String> {
    let user = old.user.clone()?;
    if is_shared(context, &old) {
        return None;
    }
    let issuer = old.issuer.clone();
    if logout::revoke_stored(context, old).is_unconfirmed() {
        return Some(format!("the earlier session of {} at {issuer} may still be valid", user.label()));
    }
    None
}

/// Revokes a grant that will not be saved, unless a stored session may share it.
pub(super) fn give_back(context: &Context, grant: &Record) {
    if grant.user.is_some() && !is_shared(context, grant) {
        let report = logout::revoke(context, grant);
        log::debug!("revoked the grant of another account: {report}");
    }
}

/// Whether a stored session has the same issuer, client and user. One that can't be read may have.
fn is_shared<S>(context: &Context, grant: &Record<S>) -> bool {
    match context.store.read() {
        Ok(Some(stored)) if stored.is_of_same_user(grant) => true,
        Ok(_) => !context.store.siblings(grant).is_empty(),
        Err(_) => true,
    }
}
