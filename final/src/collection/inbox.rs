//! Which message does the writer hear next? The oldest, except that it hears of its own jobs alone while it is full.
//!
//! Sealing takes longer than writing: points can come in ten times as fast as graphs are built. A writer that went on
//! taking them would hold all of them in memory. So once it holds several times as much as makes a segment, and the
//! segment before is still being sealed, what else is asked of it waits, in order, and with it whoever asked.
//!
//! Not here: what full is, and what the messages mean; that is the writer's.

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use super::write::Message;

/// The messages to a writer.
pub(super) struct Inbox {
    channel: Receiver<Message>,
    /// Came while the writer was full.
    waiting: VecDeque<Message>,
    /// The last one is among those: there will be no more than they hold, so all of them are heard.
    closing: bool,
}

impl Inbox {
    pub(super) fn new(channel: Receiver<Message>) -> Self {
        Self { channel, waiting: VecDeque::new(), closing: false }
    }

    /// Waits for the next message; not longer than `idle`, unless the writer is full.
    pub(super) fn next(&mut self, full: bool, idle: Option<Duration>) -> Result<Message, RecvTimeoutError> {
        loop {
            if let Some(message) = self.waiting(full) {
                return Ok(message);
            }
            let message = match idle.filter(|_| !full) {
                Some(idle) => self.channel.recv_timeout(idle)?,
                None => self.channel.recv()?,
            };
            if let Some(message) = self.heard(message, full) {
                return Ok(message);
            }
        }
    }

    /// The next message, if it is there.
    pub(super) fn next_now(&mut self, full: bool) -> Option<Message> {
        loop {
            if let Some(message) = self.waiting(full) {
                return Some(message);
            }
            let message = self.channel.try_recv().ok()?;
            if let Some(message) = self.heard(message, full) {
                return Some(message);
            }
        }
    }

    fn waiting(&mut self, full: bool) -> Option<Message> {
        if full && !self.closing { None } else { self.waiting.pop_front() }
    }

    fn heard(&mut self, message: Message, full: bool) -> Option<Message> {
        if !full || message.is_of_a_job() {
            return Some(message);
        }
        self.closing |= matches!(message, Message::Close);
        self.waiting.push_back(message);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::collection::Alter;

    fn named(message: Message) -> String {
        match message {
            Message::Alter(Alter::IndexingThreshold(Some(number)), _) => number.to_string(),
            Message::Merged(_) => "merged".into(),
            Message::Flushed(_) => "flushed".into(),
            Message::Close => "close".into(),
            _ => unreachable!("not sent here"),
        }
    }

    fn numbered(number: u32) -> Message {
        Message::Alter(Alter::IndexingThreshold(Some(number)), Box::new(|_| {}))
    }

    #[test]
    fn a_full_writer_hears_of_its_jobs_and_of_the_others_in_order_later() {
        let (sender, channel) = mpsc::channel();
        let mut inbox = Inbox::new(channel);
        let sent =
            [numbered(1), numbered(2), Message::Merged(Ok(None)), numbered(3), Message::Flushed(Ok(None))];
        sent.into_iter().for_each(|message| sender.send(message).unwrap());
        let mut heard = vec![named(inbox.next(false, None).unwrap())];
        heard.push(named(inbox.next(true, Some(Duration::ZERO)).unwrap()));
        heard.push(named(inbox.next_now(true).unwrap()));
        assert!(inbox.next_now(true).is_none());
        sender.send(numbered(4)).unwrap();
        heard.extend(std::iter::from_fn(|| inbox.next_now(false)).map(named));
        assert_eq!(heard, ["1", "merged", "flushed", "2", "3", "4"]);
        assert!(matches!(inbox.next(false, Some(Duration::ZERO)), Err(RecvTimeoutError::Timeout)));
    }

    #[test]
    fn who_closes_waits_for_nothing() {
        let (sender, channel) = mpsc::channel();
        let mut inbox = Inbox::new(channel);
        [numbered(1), Message::Close].into_iter().for_each(|message| sender.send(message).unwrap());
        let heard = [(); 2].map(|()| named(inbox.next(true, None).unwrap()));
        assert_eq!(heard, ["1", "close"]);
    }
}
