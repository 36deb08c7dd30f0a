//! Many processes at one expiry, against a certified server that rotates refresh tokens and ends a session when one
//! comes twice, without any grace.

use hallpass_end_to_end::{Expiry, Provider, Setup, Swarm, Tally, foreign};

use crate::programs::{Programs, find};
use crate::stats::{Samples, millis};
use crate::table::Row;
use crate::{Outcome, Settings};

const PROCESSES: usize = 64;

/// Long enough that whoever comes last in a cycle finds the token in the first half of its life, where nobody
/// renews it.
const SHORT_LIFE: &str = "4";

pub(crate) fn measure(settings: &Settings, programs: &Programs) -> Outcome<Vec<Row>> {
    if find("node").is_none() || !foreign("node_modules").exists() {
        eprintln!("the swarm is skipped: it needs Node, and `npm ci` in tests/foreign");
        return Ok(Vec::new());
    }
    let (many, few) = if settings.quick { (20, 2) } else { (200, 20) };
    let set_back = row(programs, Expiry::SetBack, &Provider::start(&[]), many)?;
    let awaited = row(programs, Expiry::Awaited, &Provider::start(&[("ACCESS_TTL", SHORT_LIFE)]), few)?;
    Ok(vec![set_back, awaited])
}

fn row(programs: &Programs, expiry: Expiry, provider: &Provider, cycles: usize) -> Outcome<Row> {
    let setup =
        Setup { program: &programs.hallpass, processes: PROCESSES, storage: "file", environment: &[] };
    let swarm = Swarm::signed_in(setup, provider)?;
    let mut tally = Tally::default();
    for _ in 0..cycles {
        swarm.cycle(expiry, &mut tally)?;
    }
    let is_alive = swarm.is_alive().is_ok();
    let what = match expiry {
        Expiry::SetBack => {
            format!("{PROCESSES} processes at one expiry, certified server, {cycles} times in a row")
        }
        Expiry::Awaited => format!("the same, tokens that really live for {SHORT_LIFE} s, {cycles} times"),
    };
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
