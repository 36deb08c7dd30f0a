//! The service's items.

use std::collections::{BTreeMap, HashMap};

use zbus::{ObjectPath, OwnedObjectPath};

pub(crate) const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

#[derive(Default)]
pub(crate) struct Vault {
    pub(crate) is_locked: bool,
    pub(crate) items: BTreeMap<u32, Kept>,
    made: u32,
}

pub(crate) struct Kept {
    pub(crate) attributes: HashMap<String, String>,
    pub(crate) secret: Vec<u8>,
}

impl Vault {
    pub(crate) fn keep(&mut self, item: Kept) -> OwnedObjectPath {
        self.made += 1;
        self.items.insert(self.made, item);
        path(self.made)
    }

    /// The items that have at least these attributes.
    pub(crate) fn search(&self, attributes: &HashMap<String, String>) -> Vec<OwnedObjectPath> {
        let fits =
            |item: &Kept| attributes.iter().all(|(name, value)| item.attributes.get(name) == Some(value));
        self.items.iter().filter(|(_, item)| fits(item)).map(|(number, _)| path(*number)).collect()
    }

    pub(crate) fn at(&self, path: &ObjectPath<'_>) -> Option<&Kept> {
        self.items.get(&number(path)?)
    }

    pub(crate) fn remove(&mut self, path: &ObjectPath<'_>) -> Option<Kept> {
        self.items.remove(&number(path)?)
    }
}

fn path(number: u32) -> OwnedObjectPath {
    format!("{COLLECTION}/{number}").try_into().expect("a valid path")
}

fn number(path: &ObjectPath<'_>) -> Option<u32> {
    path.as_str().strip_prefix(COLLECTION)?.strip_prefix('/')?.parse().ok()
}
