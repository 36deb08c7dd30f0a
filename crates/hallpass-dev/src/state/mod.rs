//! What all endpoints share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::Config;
use crate::event::Event;

pub(crate) mod asked;
pub(crate) mod browsers;
pub(crate) mod codes;
pub(crate) mod devices;
mod fingerprint;
pub(crate) mod grants;
pub(crate) mod guesses;
pub(crate) mod journal;
pub(crate) mod keys;

use browsers::Browsers;
use codes::Codes;
use devices::Devices;
use grants::Grants;
use journal::Journal;
use keys::Keys;

/// The `on_event` callback.
pub(crate) type OnEvent = Box<dyn Fn(&Event) + Send + Sync>;

pub(crate) struct App {
    pub(crate) issuer: String,
    pub(crate) authority: String,
    /// Cookies do not tell ports apart (RFC 6265 §8.5), so two servers on one machine need two names.
    pub(crate) cookie_name: String,
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) journal: Journal,
    pub(crate) on_event: Option<OnEvent>,
    memory: Mutex<Memory>,
}

/// All that changes. One lock, as a code and the grant made of it must change together.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) codes: Codes,
    pub(crate) grants: Grants,
    pub(crate) browsers: Browsers,
    pub(crate) devices: Devices,
}

impl App {
    pub(crate) fn new(port: u16, config: Config, keys: Keys, on_event: Option<OnEvent>) -> App {
        let authority = format!("127.0.0.1:{port}");
        App {
            issuer: format!("http://{authority}"),
            authority,
            cookie_name: format!("hallpass_dev_{port}"),
            config,
            keys,
            journal: Journal::default(),
            on_event,
            memory: Mutex::default(),
        }
    }

    /// No handler panics between two changes that belong together, so a poisoned lock is still good.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
