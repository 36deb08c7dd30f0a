//! The command as somebody else: root may write where it likes, and always has a home.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use hallpass_test::command::{CommandSandbox, Invocation};
use hallpass_test::skipped;

/// An account that owns nothing.
pub(crate) const NOBODY: u32 = 65_534;

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The command as another user. Only root can become somebody else, and the other user must be able to reach the
/// program.
pub(crate) fn as_user<'a>(sandbox: &'a CommandSandbox, user: u32, args: &[&str]) -> Option<Invocation<'a>> {
    let skip = |why: &str| {
        skipped(why);
        None
    };
    if !is_root() {
        return skip("only root can run the command as another user");
    }
    for dir in [sandbox.home().parent().unwrap(), &sandbox.home()] {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let program = sandbox.beside("hallpass");
    let built = Path::new(env!("CARGO_BIN_EXE_hallpass"));
    if !program.exists() && fs::hard_link(built, &program).is_err() {
        fs::copy(built, &program).unwrap();
    }
    let switch = |command: &mut Command| {
        let id = user.to_string();
        command.args([format!("--reuid={id}"), format!("--regid={id}"), "--clear-groups".to_owned()]);
    };
    let mut trial = Command::new("setpriv");
    switch(&mut trial);
    if !trial.arg(&program).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skip("setpriv cannot run the command as another user");
    }
    let mut command = Command::new("setpriv");
    switch(&mut command);
    command.arg(&program).args(args);
    Some(sandbox.call(command))
}

/// Makes somebody the owner of the home and of all below it.
pub(crate) fn give_home(sandbox: &CommandSandbox, user: u32) {
    for path in files_and_dirs(&sandbox.home()) {
        std::os::unix::fs::lchown(&path, Some(user), Some(user)).unwrap();
    }
}

fn files_and_dirs(dir: &Path) -> Vec<PathBuf> {
    let mut all = vec![dir.to_owned()];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files_and_dirs(&path)) } else { all.push(path) }
    }
    all
}
