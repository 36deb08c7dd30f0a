//! The state of the server, all of it in memory: keys, journal, codes, grants, browsers and devices.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::Config;
use crate::event::OnEvent;

pub(crate) mod browsers;
pub(crate) mod codes;
pub(crate) mod consent_request;
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

/// The state that all endpoints share.
pub(crate) struct App {
    pub(crate) issuer: String,
    pub(crate) authority: String,
    /// Contains the port. Browsers send a cookie to all ports of a host (RFC 6265 §8.5), so two servers would
    /// otherwise overwrite each other's cookies.
    pub(crate) cookie_name: String,
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) journal: Journal,
    pub(crate) on_event: Option<OnEvent>,
    tables: Mutex<Tables>,
}

/// The tables that requests change. They share one lock because a code and its grant have to change together.
#[derive(Default)]
pub(crate) struct Tables {
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
            tables: Mutex::default(),
        }
    }

    /// Locks the tables. A poisoned lock is fine: no endpoint panics between two changes that belong together.
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
