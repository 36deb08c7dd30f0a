//! `hallpass doctor`

use hallpass::{Diagnosis, Explanation, Finding, Verdict};

use crate::args::{Common, Doctor, Login};
use crate::commands::login::plan::Plan;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::hint::hint;
use crate::output::{json, report, say};
use crate::settings::login_command::login_command;
use crate::settings::profiles;

/// Where the text of a row begins.
const MARGIN: usize = 14;

/// Ends as a login would.
pub(crate) fn run(common: &Common, args: &Doctor) -> Result<ExitCode, Failure> {
    let plan = Plan::of(common, &login(args))?;
    let diagnosis = plan.pass_to_look()?.diagnose();
    match common.json {
        true => json::print_line(&json::diagnosis(&diagnosis, hint_for)),
        false => say::value(&text(&diagnosis, columns_of_stdout())),
    }
    if plan.settings.file.issuer.is_none() {
        let unknown =
            profiles::named(common)?.map(|profile| format!("profile \"{profile}\" names no server; "));
        say::note(&format!(
            "{}to have a server looked at, name it: hallpass doctor --issuer https://login.example.com",
            unknown.unwrap_or_default()
        ));
    }
    Ok(match diagnosis.trouble() {
        Some(error) => report::exit_code(&Failure::Library(error.clone())),
        None => ExitCode::SUCCESS,
    })
}

/// The login that is looked at.
fn login(args: &Doctor) -> Login {
    Login {
        asked: args.asked.clone(),
        provider: args.provider.clone(),
        storage: args.storage,
        ca_cert: args.ca_cert.clone(),
        ..Login::default()
    }
}

fn hint_for(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Trouble(error) => hint(&Failure::Library(error.clone()), &login_command(None)),
        _ => None,
    }
}

fn text(diagnosis: &Diagnosis, columns: Option<usize>) -> String {
    let mut lines = about_the_browser(&diagnosis.explanation);
    lines.extend(diagnosis.findings.iter().flat_map(about));
    let end = match diagnosis.trouble() {
        None => "Nothing here stands in the way of a sign-in.",
        Some(_) => "A sign-in would fail at what is marked with !!",
    };
    let rows = lines.iter().map(|line| (line.as_str(), MARGIN)).chain([(end, 0)]);
    rows.map(|(line, margin)| {
        columns.map_or_else(|| line.to_owned(), |columns| folded(line, margin, columns))
    })
    .collect::<Vec<_>>()
    .join("\n")
}

/// Breaks a line between words and goes on below its text. A word that is too long stays in one piece.
fn folded(line: &str, margin: usize, columns: usize) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for word in line.split_inclusive(' ') {
        if used > margin && used + word.trim_end().chars().count() > columns {
            text = format!("{}\n{}", text.trim_end(), " ".repeat(margin));
            used = margin;
        }
        text.push_str(word);
        used += word.chars().count();
    }
    text
}

/// Where somebody reads it; a program gets a line for each finding.
#[cfg(unix)]
fn columns_of_stdout() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns >= 2 * MARGIN)
}

#[cfg(not(unix))]
fn columns_of_stdout() -> Option<usize> {
    None
}

fn about_the_browser(explanation: &Explanation) -> Vec<String> {
    let offered = if explanation.offers_device_grant() { "offered." } else { "not offered." };
    let any_port = if explanation.takes_any_port() { ", with any port" } else { "" };
    let uris = explanation.redirect_uris().join(", ");
    let mut lines = vec![
        row("ok", "browser", &format!("{}. {}", explanation.opener(), explanation.browser_reason())),
        row("ok", "code", &format!("for another device: {offered} {}", explanation.device_grant_reason())),
    ];
    lines.extend(explanation.ssh_tunnel().map(|line| row("ok", "tunnel", &line)));
    lines.push(row("ok", "redirect", &format!("{uris}{any_port}; has to be registered at the server")));
    lines
}

fn about(finding: &Finding) -> Vec<String> {
    let mark = match finding.verdict {
        Verdict::Trouble(_) => "!!",
        Verdict::Remark => "--",
        _ => "ok",
    };
    let hint = hint_for(&finding.verdict).map(|hint| row("", "", &format!("hint: {hint}")));
    [row(mark, finding.subject.as_str(), &finding.text)].into_iter().chain(hint).collect()
}

fn row(mark: &str, subject: &str, text: &str) -> String {
    format!("{mark:<3} {subject:<9} {text}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_goes_on_below_its_text_and_no_word_is_broken() {
        let row = row("ok", "store", "one two https://login.example.com/a/long/address three");
        let margin = " ".repeat(MARGIN);
        let expected =
            format!("ok  store     one two\n{margin}https://login.example.com/a/long/address\n{margin}three");
        assert_eq!(folded(&row, MARGIN, 24), expected);
        assert_eq!(folded(&row, MARGIN, 100), row);
        assert_eq!(folded("one two three", 0, 8), "one two\nthree");
        assert_eq!(row.find("one"), Some(MARGIN));
    }
}
