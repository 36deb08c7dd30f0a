//! What becomes of a grant that a new sign-in took the place of.

use crate::flow::{Context, logout};
use crate::store::{Record, StoredRecord};

/// Revokes the old grant and removes the key that sealed it. Returns a remark where something of it is left.
pub(super) fn clean_up(context: &Context, old: StoredRecord) -> Option<String> {
    let seal = old.seal.clone();
    let remark = revoke(context, old);
    if let Some(seal) = seal {
        context.store.break_seal(&seal);
    }
    remark
}

/// Revokes the old grant after the new one is saved, but only if no stored session, the new one included, has
/// the same issuer, client and user: some servers end all of a user's grants with one. Returns a remark where
/// the server did not confirm it.
fn revoke(context: &Context, old: StoredRecord) -> Option<String> {
    let user = old.user.clone()?;
    if is_shared(context, &old) {
        return None;
    }
    let issuer = old.issuer.clone();
    let report = logout::revoke_stored(context, old);
    report
        .is_unconfirmed()
        .then(|| format!("the earlier sign-in of {} at {issuer} may live on at the server", user.label()))
}

/// Revokes a grant that will not be saved, unless a stored session may share it.
pub(super) fn give_back(context: &Context, grant: &Record) {
    if grant.user.is_some() && !is_shared(context, grant) {
        let report = logout::revoke(context, grant);
        log::debug!("a grant of another account was given back: {report}");
    }
}

/// Whether a stored session has the same issuer, client and user. What cannot be read may be one.
fn is_shared<S>(context: &Context, grant: &Record<S>) -> bool {
    let is_stored = match context.store.read() {
        Ok(stored) => stored.is_some_and(|stored| stored.is_of_same_user(grant)),
        Err(_) => true,
    };
    is_stored || !context.store.siblings(grant).is_empty()
}
