//! The one resolver of settings: option → environment → named `.env` file → profile's file → `config.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hallpass::{Builder, DeviceGrant, Environment, Hallpass, Provider, Secret, Storage};

use crate::args::{Asked, Common, Login, StorageArg};
use crate::env_file::EnvFile;
use crate::failure::Failure;
use crate::keychain::CommandKeychain;
use crate::profile_http::ProfileHttp;
use crate::profiles::{ConfigDir, SERVICE, selected};
use crate::sources::{DeviceSetting, SettingsFile, variable};
use crate::{say, signals};

/// The server and client that this call was given, by option or variable; either may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: Option<String>,
}

impl Target {
    pub(crate) fn of(asked: &Asked) -> Target {
        Target {
            issuer: asked.issuer.clone().or_else(|| variable("HALLPASS_ISSUER")),
            client_id: asked.client_id.clone().or_else(|| variable("HALLPASS_CLIENT_ID")),
        }
    }

    /// Whether issuer and client fit what was given; what was not given fits all.
    pub(crate) fn fits(&self, issuer: Option<&str>, client_id: Option<&str>) -> bool {
        let bare = |issuer: &str| issuer.strip_suffix('/').unwrap_or(issuer).to_owned();
        let is_same_issuer =
            self.issuer.as_deref().zip(issuer).is_none_or(|(given, stored)| bare(given) == bare(stored));
        is_same_issuer
            && self.client_id.as_deref().zip(client_id).is_none_or(|(given, stored)| given == stored)
    }
}

/// A pass for a verb that works from the stored record. A call that names another issuer or client than
/// the record's is refused.
pub(crate) fn stored_pass(common: &Common, asked: &Asked) -> Result<Hallpass, Failure> {
    let environment = Environment::from_process();
    let profile = selected(common, &environment)?;
    let target = Target::of(asked);
    let pass = stored(&profile, environment)?;
    if target != Target::default() {
        refuse_other_session(&pass, &target)?;
    }
    Ok(pass)
}

/// A pass that works from the profile's record, and reads its settings only if something is sent.
pub(crate) fn stored(profile: &str, environment: Environment) -> Result<Hallpass, Failure> {
    let http = ProfileHttp::new(ConfigDir::of(&environment)?, profile);
    let keychain = CommandKeychain::new(&environment);
    let builder = Hallpass::stored(SERVICE).profile(profile).environment(environment);
    let pass = builder.http(http).keychain(keychain).build()?;
    signals::mind(&pass);
    Ok(pass)
}

fn refuse_other_session(pass: &Hallpass, target: &Target) -> Result<(), Failure> {
    let status = pass.status();
    let (issuer, client_id) = (status.issuer.as_deref(), status.client_id.as_deref());
    if target.fits(issuer, client_id) {
        return Ok(());
    }
    let (issuer, client_id) = (issuer.unwrap_or_default(), client_id.unwrap_or_default());
    let at = target.issuer.as_deref().unwrap_or(issuer);
    Err(hallpass::Error::from(hallpass::error::Misuse::OtherSession {
        profile: status.profile,
        stored: format!("{issuer} (client {client_id})"),
        asked: match &target.client_id {
            Some(client_id) => format!("{at} (client {client_id})"),
            None => at.to_owned(),
        },
    })
    .into())
}

/// Everything a login goes by.
#[derive(Debug, Default)]
pub(crate) struct LoginSettings {
    pub(crate) file: SettingsFile,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) browser: Option<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) device_grant: DeviceGrant,
}

impl LoginSettings {
    /// Layers the sources for one profile.
    pub(crate) fn resolve(
        args: &Login,
        env_file: &EnvFile,
        own: SettingsFile,
        config: SettingsFile,
    ) -> Result<LoginSettings, Failure> {
        let text = |option: &Option<String>,
                    name: &str,
                    setting: &str,
                    own: Option<String>,
                    config: Option<String>| {
            let from_env = || variable(name).or_else(|| env_file.get(setting).map(str::to_owned));
            option.clone().or_else(from_env).or(own).or(config)
        };
        let secret_file =
            args.client_secret_file.clone().or(own.client_secret_file).or(config.client_secret_file);
        let provider = args.provider.clone().or(own.provider).or(config.provider);
        let known_issuer = issuer_of(provider.as_deref())?;
        let file = SettingsFile {
            provider,
            issuer: text(&args.asked.issuer, "HALLPASS_ISSUER", "issuer", own.issuer, config.issuer)
                .or(known_issuer),
            client_id: text(
                &args.asked.client_id,
                "HALLPASS_CLIENT_ID",
                "client_id",
                own.client_id,
                config.client_id,
            ),
            scope: text(&args.scope, "HALLPASS_SCOPE", "scope", own.scope, config.scope),
            resource: text(&args.resource, "HALLPASS_RESOURCE", "resource", own.resource, config.resource),
            listen: args.listen.or(own.listen).or(config.listen),
            redirect_uri: redirect_uris(args, env_file, own.redirect_uri, config.redirect_uri),
            storage: args
                .storage
                .map_or_else(storage_variable, |kind| Ok(Some(kind)))?
                .or(own.storage)
                .or(config.storage),
            ca_cert: args.ca_cert.clone().map(absolute).or(own.ca_cert).or(config.ca_cert),
            client_secret_file: secret_file.map(absolute),
            param: merged(config.param, own.param, &args.param),
            endpoint: merged(config.endpoint, own.endpoint, &args.endpoint),
            browser: None,
            device: None,
            unknown: own.unknown,
        };
        let client_secret = client_secret(args, env_file, file.client_secret_file.as_deref())?;
        let select_account = args.select_account.then(|| "select_account".to_owned());
        Ok(LoginSettings {
            file,
            client_secret,
            browser: config.browser,
            prompt: args.prompt.clone().or(select_account),
            account: args.account.clone(),
            device_grant: device_grant(args, config.device.or(own.device))?,
        })
    }

    /// The builder with all of it.
    pub(crate) fn builder(&self, profile: &str, environment: Environment) -> Result<Builder, Failure> {
        let (issuer, client_id) = self.client()?;
        self.furnished(Hallpass::builder(SERVICE, issuer, client_id), profile, environment)
    }

    /// The builder of a pass that only looks: without a server it looks at this machine, and nothing is sent in the name
    /// of a client.
    pub(crate) fn looking_builder(
        &self,
        profile: &str,
        environment: Environment,
    ) -> Result<Builder, Failure> {
        let builder = match &self.file.issuer {
            Some(issuer) => {
                let client_id = self.file.client_id.as_deref().unwrap_or("unknown");
                Hallpass::builder(SERVICE, issuer, client_id)
            }
            None => Hallpass::stored(SERVICE),
        };
        self.furnished(builder, profile, environment)
    }

    fn furnished(
        &self,
        builder: Builder,
        profile: &str,
        environment: Environment,
    ) -> Result<Builder, Failure> {
        let mut builder = builder.profile(profile).environment(environment);
        let file = &self.file;
        if let Some(provider) = &file.provider {
            builder = builder.provider(parse_provider(provider)?);
        }
        if let Some(scope) = &file.scope {
            builder = builder.scopes(scope.split_ascii_whitespace());
        }
        if let Some(secret) = &self.client_secret {
            builder = builder.client_secret(secret.clone());
        }
        builder = file.listen.into_iter().fold(builder, |builder, address| builder.listen(address));
        builder = file.resource.iter().fold(builder, |builder, resource| builder.resource(resource));
        builder = self.account.iter().fold(builder, |builder, account| builder.account(account));
        builder = builder.device_grant(self.device_grant);
        builder = self.prompt.iter().fold(builder, |builder, prompt| builder.prompt(prompt));
        builder = file.ca_cert.iter().fold(builder, |builder, file| builder.ca_cert(file));
        builder = file.param.iter().fold(builder, |builder, (name, value)| builder.param(name, value));
        builder = file.endpoint.iter().fold(builder, |builder, (name, url)| builder.endpoint(name, url));
        Ok(builder.redirect_uris(file.redirect_uri.clone()).storage(storage(file.storage)))
    }

    fn no_issuer(&self, hint: &str) -> Failure {
        let provider = self.file.provider.as_deref().and_then(|name| Provider::parse(name).ok());
        match provider {
            Some(provider) => Failure::usage(
                format!("which {provider}?"),
                format!("say its address: --issuer {}", provider.issuer_example()),
            ),
            None => Failure::usage("no issuer: which server to sign in at?", hint),
        }
    }

    fn client(&self) -> Result<(&str, &str), Failure> {
        const HINT: &str = "hallpass login --issuer https://login.example.com --client-id ID (or try it without any: hallpass demo)";
        let issuer = self.file.issuer.as_deref().ok_or_else(|| self.no_issuer(HINT))?;
        let client_id = self
            .file
            .client_id
            .as_deref()
            .ok_or_else(|| Failure::usage(format!("no client id for {issuer}"), HINT))?;
        Ok((issuer, client_id))
    }
}

fn parse_provider(name: &str) -> Result<Provider, Failure> {
    Ok(Provider::parse(name).map_err(hallpass::Error::from)?)
}

fn issuer_of(provider: Option<&str>) -> Result<Option<String>, Failure> {
    Ok(provider.map(parse_provider).transpose()?.and_then(Provider::issuer))
}

fn device_grant(args: &Login, setting: Option<DeviceSetting>) -> Result<DeviceGrant, Failure> {
    match (args.device, setting) {
        (true, Some(DeviceSetting::Off)) => Err(Failure::usage(
            "the device grant is switched off here",
            "sign in through a browser: hallpass login; or remove device = \"off\" from config.toml",
        )),
        (true, _) => Ok(DeviceGrant::Only),
        (false, Some(DeviceSetting::Off)) => Ok(DeviceGrant::Off),
        (false, _) => Ok(DeviceGrant::Offered),
    }
}

fn storage(kind: Option<StorageArg>) -> Storage {
    match kind {
        Some(StorageArg::File) => Storage::File,
        Some(StorageArg::Keychain) => Storage::Keychain,
        Some(StorageArg::Auto) | None => Storage::Auto,
    }
}

fn storage_variable() -> Result<Option<StorageArg>, Failure> {
    match variable("HALLPASS_STORAGE").as_deref() {
        None => Ok(None),
        Some("auto") => Ok(Some(StorageArg::Auto)),
        Some("keychain") => Ok(Some(StorageArg::Keychain)),
        Some("file") => Ok(Some(StorageArg::File)),
        Some(other) => Err(Failure::usage(
            format!("HALLPASS_STORAGE is \"{other}\", which is no kind of storage"),
            "use auto, keychain or file",
        )),
    }
}

fn redirect_uris(args: &Login, env_file: &EnvFile, own: Vec<String>, config: Vec<String>) -> Vec<String> {
    let from_env =
        variable("HALLPASS_REDIRECT_URI").or_else(|| env_file.get("redirect_uri").map(str::to_owned));
    [args.redirect_uri.clone(), from_env.into_iter().collect(), own, config]
        .into_iter()
        .find(|uris| !uris.is_empty())
        .unwrap_or_default()
}

/// Later ones rule.
fn merged(
    config: BTreeMap<String, String>,
    own: BTreeMap<String, String>,
    options: &[(String, String)],
) -> BTreeMap<String, String> {
    let mut all = config;
    all.extend(own);
    all.extend(options.iter().cloned());
    all
}

/// A file that is named relative to here must be found from elsewhere next time.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// From the environment, the `.env` file or a file of its own; never from the command line, which every
/// process on the machine can read.
fn client_secret(args: &Login, env_file: &EnvFile, file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let from_env =
        || variable("HALLPASS_CLIENT_SECRET").or_else(|| env_file.get("client_secret").map(str::to_owned));
    if args.client_secret_file.is_none()
        && let Some(secret) = from_env()
    {
        return Ok(Some(Secret::new(secret)));
    }
    let Some(path) = file else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::settings("read", path, &error))?;
    Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}

/// The `.env` file that was named, with a remark about what in it does not count.
pub(crate) fn read_env_file(args: &Login) -> Result<EnvFile, Failure> {
    let Some(path) = &args.env_file else { return Ok(EnvFile::default()) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::settings("read", path, &error))?;
    let file = EnvFile::parse(&text).map_err(|line| {
        Failure::settings("use", path, &format!("line {line} is not of the form NAME=value"))
    })?;
    if !file.ignored.is_empty() {
        say::note(&format!("ignored in {}: {}", path.display(), file.ignored.join(", ")));
    }
    Ok(file)
}

/// Whether a login of a profile, or of the current one, knows where to. Settings that cannot be read are for that login to
/// tell.
pub(crate) fn knows_server(profile: Option<&str>) -> bool {
    let is_named = || {
        let config_dir = ConfigDir::of(&Environment::from_process())?;
        let profile = profile.map_or_else(|| config_dir.current(), |profile| Ok(profile.to_owned()))?;
        let (own, config) = files(&config_dir, &profile)?;
        Ok::<_, Failure>([own, config].iter().any(|file| file.issuer.is_some()))
    };
    variable("HALLPASS_ISSUER").is_some() || is_named().unwrap_or(true)
}

/// `config.toml` and the profile's own file.
pub(crate) fn files(config_dir: &ConfigDir, profile: &str) -> Result<(SettingsFile, SettingsFile), Failure> {
    Ok((config_dir.settings(profile)?, config_dir.config()?))
}
