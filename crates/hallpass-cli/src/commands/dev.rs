//! `hallpass dev`

use std::io;

use hallpass_dev::{Client, DevServer, Event};
use serde_json::json;

use crate::args::{Common, Dev};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{json, say};
use crate::system::signals;

pub(crate) fn run(common: &Common, args: &Dev) -> Result<ExitCode, Failure> {
    let server = start(common, args)?;
    let stopper = server.stopper();
    signals::on_first(move || stopper.stop())?;
    introduce(common, args, server.issuer());
    server.wait();
    Ok(ExitCode::SUCCESS)
}

fn start(common: &Common, args: &Dev) -> Result<DevServer, Failure> {
    let mut builder = DevServer::builder().port(args.port).token_ttl(args.token_ttl);
    for (email, password) in &args.user {
        builder = builder.user(email, password);
    }
    for (id, uris) in &args.client {
        let mut client = Client::public(id);
        for uri in uris {
            client = client.redirect_uri(uri);
        }
        builder = builder.client(client);
    }
    if !common.json && !common.quiet {
        builder = builder.on_event(Box::new(log));
    }
    builder.start().map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::usage(
            format!("port {} on 127.0.0.1 is already in use", args.port),
            "choose another one with --port, or 0 for any",
        ),
        io::ErrorKind::InvalidInput => {
            Failure::usage(error.to_string(), "for example: --client mytool=http://127.0.0.1/callback")
        }
        _ => Failure::Unexpected(format!("cannot start the development server: {error}")),
    })
}

fn log(event: &Event) {
    let client = event.client.as_deref().map(|client| format!(" {client}")).unwrap_or_default();
    say::message(&format!("{} {}{client} → {}", event.method, event.path, event.status));
}

fn introduce(common: &Common, args: &Dev, issuer: &str) {
    let (email, password) = match args.user.first() {
        Some((email, password)) => (email.as_str(), password.as_str()),
        None => ("test@example.com", "password"),
    };
    if common.json {
        json::print_line(
            &json!({"issuer": issuer, "client_id": "demo", "user": email, "password": password}),
        );
        return;
    }
    say::value(&format!(
        "Development server at {issuer}\n\n  account   {email} / {password}\n  client    demo (public, PKCE)\n  \
         sign in   hallpass login --issuer {issuer} --client-id demo\n\n\
         Nothing is saved: all sessions end with the server. Press Ctrl-C to stop it.\n"
    ));
}
