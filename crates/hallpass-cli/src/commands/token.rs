//! `hallpass token`

use hallpass::{AccessToken, Hallpass, TokenWish};
use serde_json::json;

use crate::args::{Common, Token};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{json, say};
use crate::settings::override_token;
use crate::settings::stored::stored_pass;

pub(crate) fn run(common: &Common, args: &Token) -> Result<ExitCode, Failure> {
    if let Some(token) = override_token::get(common)? {
        return from_outside(common, args, token.expose());
    }
    let pass = stored_pass(common, &args.asked)?;
    if args.id_token {
        id_token(&pass, common.json)?;
    } else {
        access_token(common, args, &pass.access_token_with(&wish(args))?);
    }
    Ok(ExitCode::SUCCESS)
}

fn wish(args: &Token) -> TokenWish {
    let mut wish = TokenWish::default();
    if let Some(min_ttl) = args.min_ttl {
        wish = wish.min_ttl(min_ttl);
    }
    if args.refresh {
        wish = wish.renewed();
    }
    if let Some(resource) = &args.resource {
        wish = wish.resource(resource);
    }
    wish
}

fn access_token(common: &Common, args: &Token, token: &AccessToken) {
    token.notes().iter().for_each(|note| say::note(note));
    match (common.json, args.header) {
        (true, _) => json::print_line(&json::token(token)),
        (false, header) => print(token.expose(), header),
    }
}

fn print(token: &str, as_header: bool) {
    if as_header {
        say::value(&format!("Authorization: Bearer {token}"));
    } else {
        say::value(token);
    }
}

fn id_token(pass: &Hallpass, as_json: bool) -> Result<(), Failure> {
    let token = pass.id_token()?;
    if as_json {
        json::print_line(&json!({"id_token": token.expose(), "profile": pass.profile()}));
    } else {
        say::value(token.expose());
    }
    Ok(())
}

/// A token from the environment is handed on as it is: nobody here can renew it.
fn from_outside(common: &Common, args: &Token, token: &str) -> Result<ExitCode, Failure> {
    if args.refresh || args.id_token || args.min_ttl.is_some() || args.resource.is_some() {
        let message = format!("the token in {} is used as it is and cannot be renewed", override_token::NAME);
        return Err(Failure::usage(message, "unset it, or choose a stored sign-in with --profile NAME"));
    }
    if common.json {
        json::print_line(
            &json!({"access_token": token, "token_type": "Bearer", "expires_at": null, "scopes": [], "issuer": null, "profile": null}),
        );
    } else {
        print(token, args.header);
    }
    Ok(ExitCode::SUCCESS)
}
