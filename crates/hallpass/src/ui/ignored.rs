//! What a login saw while it waited and did not take for the answer.

use crate::protocol::pasted::PasteError;

/// What was ignored while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// A callback of another sign-in, or a forged one: its `state` is not ours.
    OtherSignIn,
    /// A callback without any parameters; the answer may have been after the `#`.
    NoParameters,
    /// The browser spoke https to the plain port.
    TlsHello,
    /// A pasted text that is not this sign-in's answer.
    Pasted(PasteError),
}

impl Ignored {
    /// One sentence for the user.
    pub fn text(self) -> &'static str {
        match self {
            Ignored::OtherSignIn => "Ignored a callback of another sign-in; still waiting.",
            Ignored::NoParameters => "The browser came back without an answer in the address; still waiting.",
            Ignored::TlsHello => "Your browser switched to https; change the address to http:// and reload.",
            Ignored::Pasted(why) => why.text(),
        }
    }
}
