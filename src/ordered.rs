//! Work on several threads, results in order.
//!
//! Pieces are taken from a source one at a time, worked on by any thread, and given to a sink in the
//! order in which they were taken. A thread that is far ahead waits, so memory is bounded by the number
//! of threads.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many finished pieces may wait for each thread.
const AHEAD: u64 = 4;

struct Source<F> {
    next: F,
    taken: u64,
    done: bool,
}

struct Sink<F, U, E> {
    /// What takes the results; not here while a thread is giving it some.
    accept: Option<F>,
    waiting: BTreeMap<u64, U>,
    given: u64,
    failed: Option<E>,
    /// Threads that are far ahead.
    sleeping: usize,
}

/// Takes pieces from `source` until it is empty or fails, works on them on `jobs` threads with a state
/// for each, and gives the results to `sink` in order.
///
/// # Errors
/// The first failure of source or sink; the rest is not worked on.
pub fn ordered<T: Send, U: Send, S, E: Send>(
    jobs: usize,
    source: impl FnMut() -> Result<Option<T>, E> + Send,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, T) -> U + Sync,
    sink: impl FnMut(U) -> Result<(), E> + Send,
) -> Result<(), E> {
    let source = Mutex::new(Source { next: source, taken: 0, done: false });
    let sink = Mutex::new(Sink { accept: Some(sink), waiting: BTreeMap::new(), given: 0, failed: None, sleeping: 0 });
    let progress = Condvar::new();
    let jobs = jobs.max(1);
    let worker = || {
        let mut state = state();
        while let Some((number, piece)) = take(&source, &sink, &progress) {
            let result = work(&mut state, piece);
            give(&sink, &progress, number, result, AHEAD * jobs as u64);
        }
    };
    if jobs == 1 {
        worker();
    } else {
        std::thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(worker))));
    }
    let failed = sink.into_inner().unwrap_or_else(PoisonError::into_inner).failed;
    failed.map_or(Ok(()), Err)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next piece with its number, unless there is none or something failed.
fn take<T, U, E>(
    source: &Mutex<Source<impl FnMut() -> Result<Option<T>, E>>>,
    sink: &Mutex<Sink<impl FnMut(U) -> Result<(), E>, U, E>>,
    progress: &Condvar,
) -> Option<(u64, T)> {
    let mut source = lock(source);
    if source.done || lock(sink).failed.is_some() {
        return None;
    }
    match (source.next)() {
        Ok(Some(piece)) => {
            source.taken += 1;
            Some((source.taken - 1, piece))
        }
        Ok(None) => {
            source.done = true;
            None
        }
        Err(error) => {
            source.done = true;
            lock(sink).failed.get_or_insert(error);
            // Those who are far ahead wait in vain now.
            progress.notify_all();
            None
        }
    }
}

/// Leaves a result to be given to the sink, and gives it what is in order unless another thread is at that
/// already; waits while far ahead.
fn give<U, E>(
    sink: &Mutex<Sink<impl FnMut(U) -> Result<(), E>, U, E>>,
    progress: &Condvar,
    number: u64,
    result: U,
    ahead: u64,
) {
    let mut state = lock(sink);
    state.waiting.insert(number, result);
    if let Some(mut accept) = state.accept.take() {
        while state.failed.is_none() {
            let given = state.given;
            let Some(next) = state.waiting.remove(&given) else {
                break;
            };
            state.given += 1;
            // Others may leave their results and go on meanwhile.
            drop(state);
            let accepted = accept(next);
            state = lock(sink);
            state.failed = state.failed.take().or(accepted.err());
            // Woken for each piece, a thread that is far ahead would sleep again after the next.
            if state.sleeping > 0 && state.waiting.len() as u64 <= ahead / 2 {
                progress.notify_all();
            }
        }
        state.accept = Some(accept);
        if state.sleeping > 0 {
            progress.notify_all();
        }
    }
    while number >= state.given + ahead && state.failed.is_none() {
        state.sleeping += 1;
        state = progress.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.sleeping -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for jobs in [1, 2, 7] {
            let mut pieces = 0..1000_u32;
            let mut results = Vec::new();
            let worked: Result<(), ()> = ordered(
                jobs,
                || Ok(pieces.next()),
                || (),
                |(), n| n * 2,
                |n| {
                    results.push(n);
                    Ok(())
                },
            );
            assert_eq!(worked, Ok(()));
            assert_eq!(results, (0..1000).map(|n| n * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_failure_of_source_or_sink_ends_the_work() {
        let mut pieces = 0..1_000_000_u32;
        let failing =
            ordered(2, || Ok(pieces.next()), || (), |(), n| n, |n| if n == 10 { Err("sink") } else { Ok(()) });
        assert_eq!(failing, Err("sink"));
        let failing: Result<(), &str> = ordered(2, || Err::<Option<u32>, _>("source"), || (), |(), n| n, |_| Ok(()));
        assert_eq!(failing, Err("source"));
    }

    #[test]
    fn nobody_waits_for_ever_when_the_source_fails() {
        for jobs in [2, 3, 7] {
            for last in 0..=AHEAD * jobs as u64 + 2 {
                let mut pieces = 0..last;
                let failing: Result<(), &str> = ordered(
                    jobs,
                    || pieces.next().map(Some).ok_or("source"),
                    || (),
                    // The others run ahead of the first piece, as far as they may.
                    |(), n| std::thread::sleep(std::time::Duration::from_millis(if n == 0 { 10 } else { 0 })),
                    |()| Ok(()),
                );
                assert_eq!(failing, Err("source"));
            }
        }
    }

    #[test]
    fn nothing_more_is_taken_once_the_sink_failed() {
        let mut taken = 0;
        let source = || {
            taken += 1;
            Ok(Some(()))
        };
        assert_eq!(ordered(3, source, || (), |(), ()| (), |()| Err("sink")), Err("sink"));
        assert!(taken < 100, "{taken}");
    }
}
