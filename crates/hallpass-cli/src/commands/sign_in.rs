//! A sign-in in front of a user, which a signal may end.

use hallpass::{Hallpass, Session};

use crate::failure::Failure;
use crate::output::screen::Screen;
use crate::system::{browser, signals};

/// Signs in with a pass that is minded; the first signal ends that.
pub(crate) fn sign_in(pass: &Hallpass, mut screen: Screen) -> Result<Session, Failure> {
    browser::inherits_nothing();
    screen.keyboard().into_iter().cloned().for_each(signals::give_back_first);
    signals::at_first(signals::end_when_saved)?;
    Ok(pass.login(&mut screen)?)
}
