//! Says what `cargo test` alone does not run.

use std::io::Write;

fn main() {
    let text = "Left out here: the tests against foreign servers, a real browser and foreign client libraries,\n\
                of the static release build, and, where it is not installed, against GNOME Keyring.\n\
                They need Node, Python, Chromium, glewlwyd and gnome-keyring; ./test installs them and runs everything.";
    if std::env::var_os("HALLPASS_ALL_TESTS").is_none() {
        writeln!(std::io::stdout(), "\n{text}\n").expect("stdout can be written to");
    }
}
