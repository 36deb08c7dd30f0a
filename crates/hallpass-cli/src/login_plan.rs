//! What a login goes by, all of it resolved before anything is done.

use std::path::{Path, PathBuf};

use hallpass::{Environment, Hallpass};

use crate::args::{Common, Login};
use crate::browser::Chosen;
use crate::failure::Failure;
use crate::login_profile::{Profile, profile};
use crate::profiles::{ConfigDir, DEFAULT};
use crate::say;
use crate::settings::{LoginSettings, files, read_env_file};
use crate::sources::SettingsFile;

/// Settings, and where they come from and go to.
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) settings: LoginSettings,
    pub(crate) browser: Chosen,
    environment: Environment,
    config_dir: ConfigDir,
    /// The profile's own file, which may be written anew.
    path: PathBuf,
    is_new: bool,
}

impl Plan {
    pub(crate) fn of(common: &Common, args: &Login) -> Result<Plan, Failure> {
        let environment = Environment::from_process();
        let config_dir = ConfigDir::of(&environment)?;
        let env_file = read_env_file(args)?;
        let profile = profile(common, args, &config_dir, &env_file)?;
        let (own, config) = files(&config_dir, &profile.name)?;
        let own = if profile.is_anew { Default::default() } else { own };
        let path = config_dir.profile_file(&profile.name);
        tell_unknown(&own, &path);
        let settings = LoginSettings::resolve(args, &env_file, own.clone(), config)?;
        let browser = Chosen::of(args, settings.browser.as_deref(), &environment);
        let is_new = settings.file != own;
        Ok(Plan { profile, settings, browser, environment, config_dir, path, is_new })
    }

    /// A pass that can sign in.
    pub(crate) fn pass(&self, args: &Login) -> Result<Hallpass, Failure> {
        let builder = self.settings.builder(&self.profile.name, self.environment.clone())?;
        let mut builder = builder.browser(self.browser.clone());
        builder = args.timeout.into_iter().fold(builder, |builder, limit| builder.login_timeout(limit));
        if args.force {
            builder = builder.without_waiting_for_others();
        }
        Ok(builder.build()?)
    }

    /// A pass that only looks, for which server and client may still be unknown.
    pub(crate) fn pass_to_look(&self) -> Result<Hallpass, Failure> {
        let builder = self.settings.looking_builder(&self.profile.name, self.environment.clone())?;
        Ok(builder.browser(self.browser.clone()).build()?)
    }

    /// What could not be written afterwards must fail before the browser opens.
    pub(crate) fn probe_settings(&self) -> Result<(), Failure> {
        if self.is_new { SettingsFile::probe(&self.path) } else { Ok(()) }
    }

    /// Writes the settings of a sign-in that was made, and lets it be the one that the person works with next; a remark
    /// says so where that was another.
    pub(crate) fn keep(&self) -> Result<Option<String>, Failure> {
        if self.is_new {
            self.settings.file.write(&self.path)?;
        }
        make_current(&self.profile, &self.config_dir)
    }
}

fn tell_unknown(own: &SettingsFile, path: &Path) {
    if !own.unknown.is_empty() {
        let names: Vec<&str> = own.unknown.keys().map(String::as_str).collect();
        let path = path.display();
        say::note(&format!("{path} has settings that this version does not know: {}", names.join(", ")));
    }
}

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
