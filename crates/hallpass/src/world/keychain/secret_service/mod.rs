//! The Secret Service (freedesktop.org, draft 0.2): GNOME Keyring, KDE Wallet, KeePassXC and others.
//!
//! Only `unlock` prompts the user. Secrets aren't encrypted on the bus: encryption would only protect them from programs on
//! the user's own bus, and those can request the key themselves.

mod attributes;
mod bus;
mod calls;
mod failure;
mod prompt;

use zbus::OwnedObjectPath;

use super::{Item, Key, Keychain};
use crate::environment::Environment;
use crate::error::KeychainError;
use attributes::Attributes;
use bus::SessionBus;
use calls::Service;

#[derive(Debug, Clone)]
pub(super) struct SecretService {
    bus: SessionBus,
}

impl SecretService {
    pub(super) fn new(environment: &Environment) -> SecretService {
        SecretService { bus: SessionBus::new(environment) }
    }

    fn with_service<T>(
        &self,
        work: impl AsyncFnOnce(&Service) -> Result<T, KeychainError>,
    ) -> Result<T, KeychainError> {
        zbus::block_on(async { work(&Service::connect(&self.bus).await?).await })
    }
}

impl Keychain for SecretService {
    fn get(&self, item: &Item<'_>) -> Result<Key, KeychainError> {
        self.with_service(async |service| match find(service, &Attributes::for_item(item)).await?.first() {
            Some(path) => service.secret(path).await,
            None => Err(KeychainError::NoItem),
        })
    }

    fn set(&self, item: &Item<'_>, key: &Key) -> Result<(), KeychainError> {
        self.with_service(async |service| {
            let collection = open_collection(service).await?;
            service.create(&collection, item, key).await
        })
    }

    fn delete(&self, item: &Item<'_>) -> Result<(), KeychainError> {
        self.with_service(async |service| {
            for path in find(service, &Attributes::for_item(item)).await? {
                service.delete(&path).await?;
            }
            Ok(())
        })
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        self.with_service(async |service| {
            let collection = service.default_collection().await?;
            if service.is_locked(&collection).await? {
                service.unlock(&collection).await?;
            }
            Ok(())
        })
    }

    fn key_ids(&self, program: &str) -> Result<Vec<String>, KeychainError> {
        self.with_service(async |service| {
            let mut ids = Vec::new();
            for path in find(service, &Attributes::for_program(program)).await? {
                ids.extend(service.key_id(&path).await?);
            }
            Ok(ids)
        })
    }
}

/// Returns the items that can be read. An empty result counts only if the default collection is unlocked: a locked one may
/// hide its items.
async fn find(service: &Service, attributes: &Attributes<'_>) -> Result<Vec<OwnedObjectPath>, KeychainError> {
    let found = service.search(attributes).await?;
    if !found.locked.is_empty() {
        return Err(KeychainError::Locked);
    }
    if found.unlocked.is_empty() {
        open_collection(service).await?;
    }
    Ok(found.unlocked)
}

async fn open_collection(service: &Service) -> Result<OwnedObjectPath, KeychainError> {
    let collection = service.default_collection().await?;
    if service.is_locked(&collection).await? { Err(KeychainError::Locked) } else { Ok(collection) }
}
