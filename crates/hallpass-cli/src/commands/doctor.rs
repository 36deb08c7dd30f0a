//! `hallpass doctor`

use hallpass::text::fold;
use hallpass::{Diagnosis, Error, Explanation, Verdict};

use crate::args::{Common, Doctor, Login};
use crate::commands::login::plan::Plan;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::hint::error_hint;
use crate::output::{json, report, say};
use crate::settings::login_command::login_command;
use crate::settings::profiles;

/// The column where the text of a row begins.
const MARGIN: usize = 14;

/// Checks what a login needs, and exits as that login would.
pub(crate) fn run(common: &Common, args: &Doctor) -> Result<ExitCode, Failure> {
    let plan = Plan::new(common, &login(args))?;
    let diagnosis = plan.inspecting_pass()?.diagnose();
    let profile = profiles::named(common)?;
    let hint = |error: &Error| error_hint(error, &login_command(profile.as_deref()));
    if common.json {
        json::print_line(&json::diagnosis(&diagnosis, hint));
    } else {
        say::value(&text(&diagnosis, hint));
    }
    if plan.settings.file.issuer.is_none() {
        let reason = match &profile {
            Some(profile) => format!("profile \"{profile}\" has no issuer"),
            None => "no issuer is set".to_owned(),
        };
        say::note(&format!(
            "{reason}; to check a server, run: hallpass doctor --issuer https://login.example.com"
        ));
    }
    Ok(match diagnosis.trouble() {
        Some(error) => report::exit_code(&Failure::Library(error.clone())),
        None => ExitCode::SUCCESS,
    })
}

/// The login that is checked.
fn login(args: &Doctor) -> Login {
    Login {
        server: args.server.clone(),
        provider: args.provider.clone(),
        storage: args.storage,
        ca_cert: args.ca_cert.clone(),
        ..Login::default()
    }
}

fn text(diagnosis: &Diagnosis, hint: impl Fn(&Error) -> Option<String>) -> String {
    let columns = columns_of_stdout();
    let mut rows = browser_rows(&diagnosis.explanation);
    for finding in &diagnosis.findings {
        let mark = match finding.verdict {
            Verdict::Trouble(_) => "!!",
            Verdict::Remark => "--",
            _ => "ok",
        };
        rows.push(Row { mark, subject: finding.subject.as_str(), text: finding.text.clone() });
        if let Verdict::Trouble(error) = &finding.verdict
            && let Some(hint) = hint(error)
        {
            rows.push(Row { mark: "", subject: "", text: format!("hint: {hint}") });
        }
    }
    let mut lines: Vec<String> = rows.iter().map(|row| row.folded(columns)).collect();
    let summary = match diagnosis.trouble() {
        None => "No problems found.",
        Some(_) => "Sign-in would fail: see the lines marked !!",
    };
    lines.push(fold(summary, columns));
    lines.join("\n")
}

/// One line of the output, before it is folded.
struct Row {
    mark: &'static str,
    subject: &'static str,
    text: String,
}

impl Row {
    fn ok(subject: &'static str, text: String) -> Row {
        Row { mark: "ok", subject, text }
    }

    /// Breaks the text between words and continues it below its beginning.
    fn folded(&self, columns: usize) -> String {
        let margin = format!("\n{}", " ".repeat(MARGIN));
        let text = fold(&self.text, columns.saturating_sub(MARGIN)).replace('\n', &margin);
        format!("{:<3} {:<9} {text}", self.mark, self.subject)
    }
}

fn browser_rows(explanation: &Explanation) -> Vec<Row> {
    let offered = if explanation.offers_device_grant() { "offered." } else { "not offered." };
    let any_port = if explanation.takes_any_port() { ", with any port" } else { "" };
    let uris = explanation.redirect_uris().join(", ");
    let mut rows = vec![
        Row::ok("browser", format!("{}. {}", explanation.opener(), explanation.browser_reason())),
        Row::ok("code", format!("for another device: {offered} {}", explanation.device_grant_reason())),
    ];
    if let Some(command) = explanation.ssh_tunnel() {
        rows.push(Row::ok("tunnel", command));
    }
    rows.push(Row::ok("redirect", format!("{uris}{any_port}; must be registered with the server")));
    rows
}

/// Returns the width of the terminal. Lines are not folded for programs, nor in a very narrow terminal.
fn columns_of_stdout() -> usize {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && usize::from(size.ws_col) >= 2 * MARGIN
    {
        return size.ws_col.into();
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_goes_on_below_its_text_and_no_word_is_broken() {
        let row = Row::ok("store", "one two https://login.example.com/a/long/address three".to_owned());
        let margin = " ".repeat(MARGIN);
        let expected =
            format!("ok  store     one two\n{margin}https://login.example.com/a/long/address\n{margin}three");
        assert_eq!(row.folded(24), expected);
        assert_eq!(row.folded(100), format!("ok  store     {}", row.text));
        assert_eq!(row.folded(usize::MAX).find("one"), Some(MARGIN));
    }
}
