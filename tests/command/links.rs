//! Records that lie elsewhere: the user's own links are kept, and what others could have made is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::PathBuf;

use hallpass_dev::DevServer;
use hallpass_test::command::CommandSandbox;
use hallpass_test::skipped;

use crate::new_sandbox;
use crate::users::{NOBODY, is_root};

/// A signed-in user, and a directory beside the record's.
struct Site {
    sandbox: CommandSandbox,
    server: DevServer,
}

impl Site {
    fn new() -> Site {
        let site = Site { sandbox: new_sandbox(), server: DevServer::start().unwrap() };
        site.sandbox.sign_in(&site.server, &[]);
        fs::create_dir(site.dotfiles()).unwrap();
        fs::set_permissions(site.dotfiles(), Permissions::from_mode(0o700)).unwrap();
        site
    }

    fn record(&self) -> PathBuf {
        self.sandbox.record_file("default")
    }

    fn dotfiles(&self) -> PathBuf {
        self.sandbox.home().join("dotfiles")
    }

    /// Moves the record among the dotfiles and links it from where it was, by way of `links` to each other.
    fn linked(&self, to: &[&str]) -> PathBuf {
        let real = self.dotfiles().join("sign-in.json");
        fs::rename(self.record(), &real).unwrap();
        to.iter().for_each(|to| self.link(to));
        real
    }

    /// The first of them is the record's place.
    fn link(&self, to: &str) {
        let place = if fs::symlink_metadata(self.record()).is_ok() { "next" } else { "default.json" };
        symlink(to, self.record().with_file_name(place)).unwrap();
    }

    /// Refused before anything is spent or begun.
    fn is_refused(&self, cause: &str) {
        self.server.journal().clear();
        let opened = self.sandbox.opened().len();
        self.sandbox.run(&["token", "--refresh"]).fails(8, cause, "");
        self.sandbox.login_at(&self.server, &[]).run().fails(8, cause, "");
        assert_eq!(self.sandbox.opened().len(), opened, "the browser was opened");
        assert_eq!(self.server.journal().count("/token"), 0);
    }
}

#[test]
fn p43_a_link_of_the_users_own_is_kept_and_what_it_leads_to_renewed() {
    let absolute = |site: &Site| site.dotfiles().join("sign-in.json").to_str().unwrap().to_owned();
    let relative = "../../../../dotfiles/sign-in.json";
    for (name, links) in
        [("absolute", None), ("relative", Some(vec![relative])), ("chained", Some(vec!["next", relative]))]
    {
        let site = Site::new();
        let path = absolute(&site);
        let real = site.linked(&links.unwrap_or(vec![&path]));
        for verb in [&["token"][..], &["token", "--refresh"], &["token", "--refresh"]] {
            site.sandbox.run(verb).ok();
        }
        site.sandbox.sign_in(&site.server, &[]);
        assert!(fs::symlink_metadata(site.record()).unwrap().is_symlink(), "{name}");
        assert!(fs::symlink_metadata(&real).unwrap().is_file(), "{name}");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        site.sandbox.value(&["token", "--refresh"]);
    }
}

#[test]
fn p43_a_link_that_leads_to_no_record_yet_is_filled_by_a_login() {
    let site = Site::new();
    let real = site.linked(&["../../../../dotfiles/sign-in.json"]);
    fs::remove_file(&real).unwrap();
    site.sandbox.run(&["token"]).fails(4, "not signed in", "hallpass login");
    site.sandbox.sign_in(&site.server, &[]);
    assert!(fs::symlink_metadata(site.record()).unwrap().is_symlink() && real.is_file());
    site.sandbox.value(&["token", "--refresh"]);
}

#[test]
fn p43_a_folder_that_is_a_link_of_the_users_own_is_used() {
    let site = Site::new();
    let (folder, real) = (site.sandbox.state_dir(), site.dotfiles().join("state"));
    fs::rename(&folder, &real).unwrap();
    symlink(&real, &folder).unwrap();
    site.sandbox.value(&["token", "--refresh"]);
    site.sandbox.sign_in(&site.server, &[]);
    assert!(fs::symlink_metadata(&folder).unwrap().is_symlink());
}

#[test]
fn p43_links_in_a_circle_are_told() {
    let site = Site::new();
    site.linked(&["next", "default.json"]);
    site.is_refused(site.record().to_str().unwrap());
}

#[test]
fn n85_p43_what_belongs_to_another_user_is_refused() {
    if !is_root() {
        return skipped("only root can give a file away");
    }
    let foreign = "it belongs to another user";
    let site = Site::new();
    lchown(site.record(), Some(NOBODY), None).unwrap();
    site.sandbox.run(&["token"]).fails(8, foreign, "");
    site.is_refused(foreign);

    let site = Site::new();
    lchown(site.record().parent().unwrap(), Some(NOBODY), None).unwrap();
    site.is_refused(foreign);

    let site = Site::new();
    let real = site.linked(&["../../../../dotfiles/sign-in.json"]);
    lchown(real, Some(NOBODY), None).unwrap();
    site.is_refused(foreign);
}

#[test]
fn n85_p43_a_folder_that_others_may_write_to_is_refused() {
    for mode in [0o777, 0o1777, 0o770] {
        let site = Site::new();
        fs::set_permissions(site.record().parent().unwrap(), Permissions::from_mode(mode)).unwrap();
        site.is_refused("other users can write to it");
    }
}

#[test]
fn p43_a_folder_that_others_may_write_to_is_refused_behind_a_link_too() {
    for mode in [0o777, 0o1777, 0o770] {
        let site = Site::new();
        site.linked(&["../../../../dotfiles/sign-in.json"]);
        fs::set_permissions(site.dotfiles(), Permissions::from_mode(mode)).unwrap();
        site.is_refused("other users can write to it");
    }
}

#[test]
fn n85_p43_a_link_that_another_user_made_is_not_followed() {
    if !is_root() {
        return skipped("only root can give a link away");
    }
    let site = Site::new();
    site.linked(&["../../../../dotfiles/sign-in.json"]);
    lchown(site.record(), Some(NOBODY), None).unwrap();
    site.is_refused("another user");
}
