//! Any history of one sign-in that several processes share: renewed, lost on the way, killed in the middle, signed in
//! again, signed out, moved. After each act, the stored refresh token is the one that the server would take, or it says
//! itself that it does not; in the end every process has a token or is told the truth.
//!
//! `HALLPASS_MODEL_MINUTES=10` looks at histories for so long.

mod judge;
mod server;
mod story;
mod town;

use std::time::{Duration, Instant};

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use judge::Verdict;
use story::{Act, End, Story, stories};
use town::Town;

/// Histories of one ordinary run.
const HISTORIES: u32 = 60;

fn tell(story: &Story) -> Verdict {
    let town = Town::of(story);
    town.act(&Act::Login { by: 0, user: 0, meanwhile: None, end: End::Well })?;
    for (number, act) in story.acts.iter().enumerate() {
        town.act(act).map_err(|fault| format!("act {number}: {fault}"))?;
    }
    town.end()
}

#[test]
fn p27_p28_p30_no_history_loses_a_sign_in_that_the_server_would_renew() {
    let minutes = std::env::var("HALLPASS_MODEL_MINUTES").ok().and_then(|text| text.parse().ok());
    let until = Instant::now() + Duration::from_secs(60 * minutes.unwrap_or(0));
    loop {
        let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
        let told = TestRunner::new(config).run(&stories(), |story| tell(&story).map_err(TestCaseError::fail));
        if let Err(fault) = told {
            panic!("{fault}");
        }
        if Instant::now() >= until {
            return;
        }
    }
}
