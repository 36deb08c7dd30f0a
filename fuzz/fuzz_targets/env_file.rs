#![no_main]

#[allow(dead_code, reason = "the command uses all of it")]
#[path = "../../crates/hallpass-cli/src/settings/env_file.rs"]
mod env_file;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(file) = env_file::EnvFile::parse(text) {
        assert!(file.ignored.iter().all(|name| !name.contains('\n')));
    }
});
