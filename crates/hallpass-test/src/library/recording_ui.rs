//! A [`LoginUi`] that records what it is told.

use std::sync::mpsc::Receiver;

use hallpass::{LoginEvent, LoginUi};

use crate::canary;

/// Records the events of a login, and passes on what a test pastes.
#[derive(Default)]
pub struct RecordingUi {
    pub events: Vec<LoginEvent>,
    pub paste: Option<Receiver<String>>,
}

impl LoginUi for RecordingUi {
    fn event(&mut self, event: LoginEvent) {
        canary::assert_none_in("an event", &format!("{event:?}"), &[]);
        self.events.push(event);
    }

    fn pasted(&mut self) -> Option<Receiver<String>> {
        self.paste.take()
    }
}

impl RecordingUi {
    pub fn count(&self, wanted: impl Fn(&LoginEvent) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }
}
