//! The ready-made [`LoginUi`] for a terminal.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use url::Url;

use super::fold::{columns_of_stderr, fold};
use super::{Keyboard, LoginEvent, LoginUi, foreground};
use crate::environment::Environment;
use crate::error::KeychainError;
use crate::store::StoreKind;

const PASTE: &str = "\
If the browser shows a connection error, copy the URL from its address bar, paste it here and press Enter.
Never paste it anywhere else.";

/// A [`LoginUi`] that writes English lines.
///
/// On a terminal, the last line counts the time down and says how to cancel; otherwise there are plain lines only. The URL
/// has a line of its own, unbroken and without color, so that it can be copied.
pub struct Terminal {
    writer: Box<dyn Write + Send>,
    is_live: bool,
    columns: fn() -> Option<usize>,
    keyboard: Option<Keyboard>,
    invitation: &'static str,
    tunnel: Option<String>,
    announced: bool,
    is_paste_explained: bool,
    has_status: bool,
    ends_blank: bool,
    qr_code: Option<fn(&str) -> Option<String>>,
}

impl Terminal {
    /// Writes to standard error; live if that is a terminal other than a dumb one. If standard input is a terminal too,
    /// pasted text is read from it: see [`Keyboard`] for what this means to a program that a signal may end.
    pub fn stderr() -> Terminal {
        let stream = io::stderr();
        let is_terminal = stream.is_terminal();
        let can_rewrite = Environment::from_process().text("TERM") != Some("dumb");
        let mut terminal = Terminal::new(Box::new(stream), is_terminal && can_rewrite);
        terminal.columns = columns_of_stderr;
        terminal.keyboard = if is_terminal { Keyboard::from_stdin() } else { None };
        terminal
    }

    /// Writes to any writer and reads nothing. `is_live` says whether a carriage return overwrites a line there.
    pub fn new(writer: Box<dyn Write + Send>, is_live: bool) -> Terminal {
        Terminal {
            writer,
            is_live,
            columns: || None,
            keyboard: None,
            invitation: "Opening browser for authentication...",
            tunnel: None,
            announced: false,
            is_paste_explained: false,
            has_status: false,
            ends_blank: true,
            qr_code: None,
        }
    }

    /// Shows URLs for another device as QR codes as well, drawn by `draw`.
    pub fn with_qr_codes(mut self, draw: fn(&str) -> Option<String>) -> Terminal {
        self.qr_code = Some(draw);
        self
    }

    /// Returns the keyboard that pasted text is read from, if any, so that a signal handler can
    /// [release](Keyboard::release) it.
    pub fn keyboard(&self) -> Option<Keyboard> {
        self.keyboard.clone()
    }

    fn line(&mut self, text: &str) {
        match (self.columns)() {
            Some(columns) => self.unfolded(&fold(text, columns)),
            None => self.unfolded(text),
        }
    }

    /// Writes a line after a blank one.
    fn paragraph(&mut self, text: &str) {
        let apart = if self.ends_blank { "" } else { "\n" };
        self.line(&format!("{apart}{text}"));
    }

    /// Ignores failed writes: a terminal that goes away must not end a login.
    fn unfolded(&mut self, text: &str) {
        self.clear_status();
        self.ends_blank = text.ends_with('\n');
        let _ = writeln!(self.writer, "{text}");
        let _ = self.writer.flush();
    }

    /// Redraws the last line: 40 columns at most, so that it never wraps, and only in the foreground.
    fn status(&mut self, text: &str) {
        if self.is_live && foreground::is_ours() {
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
            if let Some(tunnel) = self.tunnel.take() {
                self.line(&format!(
                    "If the browser is on another machine, run this there first:\n\n    {tunnel}\n"
                ));
            }
        }
        self.explain_paste();
        let left = format!("{}:{:02}", left.as_secs() / 60, left.as_secs() % 60);
        match self.keyboard.as_ref().map_or(0, Keyboard::pending) {
            0 => self.status(&format!("{left} left · Ctrl-C cancels")),
            pending => self.status(&format!("{left} · {pending} characters · press Enter")),
        }
    }

    fn user_code(&mut self, user_code: &str, url: &Url, complete: Option<&Url>) {
        let start = if self.announced { "Or open" } else { "Open" };
        self.paragraph(&format!(
            "{start} this URL on any device and enter the code:\n\n{url}\n\n    {user_code}\n"
        ));
        let complete = complete.unwrap_or(url);
        if let Some(picture) = self.qr_code.and_then(|draw| draw(complete.as_str())) {
            self.unfolded(&picture);
        }
    }

    /// Waits until the keyboard is read: in the background a paste would go to the shell.
    fn explain_paste(&mut self) {
        if !self.is_paste_explained && self.keyboard.as_ref().is_some_and(Keyboard::is_reading) {
            self.is_paste_explained = true;
            self.line(PASTE);
        }
    }
}

impl LoginUi for Terminal {
    fn can_unlock(&self) -> bool {
        self.is_live || self.keyboard.is_some()
    }

    fn event(&mut self, event: LoginEvent) {
        match event {
            LoginEvent::Store { path: Some(path), kind, no_keychain } => {
                self.line(&store_line(&path, kind, no_keychain.as_ref()));
            }
            LoginEvent::Store { .. } => {}
            LoginEvent::SlowKeychain => self.line("Waiting for the keychain..."),
            LoginEvent::Unlocking => {
                self.line("The keychain is locked. Please answer its prompt to unlock it.")
            }
            LoginEvent::OtherLogin { process } => {
                self.line(&format!("Process {process} is already signing in. Waiting for it..."));
            }
            LoginEvent::Discovering { host } => self.status(&shortened(format!("Contacting {host}..."))),
            LoginEvent::NoBrowser { reason } => {
                self.invitation = "Open this URL in a browser:";
                if !reason.is_request() {
                    self.line(&reason.notice());
                }
            }
            LoginEvent::Tunnel(line) => self.tunnel = Some(line),
            LoginEvent::Url(url) => self.line(&format!("{}\n\n{url}\n", self.invitation)),
            LoginEvent::BrowserFailed(why) => {
                self.line(&format!("Could not open a browser ({why}). Open the URL above yourself."))
            }
            LoginEvent::Waiting { redirect_uri, left } => self.waiting(redirect_uri.as_deref(), left),
            LoginEvent::UserCode { user_code, verification_uri, verification_uri_complete, host, .. } => {
                self.user_code(&user_code, &verification_uri, verification_uri_complete.as_ref());
                self.line(&format!("Enter the code only if you started this sign-in to {host} yourself."));
            }
            LoginEvent::Pasted { characters } => self.line(&format!("Received {characters} characters.")),
            LoginEvent::Ignored(what) => self.line(what.text()),
            LoginEvent::Exchanging => self.status("Finishing sign-in..."),
            LoginEvent::Note(note) => self.line(&format!("Note: {note}")),
        }
    }

    fn pasted(&mut self) -> Option<Receiver<String>> {
        self.keyboard.as_ref().map(Keyboard::pasted)
    }

    fn pasting_is_over(&mut self) {
        self.keyboard.iter().for_each(Keyboard::release);
    }
}

/// Shortens text to what fits on the redrawn line.
fn shortened(text: String) -> String {
    if text.chars().count() > 38 { text.chars().take(37).chain(['…']).collect() } else { text }
}

fn store_line(path: &Path, kind: StoreKind, no_keychain: Option<&KeychainError>) -> String {
    let path = path.display();
    match (kind, no_keychain) {
        (StoreKind::Keychain, _) => {
            format!("Credentials will be saved in {path}, encrypted with a key from the keychain")
        }
        (_, Some(why)) => format!("Credentials will be saved in {path}, not encrypted ({why})"),
        (_, None) => format!("Credentials will be saved in {path}, not encrypted"),
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.pasting_is_over();
        self.clear_status();
        let _ = self.writer.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Ignored;
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
    fn without_a_terminal_there_are_plain_lines_only() {
        assert_eq!(
            shown(false),
            "Opening browser for authentication...\n\nhttps://a.example/authorize?x=1\n\n\
             Waiting for callback on http://localhost:9999/callback...\nIgnored a callback from another sign-in. Still waiting.\n"
        );
    }

    #[test]
    fn on_a_terminal_the_last_line_counts_down_and_is_gone_at_the_end() {
        let text = shown(true);
        assert!(text.contains("  4:59 left · Ctrl-C cancels\r\u{1b}[K  4:58 left"));
        assert!(text.ends_with("Still waiting.\n"));
        assert!(text.contains("\n\nhttps://a.example/authorize?x=1\n\n"));
    }
}
