//! Names that become file names: of services and profiles.

use crate::error::Misuse;

/// Device names of Windows: there can't be a file of that name there, with any extension.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Accepts `[a-z0-9][a-z0-9._-]{0,63}` without the device names of Windows, so that a name is the same file on every
/// system.
pub(crate) fn check(setting: &'static str, name: &str) -> Result<(), Misuse> {
    let rule = "use 1 to 64 of a-z 0-9 . _ - and start with a letter or digit";
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if !fits || is_reserved(name) {
        return Err(Misuse::setting(
            setting,
            format!("\"{}\" is not a valid name: {rule}", crate::sanitize::text(name)),
        ));
    }
    Ok(())
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let base = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    RESERVED.contains(&base)
        && (stem.len() == base.len() || (matches!(base, "com" | "lpt") && stem.len() == 4))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn valid_names_are_the_same_file_everywhere() {
        for good in ["default", "a", "0", "my-tool_2.x", "console", "com10", "nullable", &"x".repeat(64)] {
            assert!(check("profile", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "A",
            ".hidden",
            "-x",
            "a/b",
            "..",
            "a b",
            "ä",
            "con",
            "nul.json",
            "com1",
            "lpt9.x",
            &"x".repeat(65),
        ] {
            assert!(check("profile", bad).is_err(), "{bad}");
        }
    }
}
