//! The static release build signs in at issuers that are told by name: what it has of glibc finds them.

use std::path::Path;

use hallpass_end_to_end::{Certificate, Home, Island, Provider, answer_for, browser_option, static_build};
use hallpass_test::skipped;

/// The name that every island's `/etc/hosts` has.
const IN_HOSTS: &str = "hosts.hallpass.test";
const AT_NAME_SERVER: &str = "dns.hallpass.test";

/// Tells a test of this file that it runs on an island already, and which program is the static build.
const ON_ISLAND: &str = "HALLPASS_TEST_ON_ISLAND";

#[test]
fn it_needs_no_dynamic_loader() {
    let Some(program) = static_build() else { return };
    let this_test = std::env::current_exe().expect("this program has a path");
    assert!(!asks_for_loader(program));
    assert!(asks_for_loader(&this_test), "whatever is looked at seems static");
}

#[test]
fn it_signs_in_at_localhost() {
    let Some(program) = static_build() else { return };
    let provider = Provider::start(&[("HOST", "localhost")]);
    assert!(provider.issuer().starts_with("http://localhost:"));
    signs_in(program, provider.issuer(), &[]);
}

#[test]
fn it_signs_in_at_a_host_of_the_hosts_file() {
    on_island("it_signs_in_at_a_host_of_the_hosts_file", |program| {
        signs_in_over_https(program, IN_HOSTS);
    });
}

#[test]
fn it_signs_in_at_a_host_that_a_name_server_knows() {
    on_island("it_signs_in_at_a_host_that_a_name_server_knows", |program| {
        answer_for(AT_NAME_SERVER);
        signs_in_over_https(program, AT_NAME_SERVER);
        let nowhere = ["login", "--issuer", "https://other.hallpass.test", "--client-id", "cli"];
        let unknown = Home::of(program).hallpass(&nowhere).expect(5);
        assert!(unknown.stderr.contains("could not resolve host"), "{}", unknown.stderr);
    });
}

fn signs_in_over_https(program: &Path, host: &str) {
    let certificate = Certificate::of(&[host]);
    let (cert, key) = (certificate.cert(), certificate.key());
    let provider = Provider::start(&[("HOST", host), ("TLS_CERT", &cert), ("TLS_KEY", &key)]);
    assert!(provider.issuer().starts_with(&format!("https://{host}:")));
    signs_in(program, provider.issuer(), &["--ca-cert", &cert]);
}

fn signs_in(program: &Path, issuer: &str, options: &[&str]) {
    let home = Home::of(program);
    let browser = browser_option("browser.mjs");
    let login = ["login", "--issuer", issuer, "--client-id", "cli", &browser, "--timeout", "60s"];
    home.hallpass(&[&login[..], &["--prompt", "consent"], options].concat()).expect(0);
    home.hallpass(&["token", "--refresh"]).expect(0);
    home.hallpass(&["logout"]).expect(0);
}

/// Does a test's work with the static build on an island, by running this program there for that test alone.
fn on_island(test: &str, work: fn(&Path)) {
    if let Some(program) = std::env::var_os(ON_ISLAND) {
        return work(Path::new(&program));
    }
    let Some(program) = static_build() else { return };
    match Island::with_host(IN_HOSTS) {
        Ok(island) => passes_on(&island, test, program),
        Err(why) => skipped(&format!("{test}: no namespaces here, so no names but localhost: {why}")),
    }
}

fn passes_on(island: &Island, test: &str, program: &Path) {
    let this_program = std::env::current_exe().expect("this program has a path");
    let mut command = island.command(&this_program);
    let output = command.args(["--exact", test]).env(ON_ISLAND, program).output().expect("unshare starts");
    let talk = String::from_utf8_lossy(&output.stdout);
    // A name that no test has would be as good as a success.
    assert!(output.status.success() && talk.contains("1 passed"), "on the island:\n{talk}");
}

/// Whether a program of 64 bits has a segment `PT_INTERP` (System V ABI, program header).
fn asks_for_loader(program: &Path) -> bool {
    const PT_INTERP: [u8; 4] = 3_u32.to_ne_bytes();
    let elf = std::fs::read(program).expect("the program can be read");
    assert!(elf.starts_with(b"\x7fELF\x02"), "no ELF file of 64 bits");
    let table = u64::from_ne_bytes(elf[32..40].try_into().expect("8 bytes")) as usize;
    let half = |at: usize| usize::from(u16::from_ne_bytes([elf[at], elf[at + 1]]));
    let (size, count) = (half(54), half(56));
    elf[table..].chunks(size).take(count).any(|header| header.starts_with(&PT_INTERP))
}
