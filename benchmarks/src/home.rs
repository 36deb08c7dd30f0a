//! A home of its own for each measurement.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::programs::Programs;
use crate::provider::{CLIENT, Provider};
use crate::{Outcome, helper};

pub(crate) struct Home {
    dir: TempDir,
}

impl Home {
    pub(crate) fn new() -> Outcome<Home> {
        Ok(Home { dir: tempfile::tempdir()? })
    }

    /// A home in which the command itself has signed in.
    pub(crate) fn signed_in(
        programs: &Programs,
        provider: &Provider,
        ca_file: Option<&Path>,
    ) -> Outcome<Home> {
        let home = Home::new()?;
        let output = home.login(programs, provider, ca_file).output()?;
        succeeded(&output)?;
        Ok(home)
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path().join(".local/state/hallpass")
    }

    pub(crate) fn config_dir(&self) -> PathBuf {
        self.path().join(".config/hallpass")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.state_dir().join("hallpass/default.json")
    }

    /// A call in this home, with nothing else in its environment, so that both sides of a comparison have
    /// the same.
    pub(crate) fn call(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env_clear().env("HOME", self.path()).stdin(Stdio::null());
        command
    }

    /// A login by the command; this program is its browser.
    pub(crate) fn login(&self, programs: &Programs, provider: &Provider, ca_file: Option<&Path>) -> Command {
        let mut command = self.call(&programs.hallpass, &[]);
        command.args(["login", "--issuer", &provider.issuer, "--client-id", CLIENT]);
        command.arg(format!("--browser={} {}", programs.this_program.display(), helper::VISIT));
        if let Some(file) = ca_file {
            command.arg("--ca-cert").arg(file);
        }
        command
    }

    /// The same call on the scale, with the file that the weight will be in.
    pub(crate) fn weighed(&self, programs: &Programs, command: &Command) -> (Command, PathBuf) {
        let file = self.path().join("weight");
        let mut weighed = self.call(&programs.this_program, &[helper::WEIGH]);
        weighed.arg(&file).arg(command.get_program()).args(command.get_args());
        (weighed, file)
    }

    /// Copies the sign-in, its record and its settings, under many other names.
    pub(crate) fn multiply(&self, count: usize) -> Outcome {
        let settings = self.config_dir().join("profiles");
        for number in 1..count {
            fs::copy(self.record(), self.state_dir().join(format!("hallpass/p{number}.json")))?;
            fs::copy(settings.join("default.toml"), settings.join(format!("p{number}.toml")))?;
        }
        Ok(())
    }
}

pub(crate) fn succeeded(output: &Output) -> Outcome {
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("it failed: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
