//! A URL as a QR code for a terminal.

use anstream::{AutoStream, ColorChoice};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Cameras need dark on light, so both colors are set, whatever the terminal's own are.
const BLACK_ON_WHITE: (&str, &str) = ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m");

/// Draws a QR code, two rows of modules per line; `None` if the URL is too long for one.
pub(crate) fn draw(url: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    let mut picture = code.render::<Dense1x2>();
    if AutoStream::choice(&std::io::stderr()) == ColorChoice::Never {
        // Most terminals have a dark background, so the light modules are drawn.
        return Some(picture.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build());
    }
    let (start, end) = BLACK_ON_WHITE;
    let lines: Vec<String> = picture.build().lines().map(|line| format!("{start}{line}{end}")).collect();
    Some(lines.join("\n"))
}
