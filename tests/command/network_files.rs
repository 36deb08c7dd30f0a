//! A home on a network file system: one that has no locks, and one that takes its time for them.

use crate::bench::Outcome;
use crate::blow::{can_trace, traced};
use crate::front::Fronted;

/// A call whose locks are such.
fn with_locks(site: &Fronted, injection: &str, args: &[&str]) -> Outcome {
    let command = site.bench.hallpass(args).into_command();
    let options = ["-f", "-o", "/dev/null", "-e", &format!("inject=flock:{injection}")];
    site.bench.call(traced(&command, &options)).run()
}

#[test]
fn p44_without_locks_nothing_is_spent_and_what_is_cached_is_handed_out() {
    if !can_trace() {
        return;
    }
    let site = Fronted::new();
    let (token, record) = (site.bench.value(&["token"]), site.bench.record_bytes("default"));
    for error in ["ENOLCK", "EOPNOTSUPP", "EIO", "ESTALE"] {
        let injection = format!("error={error}");
        let requests = site.server.journal().entries().len();
        let refused = with_locks(&site, &injection, &["token", "--refresh"]);
        refused.fails(8, "cannot lock ", "");
        assert_eq!(site.server.journal().entries().len(), requests, "{error}: something was sent");
        assert!(site.bench.record_bytes("default") == record, "{error}: the record was written");
        assert_eq!(with_locks(&site, &injection, &["token"]).ok().value(), token);
    }
    assert_ne!(site.bench.value(&["token", "--refresh"]), token);
}

#[test]
fn p44_locks_that_take_their_time_cost_time_alone() {
    if !can_trace() {
        return;
    }
    let site = Fronted::new();
    let token = site.bench.value(&["token"]);
    let renewed = with_locks(&site, "delay_enter=300000", &["token", "--refresh"]).ok();
    assert_ne!(renewed.value(), token);
    assert_eq!(site.bench.value(&["token"]), renewed.value());
}
