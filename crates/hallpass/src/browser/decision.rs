//! What a login does here.

use super::port_forwarding::WayBack;
use super::sign::Sign;
use super::ssh_tunnel::Tunnel;
use super::surroundings::{Surroundings, System};
use crate::browser::{BrowserCommand, BrowserWish, Opener, Plan};

/// What follows from the surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) plan: Plan,
    /// What says that the user's browser may be on another machine, and the same in words.
    elsewhere: Option<(Sign, String)>,
    way_back: Option<WayBack>,
}

impl Decision {
    /// The same for a browser that plans by itself. One of the program's own is where the user is; whoever asks for one
    /// in a container has one there.
    pub(crate) fn about(self, plan: Plan) -> Decision {
        let counts = |sign: &Sign| match plan.opener {
            Opener::Program => false,
            Opener::None => true,
            _ => !plan.is_asked_for || sign.tells_of_the_user(),
        };
        let elsewhere = self.elsewhere.filter(|(sign, _)| counts(sign));
        let way_back = self.way_back.filter(|_| elsewhere.is_some());
        Decision { plan, elsewhere, way_back }
    }

    /// Whether a browser is started here.
    pub(crate) fn opens_browser(&self) -> bool {
        self.plan.opener != Opener::None
    }

    /// Whether the browser may be on another machine, so that a code for another device is offered beside the callback.
    pub(crate) fn offers_device_grant(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Why that is so, in one sentence.
    pub(crate) fn device_grant_reason(&self) -> String {
        match &self.elsewhere {
            Some((_, clause)) => format!("Your browser may be on another machine: {clause}."),
            None => "Nothing says that your browser is on another machine.".to_owned(),
        }
    }

    /// What to run where the browser is, so that its callback to this port arrives here. Only in an SSH session that
    /// nothing else forwards ports for.
    pub(crate) fn ssh_tunnel_line(&self, port: u16) -> Option<String> {
        self.tunnel().map(|tunnel| tunnel.line(&port.to_string()))
    }

    /// What else has to be done for that, in one sentence.
    pub(crate) fn forwarding_note(&self, port: u16) -> Option<String> {
        self.way_back.as_ref()?.note(port)
    }

    pub(super) fn forget_way_back(&mut self) {
        self.way_back = None;
    }

    pub(super) fn tunnel(&self) -> Option<&Tunnel> {
        match self.way_back.as_ref()? {
            WayBack::Tunnel(tunnel) => Some(tunnel),
            _ => None,
        }
    }
}

/// Decides by what was asked for and by what is seen, in this order.
pub(crate) fn decide(seen: &Surroundings, wish: &BrowserWish) -> Decision {
    let sign = Sign::first(seen);
    let plan = plan(seen, wish, sign);
    let decision = Decision {
        plan: plan.clone(),
        elsewhere: sign.map(|sign| (sign, sign.clause(seen))),
        way_back: sign.and_then(|sign| WayBack::of(sign, seen)),
    };
    decision.about(plan)
}

fn plan(seen: &Surroundings, wish: &BrowserWish, sign: Option<Sign>) -> Plan {
    let by_variable = seen.environment.text("BROWSER").map(BrowserCommand::parse_list);
    match (wish, by_variable) {
        (BrowserWish::None, _) => Plan { is_asked_for: true, ..Plan::new(Opener::None, "None is wanted.") },
        (BrowserWish::Command(command), _) => Plan::asked_for(Opener::Commands(vec![command.clone()])),
        (_, Some(commands)) => named("$BROWSER", commands),
        (BrowserWish::Usually(commands), None) => named("A setting", commands.clone()),
        (BrowserWish::Any, None) => match found(seen) {
            nothing @ Plan { opener: Opener::None, .. } => nothing,
            Plan { opener, .. } => Plan::asked_for(opener),
        },
        (BrowserWish::Unsaid, None) => obstacle(seen, sign).unwrap_or_else(|| found(seen)),
    }
}

fn named(by: &str, commands: Vec<BrowserCommand>) -> Plan {
    match commands.is_empty() {
        true => Plan::new(Opener::None, format!("{by} asks for none.")),
        false => Plan::new(Opener::Commands(commands), format!("{by} names it.")),
    }
}

/// Why nobody would see a browser that is started here.
fn obstacle(seen: &Surroundings, sign: Option<Sign>) -> Option<Plan> {
    let hidden = sign.filter(|sign| sign.hides_a_browser(seen)).map(|sign| hidden(seen, sign));
    hidden.or_else(|| foreign(seen)).map(|reason| Plan::new(Opener::None, reason))
}

fn hidden(seen: &Surroundings, sign: Sign) -> String {
    let clause = sign.clause(seen);
    match sign {
        Sign::NoDisplay => format!("{}.", capital(&clause)),
        Sign::Ci => format!("{}, where nobody would see it.", capital(&clause)),
        Sign::Ssh if seen.display().is_some() => {
            format!("{}: a browser would run on this machine, slowly, and not be yours.", capital(&clause))
        }
        _ => format!("{}: a browser would open on this machine and not where you are.", capital(&clause)),
    }
}

/// Under sudo the browser would be root's, where it starts at all. `open` and Windows ask the user's own session.
fn foreign(seen: &Surroundings) -> Option<String> {
    let is_graphical = matches!(seen.system, System::Linux | System::OtherUnix) && !seen.is_wsl();
    let user = seen.environment.text("SUDO_USER").filter(|_| is_graphical)?;
    Some(format!("This runs under sudo: the browser would not be {}'s.", crate::sanitize::text(user)))
}

/// The default browser, by what there is to open it with.
fn found(seen: &Surroundings) -> Plan {
    match (seen.system, seen.openers.first()) {
        (System::MacOs, _) => Plan::new(Opener::Default("open"), HERE),
        (System::Windows, _) => Plan::new(Opener::Default("Windows"), HERE),
        (_, Some(&"wslview")) => Plan::new(Opener::Wslview, "This is WSL: the browser is that of Windows."),
        (_, Some(&"powershell.exe")) => Plan::new(
            Opener::PowerShell,
            "This is WSL: the browser is that of Windows, and wslview is not installed.",
        ),
        (_, Some(opener)) => Plan::new(Opener::Default(opener), reason_for_desktop(seen)),
        (_, None) if seen.is_wsl() => {
            Plan::new(Opener::None, "This is WSL, and neither wslview nor powershell.exe was found.")
        }
        (_, None) => {
            Plan::new(Opener::None, "No program that opens addresses was found (xdg-open, a browser).")
        }
    }
}

const HERE: &str = "Nothing says that you are elsewhere.";

fn reason_for_desktop(seen: &Surroundings) -> String {
    match (seen.sandbox(), seen.display()) {
        (Some(sandbox), _) => format!("This is {sandbox}, which hands addresses to the desktop."),
        (None, Some(display)) => format!("There is a display (${display})."),
        (None, None) => HERE.to_owned(),
    }
}

fn capital(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
