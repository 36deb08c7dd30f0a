//! What an item is found by.

use std::collections::HashMap;

use super::Item;

pub(super) const KEY_ID: &str = "key_id";

pub(super) struct Attributes<'a>(pub(super) HashMap<&'static str, &'a str>);

impl<'a> Attributes<'a> {
    pub(super) fn of(item: &Item<'a>) -> Attributes<'a> {
        let mut attributes = Attributes::of_program(item.service);
        attributes.0.insert(KEY_ID, item.key_id);
        attributes
    }

    /// All keys of a program. `application` keeps apart what the program itself may have there.
    pub(super) fn of_program(program: &'a str) -> Attributes<'a> {
        Attributes(HashMap::from([("application", "hallpass"), ("service", program)]))
    }
}
