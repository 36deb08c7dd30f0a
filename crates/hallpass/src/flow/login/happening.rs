//! What a login that waits is told by its threads.

use crate::error::Result;
use crate::loopback::Callback;
use crate::protocol::device::DeviceAuthorization;
use crate::protocol::token::Tokens;

/// What can happen while a login waits.
pub(super) enum Happening {
    Callback(Callback),
    BrowserFailed(String),
    Device(DeviceNews),
}

/// What it tells the login.
pub(super) enum DeviceNews {
    /// A code to show.
    Code(DeviceAuthorization),
    /// It is over, well or badly.
    Over(Result<Tokens>),
}
