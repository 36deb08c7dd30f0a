//! What becomes of a grant that a new sign-in took the place of.

use super::{Context, logout};
use crate::store::Record;

/// Revokes the old grant after the new one is saved, but only if no stored session, the new one included, has
/// the same issuer, client and user: some servers end all of a user's grants with one. Returns a remark where
/// the server did not confirm it.
pub(super) fn revoke(context: &Context, old: &Record) -> Option<String> {
    let new = context.store.read().ok().flatten()?;
    if old.user.is_none() || old.is_of_same_user(&new) || !context.store.siblings(old).is_empty() {
        return None;
    }
    let report = logout::revoke(context, old);
    report.is_unconfirmed().then(|| {
        let who = old.user.as_ref().map(crate::user::User::label).unwrap_or_default();
        format!("the earlier sign-in of {who} at {} may live on at the server", old.issuer)
    })
}
