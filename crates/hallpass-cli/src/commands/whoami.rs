//! `hallpass whoami`

use hallpass::User;

use crate::args::{Common, Whoami};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{json, say};
use crate::settings::override_token;
use crate::settings::stored::stored_pass;

pub(crate) fn run(common: &Common, args: &Whoami) -> Result<ExitCode, Failure> {
    show(&user(common, args)?, common.json);
    Ok(ExitCode::SUCCESS)
}

fn user(common: &Common, args: &Whoami) -> Result<User, Failure> {
    if let Some(token) = override_token::get(common)? {
        return override_token::user(common, &args.asked, &token);
    }
    let pass = stored_pass(common, &args.asked)?;
    Ok(if args.fresh { pass.fetch_user()? } else { pass.whoami()? })
}

/// The line of the reference documents and the claims; with `--json` the claims alone.
pub(crate) fn show(user: &User, as_json: bool) {
    if !as_json {
        say::value(&format!("Logged in as: {}", user.label()));
    }
    json::print_pretty(&json::user(user));
}
