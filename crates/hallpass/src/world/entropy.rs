//! Randomness from the operating system.

use crate::protocol::authorization::Randomness;

/// Returns the random bytes for one login.
///
/// # Panics
/// If the operating system provides no random numbers: no login would be safe.
pub(crate) fn for_login() -> Randomness {
    let mut bytes = [[0; 32]; 3];
    fill(bytes.as_flattened_mut());
    Randomness(bytes)
}

/// Returns random bytes.
///
/// # Panics
/// If the operating system provides no random numbers.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system provides random numbers");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn n02_n04_no_two_logins_share_random_bytes() {
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            for bytes in super::for_login().0 {
                assert!(seen.insert(bytes));
            }
        }
    }
}
