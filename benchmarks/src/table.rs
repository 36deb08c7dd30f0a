//! The table.

use std::fmt::Write;

/// One figure.
pub(crate) struct Row {
    what: String,
    measured: String,
    bar: String,
    command: String,
}

impl Row {
    /// A figure without a bar.
    pub(crate) fn plain(what: impl Into<String>, measured: impl Into<String>, command: &str) -> Row {
        Row {
            what: what.into(), measured: measured.into(), bar: "–".to_owned(), command: command.to_owned()
        }
    }

    /// A figure with a bar, and whether it is kept.
    pub(crate) fn judged(
        what: impl Into<String>,
        measured: impl Into<String>,
        bar: &str,
        is_kept: bool,
        command: &str,
    ) -> Row {
        let mark = if is_kept { "✓" } else { "✗ missed" };
        Row { bar: format!("{bar} {mark}"), ..Row::plain(what, measured, command) }
    }
}

pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = "| what | measured | bar | command |\n|---|---|---|---|\n".to_owned();
    for Row { what, measured, bar, command } in rows {
        let _ = writeln!(text, "| {what} | {measured} | {bar} | `{command}` |");
    }
    text
}
