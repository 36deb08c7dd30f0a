//! Everything that a login needs, resolved before it starts.

use std::path::PathBuf;

use hallpass::{Environment, Hallpass};

use crate::args::{Common, Login};
use crate::commands::login::profile::{LoginProfile, Match, choose};
use crate::failure::Failure;
use crate::output::say;
use crate::settings::file::SettingsFile;
use crate::settings::given::Given;
use crate::settings::login::LoginSettings;
use crate::settings::profiles::{ConfigDir, DEFAULT};
use crate::system::browser::LoginBrowser;

/// The profile, settings and browser of a login.
pub(crate) struct Plan {
    pub(crate) settings: LoginSettings,
    pub(crate) browser: LoginBrowser,
    profile: LoginProfile,
    environment: Environment,
    config_dir: ConfigDir,
    /// The profile's settings file.
    path: PathBuf,
    /// Whether the settings differ from those in the file.
    has_changed: bool,
}

impl Plan {
    pub(crate) fn new(common: &Common, args: &Login) -> Result<Plan, Failure> {
        let environment = Environment::from_process();
        let config_dir = ConfigDir::from_environment(&environment)?;
        let given = Given::read(args)?;
        let profile = choose(common, args, &config_dir, &given.target())?;
        let (mut own, config) = config_dir.files(&profile.name)?;
        if profile.matched == Match::Replaced {
            own = SettingsFile::default();
        }
        let path = config_dir.profile_file(&profile.name);
        if !own.unknown.is_empty() {
            let names: Vec<&str> = own.unknown.keys().map(String::as_str).collect();
            let (path, names) = (path.display(), names.join(", "));
            say::note(&format!("{path} has settings that this version does not know: {names}"));
        }
        let settings = LoginSettings::resolve(args, given, own.clone(), config)?;
        let browser = LoginBrowser::new(args, settings.browser.as_deref(), &environment);
        let has_changed = settings.file != own;
        Ok(Plan { profile, settings, browser, environment, config_dir, path, has_changed })
    }

    /// Builds a pass that can sign in.
    pub(crate) fn pass(&self, args: &Login) -> Result<Hallpass, Failure> {
        let builder = self.settings.builder(&self.profile.name, self.environment.clone())?;
        let mut builder = builder.browser(self.browser.clone());
        if let Some(timeout) = args.timeout {
            builder = builder.login_timeout(timeout);
        }
        if args.force {
            builder = builder.allow_concurrent_login();
        }
        Ok(builder.build()?)
    }

    /// Builds a pass that only inspects; the issuer and client may still be unknown.
    pub(crate) fn inspecting_pass(&self) -> Result<Hallpass, Failure> {
        let builder = self.settings.inspecting_builder(&self.profile.name, self.environment.clone())?;
        Ok(builder.browser(self.browser.clone()).build()?)
    }

    /// Checks that [`save`](Plan::save) can write the settings.
    pub(crate) fn check_writable(&self) -> Result<(), Failure> {
        if self.has_changed { SettingsFile::check_writable(&self.path) } else { Ok(()) }
    }

    /// Saves the settings after the sign-in and selects the profile if it is a new one. Returns the profile that was
    /// current before, if it changed.
    pub(crate) fn save(&self) -> Result<Option<String>, Failure> {
        if self.has_changed {
            self.settings.file.write(&self.path)?;
        }
        let name = &self.profile.name;
        let previous = self.config_dir.current()?;
        let is_separate = self.profile.matched == Match::Separate;
        let is_only_one = name != DEFAULT && self.config_dir.with_settings() == [name.clone()];
        if is_separate || is_only_one {
            self.config_dir.set_current(name)?;
        }
        Ok(if is_separate && previous != *name { Some(previous) } else { None })
    }
}
