//! Moving a sign-in between the keychain and the plain file.

use super::{Context, LOCK_LIMIT};
use crate::error::{LoginRequired, Misuse, Result, StoreError};
use crate::settings::Storage;
use crate::store::{Record, Seal, StoreKind};

/// Seals the record under a new key, or opens it for good; the key that it leaves behind is removed.
pub(crate) fn relocate(context: &Context, storage: Storage) -> Result<StoreKind> {
    let _guard = context.lock(LOCK_LIMIT)?;
    let stored = context
        .store
        .read()?
        .ok_or_else(|| LoginRequired::NotSignedIn { profile: context.config.profile.clone() })?;
    stored.check_writable(context.store.path())?;
    let wants_seal = wants_seal(storage, stored.seal.is_some())?;
    if wants_seal == stored.seal.is_some() {
        return Ok(context.store.kind_of(&stored));
    }
    let record = context.store.open(stored)?;
    context.store.sweep()?;
    let old = record.seal.clone();
    let new = wants_seal.then(|| context.store.new_seal()).transpose().map_err(StoreError::NoKeychain)?;
    let kind = save(context, Record { seal: new.clone(), ..record });
    let superfluous: Option<Seal> = if kind.is_ok() { old } else { new };
    if let Some(seal) = superfluous {
        context.store.break_seal(&seal);
    }
    kind
}

fn save(context: &Context, record: Record) -> Result<StoreKind> {
    let saved = context.store.stage()?.save(record)?;
    Ok(context.store.kind_of(&saved))
}

fn wants_seal(storage: Storage, is_sealed: bool) -> Result<bool, Misuse> {
    match storage {
        Storage::Keychain => Ok(true),
        Storage::File => Ok(false),
        Storage::Auto => Ok(is_sealed),
        Storage::Memory => Err(Misuse::setting("storage", "a stored sign-in cannot be moved to memory")),
    }
}
