//! Reports of the threads of a login while it waits.

use crate::error::Result;
use crate::loopback::Callback;
use crate::protocol::device::DeviceAuthorization;
use crate::protocol::token::Tokens;

/// A report to a login that waits.
pub(super) enum Happening {
    /// A request arrived at the listener.
    Callback(Callback),
    /// The browser could not be opened, and why.
    BrowserFailed(String),
    /// There is a code to show.
    DeviceCode(DeviceAuthorization),
    /// The device grant has ended.
    DeviceEnded(Result<Tokens>),
}
