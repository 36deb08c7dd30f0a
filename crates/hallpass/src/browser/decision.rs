//! The decision what a login does about the browser.

use super::port_forwarding::PortForwarding;
use super::reason::{Elsewhere, Reason};
use super::sign::Sign;
use super::ssh_tunnel::SshTunnel;
use super::surroundings::{Surroundings, System};
use super::{BrowserCommand, BrowserWish, Opener, Plan};

/// A decision, made from the surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) plan: Plan,
    /// A sign that the user's browser may be on another machine.
    elsewhere: Option<Elsewhere>,
    forwarding: Option<PortForwarding>,
}

impl Decision {
    /// Replaces the plan by that of a browser that decides for itself. A browser of the program's own is where the user
    /// is, and a user who asks for one in a container has one there.
    pub(crate) fn with_plan(self, plan: Plan) -> Decision {
        let elsewhere = self.elsewhere.filter(|elsewhere| match plan.opener {
            Opener::Program => false,
            Opener::None => true,
            _ => !plan.reason.is_request() || elsewhere.sign.is_about_the_user(),
        });
        let forwarding = if elsewhere.is_some() { self.forwarding } else { None };
        Decision { plan, elsewhere, forwarding }
    }

    /// Whether a browser is opened here.
    pub(crate) fn opens_browser(&self) -> bool {
        self.plan.opener != Opener::None
    }

    /// Whether the browser may be on another machine, so that a code for another device is offered beside the callback.
    pub(crate) fn offers_device_grant(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Says why, or why not, in one sentence.
    pub(crate) fn device_grant_reason(&self) -> String {
        match &self.elsewhere {
            Some(elsewhere) => format!("Your browser may be on another machine: {elsewhere}."),
            None => Reason::Default.to_string(),
        }
    }

    /// The command to run on the machine with the browser, so that its callback to this port arrives here. Only for an
    /// SSH session whose ports nothing else forwards.
    pub(crate) fn ssh_tunnel_line(&self, port: u16) -> Option<String> {
        self.ssh_tunnel().map(|tunnel| tunnel.command(&port.to_string()))
    }

    /// Says what else the user has to do for that, in one sentence.
    pub(crate) fn forwarding_note(&self, port: u16) -> Option<String> {
        self.forwarding.as_ref()?.note(port)
    }

    /// Drops the advice for callbacks that are forwarded already.
    pub(super) fn without_forwarding(self) -> Decision {
        Decision { forwarding: None, ..self }
    }

    pub(super) fn ssh_tunnel(&self) -> Option<&SshTunnel> {
        match self.forwarding.as_ref()? {
            PortForwarding::Ssh(tunnel) => Some(tunnel),
            _ => None,
        }
    }
}

/// Decides by the caller's wish first, then by the surroundings.
pub(crate) fn decide(seen: &Surroundings, wish: &BrowserWish) -> Decision {
    let sign = Sign::first(seen);
    let elsewhere = sign.map(|sign| Elsewhere { sign, in_tmux: seen.has("TMUX") });
    let plan = plan(seen, wish, elsewhere);
    let forwarding = sign.and_then(|sign| PortForwarding::for_sign(sign, seen));
    Decision { plan: plan.clone(), elsewhere, forwarding }.with_plan(plan)
}

fn plan(seen: &Surroundings, wish: &BrowserWish, elsewhere: Option<Elsewhere>) -> Plan {
    let by_variable = seen.environment.text("BROWSER").map(BrowserCommand::parse_list);
    match (wish, by_variable) {
        (BrowserWish::None, _) => Plan::none(Reason::NoneRequested),
        (BrowserWish::Command(command), _) => {
            Plan::open(Opener::Commands(vec![command.clone()]), Reason::Requested)
        }
        (_, Some(commands)) if commands.is_empty() => Plan::none(Reason::NoneByVariable),
        (_, Some(commands)) => Plan::open(Opener::Commands(commands), Reason::Variable),
        (BrowserWish::Usually(commands), None) if commands.is_empty() => Plan::none(Reason::NoneBySetting),
        (BrowserWish::Usually(commands), None) => {
            Plan::open(Opener::Commands(commands.clone()), Reason::Setting)
        }
        (BrowserWish::Any, None) => match default_browser(seen) {
            Plan { opener: Opener::None, reason } => Plan::none(reason),
            Plan { opener, .. } => Plan::open(opener, Reason::Requested),
        },
        (BrowserWish::Unsaid, None) => match obstacle(seen, elsewhere) {
            Some(reason) => Plan::none(reason),
            None => default_browser(seen),
        },
    }
}

/// Why the user wouldn't see a browser that is opened here.
fn obstacle(seen: &Surroundings, elsewhere: Option<Elsewhere>) -> Option<Reason> {
    match elsewhere {
        Some(elsewhere) if elsewhere.sign.hides_a_browser(seen) => Some(Reason::Elsewhere(elsewhere)),
        _ => sudo(seen),
    }
}

/// Under sudo the browser would be root's, if it starts at all. `open` and Windows ask the user's own session.
fn sudo(seen: &Surroundings) -> Option<Reason> {
    let is_graphical = matches!(seen.system, System::Linux | System::OtherUnix) && !seen.is_wsl();
    let user = seen.environment.text("SUDO_USER").filter(|_| is_graphical)?;
    Some(Reason::Sudo(crate::sanitize::text(user)))
}

/// The default browser, by what there is to open it with.
fn default_browser(seen: &Surroundings) -> Plan {
    match (seen.system, seen.openers.first()) {
        (System::MacOs, _) => Plan::open(Opener::Default("open"), Reason::Default),
        (System::Windows, _) => Plan::open(Opener::Default("Windows"), Reason::Default),
        (_, Some(&"wslview")) => Plan::open(Opener::Wslview, Reason::Wsl),
        (_, Some(&"powershell.exe")) => Plan::open(Opener::PowerShell, Reason::WslWithoutWslview),
        (_, Some(opener)) => Plan::open(Opener::Default(opener), desktop(seen)),
        (_, None) if seen.is_wsl() => Plan::none(Reason::WslWithoutOpener),
        (_, None) => Plan::none(Reason::NoOpener),
    }
}

fn desktop(seen: &Surroundings) -> Reason {
    match (seen.sandbox(), seen.display()) {
        (Some(sandbox), _) => Reason::Sandbox(sandbox),
        (None, Some(display)) => Reason::Display(display),
        (None, None) => Reason::Default,
    }
}

#[cfg(test)]
mod tests;
