//! Durations in JSON responses (`expires_in`, `interval`).

use std::time::Duration;

use serde_json::Value;

/// The largest duration that is returned, about 31 years. Larger values are cut to it.
const MAX: f64 = 1e9;

/// Reads a duration in seconds. The standards require a number (RFC 6749 §5.1, RFC 8628 §3.2); some servers send it as
/// text or with a fraction. Returns `None` for anything else, and for zero and negative numbers.
pub(super) fn parse(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // Also false for NaN, which is a valid number in text.
    if seconds > 0.0 {
        Duration::try_from_secs_f64(seconds.min(MAX)).ok().filter(|duration| !duration.is_zero())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p57_seconds_in_every_form() {
        for (json, expected) in [
            ("3600", Some(3_600_000)),
            ("\"3600\"", Some(3_600_000)),
            ("3600.0", Some(3_600_000)),
            ("3600.5", Some(3_600_500)),
            ("\"3600.5\"", Some(3_600_500)),
            ("\" 3600 \"", Some(3_600_000)),
            ("1e18", Some(1_000_000_000_000)),
            ("\"1e308\"", Some(1_000_000_000_000)),
            ("\"inf\"", Some(1_000_000_000_000)),
            ("0", None),
            ("1e-12", None),
            ("-1", None),
            ("\"-inf\"", None),
            ("\"NaN\"", None),
            ("\"\"", None),
            ("\"soon\"", None),
            ("null", None),
            ("true", None),
            ("[3600]", None),
        ] {
            let parsed = parse(&serde_json::from_str(json).unwrap());
            assert_eq!(parsed, expected.map(Duration::from_millis), "{json}");
        }
    }
}
