//! An address as a picture for a phone's camera.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Terminals are dark more often than light, and cameras want dark on light: both colours are drawn.
const LIGHT_ON_DARK: (&str, &str) = ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m");

/// Two rows of the picture in each line; nothing where the address is too long for one.
pub(crate) fn draw(address: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(address, EcLevel::L).ok()?;
    let picture = code.render::<Dense1x2>().quiet_zone(true).build();
    let (start, end) = LIGHT_ON_DARK;
    Some(picture.lines().map(|line| format!("{start}{line}{end}")).collect::<Vec<_>>().join("\n"))
}
