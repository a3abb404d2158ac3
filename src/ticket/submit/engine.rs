//! The order in which a ticket is sent, and what is done when no answer comes.

use std::time::Duration;

use jiff::Timestamp;

use super::error::{SubmitError, Trouble};
use super::ledger::{FORMAT, Ledger, Line, Standing, State};
use super::look::Ticket;
use super::marks::{Ready, marked};
use super::target::{Desk, Target};
use super::{Fate, Outcome, create, look};
use crate::ticket::payload::Payload;

/// Sends tickets to one target.
pub(super) struct Sender<'s> {
    target: &'s Target,
    ledger: &'s mut Ledger,
    say: &'s mut dyn FnMut(&str),
    /// The category of tickets for Alibaba Cloud that name none, once it is known.
    category: Option<String>,
}

/// What became of a ticket, and whether the others are not to be tried.
type Step = (Fate, bool);

impl<'s> Sender<'s> {
    pub(super) fn new(target: &'s Target, ledger: &'s mut Ledger, say: &'s mut dyn FnMut(&str)) -> Sender<'s> {
        Sender { target, ledger, say, category: None }
    }

    /// Sends one ticket after the other, until something is wrong that concerns all.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub(super) async fn send_all(mut self, payloads: &[Payload]) -> Result<Outcome, SubmitError> {
        let (mut outcome, mut stopped) = (Outcome::default(), false);
        for payload in payloads {
            let fate = if stopped {
                Fate::NotTried
            } else {
                let (fate, stop) = self.send(payload).await?;
                self.tell(payload, &fate);
                stopped = stop;
                fate
            };
            outcome.fates.push((payload.name.clone(), fate));
        }
        Ok(outcome)
    }

    async fn send(&mut self, payload: &Payload) -> Result<Step, SubmitError> {
        let ready = match marked(payload) {
            Ok(ready) => ready,
            Err(why) => return Ok((Fate::NotSent(why), false)),
        };
        let label = payload.mark.label();
        let doubt = match self.ledger.standing(self.target.tracker.name(), self.target.place(), &label) {
            Standing::Exists(ticket) => return Ok((Fate::Sent(ticket), false)),
            Standing::Doubt(since) => Some(since),
            Standing::Free => None,
        };
        match self.before(payload, doubt).await {
            Ok(Some(ticket)) => {
                self.note(payload, State::Found, Some(&ticket), None)?;
                return Ok((Fate::Found(ticket), false));
            }
            Ok(None) if doubt.is_some() => self.note(payload, State::NotCreated, None, None)?,
            Ok(None) => {}
            Err(trouble) => return self.not_known_before(payload, doubt, trouble),
        }
        self.create(payload, ready).await
    }

    /// The ticket, if the tracker has it. If it was sent before, a "no" counts only after it had time to become a "yes".
    async fn before(&mut self, payload: &Payload, doubt: Option<Timestamp>) -> Result<Option<Ticket>, Trouble> {
        let settled = self.target.patience.settled_since_begin();
        let passed = |since: Timestamp| Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default();
        let left = doubt.map(|since| settled.saturating_sub(passed(since))).unwrap_or_default();
        if left.is_zero() {
            return self.look(payload).await;
        }
        (self.say)(&format!("{}: no answer is known of what was sent just before; asking the tracker", payload.name));
        self.look_again(payload, left).await
    }

    /// Without an answer to the question, nothing is sent.
    fn not_known_before(
        &mut self,
        payload: &Payload,
        doubt: Option<Timestamp>,
        trouble: Trouble,
    ) -> Result<Step, SubmitError> {
        let why = format!("{} cannot be asked whether it has it: {}", self.target.place(), trouble.words());
        let stop = !matches!(trouble, Trouble::Refused(_));
        if doubt.is_none() {
            return Ok((Fate::NotSent(why), stop));
        }
        self.note(payload, State::Unknown, None, Some(&why))?;
        Ok((Fate::Unknown(why), stop))
    }

    async fn create(&mut self, payload: &Payload, ready: Ready) -> Result<Step, SubmitError> {
        let ready = match self.completed(ready).await {
            Ok(ready) => ready,
            Err(trouble) => return Ok((Fate::NotSent(trouble.words().to_owned()), true)),
        };
        self.note(payload, State::Sending, None, None)?;
        match self.create_patiently(payload, &ready).await? {
            Ok(ticket) => {
                self.note(payload, State::Created, Some(&ticket), None)?;
                Ok((Fate::Created(ticket), false))
            }
            Err(Trouble::Lost(why)) => self.resolve(payload, why).await,
            Err(trouble) => {
                let (state, stop) = match trouble {
                    Trouble::Refused(_) => (State::Refused, false),
                    Trouble::RefusedAll(_) => (State::Refused, true),
                    _ => (State::NotSent, true),
                };
                self.note(payload, state, None, Some(trouble.words()))?;
                Ok((Fate::NotSent(trouble.words().to_owned()), stop))
            }
        }
    }

    /// No answer came: the tracker is asked, more than once, whether it has the ticket now.
    async fn resolve(&mut self, payload: &Payload, why: String) -> Result<Step, SubmitError> {
        (self.say)(&format!("{}: {why}; asking the tracker whether it has the ticket", payload.name));
        match self.look_again(payload, self.target.patience.settled()).await {
            Ok(Some(ticket)) => {
                self.note(payload, State::Found, Some(&ticket), Some(&why))?;
                // Where one answer is lost, the next may be, too; but this one is known.
                Ok((Fate::Created(ticket), false))
            }
            Ok(None) => {
                self.note(payload, State::NotCreated, None, Some(&why))?;
                Ok((Fate::NotSent(format!("{why}; the tracker does not have it, so run again")), true))
            }
            Err(trouble) => {
                let why = format!("{why}; and then: {}", trouble.words());
                self.note(payload, State::Unknown, None, Some(&why))?;
                Ok((Fate::Unknown(why), true))
            }
        }
    }

    /// Looks until the ticket is there or the time has passed. The last answer counts.
    async fn look_again(&mut self, payload: &Payload, within: Duration) -> Result<Option<Ticket>, Trouble> {
        let (mut left, mut pauses) = (within, self.target.patience.looks.iter());
        loop {
            let last = self.look_once(payload).await;
            let pause = pauses.next().map_or(left, |pause| (*pause).min(left));
            if matches!(last, Ok(Some(_)) | Err(Trouble::RefusedAll(_))) || pause.is_zero() {
                return last;
            }
            tokio::time::sleep(pause).await;
            left -= pause;
        }
    }

    async fn look_once(&self, payload: &Payload) -> Result<Option<Ticket>, Trouble> {
        match &self.target.desk {
            Desk::Alibaba(api) => look::of_alibaba(api, payload).await,
            Desk::Rest(site, scope) => look::of_rest(site, scope, payload).await,
        }
    }

    /// Looks; as nothing is changed by it, it is tried again whatever went wrong on the way.
    async fn look(&self, payload: &Payload) -> Result<Option<Ticket>, Trouble> {
        let mut pauses = Pauses::new(self.target);
        loop {
            let result = self.look_once(payload).await;
            let again = match &result {
                Err(Trouble::Later(Some(seconds), _)) => pauses.said(*seconds),
                Err(Trouble::Later(None, _) | Trouble::NotSent(_) | Trouble::Lost(_)) => pauses.own(),
                _ => None,
            };
            let Some(pause) = again else { return result };
            tokio::time::sleep(pause).await;
        }
    }

    /// Creates the ticket; again only if nothing of it can exist.
    async fn create_patiently(
        &mut self,
        payload: &Payload,
        ready: &Ready,
    ) -> Result<Result<Ticket, Trouble>, SubmitError> {
        let mut pauses = Pauses::new(self.target);
        loop {
            let result = match (&self.target.desk, ready) {
                (Desk::Alibaba(api), Ready::Form(form)) => create::in_alibaba(api, form).await,
                (Desk::Rest(site, scope), Ready::Json(body)) => {
                    create::in_rest(site, scope, payload, body.clone()).await
                }
                _ => Err(Trouble::Refused("its body has not the form that the tracker takes".to_owned())),
            };
            let again = match &result {
                // Only a server that says when can be trusted to have done nothing.
                Err(Trouble::Later(Some(seconds), _)) => pauses.said(*seconds),
                Err(Trouble::NotSent(_)) => pauses.own(),
                _ => None,
            };
            let Some(pause) = again else { return Ok(result) };
            tokio::time::sleep(pause).await;
            // The doubt, if there will be one, begins now.
            self.note(payload, State::Sending, None, None)?;
        }
    }

    /// The parameters with their category.
    async fn completed(&mut self, ready: Ready) -> Result<Ready, Trouble> {
        let (Desk::Alibaba(api), Ready::Form(mut form)) = (&self.target.desk, ready.clone()) else { return Ok(ready) };
        if form.iter().any(|(name, value)| name == "CategoryId" && !value.is_empty()) {
            return Ok(Ready::Form(form));
        }
        let category = match &self.category {
            Some(known) => known.clone(),
            None => create::category(api).await?,
        };
        self.category = Some(category.clone());
        form.retain(|(name, _)| name != "CategoryId");
        form.push(("CategoryId".to_owned(), category));
        Ok(Ready::Form(form))
    }

    fn note(
        &mut self,
        payload: &Payload,
        state: State,
        ticket: Option<&Ticket>,
        why: Option<&str>,
    ) -> Result<(), SubmitError> {
        self.ledger.add(&Line {
            format: FORMAT.to_owned(),
            at: Timestamp::now(),
            tracker: self.target.tracker.name().to_owned(),
            place: self.target.place().to_owned(),
            label: payload.mark.label(),
            mark: payload.mark.line(),
            name: payload.name.clone(),
            state,
            ticket: ticket.map(|ticket| ticket.id.clone()),
            url: ticket.and_then(|ticket| ticket.url.clone()),
            why: why.map(str::to_owned),
        })
    }

    fn tell(&mut self, payload: &Payload, fate: &Fate) {
        let name = &payload.name;
        let shown = |ticket: &Ticket| match &ticket.url {
            Some(url) => format!("{} ({url})", ticket.id),
            None => ticket.id.clone(),
        };
        match fate {
            Fate::WouldSend | Fate::NotTried => {}
            Fate::Sent(ticket) => (self.say)(&format!("{name}: sent before, as {ticket}")),
            Fate::Found(ticket) => (self.say)(&format!("{name}: there already, as {}", shown(ticket))),
            Fate::Created(ticket) => (self.say)(&format!("{name}: created as {}", shown(ticket))),
            Fate::NotSent(why) => (self.say)(&format!("{name}: not sent: {why}")),
            Fate::Unknown(why) => (self.say)(&format!(
                "{name}: unknown: it may have been created, and is not sent again before the tracker says: {why}"
            )),
        }
        if let Fate::Found(ticket) | Fate::Created(ticket) = fate {
            for remark in &ticket.remarks {
                (self.say)(&format!("warning: {name}: {remark}"));
            }
        }
    }
}

/// The pauses between tries of one call.
struct Pauses {
    left: u32,
    next: Duration,
    longest: Duration,
}

impl Pauses {
    fn new(target: &Target) -> Pauses {
        let patience = &target.patience;
        Pauses { left: patience.tries.saturating_sub(1), next: patience.pause, longest: patience.longest_pause }
    }

    /// As long as the tracker wants, if that is not too long.
    fn said(&mut self, seconds: u64) -> Option<Duration> {
        self.own()?;
        Some(Duration::from_secs(seconds)).filter(|wanted| *wanted <= self.longest)
    }

    /// Longer each time.
    fn own(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let pause = self.next.min(self.longest);
        self.next = self.next.saturating_mul(2);
        Some(pause)
    }
}
