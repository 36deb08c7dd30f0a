//! `hallpass whoami`

use hallpass::User;

use crate::args::{Common, Whoami};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{json, say};
use crate::settings::override_token;
use crate::settings::stored::stored_pass;

/// Prints the user's name and claims; with `--json` only the claims.
pub(crate) fn run(common: &Common, args: &Whoami) -> Result<ExitCode, Failure> {
    let user = user(common, args)?;
    if !common.json {
        say::value(&format!("Logged in as: {}", user.label()));
    }
    json::print_pretty(&json::user(&user));
    Ok(ExitCode::SUCCESS)
}

fn user(common: &Common, args: &Whoami) -> Result<User, Failure> {
    if let Some(token) = override_token::get(common)? {
        return override_token::user(common, &args.server, &token);
    }
    let pass = stored_pass(common, &args.server)?;
    Ok(if args.fresh { pass.fetch_user()? } else { pass.whoami()? })
}
