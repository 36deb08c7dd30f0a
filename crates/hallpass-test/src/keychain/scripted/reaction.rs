//! The reaction to a call.

use std::time::Duration;

use serde::Serialize;
use zbus::{DynamicType, Message};

#[derive(Default)]
pub(crate) struct Reaction {
    pub(crate) after: Duration,
    pub(crate) messages: Vec<Message>,
    pub(crate) hangs_up: bool,
}

impl Reaction {
    pub(crate) fn silence() -> Reaction {
        Reaction::default()
    }

    pub(crate) fn hangs_up() -> Reaction {
        Reaction { hangs_up: true, ..Reaction::default() }
    }

    pub(crate) fn reply(call: &Message, body: &(impl Serialize + DynamicType)) -> zbus::Result<Reaction> {
        let message = Message::method_return(&call.header()).build(body)?;
        Ok(Reaction { messages: vec![message], ..Reaction::default() })
    }

    pub(crate) fn error(call: &Message, name: &str, text: &str) -> zbus::Result<Reaction> {
        let message = Message::error(&call.header(), name).build(&(text,))?;
        Ok(Reaction { messages: vec![message], ..Reaction::default() })
    }

    pub(crate) fn after(self, after: Duration) -> Reaction {
        Reaction { after, ..self }
    }

    pub(crate) fn and(mut self, message: Message) -> Reaction {
        self.messages.push(message);
        self
    }
}
