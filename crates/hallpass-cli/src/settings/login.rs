//! The settings of a login, from all sources.

use std::fs;
use std::path::Path;

use hallpass::{Builder, DeviceGrant, Environment, Hallpass, Provider, Secret};

use crate::args::Login;
use crate::failure::{Failure, FileAction};
use crate::settings::file::{DeviceSetting, SettingsFile};
use crate::settings::given::Given;
use crate::settings::profiles::SERVICE;

/// The settings of a login.
#[derive(Debug, Default)]
pub(crate) struct LoginSettings {
    /// The settings that are saved in the profile's file.
    pub(crate) file: SettingsFile,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) browser: Option<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) device_grant: DeviceGrant,
}

impl LoginSettings {
    /// Completes what was given from the profile's own file and `config.toml`.
    pub(crate) fn resolve(
        args: &Login,
        given: Given,
        mut own: SettingsFile,
        mut config: SettingsFile,
    ) -> Result<LoginSettings, Failure> {
        // These two are the user's own settings, and are not saved in the profile's file.
        let browser = config.browser.take();
        let device = config.device.take().or(own.device.take());
        own.browser = None;

        let mut file = given.file.or(own).or(config);
        if let (None, Some(provider)) = (&file.issuer, &file.provider) {
            file.issuer = parse_provider(provider)?.issuer();
        }
        // The next login may be started from another directory.
        for path in [&mut file.ca_cert, &mut file.client_secret_file].into_iter().flatten() {
            *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        }
        let client_secret = match (given.client_secret, &file.client_secret_file) {
            (Some(secret), _) => Some(secret),
            (None, Some(path)) => Some(read_secret(path)?),
            (None, None) => None,
        };
        let prompt = match &args.prompt {
            None if args.select_account => Some("select_account".to_owned()),
            prompt => prompt.clone(),
        };
        let device_grant = device_grant(args, device)?;
        Ok(LoginSettings {
            file,
            client_secret,
            browser,
            prompt,
            account: args.account.clone(),
            device_grant,
        })
    }

    /// Returns the builder of a pass that can sign in.
    pub(crate) fn builder(&self, profile: &str, environment: Environment) -> Result<Builder, Failure> {
        let (issuer, client_id) = self.client()?;
        self.apply(Hallpass::builder(SERVICE, issuer, client_id), profile, environment)
    }

    /// Returns the builder of a pass that only inspects this machine and, if the issuer is known, the server.
    pub(crate) fn inspecting_builder(
        &self,
        profile: &str,
        environment: Environment,
    ) -> Result<Builder, Failure> {
        let builder = match &self.file.issuer {
            Some(issuer) => {
                // No request names the client.
                let client_id = self.file.client_id.as_deref().unwrap_or("unknown");
                Hallpass::builder(SERVICE, issuer, client_id)
            }
            None => Hallpass::stored(SERVICE),
        };
        self.apply(builder, profile, environment)
    }

    fn apply(&self, builder: Builder, profile: &str, environment: Environment) -> Result<Builder, Failure> {
        let file = &self.file;
        let mut builder = builder.profile(profile).environment(environment);
        builder = builder.redirect_uris(file.redirect_uri.clone()).device_grant(self.device_grant);
        if let Some(provider) = &file.provider {
            builder = builder.provider(parse_provider(provider)?);
        }
        if let Some(scope) = &file.scope {
            builder = builder.scopes(scope.split_ascii_whitespace());
        }
        if let Some(secret) = &self.client_secret {
            builder = builder.client_secret(secret.clone());
        }
        if let Some(address) = file.listen {
            builder = builder.listen(address);
        }
        if let Some(resource) = &file.resource {
            builder = builder.resource(resource);
        }
        if let Some(account) = &self.account {
            builder = builder.account(account);
        }
        if let Some(prompt) = &self.prompt {
            builder = builder.prompt(prompt);
        }
        if let Some(ca_cert) = &file.ca_cert {
            builder = builder.ca_cert(ca_cert);
        }
        if let Some(storage) = file.storage {
            builder = builder.storage(storage.into());
        }
        for (name, value) in &file.param {
            builder = builder.param(name, value);
        }
        for (name, url) in &file.endpoint {
            builder = builder.endpoint(name, url);
        }
        Ok(builder)
    }

    fn client(&self) -> Result<(&str, &str), Failure> {
        const HINT: &str = "run: hallpass login --issuer https://login.example.com --client-id ID (to try it without a server: hallpass demo)";
        let Some(issuer) = &self.file.issuer else {
            let Some(name) = &self.file.provider else {
                return Err(Failure::usage("no issuer is set", HINT));
            };
            let provider = parse_provider(name)?;
            return Err(Failure::usage(
                format!("--provider {name} needs --issuer URL"),
                format!("add the URL of your {provider}: --issuer {}", provider.issuer_example()),
            ));
        };
        match &self.file.client_id {
            Some(client_id) => Ok((issuer, client_id)),
            None => Err(Failure::usage(
                format!("no client ID for {issuer}"),
                "add the client ID that is registered with the server: --client-id ID",
            )),
        }
    }
}

fn parse_provider(name: &str) -> Result<Provider, Failure> {
    Ok(Provider::parse(name).map_err(hallpass::Error::from)?)
}

fn device_grant(args: &Login, setting: Option<DeviceSetting>) -> Result<DeviceGrant, Failure> {
    match (args.device, setting) {
        (true, Some(DeviceSetting::Off)) => Err(Failure::usage(
            "sign-in with a code is disabled",
            "sign in with a browser: hallpass login; or remove device = \"off\" from config.toml",
        )),
        (true, _) => Ok(DeviceGrant::Only),
        (false, Some(DeviceSetting::Off)) => Ok(DeviceGrant::Off),
        (false, _) => Ok(DeviceGrant::Offered),
    }
}

fn read_secret(path: &Path) -> Result<Secret, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::settings(FileAction::Read, path, &error))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
