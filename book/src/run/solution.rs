//! Does a solution solve its exercise? Its tests pass, and there are more of them than before.
//!
//! Not here: whether it is a good one.

use std::time::Duration;

use super::{
    cache::Cache,
    check, plan,
    process::{End, Process},
    scratch::Scratch,
};
use crate::{
    fault::{Fault, Result},
    tree::Tree,
};

/// How long all tests of a chapter may take.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// How many tests a state passes. The inner error is what `cargo test` says where one fails.
pub(super) fn tests(
    cache: &Cache,
    scratch: &mut Scratch,
    state: &Tree,
) -> Result<std::result::Result<usize, String>> {
    let key = cache.key(&format!("tests {:x}", plan::hash(state)));
    if let Some(count) = cache.get(&key).and_then(|text| text.parse().ok()) {
        return Ok(Ok(count));
    }
    scratch.set(state)?;
    for (arguments, limit) in [(&["--no-run"][..], check::BUILD), (&["--no-fail-fast"], LIMIT)] {
        let io = |error| Fault::io(scratch.folder(), &error);
        let mut process =
            Process::start(scratch.command("cargo").arg("test").args(arguments), None).map_err(io)?;
        let end = process.wait(limit).map_err(io)?;
        let printed = process.finish();
        if end != Some(End::Code(0)) {
            let late = if end.is_none() { "it has not ended in time\n" } else { "" };
            return Ok(Err(format!("{late}{printed}{}", check::hint(&printed))));
        }
        if limit == LIMIT {
            let count = passed(&printed);
            cache.put(&key, &count.to_string())?;
            return Ok(Ok(count));
        }
    }
    Ok(Ok(0))
}

/// The sum over `test result: ok. 3 passed; …`.
fn passed(printed: &str) -> usize {
    let results =
        printed.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed"));
    results.filter_map(|(count, _)| count.parse::<usize>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_over_all_binaries() {
        let printed =
            "running 2 tests\ntest result: ok. 2 passed; 0 failed\n\ntest result: ok. 11 passed; 0 failed";
        assert_eq!(passed(printed), 13);
    }
}
