//! The responses of the bus and the service.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use zbus::{Message, ObjectPath, OwnedObjectPath, OwnedVariant, Variant};

use super::reaction::Reaction;
use super::vault::{COLLECTION, Kept};
use super::{Habit, State, lock};

const NAME: &str = "org.freedesktop.secrets";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/1";

type Answer = zbus::Result<Reaction>;

pub(crate) fn react(state: &Mutex<State>, call: &Message) -> Answer {
    let header = call.header();
    let mut state = lock(state);
    if state.habit == Habit::BusSilent {
        return Ok(Reaction::silence());
    }
    if header.destination().is_some_and(|name| name.as_str() == "org.freedesktop.DBus") {
        return of_the_bus(call);
    }
    let member = header.member().map(|member| member.to_string()).unwrap_or_default();
    state.calls.push(member.clone());
    match state.habit {
        Habit::Absent => unknown(call),
        Habit::Silent => Ok(Reaction::silence()),
        Habit::Dies => dies(call),
        Habit::BusDies => Ok(Reaction::hangs_up()),
        Habit::Babbles => Reaction::reply(call, &(7u32, "what?")),
        Habit::Slow => Ok(state.answer(call, &member)?.after(Duration::from_secs(60))),
        Habit::Sluggish => Ok(state.answer(call, &member)?.after(Duration::from_millis(1500))),
        Habit::Leisurely => Ok(state.answer(call, &member)?.after(Duration::from_millis(400))),
        _ => state.answer(call, &member),
    }
}

fn of_the_bus(call: &Message) -> Answer {
    match call.header().member().map(|member| member.as_str()) {
        Some("Hello") => Reaction::reply(call, &(":1.42",)),
        _ => Reaction::reply(call, &()),
    }
}

fn unknown(call: &Message) -> Answer {
    let text = "The name org.freedesktop.secrets was not provided by any .service files";
    Reaction::error(call, "org.freedesktop.DBus.Error.ServiceUnknown", text)
}

fn dies(call: &Message) -> Answer {
    let text = "Message recipient disconnected from message bus without replying";
    Ok(Reaction::error(call, "org.freedesktop.DBus.Error.NoReply", text)?.after(Duration::from_millis(100)))
}

fn is_locked(call: &Message) -> Answer {
    Reaction::error(call, "org.freedesktop.Secret.Error.IsLocked", "Cannot do this in a locked collection")
}

fn none() -> ObjectPath<'static> {
    ObjectPath::from_static_str_unchecked("/")
}

fn prompt() -> ObjectPath<'static> {
    ObjectPath::from_static_str_unchecked(PROMPT)
}

impl State {
    fn answer(&mut self, call: &Message, member: &str) -> Answer {
        match member {
            "OpenSession" => Reaction::reply(call, &(Variant::from(""), session())),
            "SearchItems" => self.search_items(call),
            "ReadAlias" => self.read_alias(call),
            "Get" => self.property(call),
            "GetSecret" => self.get_secret(call),
            "CreateItem" => self.create_item(call),
            "Delete" => self.delete(call),
            "Unlock" => self.unlock(call),
            "Prompt" => self.prompt(call),
            other => Reaction::error(call, "org.freedesktop.DBus.Error.UnknownMethod", other),
        }
    }

    fn search_items(&self, call: &Message) -> Answer {
        let (attributes,): (HashMap<String, String>,) = call.body().deserialize()?;
        let found = self.vault.search(&attributes);
        let nothing: Vec<OwnedObjectPath> = Vec::new();
        match self.habit {
            Habit::HidesWhileLocked if self.vault.is_locked => Reaction::reply(call, &(&nothing, &nothing)),
            Habit::LocksItems => Reaction::reply(call, &(&nothing, found)),
            _ if self.vault.is_locked => Reaction::reply(call, &(&nothing, found)),
            _ => Reaction::reply(call, &(found, &nothing)),
        }
    }

    fn read_alias(&self, call: &Message) -> Answer {
        match self.habit {
            Habit::Bare => Reaction::reply(call, &(none(),)),
            _ => Reaction::reply(call, &(ObjectPath::from_static_str_unchecked(COLLECTION),)),
        }
    }

    fn property(&self, call: &Message) -> Answer {
        let body = call.body();
        let (_, property): (&str, &str) = body.deserialize()?;
        let item = call.header().path().and_then(|path| self.vault.at(path));
        match (property, item) {
            ("Locked", None) => Reaction::reply(call, &(Variant::from(self.vault.is_locked),)),
            ("Attributes", Some(item)) => Reaction::reply(call, &(Variant::from(item.attributes.clone()),)),
            (other, _) => Reaction::error(call, "org.freedesktop.DBus.Error.UnknownProperty", other),
        }
    }

    fn get_secret(&self, call: &Message) -> Answer {
        if self.vault.is_locked {
            return is_locked(call);
        }
        let Some(item) = call.header().path().and_then(|path| self.vault.at(path)) else {
            return Reaction::error(call, "org.freedesktop.Secret.Error.NoSuchObject", "no such item");
        };
        let nothing: &[u8] = &[];
        Reaction::reply(call, &((session(), nothing, self.told(&item.secret), "text/plain"),))
    }

    /// Returns a secret as this habit reports it.
    fn told(&self, secret: &[u8]) -> Vec<u8> {
        match self.habit {
            Habit::SwapsKeys => vec![b'A'; secret.len()],
            Habit::Garbles => b"not what\nyou gave me".to_vec(),
            Habit::Truncates => secret[..secret.len() / 2].to_vec(),
            Habit::Blanks => Vec::new(),
            _ => secret.to_vec(),
        }
    }

    fn create_item(&mut self, call: &Message) -> Answer {
        type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);
        if self.vault.is_locked {
            return is_locked(call);
        }
        if self.habit == Habit::AsksFirst {
            return Reaction::reply(call, &(none(), prompt()));
        }
        let (mut properties, (_, _, secret, _), _): (HashMap<String, OwnedVariant>, Secret, bool) =
            call.body().deserialize()?;
        let attributes = properties.remove("org.freedesktop.Secret.Item.Attributes");
        let attributes = attributes.map(HashMap::try_from).transpose()?.unwrap_or_default();
        let path = self.vault.keep(Kept { attributes, secret });
        if self.habit == Habit::Forgets {
            self.vault.remove(&path);
        }
        Reaction::reply(call, &(path, none()))
    }

    fn delete(&mut self, call: &Message) -> Answer {
        if self.habit == Habit::AsksFirst {
            return Reaction::reply(call, &(prompt(),));
        }
        if self.habit == Habit::Clings {
            return Reaction::error(call, "org.freedesktop.DBus.Error.Failed", "it stays");
        }
        match call.header().path().and_then(|path| self.vault.remove(path)) {
            Some(_) => Reaction::reply(call, &(none(),)),
            None => Reaction::error(call, "org.freedesktop.Secret.Error.NoSuchObject", "no such item"),
        }
    }

    fn unlock(&self, call: &Message) -> Answer {
        let nothing: Vec<OwnedObjectPath> = Vec::new();
        Reaction::reply(call, &(nothing, prompt()))
    }

    fn prompt(&mut self, call: &Message) -> Answer {
        let shown = Reaction::reply(call, &())?;
        match self.habit {
            Habit::NobodyAnswers => Ok(shown),
            Habit::DiesAsking => Ok(shown.and(gone()?)),
            Habit::Dismissed => Ok(shown.and(completed(true)?)),
            habit => {
                self.vault.is_locked = habit == Habit::StaysLocked;
                Ok(shown.and(completed(false)?))
            }
        }
    }
}

fn session() -> ObjectPath<'static> {
    ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets/session/1")
}

fn completed(is_dismissed: bool) -> zbus::Result<Message> {
    Message::signal(PROMPT, "org.freedesktop.Secret.Prompt", "Completed")
        .sender(":1.1")
        .build(&(is_dismissed, Variant::from("")))
}

fn gone() -> zbus::Result<Message> {
    Message::signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged")
        .sender(":1.0")
        .build(&(NAME, ":1.1", ""))
}
