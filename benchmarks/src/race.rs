//! Whole processes against each other.

use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4;

use crate::Outcome;
use crate::stats::Samples;

/// Rounds that only fill the caches.
const WARM_UP: usize = 5;

/// A command, with what its runs took.
pub(crate) struct Racer {
    command: Command,
    pub(crate) wall: Samples,
    /// User and system time: what is left of the truth when others need the processors too.
    pub(crate) cpu: Samples,
}

impl Racer {
    pub(crate) fn new(mut command: Command) -> Racer {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Racer { command, wall: Samples::default(), cpu: Samples::default() }
    }

    fn run(&mut self, counts: bool) -> Outcome {
        let begun = Instant::now();
        let used = self.command.spawn()?.wait4()?;
        let wall = begun.elapsed();
        if !used.status.success() {
            return Err(format!("{:?} failed", self.command).into());
        }
        if counts {
            self.wall.push(wall);
            self.cpu.push(used.rusage.utime + used.rusage.stime);
        }
        Ok(())
    }
}

/// One after the other, round after round, each round beginning with another one, so that what disturbs the
/// machine disturbs all of them.
pub(crate) fn race(racers: &mut [Racer], rounds: usize) -> Outcome {
    let count = racers.len();
    for round in 0..WARM_UP + rounds {
        for turn in 0..count {
            racers[(round + turn) % count].run(round >= WARM_UP)?;
        }
    }
    Ok(())
}
