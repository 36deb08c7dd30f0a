//! `hallpass token`

use hallpass::TokenRequest;
use serde_json::json;

use crate::args::{Common, Token};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{json, say};
use crate::settings::override_token;
use crate::settings::stored::stored_pass;

pub(crate) fn run(common: &Common, args: &Token) -> Result<ExitCode, Failure> {
    if let Some(token) = override_token::get(common)? {
        show_override(common, args, token.expose())?;
        return Ok(ExitCode::SUCCESS);
    }
    let pass = stored_pass(common, &args.server)?;
    if args.id_token {
        let token = pass.id_token()?;
        match common.json {
            true => json::print_line(&json!({"id_token": token.expose(), "profile": pass.profile()})),
            false => say::value(token.expose()),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let token = pass.access_token_for(&request(args))?;
    for note in token.notes() {
        say::note(note);
    }
    match common.json {
        true => json::print_line(&json::token(&token)),
        false => print(args, token.expose()),
    }
    Ok(ExitCode::SUCCESS)
}

fn request(args: &Token) -> TokenRequest {
    let mut request = TokenRequest::default();
    if let Some(min_ttl) = args.min_ttl {
        request = request.min_ttl(min_ttl);
    }
    if args.refresh {
        request = request.refreshed();
    }
    if let Some(resource) = &args.resource {
        request = request.resource(resource);
    }
    request
}

/// Prints the token of `HALLPASS_ACCESS_TOKEN`, which cannot be refreshed here.
fn show_override(common: &Common, args: &Token, token: &str) -> Result<(), Failure> {
    if args.refresh || args.id_token || args.min_ttl.is_some() || args.resource.is_some() {
        let message = format!("the token in {} can only be printed as is", override_token::NAME);
        return Err(Failure::usage(message, "unset it, or use saved credentials with --profile NAME"));
    }
    if common.json {
        json::print_line(
            &json!({"access_token": token, "token_type": "Bearer", "expires_at": null, "scopes": [], "issuer": null, "profile": null}),
        );
    } else {
        print(args, token);
    }
    Ok(())
}

fn print(args: &Token, token: &str) {
    if args.header {
        say::value(&format!("Authorization: Bearer {token}"));
    } else {
        say::value(token);
    }
}
