//! A model-based test: random histories of one sign-in that several processes share, with refreshes, lost responses,
//! killed processes, logins, logouts and moves. After each step, the server accepts the stored refresh token or has
//! refused it; at the end every process gets a token or the right error.
//!
//! `HALLPASS_MODEL_MINUTES=10` runs histories for ten minutes.

mod history;
mod invariants;
mod server;
mod simulation;

use std::time::{Duration, Instant};

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use history::{End, History, Step, histories};
use invariants::Check;
use simulation::Simulation;

/// Histories of one ordinary test run.
const HISTORIES: u32 = 60;

fn run(history: &History) -> Check {
    let simulation = Simulation::new(history);
    simulation.step(&Step::Login { by: 0, user: 0, meanwhile: None, end: End::Well })?;
    for (number, step) in history.steps.iter().enumerate() {
        simulation.step(step).map_err(|error| format!("step {number}: {error}"))?;
    }
    simulation.end()
}

#[test]
fn p27_p28_p30_no_history_loses_a_sign_in_that_the_server_would_renew() {
    let minutes = std::env::var("HALLPASS_MODEL_MINUTES").ok().and_then(|text| text.parse().ok());
    let until = Instant::now() + Duration::from_secs(60 * minutes.unwrap_or(0));
    loop {
        let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
        let result =
            TestRunner::new(config).run(&histories(), |history| run(&history).map_err(TestCaseError::fail));
        if let Err(error) = result {
            panic!("{error}");
        }
        if Instant::now() >= until {
            return;
        }
    }
}
