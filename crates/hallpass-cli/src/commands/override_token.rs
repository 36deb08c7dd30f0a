//! `HALLPASS_ACCESS_TOKEN`: a token from outside that rules over the stored session.

use hallpass::Secret;

use crate::args::Common;
use crate::say;
use crate::sources::variable;

pub(crate) const NAME: &str = "HALLPASS_ACCESS_TOKEN";

/// The token, unless a profile was named on the command line: that is the nearer wish.
pub(crate) fn get(common: &Common) -> Option<Secret> {
    variable(NAME).filter(|_| common.profile.is_none()).map(Secret::new)
}

/// Whoever changes or shows the stored session should know that commands do not use it.
pub(crate) fn warn(common: &Common) {
    if get(common).is_some() {
        say::note(&format!("{NAME} is set and hides the stored sign-in; unset it to use what is stored"));
    }
}
