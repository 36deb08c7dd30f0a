//! A cached token that is sealed: the whole process of `hallpass token` against `secret-tool lookup` of the same bytes in
//! the same keychain, which is what a script does without Hallpass.

use std::io::Write;
use std::process::{Command, Stdio};

use hallpass_test::keychain::{GnomeKeyring, PrivateBus, REAL_KEYCHAIN, Variables, are_installed};

use crate::home::{Home, succeeded};
use crate::programs::{BUILD, Programs, find};
use crate::provider::{Provider, Script};
use crate::race::{Racer, race};
use crate::stats::{micros, ratio};
use crate::table::Row;
use crate::{Outcome, Settings};

const BAR: f64 = 0.4;

/// The attributes of the copy that `secret-tool` keeps.
const COPY: [&str; 2] = ["program", "hallpass-benchmarks"];

pub(crate) fn measure(settings: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    let Some(secret_tool) = find("secret-tool").filter(|_| are_installed(&REAL_KEYCHAIN)) else {
        eprintln!("the sealed token is skipped: it needs secret-tool, gnome-keyring-daemon and dbus-daemon");
        return Ok(Vec::new());
    };
    let bus = PrivateBus::start()?;
    let _keyring = GnomeKeyring::start(&bus)?;
    let provider = Provider::start(Script::default())?;
    let home = Home::new()?;
    let variables = address(&bus);
    let with_bus = |mut command: Command| {
        command.envs(variables.clone());
        command
    };
    let mut login = with_bus(home.login(programs, &provider, None));
    succeeded(&login.args(["--storage", "keychain"]).output()?)?;
    let token = with_bus(home.call(&programs.hallpass, &["token"])).output()?;
    succeeded(&token)?;
    let label = ["store", "--label=a token"];
    store(with_bus(home.call(&secret_tool, &[&label[..], &COPY].concat())), token.stdout.trim_ascii())?;
    let mut racers = [
        Racer::new(with_bus(home.call(&secret_tool, &[&["lookup"][..], &COPY].concat()))),
        Racer::new(with_bus(home.call(&programs.hallpass, &["token"]))),
    ];
    race(&mut racers, if settings.quick { 100 } else { 500 })?;
    Ok(rows(&racers))
}

fn address(bus: &PrivateBus) -> Variables {
    vec![("DBUS_SESSION_BUS_ADDRESS", bus.address().to_owned())]
}

fn store(mut secret_tool: Command, secret: &[u8]) -> Outcome {
    let mut child = secret_tool.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or("no stdin")?.write_all(secret)?;
    succeeded(&child.wait_with_output()?)
}

fn rows([lookup, token]: &[Racer; 2]) -> Vec<Row> {
    let factor = ratio(token.wall.median(), lookup.wall.median());
    let measured = format!(
        "median **{factor:.2}×** ({} / {}), minimum {:.2}× ({} / {}), CPU {:.2}×",
        micros(token.wall.median()),
        micros(lookup.wall.median()),
        ratio(token.wall.min(), lookup.wall.min()),
        micros(token.wall.min()),
        micros(lookup.wall.min()),
        ratio(token.cpu.median(), lookup.cpu.median()),
    );
    let what = "cached `token`, sealed by GNOME Keyring, against `secret-tool lookup` of the same bytes";
    let command = format!("hallpass token >/dev/null (built by {BUILD})");
    vec![Row::judged(what, measured, &format!("≤ {BAR}×"), factor <= BAR, &command)]
}
