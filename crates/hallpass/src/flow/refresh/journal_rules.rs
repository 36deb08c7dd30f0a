//! What a refresh leaves in the journal, and what the next one makes of it: whoever comes next need not find out
//! again what is known.

use std::time::{Duration, SystemTime};

use crate::error::{Error, NetworkError, NetworkErrorKind};
use crate::store::{Fingerprint, InFlight, Journal, Refusals};

/// No server is believed that asks to wait longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// So many refusals in a row, over so long a time, and the user is told.
const REFUSALS: u32 = 3;
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// Whether a refresh may be sent now. `attempts` is the journal's count from before this process waited for its
/// turn: one that waited while another failed would only fail again, after another time limit.
pub(super) fn may_send(
    journal: &Journal,
    attempts: u64,
    host: &str,
    now: SystemTime,
) -> Result<(), NetworkError> {
    let pause = journal.not_before.and_then(|until| until.duration_since(now).ok());
    if let Some(pause) = pause.filter(|pause| *pause <= LONGEST_PAUSE && !pause.is_zero()) {
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

/// Written before the token is sent.
pub(super) fn begin(journal: &mut Journal, token: Fingerprint, now: SystemTime) {
    journal.in_flight = Some(InFlight { pid: std::process::id(), since: now, token });
}

/// When this very token was sent before without an outcome, by a process that died.
pub(super) fn lost_at(journal: &Journal, token: &Fingerprint) -> Option<SystemTime> {
    journal.in_flight.as_ref().filter(|lost| lost.token == *token).map(|lost| lost.since)
}

/// The server answered with tokens, or ended the session.
pub(super) fn succeed(journal: &mut Journal) {
    *journal = journal.settled();
}

/// The refresh failed and says nothing about the session; returns the failure as it is to be told.
///
/// One whose answer was lost, now or at `lost_at`, or could not be kept, stays in flight: the token may be spent.
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
    if lost_at.is_none() && !is_ambiguous(&error) && error.kind != NetworkErrorKind::InvalidResponse {
        journal.in_flight = None;
    }
    if is_refusal(&error) { refuse(journal, token, error, now).into() } else { error.into() }
}

/// Whether the request may have arrived although no answer did.
pub(super) fn is_ambiguous(error: &NetworkError) -> bool {
    matches!(error.kind, NetworkErrorKind::Broken | NetworkErrorKind::TimedOut)
}

/// A refusal that is not `invalid_grant`: of the client, of the request, by something on the way.
fn is_refusal(error: &NetworkError) -> bool {
    matches!(error.kind, NetworkErrorKind::Status(status) if (400..500).contains(&status) && !matches!(status, 408 | 425 | 429))
}

fn refuse(journal: &mut Journal, token: Fingerprint, error: NetworkError, now: SystemTime) -> NetworkError {
    let earlier = journal.refusals.take().filter(|refusals| refusals.token == token);
    let (times, since) = earlier.map_or((1, now), |earlier| (earlier.times.saturating_add(1), earlier.since));
    journal.refusals = Some(Refusals { token, times, since });
    let lasts = now.duration_since(since).unwrap_or_default();
    if times < REFUSALS || lasts < REFUSED_FOR {
        return error;
    }
    let detail = error.to_string();
    NetworkError::new(NetworkErrorKind::RefusedRepeatedly(times), &error.host, &detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn token() -> Fingerprint {
        Fingerprint::from_token(&Secret::new("r".to_owned()))
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
    fn p32_a_pause_that_the_server_asked_for_holds_for_all() {
        let mut journal = Journal::default();
        fail(&mut journal, token(), None, failed(NetworkErrorKind::Status(429), Some(120)), at(0));
        let attempts = journal.attempts;
        assert_eq!(kind(may_send(&journal, attempts, "a.example", at(119))), NetworkErrorKind::RetryLater);
        assert_eq!(may_send(&journal, attempts, "a.example", at(120)), Ok(()));
    }

    #[test]
    fn nobody_waits_longer_than_an_hour_or_for_a_clock_that_was_wrong() {
        let mut journal = Journal::default();
        fail(&mut journal, token(), None, failed(NetworkErrorKind::Status(503), Some(1_000_000)), at(0));
        let attempts = journal.attempts;
        assert_eq!(kind(may_send(&journal, attempts, "a.example", at(3599))), NetworkErrorKind::RetryLater);
        assert_eq!(may_send(&journal, attempts, "a.example", at(3600)), Ok(()));
        journal.not_before = Some(at(1_000_000));
        assert_eq!(may_send(&journal, attempts, "a.example", at(0)), Ok(()));
    }

    #[test]
    fn whoever_waited_while_another_failed_does_not_try_again() {
        let mut journal = Journal::default();
        let before = journal.attempts;
        fail(&mut journal, token(), None, failed(NetworkErrorKind::TimedOut, None), at(0));
        assert_eq!(kind(may_send(&journal, before, "a.example", at(1))), NetworkErrorKind::FailedElsewhere);
        assert_eq!(may_send(&journal, journal.attempts, "a.example", at(1)), Ok(()));
        succeed(&mut journal);
        assert_eq!(may_send(&journal, before, "a.example", at(1)), Ok(()));
    }

    #[test]
    fn only_an_answer_that_was_lost_stays_in_flight() {
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
    fn a_definite_answer_to_a_repeat_does_not_settle_what_was_lost_before() {
        let mut journal = Journal::default();
        begin(&mut journal, token(), at(0));
        fail(&mut journal, token(), Some(at(0)), failed(NetworkErrorKind::Status(503), None), at(1));
        assert_eq!(lost_at(&journal, &token()), Some(at(0)));
    }

    #[test]
    fn three_refusals_over_a_minute_are_told_as_such() {
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
        let other = Fingerprint::from_token(&Secret::new("other".to_owned()));
        assert_eq!(refuse(&mut journal, other, 200), NetworkErrorKind::Status(401));
        succeed(&mut journal);
        assert_eq!(refuse(&mut journal, token(), 300), NetworkErrorKind::Status(401));
    }

    #[test]
    fn a_busy_server_is_not_one_that_refuses() {
        let mut journal = Journal::default();
        for status in [408, 425, 429, 500, 503] {
            fail(&mut journal, token(), None, failed(NetworkErrorKind::Status(status), None), at(0));
            assert_eq!(journal.refusals, None, "{status}");
        }
    }
}
