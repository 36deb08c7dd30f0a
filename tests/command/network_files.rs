//! A home on a network file system: one that has no locks, and one that takes its time for them.

use hallpass_test::command::Outcome;
use hallpass_test::command::timed_signal::{can_trace, traced};

use crate::reverse_proxy::ProxiedSetup;

/// A call whose locks are such.
fn with_locks(site: &ProxiedSetup, injection: &str, args: &[&str]) -> Outcome {
    let command = site.sandbox.hallpass(args).into_command();
    let options = ["-f", "-o", "/dev/null", "-e", &format!("inject=flock:{injection}")];
    site.sandbox.call(traced(&command, &options)).run()
}

#[test]
fn p44_without_locks_nothing_is_spent_and_what_is_cached_is_handed_out() {
    if !can_trace() {
        return;
    }
    let site = ProxiedSetup::new();
    let (token, record) = (site.sandbox.value(&["token"]), site.sandbox.record_bytes("default"));
    for error in ["ENOLCK", "EOPNOTSUPP", "EIO", "ESTALE"] {
        let injection = format!("error={error}");
        let requests = site.server.journal().entries().len();
        let refused = with_locks(&site, &injection, &["token", "--refresh"]);
        refused.fails(8, "cannot lock ", "");
        assert_eq!(site.server.journal().entries().len(), requests, "{error}: something was sent");
        assert!(site.sandbox.record_bytes("default") == record, "{error}: the record was written");
        assert_eq!(with_locks(&site, &injection, &["token"]).ok().value(), token);
    }
    assert_ne!(site.sandbox.value(&["token", "--refresh"]), token);
}

#[test]
fn p44_locks_that_take_their_time_cost_time_alone() {
    if !can_trace() {
        return;
    }
    let site = ProxiedSetup::new();
    let token = site.sandbox.value(&["token"]);
    let renewed = with_locks(&site, "delay_enter=300000", &["token", "--refresh"]).ok();
    assert_ne!(renewed.value(), token);
    assert_eq!(site.sandbox.value(&["token"]), renewed.value());
}
