//! An address as a picture for a phone's camera.

use anstream::{AutoStream, ColorChoice};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Cameras want dark on light, whatever the terminal's colours are: both are set.
const BLACK_ON_WHITE: (&str, &str) = ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m");

/// Two rows of the picture in each line; nothing where the address is too long for one.
pub(crate) fn draw(address: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(address, EcLevel::L).ok()?;
    Some(match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => plain(&code),
        _ => coloured(&code),
    })
}

fn coloured(code: &QrCode) -> String {
    let picture = code.render::<Dense1x2>().build();
    let (start, end) = BLACK_ON_WHITE;
    picture.lines().map(|line| format!("{start}{line}{end}")).collect::<Vec<_>>().join("\n")
}

/// Without colours the light parts are drawn: more terminals are dark than light.
fn plain(code: &QrCode) -> String {
    code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build()
}
