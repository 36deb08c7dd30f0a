//! Requests and pasted text that a login ignored.

use crate::protocol::pasted::PasteError;

/// Something a login ignored while it waited. Its `text` is an English sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// A callback of another sign-in, or a forged one: its `state` does not match.
    OtherSignIn,
    /// A callback without parameters; they may have been in the URL's fragment, which is not sent.
    NoParameters,
    /// The browser tried https on the http port.
    TlsHello,
    /// Pasted text that is not the redirect URL of this sign-in.
    Pasted(PasteError),
}

impl Ignored {
    /// Returns the message for the user.
    pub fn text(self) -> &'static str {
        match self {
            Ignored::OtherSignIn => "Ignored a callback from another sign-in. Still waiting.",
            Ignored::NoParameters => "Ignored a callback without parameters. Still waiting.",
            Ignored::TlsHello => "Your browser switched to https. Change the URL to http:// and reload.",
            Ignored::Pasted(why) => why.text(),
        }
    }
}
