//! Signs in with a user present.

use hallpass::{Hallpass, Session};

use crate::failure::Failure;
use crate::output::screen::Screen;
use crate::system::{browser, signals};

/// Signs in with a tracked pass; the first signal cancels it.
pub(crate) fn sign_in(pass: &Hallpass, mut screen: Screen) -> Result<Session, Failure> {
    browser::close_inherited_files_on_exec();
    if let Some(keyboard) = screen.keyboard() {
        signals::release_on_signal(keyboard.clone());
    }
    signals::on_first(signals::exit_when_saved)?;
    Ok(pass.login(&mut screen)?)
}
