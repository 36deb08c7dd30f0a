//! `hallpass login`

pub(crate) mod plan;
mod profile;

use std::io::IsTerminal;

use hallpass::{AccessToken, Error, Hallpass, Session, Terminal, User};

use crate::args::{Common, Login};
use crate::commands::sign_in::sign_in;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::screen::Screen;
use crate::output::{json, qr_code, say};
use crate::settings::override_token;
use crate::system::browser::Chosen;
use crate::system::signals;
use plan::Plan;

pub(crate) fn run(common: &Common, args: &Login) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    let plan = Plan::of(common, args)?;
    if args.explain {
        explain(&plan.pass_to_look()?, common.json);
        return Ok(ExitCode::SUCCESS);
    }
    let pass = plan.pass(args)?;
    signals::mind(&pass);
    if args.if_needed && is_signed_in(&pass, args, common.json)? {
        return Ok(ExitCode::SUCCESS);
    }
    plan.probe_settings()?;
    let signed_in = sign_in(&pass, screen(args, &plan.browser, common.json));
    plan.browser.give_terminal_back();
    let session = signed_in.map_err(|failure| match failure {
        // Whether one is needed may have cost a renewal.
        Failure::Library(Error::Cancelled) if !args.if_needed => Failure::Untouched,
        other => other,
    })?;
    let remark = plan.keep()?;
    tell(&session, common.json);
    remark.filter(|_| !common.json).iter().for_each(|remark| say::note(remark));
    Ok(ExitCode::SUCCESS)
}

fn explain(pass: &Hallpass, as_json: bool) {
    let explanation = pass.explain();
    match as_json {
        true => json::print_line(&json::explanation(&explanation)),
        false => say::value(&explanation.to_string()),
    }
}

/// For `--if-needed`: a session that gives a token with the scopes that were named needs no login.
fn is_signed_in(pass: &Hallpass, args: &Login, as_json: bool) -> Result<bool, Failure> {
    signals::at_first(signals::end_when_saved)?;
    let asked = args.scope.as_deref().unwrap_or_default();
    let covers = |token: &AccessToken| {
        asked.split_ascii_whitespace().all(|scope| token.scopes().iter().any(|s| s == scope))
    };
    let token = match pass.access_token() {
        Ok(token) if covers(&token) => token,
        Ok(_) => return Ok(false),
        Err(Error::LoginRequired(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let status = pass.status();
    if as_json {
        json::print_line(&json::already_signed_in(&status, &token));
    } else {
        let user = status.user.map(|user| format!(" as {}", user.label()));
        say::talk(&format!("Already signed in{}.", user.unwrap_or_default()));
    }
    Ok(true)
}

fn screen(args: &Login, browser: &Chosen, as_json: bool) -> Screen {
    let screen = if as_json { Screen::json() } else { Screen::words(terminal(args, browser)) };
    if args.paste { screen.with_paste() } else { screen }
}

fn terminal(args: &Login, browser: &Chosen) -> Terminal {
    let mut terminal = match browser.needs_terminal() {
        true => Terminal::new(Box::new(std::io::stderr()), false),
        false => Terminal::stderr(),
    };
    if !args.no_qr && std::io::stderr().is_terminal() {
        terminal = terminal.with_qr_codes(qr_code::draw);
    }
    terminal
}

fn tell(session: &Session, as_json: bool) {
    if as_json {
        json::print_line(&json::session(session));
        return;
    }
    say::success("Successfully logged in!");
    match session.user() {
        Some(User { email: Some(email), .. }) => say::talk(&format!("Email: {email}")),
        Some(user) => say::talk(&format!("User: {}", user.label())),
        None => {}
    }
}
