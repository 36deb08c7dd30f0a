//! The attributes of an item.

use std::collections::HashMap;

use crate::world::keychain::Item;

pub(super) const KEY_ID: &str = "key_id";

pub(super) struct Attributes<'a>(pub(super) HashMap<&'static str, &'a str>);

impl<'a> Attributes<'a> {
    pub(super) fn for_item(item: &Item<'a>) -> Attributes<'a> {
        let mut attributes = Attributes::for_program(item.service);
        attributes.0.insert(KEY_ID, item.key_id);
        attributes
    }

    /// The attributes of all keys of a program. `application` keeps them apart from the program's own items.
    pub(super) fn for_program(program: &'a str) -> Attributes<'a> {
        Attributes(HashMap::from([("application", "hallpass"), ("service", program)]))
    }
}
