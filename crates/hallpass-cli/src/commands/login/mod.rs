//! `hallpass login`

pub(crate) mod plan;
mod profile;

use std::io::{self, IsTerminal};

use hallpass::{Error, Hallpass, Session, Terminal, User};

use crate::args::{Common, Login};
use crate::commands::sign_in::sign_in;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::screen::Screen;
use crate::output::{json, qr_code, say};
use crate::settings::override_token;
use crate::system::browser::LoginBrowser;
use crate::system::signals;
use plan::Plan;

pub(crate) fn run(common: &Common, args: &Login) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    let plan = Plan::new(common, args)?;
    if args.explain {
        explain(common, &plan.inspecting_pass()?);
        return Ok(ExitCode::SUCCESS);
    }
    let pass = plan.pass(args)?;
    signals::track(&pass);
    if args.if_needed && is_signed_in(common, args, &pass)? {
        return Ok(ExitCode::SUCCESS);
    }
    // Settings that could not be saved later must fail before the browser opens.
    plan.check_writable()?;
    let outcome = sign_in(&pass, screen(common, args, &plan.browser));
    plan.browser.wait_for_terminal();
    let session = outcome.map_err(|failure| match failure {
        // With --if-needed, the token may already have been refreshed.
        Failure::Library(Error::Cancelled) if !args.if_needed => Failure::CancelledUnchanged,
        other => other,
    })?;
    let previous = plan.save()?;
    show(common, &session);
    if let Some(previous) = previous
        && !common.json
    {
        let name = session.profile();
        say::note(&format!(
            "saved as profile \"{name}\", which is now the current one; to switch back, run: hallpass profiles use {previous}"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(common: &Common, pass: &Hallpass) {
    let explanation = pass.explain();
    if common.json {
        json::print_line(&json::explanation(&explanation));
    } else {
        say::value(&explanation.to_string());
    }
}

/// Whether `--if-needed` has nothing to do: there is a valid token with all scopes that were asked for.
fn is_signed_in(common: &Common, args: &Login, pass: &Hallpass) -> Result<bool, Failure> {
    signals::on_first(signals::exit_when_saved)?;
    let token = match pass.access_token() {
        Ok(token) => token,
        Err(Error::LoginRequired(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let asked = args.scope.as_deref().unwrap_or_default();
    if !asked.split_ascii_whitespace().all(|scope| token.scopes().iter().any(|granted| granted == scope)) {
        return Ok(false);
    }
    let status = pass.status();
    if common.json {
        json::print_line(&json::already_signed_in(&status, &token));
        return Ok(true);
    }
    match &status.user {
        Some(user) => say::message(&format!("Already signed in as {}.", user.label())),
        None => say::message("Already signed in."),
    }
    Ok(true)
}

fn screen(common: &Common, args: &Login, browser: &LoginBrowser) -> Screen {
    let screen = if common.json { Screen::json() } else { Screen::text(terminal(args, browser)) };
    if args.paste { screen.with_paste() } else { screen }
}

fn terminal(args: &Login, browser: &LoginBrowser) -> Terminal {
    let terminal = if browser.needs_terminal() {
        Terminal::new(Box::new(io::stderr()), false)
    } else {
        Terminal::stderr()
    };
    if !args.no_qr && io::stderr().is_terminal() { terminal.with_qr_codes(qr_code::draw) } else { terminal }
}

fn show(common: &Common, session: &Session) {
    if common.json {
        json::print_line(&json::session(session));
        return;
    }
    say::success("Successfully logged in!");
    match session.user() {
        Some(User { email: Some(email), .. }) => say::message(&format!("Email: {email}")),
        Some(user) => say::message(&format!("User: {}", user.label())),
        None => {}
    }
}
