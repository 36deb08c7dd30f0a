//! The difference between this computer's clock and a server's.

use std::fmt;
use std::time::{Duration, SystemTime};

/// Differences up to this are not reported: a response takes time to arrive, and `Date` has whole seconds.
const NEGLIGIBLE: Duration = Duration::from_secs(60);

/// The difference between this computer's clock and a server's, to the nearest minute.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockSkew {
    /// This computer's clock is ahead of the server's.
    Ahead {
        /// The difference.
        by: Duration,
        /// The server's host.
        host: String,
    },
    /// This computer's clock is behind the server's.
    Behind {
        /// The difference.
        by: Duration,
        /// The server's host.
        host: String,
    },
}

impl ClockSkew {
    /// Compares this computer's time with the [date](crate::world::http::HttpResponse::date) of a response that has
    /// just arrived. Returns `None` if they differ by no more than a minute.
    pub(crate) fn measure(now: SystemTime, date: SystemTime, host: &str) -> Option<ClockSkew> {
        let host = host.to_owned();
        match now.duration_since(date) {
            Ok(by) if by > NEGLIGIBLE => Some(ClockSkew::Ahead { by: nearest_minute(by), host }),
            Err(error) if error.duration() > NEGLIGIBLE => {
                Some(ClockSkew::Behind { by: nearest_minute(error.duration()), host })
            }
            _ => None,
        }
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClockSkew::Ahead { by, host } => {
                write!(f, "{} ahead of {host}'s", humantime::format_duration(*by))
            }
            ClockSkew::Behind { by, host } => {
                write!(f, "{} behind {host}'s", humantime::format_duration(*by))
            }
        }
    }
}

fn nearest_minute(time: Duration) -> Duration {
    Duration::from_secs((time.as_secs() + 30) / 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(now: u64, date: u64) -> Option<String> {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        ClockSkew::measure(at(now), at(date), "a.example").map(|skew| skew.to_string())
    }

    #[test]
    fn p36_a_difference_is_told_to_the_minute_from_more_than_a_minute_on() {
        for (now, date, expected) in [
            (0, 0, None),
            (60, 0, None),
            (0, 60, None),
            (61, 0, Some("1m ahead of a.example's")),
            (0, 61, Some("1m behind a.example's")),
            (3 * 3600 - 29, 0, Some("3h ahead of a.example's")),
            (0, 3 * 3600 + 29, Some("3h behind a.example's")),
            (86_400 + 90, 0, Some("1day 2m ahead of a.example's")),
        ] {
            assert_eq!(measured(now, date).as_deref(), expected, "{now} {date}");
        }
    }
}
