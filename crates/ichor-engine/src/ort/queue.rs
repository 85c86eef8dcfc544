//! Collects slices that are submitted one by one into batches: a bounded queue, and one thread that computes the
//! batches.

use crate::{Batching, Logits};
use crate::{Error, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// One slice in the queue, and the channel for its result.
struct PendingSlice {
    tensor: Vec<f32>,
    result: SyncSender<Result<Logits>>,
}

/// A queue of slices. When it is dropped, the slices in it are computed before the thread ends.
pub(super) struct Queue {
    sender: Option<SyncSender<PendingSlice>>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Starts the thread. `compute` returns the logits of a batch in its order.
    pub(super) fn new(
        batching: Batching,
        mut compute: impl FnMut(&[&[f32]]) -> Result<Vec<Logits>> + Send + 'static,
    ) -> Self {
        let (sender, pending) = sync_channel(batching.queue);
        let thread = std::thread::spawn(move || {
            while let Some(batch) = next_batch(&pending, batching) {
                compute_batch(batch, &mut compute);
            }
        });
        Self { sender: Some(sender), thread: Some(thread) }
    }

    /// Submits a slice and blocks until its batch is computed.
    ///
    /// # Errors
    /// [`Error::Busy`] if the queue is full; [`Error::Run`] if the batch failed.
    pub(super) fn submit(&self, tensor: Vec<f32>) -> Result<Logits> {
        self.enqueue(tensor)?.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Adds a slice to the queue. Returns the channel that receives its result.
    fn enqueue(&self, tensor: Vec<f32>) -> Result<Receiver<Result<Logits>>> {
        let (result, receiver) = sync_channel(1);
        let sender = self.sender.as_ref().ok_or_else(stopped)?;
        sender.try_send(PendingSlice { tensor, result }).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => stopped(),
        })?;
        Ok(receiver)
    }
}

fn stopped() -> Error {
    Error::Run("the engine has stopped".into())
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // An error means that the thread panicked; there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

/// Blocks until a slice is in the queue, then collects further ones until the batch is full or [`Batching::wait`] has
/// passed. `None` if the queue was dropped and is empty.
fn next_batch(pending: &Receiver<PendingSlice>, batching: Batching) -> Option<Vec<PendingSlice>> {
    let mut batch = vec![pending.recv().ok()?];
    let deadline = Instant::now() + batching.wait;
    while batch.len() < batching.max_batch {
        match pending.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(next) => batch.push(next),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(batch)
}

/// Computes a batch and sends each slice its result.
fn compute_batch(
    batch: Vec<PendingSlice>,
    compute: &mut impl FnMut(&[&[f32]]) -> Result<Vec<Logits>>,
) {
    let tensors: Vec<&[f32]> = batch.iter().map(|slice| slice.tensor.as_slice()).collect();
    let mut results = match compute(&tensors) {
        Ok(logits) => logits.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => {
            let reason = error.to_string();
            batch.iter().map(|_| Err(Error::Run(reason.clone()))).collect()
        }
    }
    .into_iter();
    for slice in batch {
        let missing = || Err(Error::Run("a batch has fewer results than slices".into()));
        // The receiver may have been dropped.
        let _ = slice.result.send(results.next().unwrap_or_else(missing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Barrier, Mutex};
    use std::time::Duration;

    fn batching(max_batch: usize, wait_ms: u64, queue: usize) -> Batching {
        Batching { max_batch, wait: Duration::from_millis(wait_ms), queue }
    }

    fn echo(tensors: &[&[f32]]) -> Vec<Logits> {
        tensors.iter().map(|t| Logits { mask: t.to_vec(), slice: Vec::new() }).collect()
    }

    #[test]
    fn concurrent_slices_share_batches_and_get_their_own_results() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sizes);
        let queue = Queue::new(batching(4, 60_000, 64), move |tensors| {
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
    fn a_single_slice_waits_for_the_configured_time() {
        let queue = Queue::new(batching(16, 30, 4), |tensors| Ok(echo(tensors)));
        let started_at = Instant::now();
        assert_eq!(queue.submit(vec![7.0]).unwrap().mask, [7.0]);
        let waited = started_at.elapsed();
        assert!(
            waited >= Duration::from_millis(30) && waited < Duration::from_secs(60),
            "{waited:?}"
        );
    }

    #[test]
    fn a_full_queue_is_busy_and_its_slices_are_computed() {
        let (go, gate) = sync_channel::<()>(0);
        let (started_at, started) = sync_channel(8);
        let queue = Queue::new(batching(1, 0, 2), move |tensors| {
            started_at.send(()).unwrap();
            gate.recv().unwrap();
            Ok(echo(tensors))
        });
        let first = queue.enqueue(vec![0.0]).unwrap();
        started.recv().unwrap();
        // One slice is being computed; the queue holds two more.
        let inside = [first, queue.enqueue(vec![1.0]).unwrap(), queue.enqueue(vec![2.0]).unwrap()];
        assert!(matches!(queue.enqueue(vec![3.0]), Err(Error::Busy)));
        for (number, answer) in inside.iter().enumerate() {
            go.send(()).unwrap();
            assert_eq!(answer.recv().unwrap().unwrap().mask, [number as f32]);
        }
        assert!(queue.enqueue(vec![4.0]).is_ok(), "the queue has free space again");
        go.send(()).unwrap();
    }

    #[test]
    fn slices_in_a_dropped_queue_are_computed() {
        let queue = Queue::new(batching(4, 50, 8), |tensors| Ok(echo(tensors)));
        let answers: Vec<_> = (0..3).map(|n| queue.enqueue(vec![n as f32]).unwrap()).collect();
        drop(queue);
        let masks = answers.iter().map(|a| a.recv().unwrap().unwrap().mask[0]);
        assert_eq!(masks.collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_failed_batch_fails_all_its_slices_and_the_next_one_succeeds() {
        let mut times = 0;
        let queue = Queue::new(batching(2, 1, 4), move |tensors| {
            times += 1;
            if times == 1 { Err(Error::Run("broken".into())) } else { Ok(echo(tensors)) }
        });
        assert!(queue.submit(vec![1.0]).unwrap_err().to_string().contains("broken"));
        assert_eq!(queue.submit(vec![2.0]).unwrap().mask, [2.0]);
    }
}
