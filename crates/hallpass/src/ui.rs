//! Telling the user what a login is doing.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use url::Url;

use crate::store::StoreKind;
use crate::world::keychain::KeychainError;

/// Sees the steps of a login and may take a pasted answer. Every text can be the program's own.
pub trait LoginUi {
    /// Something happened. Called on the thread that called [`login`](crate::Hallpass::login); return soon.
    fn event(&mut self, event: LoginEvent);

    /// Whether somebody is there who can answer the keychain's question to unlock it. Defaults to nobody, and a locked
    /// keychain is then as good as none.
    fn can_unlock(&self) -> bool {
        false
    }

    /// Where pasted answers come from: the whole redirect address or its query, one in each message. Asked
    /// once, when the wait begins. Defaults to nowhere.
    fn pasted(&mut self) -> Option<Receiver<String>> {
        None
    }
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
    /// The keychain is locked, and its own question to unlock it is shown to the person now. Only where
    /// [`LoginUi::can_unlock`] says so.
    Unlocking,
    /// Another process waits for the person already; this one waits for it and takes over what it brings.
    OtherLogin {
        /// Its process id.
        process: String,
    },
    /// The address to open. It is shown before the browser is started.
    Url(Url),
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
    /// Something came that is not the answer; the login goes on.
    Ignored(Ignored),
    /// The answer came and is exchanged for tokens.
    Exchanging,
    /// A remark that the user should see, in one sentence.
    Note(String),
}

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
    Pasted,
    /// A pasted code without its address, where the server says more in the address.
    BareCode,
}

impl Ignored {
    /// One sentence for the user.
    pub fn text(self) -> &'static str {
        match self {
            Ignored::OtherSignIn => "Ignored a callback of another sign-in; still waiting.",
            Ignored::NoParameters => "The browser came back without an answer in the address; still waiting.",
            Ignored::TlsHello => "Your browser switched to https; change the address to http:// and reload.",
            Ignored::Pasted => {
                "That is not this sign-in's answer; paste the whole address that the browser ended on."
            }
            Ignored::BareCode => {
                "That is the code alone; this server needs the whole address that the browser ended on."
            }
        }
    }
}

/// A ready [`LoginUi`] that writes lines for people.
///
/// On a terminal a last line counts the time down and says how to cancel; elsewhere there are plain lines
/// only. The address stands alone on its line, unbroken and uncoloured, so that it can be copied.
pub struct Terminal {
    writer: Box<dyn Write + Send>,
    is_live: bool,
    invitation: &'static str,
    announced: bool,
    has_status: bool,
    qr_code: Option<fn(&str) -> Option<String>>,
}

impl Terminal {
    /// Writes to the standard error stream; live if that is a terminal.
    pub fn stderr() -> Terminal {
        let stream = io::stderr();
        let is_live = stream.is_terminal();
        Terminal::new(Box::new(stream), is_live)
    }

    /// Writes anywhere. `is_live` says whether a line can be written over by a carriage return.
    pub fn new(writer: Box<dyn Write + Send>, is_live: bool) -> Terminal {
        Terminal {
            writer,
            is_live,
            invitation: "Opening browser for authentication...",
            announced: false,
            has_status: false,
            qr_code: None,
        }
    }

    /// Shows addresses for another device as a picture too, drawn by `draw`, for a phone's camera.
    pub fn with_qr_codes(mut self, draw: fn(&str) -> Option<String>) -> Terminal {
        self.qr_code = Some(draw);
        self
    }

    /// For a login whose browser opens nothing: the address is all that the person gets.
    pub fn without_browser(mut self) -> Terminal {
        self.invitation = "Open this address in a browser:";
        self
    }

    /// A terminal that goes away must not end a login, so failed writes are let go.
    fn line(&mut self, text: &str) {
        self.clear_status();
        let _ = writeln!(self.writer, "{text}");
        let _ = self.writer.flush();
    }

    /// At most 40 columns, so that it never wraps.
    fn status(&mut self, text: &str) {
        if self.is_live {
            self.clear_status();
            let _ = write!(self.writer, "  {text}");
            let _ = self.writer.flush();
            self.has_status = true;
        }
    }

    fn clear_status(&mut self) {
        if std::mem::take(&mut self.has_status) {
            let _ = write!(self.writer, "\r\u{1b}[K");
        }
    }

    fn waiting(&mut self, redirect_uri: Option<&str>, left: Duration) {
        if let Some(redirect_uri) = redirect_uri
            && !std::mem::replace(&mut self.announced, true)
        {
            self.line(&format!("Waiting for callback on {redirect_uri}..."));
        }
        let seconds = left.as_secs();
        self.status(&format!("{}:{:02} left · Ctrl-C cancels", seconds / 60, seconds % 60));
    }
}

impl LoginUi for Terminal {
    fn can_unlock(&self) -> bool {
        self.is_live
    }

    fn event(&mut self, event: LoginEvent) {
        match event {
            LoginEvent::Store { path: Some(path), kind, no_keychain } => {
                self.line(&place(&path, kind, no_keychain.as_ref()));
            }
            LoginEvent::Store { .. } => {}
            LoginEvent::Unlocking => self.line("The keychain is locked; please answer its question."),
            LoginEvent::OtherLogin { process } => {
                self.line(&format!("Process {process} waits for this sign-in already; waiting for it..."));
            }
            LoginEvent::Url(url) => self.line(&format!("{}\n\n{url}\n", self.invitation)),
            LoginEvent::BrowserFailed(why) => {
                self.line(&format!("Could not open a browser ({why}). Open the address above yourself."))
            }
            LoginEvent::Waiting { redirect_uri, left } => self.waiting(redirect_uri.as_deref(), left),
            LoginEvent::UserCode { user_code, verification_uri, verification_uri_complete, host, .. } => {
                self.line(&format!("On another device, open this address and type the code:\n\n{verification_uri}\n\n    {user_code}\n"));
                let complete = verification_uri_complete.as_ref().unwrap_or(&verification_uri);
                if let Some(code) = self.qr_code.and_then(|draw| draw(complete.as_str())) {
                    self.line(&format!("{code}\n"));
                }
                self.line(&format!("Only if you started this sign-in yourself, at {host}."));
            }
            LoginEvent::Ignored(what) => self.line(what.text()),
            LoginEvent::Exchanging => self.status("Finishing the sign-in..."),
            LoginEvent::Note(note) => self.line(&format!("Note: {note}")),
        }
    }
}

fn place(path: &Path, kind: StoreKind, no_keychain: Option<&KeychainError>) -> String {
    let path = path.display();
    match (kind, no_keychain) {
        (StoreKind::Keychain, _) => format!("The sign-in will be kept in {path}, sealed by the keychain"),
        (_, Some(why)) => format!("The sign-in will be kept in the file {path}, unsealed: {why}"),
        (_, None) => format!("The sign-in will be kept in the file {path}"),
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear_status();
        let _ = self.writer.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(is_live: bool) -> String {
        let page = Page::default();
        let mut ui = Terminal::new(Box::new(page.clone()), is_live);
        let redirect_uri = Some("http://localhost:9999/callback".to_owned());
        ui.event(LoginEvent::Url(Url::parse("https://a.example/authorize?x=1").unwrap()));
        for left in [299, 298] {
            ui.event(LoginEvent::Waiting {
                redirect_uri: redirect_uri.clone(),
                left: Duration::from_secs(left),
            });
        }
        ui.event(LoginEvent::Ignored(Ignored::OtherSignIn));
        drop(ui);
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn elsewhere_than_on_a_terminal_there_are_plain_lines_only() {
        assert_eq!(
            shown(false),
            "Opening browser for authentication...\n\nhttps://a.example/authorize?x=1\n\n\
             Waiting for callback on http://localhost:9999/callback...\nIgnored a callback of another sign-in; still waiting.\n"
        );
    }

    #[test]
    fn on_a_terminal_the_last_line_counts_down_and_is_gone_at_the_end() {
        let text = shown(true);
        assert!(text.contains("  4:59 left · Ctrl-C cancels\r\u{1b}[K  4:58 left"));
        assert!(text.ends_with("still waiting.\n"));
        assert!(text.contains("\n\nhttps://a.example/authorize?x=1\n\n"));
    }
}
