//! Slices that come one by one become batches: a bounded queue and one thread that empties it.

use crate::{Batching, Logits};
use crate::{Error, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// One slice that waits, and where its answer goes.
struct Waiting {
    tensor: Vec<f32>,
    answer: SyncSender<Result<Logits>>,
}

/// The way into the batches. Dropping it lets those that wait be computed, then ends the thread.
pub(super) struct Queue {
    enter: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Starts a queue before `compute`, which answers a batch in its order.
    pub(super) fn start(
        batching: Batching,
        mut compute: impl FnMut(&[&[f32]]) -> Result<Vec<Logits>> + Send + 'static,
    ) -> Self {
        let (enter, waiting) = sync_channel(batching.queue);
        let thread = std::thread::spawn(move || {
            while let Some(batch) = gather(&waiting, batching) {
                answer(batch, &mut compute);
            }
        });
        Self { enter: Some(enter), thread: Some(thread) }
    }

    /// Waits for the batch of this slice.
    ///
    /// # Errors
    /// [`Error::Busy`] where the queue is full; what the batch failed with.
    pub(super) fn submit(&self, tensor: Vec<f32>) -> Result<Logits> {
        self.enter(tensor)?.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Takes a place in the queue; the answer comes through the channel.
    fn enter(&self, tensor: Vec<f32>) -> Result<Receiver<Result<Logits>>> {
        let (answer, answered) = sync_channel(1);
        let enter = self.enter.as_ref().ok_or_else(stopped)?;
        enter.try_send(Waiting { tensor, answer }).map_err(|full| match full {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => stopped(),
        })?;
        Ok(answered)
    }
}

fn stopped() -> Error {
    Error::Run("the engine has stopped".into())
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.enter = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to be waited for.
            let _ = thread.join();
        }
    }
}

/// The next batch: a first slice, and those that come until it is full or the first has waited long
/// enough. `None` once nobody can come any more.
fn gather(waiting: &Receiver<Waiting>, batching: Batching) -> Option<Vec<Waiting>> {
    let mut batch = vec![waiting.recv().ok()?];
    let until = Instant::now() + batching.wait;
    while batch.len() < batching.most {
        match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(next) => batch.push(next),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(batch)
}

fn answer(batch: Vec<Waiting>, compute: &mut impl FnMut(&[&[f32]]) -> Result<Vec<Logits>>) {
    let tensors: Vec<&[f32]> = batch.iter().map(|waiting| waiting.tensor.as_slice()).collect();
    let mut answers = match compute(&tensors) {
        Ok(logits) => logits.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => {
            let reason = error.to_string();
            batch.iter().map(|_| Err(Error::Run(reason.clone()))).collect()
        }
    }
    .into_iter();
    for waiting in batch {
        let short = || Err(Error::Run("a batch came back too short".into()));
        // Whoever asked may have gone away.
        let _ = waiting.answer.send(answers.next().unwrap_or_else(short));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Barrier, Mutex};
    use std::time::Duration;

    fn batching(most: usize, wait_ms: u64, queue: usize) -> Batching {
        Batching { most, wait: Duration::from_millis(wait_ms), queue }
    }

    fn echo(tensors: &[&[f32]]) -> Vec<Logits> {
        tensors.iter().map(|t| Logits { mask: t.to_vec(), slice: Vec::new() }).collect()
    }

    #[test]
    fn slices_that_come_together_share_batches_and_keep_their_answers() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sizes);
        let queue = Queue::start(batching(4, 60_000, 64), move |tensors| {
            seen.lock().unwrap().push(tensors.len());
            Ok(echo(tensors))
        });
        let together = Barrier::new(8);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (queue, together) = (&queue, &together);
                scope.spawn(move || {
                    together.wait();
                    let tensor = vec![number as f32; 3];
                    assert_eq!(queue.submit(tensor.clone()).unwrap().mask, tensor);
                });
            }
        });
        assert_eq!(*sizes.lock().unwrap(), [4, 4]);
    }

    #[test]
    fn one_slice_waits_no_longer_than_it_is_told_to() {
        let queue = Queue::start(batching(16, 30, 4), |tensors| Ok(echo(tensors)));
        let begun = Instant::now();
        assert_eq!(queue.submit(vec![7.0]).unwrap().mask, [7.0]);
        let waited = begun.elapsed();
        assert!(
            waited >= Duration::from_millis(30) && waited < Duration::from_secs(60),
            "{waited:?}"
        );
    }

    #[test]
    fn a_full_queue_sends_away_and_those_inside_are_answered() {
        let (go, gate) = sync_channel::<()>(0);
        let (begun, started) = sync_channel(8);
        let queue = Queue::start(batching(1, 0, 2), move |tensors| {
            begun.send(()).unwrap();
            gate.recv().unwrap();
            Ok(echo(tensors))
        });
        let first = queue.enter(vec![0.0]).unwrap();
        started.recv().unwrap();
        // One is being computed; two more fit in.
        let inside = [first, queue.enter(vec![1.0]).unwrap(), queue.enter(vec![2.0]).unwrap()];
        assert!(matches!(queue.enter(vec![3.0]), Err(Error::Busy)));
        for (number, answer) in inside.iter().enumerate() {
            go.send(()).unwrap();
            assert_eq!(answer.recv().unwrap().unwrap().mask, [number as f32]);
        }
        assert!(queue.enter(vec![4.0]).is_ok(), "there is room again");
        go.send(()).unwrap();
    }

    #[test]
    fn who_waits_when_the_queue_goes_is_still_answered() {
        let queue = Queue::start(batching(4, 50, 8), |tensors| Ok(echo(tensors)));
        let answers: Vec<_> = (0..3).map(|n| queue.enter(vec![n as f32]).unwrap()).collect();
        drop(queue);
        let masks = answers.iter().map(|a| a.recv().unwrap().unwrap().mask[0]);
        assert_eq!(masks.collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_batch_that_fails_fails_for_all_of_it_and_the_next_is_computed() {
        let mut times = 0;
        let queue = Queue::start(batching(2, 1, 4), move |tensors| {
            times += 1;
            if times == 1 { Err(Error::Run("broken".into())) } else { Ok(echo(tensors)) }
        });
        assert!(queue.submit(vec![1.0]).unwrap_err().to_string().contains("broken"));
        assert_eq!(queue.submit(vec![2.0]).unwrap().mask, [2.0]);
    }
}
