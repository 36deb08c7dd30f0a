//! Many processes at one expiry, against a certified server that rotates refresh tokens and ends a session when one
//! comes twice, without any grace.

use hallpass_end_to_end::{Expiry, Provider, Setup, Swarm, Tally, foreign};
use hallpass_test::keychain::{GnomeKeyring, PrivateBus, REAL_KEYCHAIN, are_installed};

use crate::programs::Programs;
use crate::stats::{Samples, millis};
use crate::table::Row;
use crate::{Outcome, Settings};

const PROCESSES: usize = 64;

/// Long enough that whoever comes last in a cycle finds the token in the first half of its life, where nobody
/// renews it.
const SHORT_LIFE: [(&str, &str); 1] = [("ACCESS_TTL", "4")];

pub(crate) fn measure(settings: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    if !foreign("node_modules").exists() {
        eprintln!("the swarm is skipped: run `npm ci` in tests/foreign first");
        return Ok(Vec::new());
    }
    let (many, few) = if settings.quick { (20, 2) } else { (200, 20) };
    let file = ("file", &[][..]);
    let mut rows =
        vec![row(programs, file, Expiry::SetBack, many)?, row(programs, file, Expiry::Awaited, few)?];
    if are_installed(&REAL_KEYCHAIN) {
        rows.push(sealed(programs, few)?);
    }
    Ok(rows)
}

/// The end of a sealed token cannot be set back: that would break the seal.
fn sealed(programs: &Programs, cycles: usize) -> Outcome<Row> {
    let bus = PrivateBus::start()?;
    let _keyring = GnomeKeyring::start(&bus)?;
    let variables = bus.variables();
    let environment: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    row(programs, ("keychain", &environment), Expiry::Awaited, cycles)
}

/// What keeps the sign-in, and the variables that lead there.
type Storage<'a> = (&'a str, &'a [(&'a str, &'a str)]);

fn row(programs: &Programs, storage: Storage<'_>, expiry: Expiry, cycles: usize) -> Outcome<Row> {
    let (storage, environment) = storage;
    let provider = Provider::start(if expiry == Expiry::Awaited { &SHORT_LIFE } else { &[] });
    let setup = Setup { program: &programs.hallpass, processes: PROCESSES, storage, environment };
    let swarm = Swarm::signed_in(setup, &provider)?;
    let mut tally = Tally::default();
    for _ in 0..cycles {
        swarm.cycle(expiry, &mut tally)?;
    }
    let is_alive = swarm.is_alive().is_ok();
    let end = match expiry {
        Expiry::SetBack => "set back in the record",
        Expiry::Awaited => "awaited (4 s)",
    };
    let what = format!(
        "{PROCESSES} processes at one expiry, certified server, storage {storage}, {cycles} times, the end {end}"
    );
    let bar = format!("{cycles} refreshes, 0 invalid_grant, 0 failures, session alive");
    let command = "hallpass token, against oidc-provider";
    Ok(Row::judged(what, told(&tally, is_alive), &bar, tally.is_clean() && is_alive, command))
}

fn told(tally: &Tally, is_alive: bool) -> String {
    let times: Samples = tally.times.iter().copied().collect();
    tally.failures.iter().for_each(|failure| eprintln!("{failure}"));
    format!(
        "{} refreshes, {} invalid_grant, {} failures, {} cycles with two tokens or more, session {}; {} for all {PROCESSES}",
        tally.refreshes,
        tally.refused,
        tally.failures.len(),
        tally.torn,
        if is_alive { "alive" } else { "dead" },
        millis(times.median()),
    )
}
