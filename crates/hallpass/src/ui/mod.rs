//! Telling the user what a login is doing, and taking what they paste.

pub(crate) mod fold;
mod foreground;
mod ignored;
mod keyboard;
mod terminal;

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use url::Url;

use crate::error::KeychainError;
use crate::store::StoreKind;

pub use ignored::Ignored;
pub use keyboard::Keyboard;
pub use terminal::Terminal;

/// Sees the steps of a login and may take a pasted answer. Every text can be the program's own.
pub trait LoginUi {
    /// Something happened. Called on the thread that called [`login`](crate::Hallpass::login); return soon.
    fn event(&mut self, event: LoginEvent);

    /// Whether somebody is there who can answer the keychain's question to unlock it. Defaults to nobody, and a locked
    /// keychain is then as good as none.
    fn can_unlock(&self) -> bool {
        false
    }

    /// Where pasted answers come from: the whole redirect address, its query or the code, one in each message. Asked
    /// once, when the wait begins. Defaults to nowhere; [`Keyboard`] reads a terminal.
    fn pasted(&mut self) -> Option<Receiver<String>> {
        None
    }

    /// The wait is over, well or badly: what is typed from here on is for somebody else.
    fn pasting_is_over(&mut self) {}
}

/// A step of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginEvent {
    /// Where the sign-in will be kept; that it can be written there was tried.
    Store {
        /// What kind of store.
        kind: StoreKind,
        /// The record's file, where there is one.
        path: Option<PathBuf>,
        /// Why it is a file and not the keychain, where either would have done.
        no_keychain: Option<KeychainError>,
    },
    /// The keychain takes its time, and is waited for a few seconds more.
    SlowKeychain,
    /// The keychain is locked, and its own question to unlock it is shown to the person now. Only where
    /// [`LoginUi::can_unlock`] says so.
    Unlocking,
    /// Another process waits for the person already; this one waits for it and takes over what it brings.
    OtherLogin {
        /// Its process id.
        process: String,
    },
    /// The server is asked for its metadata.
    Discovering {
        /// The issuer's host.
        host: String,
    },
    /// No browser is going to be started here: whoever reads the next event opens the address.
    NoBrowser {
        /// Why, in one sentence; `None` where that was asked for.
        why: Option<String>,
    },
    /// The address to open. It is shown before the browser is started.
    Url(Url),
    /// What to run where the browser is, so that its callback arrives here.
    Tunnel(String),
    /// The browser did not start. The login goes on: the address was shown.
    BrowserFailed(String),
    /// A code to use on another device (RFC 8628 §3.3). Comes again with another code when it expires.
    UserCode {
        /// What the person types.
        user_code: String,
        /// Where.
        verification_uri: Url,
        /// The same with the code in it, for a QR code. The code has to be shown all the same.
        verification_uri_complete: Option<Url>,
        /// How long the code lives.
        expires_in: Duration,
        /// The issuer's host. A code that a stranger sent would sign the stranger in, so a person has to know for
        /// whom it is, and that only one who started the sign-in should use it.
        host: String,
    },
    /// The login waits for the person. Comes again each second.
    Waiting {
        /// Where the browser will come back to: what has to be registered at the server. `None` for a device
        /// grant alone.
        redirect_uri: Option<String>,
        /// The time that is left.
        left: Duration,
    },
    /// A text was pasted, of so many characters. What it is, the next event tells.
    Pasted {
        /// Its length.
        characters: usize,
    },
    /// Something came that is not the answer; the login goes on.
    Ignored(Ignored),
    /// The answer came and is exchanged for tokens.
    Exchanging,
    /// A remark that the user should see, in one sentence.
    Note(String),
}
