//! A table with a row for each kind of surroundings.

use super::*;
use crate::environment::Environment;

/// The surroundings of a bare system with some variables.
fn place(system: System, variables: &[(&str, &str)]) -> Surroundings {
    let mut seen = Surroundings::described(&Environment::from_variables(variables.iter().copied()));
    seen.system = system;
    seen.openers = match system {
        _ if seen.is_wsl() => vec!["wslview"],
        System::Linux | System::OtherUnix => vec!["xdg-open"],
        System::MacOs | System::Windows => Vec::new(),
    };
    seen
}

/// The decision in short: what opens, and whether a code for another device is offered.
fn decided(seen: &Surroundings, wish: &BrowserWish) -> (String, bool) {
    let decision = decide(seen, wish);
    let opener = match &decision.plan.opener {
        Opener::Default(by) => (*by).to_owned(),
        Opener::Commands(_) => decision.plan.opener.to_string(),
        other => other.as_str().to_owned(),
    };
    let is_sentence = |text: &str| text.ends_with('.') && text.starts_with(char::is_uppercase);
    let reasons = [decision.plan.reason.to_string(), decision.device_grant_reason()];
    assert!(reasons.iter().all(|reason| is_sentence(reason) || reason.starts_with('$')), "{reasons:?}");
    assert_eq!(decision.opens_browser(), opener != "none");
    (opener, decision.offers_device_grant())
}

type Variables<'a> = &'a [(&'a str, &'a str)];

const X11: (&str, &str) = ("DISPLAY", ":0");
const WAYLAND: (&str, &str) = ("WAYLAND_DISPLAY", "wayland-0");
const SSH: (&str, &str) = ("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 22");
const WSL: (&str, &str) = ("WSL_DISTRO_NAME", "Ubuntu");

const DEVICE: bool = true;
const NO_DEVICE: bool = false;

#[test]
fn p21_p20_p22_p24_the_surroundings_decide_what_opens() {
    use System::{Linux, MacOs, OtherUnix, Windows};
    let vscode = ("TERM_PROGRAM", "vscode");
    let hook = ("VSCODE_IPC_HOOK_CLI", "/tmp/vscode-ipc.sock");
    let helper = ("BROWSER", "/vscode/bin/helpers/browser.sh");
    let rows: &[(System, Variables<'_>, &str, bool)] = &[
        // A desktop.
        (Linux, &[X11], "xdg-open", NO_DEVICE),
        (Linux, &[WAYLAND], "xdg-open", NO_DEVICE),
        (Linux, &[X11, WAYLAND], "xdg-open", NO_DEVICE),
        (Linux, &[X11, ("TMUX", "/tmp/tmux-0/default,1,0")], "xdg-open", NO_DEVICE),
        (Linux, &[X11, vscode], "xdg-open", NO_DEVICE),
        (Linux, &[X11, ("TERM_PROGRAM", "tmux")], "xdg-open", NO_DEVICE),
        (OtherUnix, &[X11], "xdg-open", NO_DEVICE),
        (MacOs, &[], "open", NO_DEVICE),
        (MacOs, &[("TERM_PROGRAM", "Apple_Terminal")], "open", NO_DEVICE),
        (MacOs, &[vscode], "open", NO_DEVICE),
        (MacOs, &[("TMUX", "x")], "open", NO_DEVICE),
        (Windows, &[], "Windows", NO_DEVICE),
        (Windows, &[vscode], "Windows", NO_DEVICE),
        // No display.
        (Linux, &[], "none", DEVICE),
        (Linux, &[("DISPLAY", "")], "none", DEVICE),
        (Linux, &[("DISPLAY", ""), WAYLAND], "xdg-open", NO_DEVICE),
        (Linux, &[("TMUX", "x")], "none", DEVICE),
        (OtherUnix, &[], "none", DEVICE),
        // SSH, with and without a display of either side.
        (Linux, &[SSH], "none", DEVICE),
        (Linux, &[SSH, X11], "none", DEVICE),
        (Linux, &[SSH, ("DISPLAY", "localhost:10.0")], "none", DEVICE),
        (Linux, &[SSH, WAYLAND], "none", DEVICE),
        (Linux, &[("SSH_TTY", "/dev/pts/1"), X11], "none", DEVICE),
        (Linux, &[SSH, ("TMUX", "x"), X11], "none", DEVICE),
        (OtherUnix, &[SSH, X11], "none", DEVICE),
        (MacOs, &[SSH], "none", DEVICE),
        (Windows, &[SSH], "none", DEVICE),
        // Another user's shell: su and sudo lose the SSH variables.
        (Linux, &[("SUDO_USER", "ada")], "none", DEVICE),
        (Linux, &[("SUDO_USER", "ada"), X11], "none", NO_DEVICE),
        (Linux, &[("SUDO_USER", "ada"), WAYLAND], "none", NO_DEVICE),
        (MacOs, &[("SUDO_USER", "ada")], "open", NO_DEVICE),
        (Linux, &[("SUDO_USER", "ada"), WSL], "wslview", DEVICE),
        // CI, in every spelling.
        (Linux, &[("CI", "1"), X11], "none", DEVICE),
        (Linux, &[("CI", "true"), X11], "none", DEVICE),
        (Linux, &[("CI", "True")], "none", DEVICE),
        (Linux, &[("CI", "woodpecker"), X11], "none", DEVICE),
        (Linux, &[("CI", "false"), X11], "xdg-open", NO_DEVICE),
        (Linux, &[("CI", "FALSE"), X11], "xdg-open", NO_DEVICE),
        (Linux, &[("CI", "0"), X11], "xdg-open", NO_DEVICE),
        (Linux, &[("CI", ""), X11], "xdg-open", NO_DEVICE),
        (Linux, &[("CI", "no"), X11], "xdg-open", NO_DEVICE),
        (MacOs, &[("CI", "true")], "none", DEVICE),
        (MacOs, &[("CI", "false")], "open", NO_DEVICE),
        (Windows, &[("CI", "true")], "none", DEVICE),
        (Windows, &[("CI", "0")], "Windows", NO_DEVICE),
        // A remote machine with the user's editor connected.
        (Linux, &[("CODESPACES", "true")], "none", DEVICE),
        (Linux, &[("CODESPACES", "true"), X11], "none", DEVICE),
        (Linux, &[("CODESPACES", "true"), vscode, helper], "/vscode/bin/helpers/browser.sh", DEVICE),
        (Linux, &[("CODESPACES", "false"), X11], "xdg-open", NO_DEVICE),
        (Linux, &[("REMOTE_CONTAINERS", "true")], "none", DEVICE),
        (Linux, &[("REMOTE_CONTAINERS", "true"), X11], "none", DEVICE),
        (Linux, &[("REMOTE_CONTAINERS", "true"), helper], "/vscode/bin/helpers/browser.sh", DEVICE),
        (Linux, &[hook, vscode], "none", DEVICE),
        (Linux, &[hook, vscode, X11], "none", DEVICE),
        (Linux, &[SSH, vscode, hook, helper], "/vscode/bin/helpers/browser.sh", DEVICE),
        (Linux, &[SSH, vscode], "none", DEVICE),
        // Containers, by the variables their makers set.
        (Linux, &[("container", "podman")], "none", DEVICE),
        (Linux, &[("container", "lxc")], "none", DEVICE),
        (Linux, &[("container", "oci"), X11], "xdg-open", DEVICE),
        (Linux, &[("container", "oci"), WAYLAND], "xdg-open", DEVICE),
        // Desktop sandboxes are not containers.
        (Linux, &[("container", "flatpak"), X11], "xdg-open", NO_DEVICE),
        (Linux, &[("FLATPAK_ID", "org.example.Term")], "xdg-open", NO_DEVICE),
        (Linux, &[("FLATPAK_ID", "org.example.Term"), ("container", "flatpak")], "xdg-open", NO_DEVICE),
        (Linux, &[("SNAP", "/snap/code/1"), X11], "xdg-open", NO_DEVICE),
        (Linux, &[("SNAP", "/snap/code/1"), SSH], "none", DEVICE),
        // WSL.
        (Linux, &[WSL], "wslview", DEVICE),
        (Linux, &[("WSL_INTEROP", "/run/WSL/1_interop")], "wslview", DEVICE),
        (Linux, &[WSL, X11, WAYLAND], "wslview", DEVICE),
        (Linux, &[WSL, vscode, hook], "wslview", DEVICE),
        (Linux, &[WSL, vscode, hook, helper], "/vscode/bin/helpers/browser.sh", DEVICE),
        (Linux, &[WSL, SSH], "none", DEVICE),
        (Linux, &[WSL, ("CI", "true")], "none", DEVICE),
        (Linux, &[WSL, ("CI", "false")], "wslview", DEVICE),
        (Windows, &[WSL], "Windows", NO_DEVICE),
        // `$BROWSER` overrides all of it.
        (Linux, &[("BROWSER", "firefox")], "firefox", DEVICE),
        (Linux, &[("BROWSER", "firefox"), SSH], "firefox", DEVICE),
        (Linux, &[("BROWSER", "firefox"), X11], "firefox", NO_DEVICE),
        (Linux, &[("BROWSER", "w3m"), SSH], "w3m", DEVICE),
        (Linux, &[("BROWSER", "none"), X11], "none", NO_DEVICE),
        (Linux, &[("BROWSER", ""), X11], "xdg-open", NO_DEVICE),
        (MacOs, &[("BROWSER", "open -a Safari")], "open -a Safari", NO_DEVICE),
        (Windows, &[("BROWSER", "none")], "none", NO_DEVICE),
    ];
    assert!(rows.len() >= 60, "{}", rows.len());
    for (system, variables, opener, device) in rows {
        let found = decided(&place(*system, variables), &BrowserWish::Unsaid);
        assert_eq!(found, ((*opener).to_owned(), *device), "{system:?} {variables:?}");
    }
}

#[test]
fn p20_a_request_overrides_the_surroundings() {
    use System::{Linux, MacOs, Windows};
    let usual = BrowserWish::Usually(BrowserCommand::parse_list("firefox"));
    let command = BrowserWish::Command(BrowserCommand::parse("chromium --incognito").unwrap());
    let rows: &[(System, Variables<'_>, &BrowserWish, &str, bool)] = &[
        (Linux, &[X11], &BrowserWish::None, "none", NO_DEVICE),
        (Linux, &[SSH], &BrowserWish::None, "none", DEVICE),
        (Linux, &[X11, ("BROWSER", "firefox")], &BrowserWish::None, "none", NO_DEVICE),
        (MacOs, &[], &BrowserWish::None, "none", NO_DEVICE),
        (Linux, &[X11], &command, "chromium --incognito", NO_DEVICE),
        (Linux, &[SSH], &command, "chromium --incognito", DEVICE),
        (Linux, &[("CI", "1"), ("BROWSER", "none")], &command, "chromium --incognito", DEVICE),
        (Windows, &[], &command, "chromium --incognito", NO_DEVICE),
        (Linux, &[], &command, "chromium --incognito", NO_DEVICE),
        (Linux, &[("container", "podman")], &command, "chromium --incognito", NO_DEVICE),
        (Linux, &[SSH, X11], &BrowserWish::Any, "xdg-open", DEVICE),
        (Linux, &[], &BrowserWish::Any, "xdg-open", NO_DEVICE),
        (Linux, &[("SUDO_USER", "ada"), X11], &BrowserWish::Any, "xdg-open", NO_DEVICE),
        (Linux, &[SSH, ("BROWSER", "firefox")], &BrowserWish::Any, "firefox", DEVICE),
        (Linux, &[X11, ("BROWSER", "none")], &BrowserWish::Any, "none", NO_DEVICE),
        (MacOs, &[SSH], &BrowserWish::Any, "open", DEVICE),
        (Linux, &[X11], &usual, "firefox", NO_DEVICE),
        (Linux, &[SSH], &usual, "firefox", DEVICE),
        (Linux, &[], &usual, "firefox", DEVICE),
        (Linux, &[X11, ("BROWSER", "lynx")], &usual, "lynx", NO_DEVICE),
        (Linux, &[X11, ("BROWSER", "none")], &usual, "none", NO_DEVICE),
        (Linux, &[X11], &BrowserWish::Usually(Vec::new()), "none", NO_DEVICE),
        (Linux, &[X11, ("BROWSER", "lynx")], &BrowserWish::Usually(Vec::new()), "lynx", NO_DEVICE),
    ];
    for (system, variables, wish, opener, device) in rows {
        let found = decided(&place(*system, variables), wish);
        assert_eq!(found, ((*opener).to_owned(), *device), "{system:?} {variables:?} {wish:?}");
    }
}

#[test]
fn p22_p24_files_reveal_what_variables_do_not() {
    const KERNEL: &str = "5.15.167.4-microsoft-standard-WSL2";
    let rows: &[(&str, Option<&'static str>, Variables<'_>, &str, bool)] = &[
        (KERNEL, None, &[], "wslview", DEVICE),
        ("4.4.0-19041-Microsoft", None, &[], "wslview", DEVICE),
        (KERNEL, Some("/.dockerenv"), &[], "none", DEVICE),
        (KERNEL, Some("/.dockerenv"), &[WSL], "wslview", DEVICE),
        (KERNEL, Some("/.dockerenv"), &[("REMOTE_CONTAINERS", "true")], "none", DEVICE),
        ("6.8.0-generic", Some("/.dockerenv"), &[], "none", DEVICE),
        ("6.8.0-generic", Some("/.dockerenv"), &[X11], "xdg-open", DEVICE),
        ("6.8.0-generic", Some("/run/.containerenv"), &[WAYLAND], "xdg-open", DEVICE),
        ("6.8.0-generic", Some("/run/.containerenv"), &[SSH], "none", DEVICE),
        ("6.8.0-azure", None, &[("CI", "true")], "none", DEVICE),
        ("6.8.0-generic", None, &[X11], "xdg-open", NO_DEVICE),
    ];
    for (kernel, file, variables, opener, device) in rows {
        let mut seen = place(System::Linux, variables);
        (seen.kernel, seen.container_file) = ((*kernel).to_owned(), *file);
        seen.openers = vec![if seen.is_wsl() { "wslview" } else { "xdg-open" }];
        let found = decided(&seen, &BrowserWish::Unsaid);
        assert_eq!(found, ((*opener).to_owned(), *device), "{kernel} {file:?} {variables:?}");
    }
}

#[test]
fn p19_p20_p22_what_is_not_installed_is_not_started() {
    let rows: &[(Variables<'_>, &[&'static str], &str)] = &[
        (&[X11], &[], "none"),
        (&[X11], &["gio"], "gio"),
        (&[X11], &["x-www-browser", "firefox"], "x-www-browser"),
        (&[X11], &["firefox"], "firefox"),
        (&[WSL], &[], "none"),
        (&[WSL], &["powershell.exe"], "powershell"),
        (&[WSL], &["wslview"], "wslview"),
        (&[("FLATPAK_ID", "x")], &[], "none"),
    ];
    for (variables, openers, expected) in rows {
        let mut seen = place(System::Linux, variables);
        seen.openers = openers.to_vec();
        assert_eq!(decided(&seen, &BrowserWish::Unsaid).0, *expected, "{variables:?} {openers:?}");
    }
    let text = ["w3m", "lynx", "links", "elinks", "www-browser", "explorer.exe"];
    assert!(!crate::browser::surroundings::DESKTOP_OPENERS.iter().any(|opener| text.contains(opener)));
}

#[test]
fn p16_the_ssh_tunnel_is_ready_to_be_pasted_where_it_helps() {
    let line = |variables: Variables<'_>| {
        decide(&place(System::Linux, variables), &BrowserWish::Unsaid).ssh_tunnel_line(43210)
    };
    let ssh = |connection| [("SSH_CONNECTION", connection), ("USER", "ada")];
    let rows: &[(Variables<'_>, &str)] = &[
        (&ssh("198.51.100.7 50000 203.0.113.5 22"), "-N ada@203.0.113.5"),
        (&ssh("198.51.100.7 50000 203.0.113.5 2222"), "-N -p 2222 ada@203.0.113.5"),
        (&ssh("2001:db8::7 50000 2001:db8::5 22"), "-N ada@2001:db8::5"),
        (&ssh("127.0.0.1 50000 127.0.0.1 22"), "-N HOST"),
        (&ssh("a b $(id) 22"), "-N HOST"),
        (&ssh("nonsense"), "-N HOST"),
        (&[SSH, ("USER", "$(id)")], "-N 203.0.113.5"),
        (&[SSH, ("USER", "-oProxyCommand=x")], "-N 203.0.113.5"),
        (&[SSH], "-N 203.0.113.5"),
        (&[("SSH_TTY", "/dev/pts/0")], "-N HOST"),
    ];
    for (variables, end) in rows {
        let expected = format!("ssh -L 43210:127.0.0.1:43210 {end}");
        assert_eq!(line(variables).as_deref(), Some(expected.as_str()), "{variables:?}");
    }
    let none: &[Variables<'_>] = &[
        &[X11],
        &[],
        &[WSL],
        &[SSH, ("CI", "1")],
        &[SSH, ("CODESPACES", "true")],
        &[SSH, ("TERM_PROGRAM", "vscode")],
        &[SSH, ("VSCODE_IPC_HOOK_CLI", "x")],
    ];
    for variables in none {
        assert_eq!(line(variables), None, "{variables:?}");
    }
}

#[test]
fn p24_forwarding_is_explained_only_where_it_is_needed() {
    let note = |variables: Variables<'_>| {
        decide(&place(System::Linux, variables), &BrowserWish::Unsaid).forwarding_note(43210)
    };
    let rows: &[(Variables<'_>, &str)] = &[
        (&[("CODESPACES", "true")], "port 43210 must be forwarded"),
        (&[("REMOTE_CONTAINERS", "true")], "port 43210 must be forwarded"),
        (&[SSH, ("VSCODE_IPC_HOOK_CLI", "x")], "port 43210 must be forwarded"),
        (&[("container", "podman")], "only through a published port (--listen)"),
    ];
    for (variables, part) in rows {
        assert!(
            note(variables).is_some_and(|note| note.contains(part)),
            "{variables:?}: {:?}",
            note(variables)
        );
    }
    for variables in [&[X11][..], &[], &[WSL], &[SSH], &[("CI", "1")], &[("CI", "1"), ("container", "x")]] {
        assert_eq!(note(variables), None, "{variables:?}");
    }
}

#[test]
fn a_browser_of_the_programs_own_is_where_the_user_is() {
    let plan = Plan::new(Opener::Program, "This program opens URLs itself.");
    let decision = decide(&place(System::Linux, &[SSH]), &BrowserWish::Unsaid).with_plan(plan);
    assert!(decision.opens_browser() && !decision.offers_device_grant());
    assert_eq!(decision.ssh_tunnel_line(1), None);
}
