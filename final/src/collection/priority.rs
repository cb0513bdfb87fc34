//! Who goes first where cores are short? Searches and writes do; what seals and merges segments beside them steps back.
//!
//! Linux gives each thread a share of the cores, and a thread that asks for less passes that on to those it starts. A
//! merge that builds a graph on all cores would otherwise have as many shares as there are cores, and each search one.
//!
//! Not here: how many threads build a graph; where nobody searches they are to have all cores.

/// How far a background thread steps back, in steps of a tenth each: to a third of a share.
#[cfg(target_os = "linux")]
const STEPS: i32 = 5;

/// From now on the calling thread, and those it starts, have a smaller share of the cores. Elsewhere than on Linux
/// nothing happens: there only whole processes can step back.
pub(super) fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(STEPS) {
        tracing::debug!("searches have to share the cores with what goes on beside them: {error}");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn a_thread_steps_back_with_all_that_it_starts_and_no_other() {
        let before = getpriority_process(None).unwrap();
        let stepped_back = || {
            step_back();
            let started = std::thread::spawn(|| getpriority_process(None).unwrap());
            [getpriority_process(None).unwrap(), started.join().unwrap()]
        };
        let within = std::thread::spawn(stepped_back).join().unwrap();
        assert_eq!(within, [(before + STEPS).min(19); 2]);
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
