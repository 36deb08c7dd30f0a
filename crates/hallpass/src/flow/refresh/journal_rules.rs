//! The rules of the journal: what a refresh writes into it, and what the next one concludes from it.

use std::time::{Duration, SystemTime};

use crate::error::{Error, NetworkError, NetworkErrorKind};
use crate::store::{Fingerprint, InFlight, Journal, Refusals};

/// The longest `Retry-After` that is respected.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// The user is told after this many refusals in a row …
const REFUSALS: u32 = 3;
/// … over at least this time.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// Checks that a refresh may be sent now. `attempts` is the journal's count from before this process waited for the
/// lock. If another process failed in the meantime, this one would probably fail too, after another time limit.
///
/// # Errors
/// Of kind `RetryLater` or `FailedElsewhere`.
pub(super) fn may_send(
    journal: &Journal,
    attempts: u64,
    host: &str,
    now: SystemTime,
) -> Result<(), NetworkError> {
    let pause = journal.not_before.and_then(|until| until.duration_since(now).ok()).unwrap_or_default();
    // A longer one was written under another clock.
    if !pause.is_zero() && pause <= LONGEST_PAUSE {
        let seconds = Duration::from_secs(pause.as_secs().max(1));
        let detail = format!("try again in {}", humantime::format_duration(seconds));
        let error = NetworkError::new(NetworkErrorKind::RetryLater, host, &detail);
        return Err(NetworkError { retry_after: Some(pause), ..error });
    }
    match &journal.failure {
        Some(failure) if journal.attempts != attempts => {
            Err(NetworkError::new(NetworkErrorKind::FailedElsewhere, host, failure))
        }
        _ => Ok(()),
    }
}

/// Notes that a refresh token is about to be sent.
pub(super) fn begin(journal: &mut Journal, token: Fingerprint, now: SystemTime) {
    journal.in_flight = Some(InFlight { pid: std::process::id(), since: now, token });
}

/// Returns when this refresh token was sent before without an outcome, by a process that died or lost the response.
pub(super) fn lost_at(journal: &Journal, token: &Fingerprint) -> Option<SystemTime> {
    match &journal.in_flight {
        Some(lost) if lost.token == *token => Some(lost.since),
        _ => None,
    }
}

/// Notes that the server sent tokens or ended the session.
pub(super) fn succeed(journal: &mut Journal) {
    *journal = journal.settled();
}

/// Notes a failure that says nothing about the session, and returns it as it is to be reported.
///
/// If a response was lost (now or at `lost_at`) or could not be saved, the refresh stays in flight: the token may be
/// used up.
pub(super) fn fail(
    journal: &mut Journal,
    token: Fingerprint,
    lost_at: Option<SystemTime>,
    error: Error,
    now: SystemTime,
) -> Error {
    journal.attempts += 1;
    journal.failure = Some(error.to_string());
    let Error::Network(error) = error else { return error };
    journal.not_before = error.retry_after.map(|pause| now + pause.min(LONGEST_PAUSE));
    if lost_at.is_none() && !is_response_lost(&error) && error.kind != NetworkErrorKind::InvalidResponse {
        journal.in_flight = None;
    }
    match error.kind {
        // The server is busy.
        NetworkErrorKind::Status(408 | 425 | 429) => error.into(),
        // A refusal other than `invalid_grant`: of the client, of the request, or by something in between.
        NetworkErrorKind::Status(400..=499) => count_refusal(journal, token, error, now).into(),
        _ => error.into(),
    }
}

/// Whether the server may have received the request although no response arrived.
pub(super) fn is_response_lost(error: &NetworkError) -> bool {
    matches!(error.kind, NetworkErrorKind::Broken | NetworkErrorKind::TimedOut)
}

fn count_refusal(
    journal: &mut Journal,
    token: Fingerprint,
    error: NetworkError,
    now: SystemTime,
) -> NetworkError {
    let refusals = match journal.refusals.take() {
        Some(earlier) if earlier.token == token => {
            Refusals { times: earlier.times.saturating_add(1), ..earlier }
        }
        _ => Refusals { token, times: 1, since: now },
    };
    let (times, since) = (refusals.times, refusals.since);
    journal.refusals = Some(refusals);
    if times < REFUSALS || now.duration_since(since).unwrap_or_default() < REFUSED_FOR {
        return error;
    }
    let detail = error.to_string();
    NetworkError::new(NetworkErrorKind::RefusedRepeatedly(times), &error.host, &detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Fingerprint {
        Fingerprint::new(b"r")
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn failed(kind: NetworkErrorKind, retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        NetworkError { retry_after, ..NetworkError::new(kind, "a.example", "") }.into()
    }

    fn kind(result: Result<(), NetworkError>) -> NetworkErrorKind {
        result.unwrap_err().kind
    }

    #[test]
    fn p32_retry_after_holds_for_every_process() {
        let mut journal = Journal::default();
        fail(&mut journal, token(), None, failed(NetworkErrorKind::Status(429), Some(120)), at(0));
        let attempts = journal.attempts;
        assert_eq!(kind(may_send(&journal, attempts, "a.example", at(119))), NetworkErrorKind::RetryLater);
        assert_eq!(may_send(&journal, attempts, "a.example", at(120)), Ok(()));
    }

    #[test]
    fn a_pause_lasts_an_hour_at_most_and_ignores_a_wrong_clock() {
        let mut journal = Journal::default();
        fail(&mut journal, token(), None, failed(NetworkErrorKind::Status(503), Some(1_000_000)), at(0));
        let attempts = journal.attempts;
        assert_eq!(kind(may_send(&journal, attempts, "a.example", at(3599))), NetworkErrorKind::RetryLater);
        assert_eq!(may_send(&journal, attempts, "a.example", at(3600)), Ok(()));
        journal.not_before = Some(at(1_000_000));
        assert_eq!(may_send(&journal, attempts, "a.example", at(0)), Ok(()));
    }

    #[test]
    fn a_process_that_waited_while_another_failed_does_not_try_again() {
        let mut journal = Journal::default();
        let before = journal.attempts;
        fail(&mut journal, token(), None, failed(NetworkErrorKind::TimedOut, None), at(0));
        assert_eq!(kind(may_send(&journal, before, "a.example", at(1))), NetworkErrorKind::FailedElsewhere);
        assert_eq!(may_send(&journal, journal.attempts, "a.example", at(1)), Ok(()));
        succeed(&mut journal);
        assert_eq!(may_send(&journal, before, "a.example", at(1)), Ok(()));
    }

    #[test]
    fn only_a_refresh_whose_response_was_lost_stays_in_flight() {
        for (kind, is_lost) in [
            (NetworkErrorKind::Broken, true),
            (NetworkErrorKind::TimedOut, true),
            (NetworkErrorKind::InvalidResponse, true),
            (NetworkErrorKind::Unreachable, false),
            (NetworkErrorKind::Status(503), false),
        ] {
            let mut journal = Journal::default();
            begin(&mut journal, token(), at(0));
            fail(&mut journal, token(), None, failed(kind, None), at(1));
            assert_eq!(lost_at(&journal, &token()), is_lost.then(|| at(0)), "{kind:?}");
        }
    }

    #[test]
    fn a_failed_repetition_does_not_settle_an_earlier_lost_response() {
        let mut journal = Journal::default();
        begin(&mut journal, token(), at(0));
        fail(&mut journal, token(), Some(at(0)), failed(NetworkErrorKind::Status(503), None), at(1));
        assert_eq!(lost_at(&journal, &token()), Some(at(0)));
    }

    #[test]
    fn three_refusals_over_a_minute_are_reported_as_such() {
        let refuse = |journal: &mut Journal, token: Fingerprint, seconds| match fail(
            journal,
            token,
            None,
            failed(NetworkErrorKind::Status(401), None),
            at(seconds),
        ) {
            Error::Network(error) => error.kind,
            other => panic!("{other}"),
        };
        let mut journal = Journal::default();
        for seconds in [0, 10, 59] {
            assert_eq!(refuse(&mut journal, token(), seconds), NetworkErrorKind::Status(401));
        }
        assert_eq!(refuse(&mut journal, token(), 61), NetworkErrorKind::RefusedRepeatedly(4));
        let other = Fingerprint::new(b"other");
        assert_eq!(refuse(&mut journal, other, 200), NetworkErrorKind::Status(401));
        succeed(&mut journal);
        assert_eq!(refuse(&mut journal, token(), 300), NetworkErrorKind::Status(401));
    }

    #[test]
    fn a_busy_server_has_not_refused() {
        let mut journal = Journal::default();
        for status in [408, 425, 429, 500, 503] {
            fail(&mut journal, token(), None, failed(NetworkErrorKind::Status(status), None), at(0));
            assert_eq!(journal.refusals, None, "{status}");
        }
    }
}
