//! `hallpass login`

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use hallpass::{AccessToken, Environment, Error, Hallpass, Provider, Session, Terminal, User};

use crate::args::{Common, Login};
use crate::browser::Chosen;
use crate::commands::override_token;
use crate::env_file::EnvFile;
use crate::failure::Failure;
use crate::profiles::{ConfigDir, DEFAULT, SERVICE, named};
use crate::screen::Screen;
use crate::settings::{LoginSettings, Target, files, read_env_file};
use crate::sources::SettingsFile;
use crate::{json, qr_code, say, signals};

pub(crate) fn run(common: &Common, args: &Login) -> Result<ExitCode, Failure> {
    override_token::warn(common);
    let environment = Environment::of_process();
    let config_dir = ConfigDir::of(&environment)?;
    let env_file = read_env_file(args)?;
    let profile = profile(common, args, &config_dir, &env_file)?;
    let (own, config) = files(&config_dir, &profile.name)?;
    let own = if profile.is_anew { Default::default() } else { own };
    let path = config_dir.profile_file(&profile.name);
    tell_unknown(&own, &path);
    let settings = LoginSettings::resolve(args, &env_file, own.clone(), config)?;
    let browser = Chosen::of(args, settings.browser.as_deref(), &environment);
    let mut builder = settings.builder(&profile.name, environment)?.browser(browser.clone());
    builder = args.timeout.into_iter().fold(builder, |builder, limit| builder.login_timeout(limit));
    if args.force {
        builder = builder.without_waiting_for_others();
    }
    let pass = builder.build()?;
    signals::mind(&pass);
    if args.if_needed && is_signed_in(&pass, args, common.json)? {
        return Ok(ExitCode::SUCCESS);
    }
    let is_new = settings.file != own;
    if is_new {
        SettingsFile::probe(&path)?;
    }
    let signed_in = screen(args, &browser, common.json).sign_in(&pass);
    browser.give_terminal_back();
    let session = signed_in?;
    if is_new {
        settings.file.write(&path)?;
    }
    let remark = make_current(&profile, &config_dir)?;
    tell(&session, common.json);
    remark.filter(|_| !common.json).iter().for_each(|remark| say::note(remark));
    Ok(ExitCode::SUCCESS)
}

fn tell_unknown(own: &SettingsFile, path: &Path) {
    if !own.unknown.is_empty() {
        let names: Vec<&str> = own.unknown.keys().map(String::as_str).collect();
        let path = path.display();
        say::note(&format!("{path} has settings that this version does not know: {}", names.join(", ")));
    }
}

/// The profile that a login is for.
struct Profile {
    name: String,
    /// It is of another server or client than before, so its old settings do not count.
    is_anew: bool,
    /// It was made, or found, for this server because the current one belongs to another.
    is_made: bool,
}

/// The named one, else the current one; a login to another server gets a profile of its own.
fn profile(
    common: &Common,
    args: &Login,
    config_dir: &ConfigDir,
    env_file: &EnvFile,
) -> Result<Profile, Failure> {
    let target = target(args, env_file);
    let named = named(common)?;
    let name = named.clone().map_or_else(|| config_dir.current(), Ok)?;
    let known = stored_target(config_dir, &name)?;
    match named {
        _ if fits(&target, &known) => Ok(Profile { name, is_anew: false, is_made: false }),
        Some(_) if args.replace => Ok(Profile { name, is_anew: true, is_made: false }),
        Some(_) => Err(other_server(&name, &known)),
        None => made_for(config_dir, &target),
    }
}

fn fits(target: &Target, known: &Target) -> bool {
    target.fits(known.issuer.as_deref(), known.client_id.as_deref())
}

fn target(args: &Login, env_file: &EnvFile) -> Target {
    let given = Target::of(&args.asked);
    let known = || Provider::parse(args.provider.as_deref()?).ok()?.issuer();
    Target {
        issuer: given.issuer.or_else(|| env_file.get("issuer").map(str::to_owned)).or_else(known),
        client_id: given.client_id.or_else(|| env_file.get("client_id").map(str::to_owned)),
    }
}

/// Issuer and client of a profile, by its settings, else by its record.
fn stored_target(config_dir: &ConfigDir, profile: &str) -> Result<Target, Failure> {
    let file = config_dir.settings(profile)?;
    if file.issuer.is_some() {
        return Ok(Target { issuer: file.issuer, client_id: file.client_id });
    }
    let status = Hallpass::stored(SERVICE).profile(profile).build()?.status();
    Ok(Target { issuer: status.issuer, client_id: status.client_id })
}

fn other_server(name: &str, known: &Target) -> Failure {
    let issuer = known.issuer.as_deref().unwrap_or("another server");
    let client_id = known.client_id.as_deref().unwrap_or("another client");
    Failure::usage(
        format!("profile \"{name}\" belongs to {issuer} (client {client_id})"),
        "choose another name with --profile, or add --replace",
    )
}

/// The profile that already is this server's and client's, else one named after the issuer's host; with a
/// number where that name is another's.
fn made_for(config_dir: &ConfigDir, target: &Target) -> Result<Profile, Failure> {
    for name in config_dir.with_settings() {
        if stored_target(config_dir, &name).is_ok_and(|known| known.issuer.is_some() && fits(target, &known))
        {
            return Ok(Profile { name, is_anew: false, is_made: true });
        }
    }
    let base = target.issuer.as_deref().and_then(host_name).unwrap_or_else(|| "other".to_owned());
    for number in 1.. {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let known = stored_target(config_dir, &name)?;
        if known == Target::default() {
            return Ok(Profile { name, is_anew: false, is_made: true });
        }
    }
    unreachable!("there is always another number")
}

/// The authority of a URL, with what a profile's name cannot have replaced.
fn host_name(issuer: &str) -> Option<String> {
    let authority = issuer.split("://").nth(1)?.split('/').next()?.to_ascii_lowercase();
    let name: String =
        authority.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let name = name.trim_matches(['-', '.']).chars().take(60).collect::<String>();
    (!name.is_empty()).then_some(name)
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

/// A login is to what the person works with next.
fn make_current(profile: &Profile, config_dir: &ConfigDir) -> Result<Option<String>, Failure> {
    let before = config_dir.current()?;
    let is_only_one = profile.name != DEFAULT && config_dir.with_settings() == [profile.name.clone()];
    if profile.is_made || is_only_one {
        config_dir.set_current(&profile.name)?;
    }
    let name = &profile.name;
    Ok((profile.is_made && before != *name).then(|| {
        format!("saved as profile \"{name}\", which is now the current one; go back with: hallpass profiles use {before}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_named_after_the_host() {
        for (issuer, name) in [
            ("https://Login.Example.com/t/1", "login.example.com"),
            ("http://127.0.0.1:4000", "127.0.0.1-4000"),
            ("http://[::1]:4000/", "1--4000"),
        ] {
            let host = host_name(issuer).unwrap();
            assert_eq!(host, name);
            assert!(hallpass::check_profile_name(&host).is_ok(), "{host}");
        }
    }
}
