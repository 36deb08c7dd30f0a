//! The calls of the Secret Service, one function each.

use std::collections::HashMap;

use serde::Serialize;
use zbus::wire::DynamicDeserialize;
use zbus::{Connection, DynamicType, Message, ObjectPath, OwnedObjectPath, OwnedVariant, Variant};
use zeroize::Zeroizing;

use super::attributes::{Attributes, KEY_ID};
use super::bus::SessionBus;
use super::failure;
use super::prompt::{self, NAME};
use crate::error::KeychainError;
use crate::world::keychain::{Item, Key, key_text};

const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";

/// The path that means "no prompt" or "no collection".
const NONE: &str = "/";

/// A connection to the bus, which starts the service if it isn't running.
pub(super) struct Service {
    bus: Connection,
}

/// The items a search found.
pub(super) struct Found {
    pub(super) unlocked: Vec<OwnedObjectPath>,
    pub(super) locked: Vec<OwnedObjectPath>,
}

impl Service {
    pub(super) async fn connect(bus: &SessionBus) -> Result<Service, KeychainError> {
        Ok(Service { bus: bus.connect().await? })
    }

    pub(super) async fn search(&self, attributes: &Attributes<'_>) -> Result<Found, KeychainError> {
        let reply = self.call(PATH, SERVICE, "SearchItems", &(&attributes.0,)).await?;
        let (unlocked, locked) = body(&reply)?;
        Ok(Found { unlocked, locked })
    }

    /// Returns the collection for new items.
    ///
    /// # Errors
    /// [`KeychainError::Absent`] if there is no default collection.
    pub(super) async fn default_collection(&self) -> Result<OwnedObjectPath, KeychainError> {
        let path: OwnedObjectPath = body(&self.call(PATH, SERVICE, "ReadAlias", &("default",)).await?)?;
        match path.as_str() {
            NONE => Err(KeychainError::Absent("the Secret Service has no default collection".to_owned())),
            _ => Ok(path),
        }
    }

    pub(super) async fn is_locked(&self, collection: &ObjectPath<'_>) -> Result<bool, KeychainError> {
        self.property(collection, COLLECTION, "Locked").await?.try_into().map_err(failure::from_call)
    }

    pub(super) async fn secret(&self, item: &ObjectPath<'_>) -> Result<Key, KeychainError> {
        let session = self.session().await?;
        let reply = self.call(item, ITEM, "GetSecret", &(session,)).await?;
        let ((_, _, value, _),): ((OwnedObjectPath, Vec<u8>, Vec<u8>, String),) = body(&reply)?;
        key_text::decode(&Zeroizing::new(value))
    }

    /// Creates an item.
    ///
    /// # Errors
    /// [`KeychainError::Locked`] also if the service would have to prompt the user.
    pub(super) async fn create(
        &self,
        collection: &ObjectPath<'_>,
        item: &Item<'_>,
        key: &Key,
    ) -> Result<(), KeychainError> {
        let label = format!("{}: Hallpass encryption key", item.service);
        let properties: HashMap<&str, Variant<'_>> = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", label.into()),
            ("org.freedesktop.Secret.Item.Attributes", Attributes::for_item(item).0.into()),
        ]);
        let text = key_text::encode(key);
        let secret = (self.session().await?, [0u8; 0].as_slice(), text.as_bytes(), "text/plain");
        let replace = false;
        let reply = self.call(collection, COLLECTION, "CreateItem", &(properties, secret, replace)).await?;
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) = body(&reply)?;
        unless_prompted(&prompt)
    }

    /// Deletes an item.
    ///
    /// # Errors
    /// [`KeychainError::Locked`] also if the service would have to prompt the user.
    pub(super) async fn delete(&self, item: &ObjectPath<'_>) -> Result<(), KeychainError> {
        let prompt: OwnedObjectPath = body(&self.call(item, ITEM, "Delete", &()).await?)?;
        unless_prompted(&prompt)
    }

    pub(super) async fn key_id(&self, item: &ObjectPath<'_>) -> Result<Option<String>, KeychainError> {
        let attributes: HashMap<String, String> =
            self.property(item, ITEM, "Attributes").await?.try_into().map_err(failure::from_call)?;
        Ok(attributes.get(KEY_ID).cloned())
    }

    /// Unlocks a collection, which prompts the user.
    pub(super) async fn unlock(&self, collection: &ObjectPath<'_>) -> Result<(), KeychainError> {
        let reply = self.call(PATH, SERVICE, "Unlock", &([collection].as_slice(),)).await?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = body(&reply)?;
        if prompt.as_str() != NONE {
            prompt::show(&self.bus, &prompt).await?;
        }
        if self.is_locked(collection).await? { Err(KeychainError::Locked) } else { Ok(()) }
    }

    async fn session(&self) -> Result<OwnedObjectPath, KeychainError> {
        let none = Variant::from("");
        let reply = self.call(PATH, SERVICE, "OpenSession", &("plain", none)).await?;
        let (_, session): (OwnedVariant, OwnedObjectPath) = body(&reply)?;
        Ok(session)
    }

    async fn property(
        &self,
        path: &ObjectPath<'_>,
        interface: &str,
        property: &str,
    ) -> Result<OwnedVariant, KeychainError> {
        body(&self.call(path, "org.freedesktop.DBus.Properties", "Get", &(interface, property)).await?)
    }

    async fn call<'p, P>(
        &self,
        path: P,
        interface: &str,
        method: &str,
        arguments: &(impl Serialize + DynamicType),
    ) -> Result<Message, KeychainError>
    where
        P: TryInto<ObjectPath<'p>>,
        P::Error: Into<zbus::Error>,
    {
        self.bus
            .call_method(Some(NAME), path, Some(interface), method, arguments)
            .await
            .map_err(failure::from_call)
    }
}

fn body<T: for<'d> DynamicDeserialize<'d>>(reply: &Message) -> Result<T, KeychainError> {
    reply.body().deserialize().map_err(failure::from_call)
}

fn unless_prompted(prompt: &ObjectPath<'_>) -> Result<(), KeychainError> {
    if prompt.as_str() == NONE { Ok(()) } else { Err(KeychainError::Locked) }
}
