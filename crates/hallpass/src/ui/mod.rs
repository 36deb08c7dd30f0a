//! Shows the user what a login is doing, and reads what they paste.

pub(crate) mod fold;
mod foreground;
mod ignored;
mod keyboard;
mod terminal;

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use url::Url;

use crate::browser::Reason;
use crate::error::KeychainError;
use crate::store::StoreKind;

pub use ignored::Ignored;
pub use keyboard::Keyboard;
pub use terminal::Terminal;

/// Receives the steps of a login, and may read a pasted redirect URL. Implement it to show them in your program's own way or
/// language; [`Terminal`] is the ready-made one.
///
/// ```
/// use hallpass::{LoginEvent, LoginUi};
///
/// struct Quiet;
///
/// impl LoginUi for Quiet {
///     fn event(&mut self, event: LoginEvent) {
///         if let LoginEvent::Url(url) = event {
///             eprintln!("Sign in at {url}");
///         }
///     }
/// }
/// ```
pub trait LoginUi {
    /// Handles a step. Called on the thread that called [`login`](crate::Hallpass::login); return soon.
    fn event(&mut self, event: LoginEvent);

    /// Whether the user is there to answer the keychain's prompt to unlock it. Defaults to `false`: a locked keychain is
    /// then treated as missing.
    fn can_unlock(&self) -> bool {
        false
    }

    /// Returns a source of pasted text: the whole redirect URL or its query, one in each message. Called once, when the
    /// wait begins. Defaults to `None`; [`Keyboard`] reads a terminal.
    fn pasted(&mut self) -> Option<Receiver<String>> {
        None
    }

    /// Called when the wait is over: what is typed from here on is not for this login.
    fn pasting_is_over(&mut self) {}
}

/// A step of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginEvent {
    /// The store for the credentials is chosen, and writing to it was tried.
    Store {
        /// The kind of store.
        kind: StoreKind,
        /// The record's file, if there is one.
        path: Option<PathBuf>,
        /// Why the file is not encrypted with a key from the keychain, if either was allowed.
        no_keychain: Option<KeychainError>,
    },
    /// The keychain is slow; the login waits a few seconds more.
    SlowKeychain,
    /// The keychain is locked and shows its own prompt to unlock it. Only if [`LoginUi::can_unlock`] returns `true`.
    Unlocking,
    /// Another process is signing in to this profile; this one waits for it and uses its result.
    OtherLogin {
        /// Its process id.
        process: String,
    },
    /// The server's metadata is being fetched.
    Discovering {
        /// The issuer's host.
        host: String,
    },
    /// No browser is opened here: the user has to open the URL of the next event.
    NoBrowser {
        /// Why. [`Reason::notice`] says it in a sentence.
        reason: Reason,
    },
    /// The authorization URL. Comes before the browser is opened.
    Url(Url),
    /// A command to run on the machine with the browser, so that its callback arrives here.
    Tunnel(String),
    /// The browser could not be opened, and why. The login goes on: the URL was shown.
    BrowserFailed(String),
    /// A code to enter on another device (RFC 8628 §3.3). Comes again with a new code when it expires.
    UserCode {
        /// The code.
        user_code: String,
        /// The URL to enter it at.
        verification_uri: Url,
        /// The same URL with the code in it, for a QR code. The code must be shown as well.
        verification_uri_complete: Option<Url>,
        /// How long the code is valid.
        expires_in: Duration,
        /// The issuer's host. Entering a stranger's code would sign the stranger in, so the user must know which server
        /// it is for, and use it only if they started the sign-in themselves.
        host: String,
    },
    /// The login is waiting for the user. Comes again each second.
    Waiting {
        /// The redirect URI, as registered at the server. `None` for a device grant alone.
        redirect_uri: Option<String>,
        /// The time left.
        left: Duration,
    },
    /// Text was pasted. The next event says what it was.
    Pasted {
        /// The length of the text.
        characters: usize,
    },
    /// Something was ignored; the login goes on.
    Ignored(Ignored),
    /// The authorization code is being exchanged for tokens.
    Exchanging,
    /// A note for the user, in one sentence.
    Note(String),
}
