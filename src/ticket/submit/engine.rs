//! The order in which a ticket is sent, and what is done when no answer comes.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use super::error::{SubmitError, Trouble};
use super::ledger::{FORMAT, Ledger, Line, State};
use super::look::{Ask, Found, Ticket};
use super::marks::{Ready, marked};
use super::obstacles::{divided_there, in_place_of, labels, superseded};
use super::pauses::{Pauses, patiently};
use super::records::{Spot, Standing};
use super::target::{Desk, Target};
use super::{Fate, Outcome, create, look, roundup, sent_before};
use crate::ticket::payload::Payload;

/// Sends tickets to one target.
pub(super) struct Sender<'s> {
    target: &'s Target,
    ledger: &'s mut Ledger,
    say: &'s mut dyn FnMut(&str),
    /// Whether tickets may take the place of those of earlier plans.
    supersede: bool,
    /// The account in whose name Alibaba Cloud is called; other trackers have none.
    account: Option<String>,
    /// Where the tickets are.
    place: String,
    /// The category of tickets for Alibaba Cloud that name none, once it is known.
    category: Option<String>,
    /// The batches and consultations of which the tracker has no tickets that are parted otherwise, by their digests.
    looked_through: HashSet<String>,
}

/// A ticket on its way.
struct Job<'p> {
    payload: &'p Payload,
    ready: Ready,
}

impl Job<'_> {
    fn label(&self) -> String {
        self.payload.mark.label()
    }
}

/// What a line of the ledger tells besides the ticket that it is about.
#[derive(Default)]
struct News<'n> {
    ticket: Option<&'n Ticket>,
    why: Option<&'n str>,
    supersedes: &'n [String],
}

/// What became of a ticket, and whether the others are not to be tried.
type Step = (Fate, bool);

impl<'s> Sender<'s> {
    pub(super) fn new(
        target: &'s Target,
        ledger: &'s mut Ledger,
        supersede: bool,
        say: &'s mut dyn FnMut(&str),
    ) -> Sender<'s> {
        let place = target.place(None);
        let looked_through = HashSet::new();
        Sender { target, ledger, say, supersede, account: None, place, category: None, looked_through }
    }

    /// Sends one ticket after the other, until something is wrong that concerns all.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub(super) async fn send_all(mut self, payloads: &[Payload]) -> Result<Outcome, SubmitError> {
        let (mut outcome, mut stopped) = (Outcome::default(), false);
        let introduced = if payloads.is_empty() { Ok(()) } else { self.introduce().await };
        for payload in payloads {
            let (fate, stop) = match &introduced {
                Err(why) => match self.known(payload) {
                    Some(fate) => (fate, stopped),
                    None if stopped => (Fate::NotTried, true),
                    None => (Fate::NotSent(why.clone()), true),
                },
                Ok(()) if stopped => (Fate::NotTried, true),
                Ok(()) => self.send(payload).await?,
            };
            self.tell(payload, &fate);
            stopped = stop;
            outcome.fates.push((payload.name.clone(), fate));
        }
        Ok(outcome)
    }

    /// Asks Alibaba Cloud whose credentials these are; tickets of other accounts must not go out in their name.
    ///
    /// # Errors
    /// Why that is not known.
    async fn introduce(&mut self) -> Result<(), String> {
        let Desk::Alibaba(_, sts) = &self.target.desk else { return Ok(()) };
        let ask = async || sts.account().await.map_err(look::trouble);
        let said = patiently(self.target, ask).await;
        let unknown = |why: &str| format!("it is not known to which account the credentials belong: {why}");
        let account = said.map_err(|trouble| unknown(trouble.words()))?;
        let account = account.ok_or_else(|| unknown("the answer names none"))?;
        self.place = self.target.place(Some(&account));
        self.account = Some(account);
        Ok(())
    }

    /// What is known of a ticket that must not go out in the name of the account, as it is of another one.
    fn foreign(&self, payload: &Payload) -> Option<Fate> {
        let (own, caller) = (payload.matter.account.as_ref()?, self.account.as_ref()?);
        if own == caller {
            return None;
        }
        let refusal = || {
            format!("its keys are of account {own}, and the credentials of {caller}; send it with credentials of {own}")
        };
        Some(self.known(payload).unwrap_or_else(|| Fate::NotSent(refusal())))
    }

    /// A ticket that the ledger knows as one of the account that the plan names.
    fn known(&self, payload: &Payload) -> Option<Fate> {
        let place = self.target.place(Some(payload.matter.account.as_ref()?));
        let spot = Spot { tracker: self.target.tracker.name(), place: &place };
        match self.ledger.records().standing(spot, &payload.mark.label()) {
            Standing::Exists { ticket, .. } => Some(Fate::Sent(ticket)),
            _ => None,
        }
    }

    async fn send(&mut self, payload: &Payload) -> Result<Step, SubmitError> {
        if let Some(fate) = self.foreign(payload) {
            return Ok((fate, false));
        }
        let job = match marked(payload) {
            Ok(ready) => Job { payload, ready },
            Err(why) => return Ok((Fate::NotSent(why), false)),
        };
        let label = job.label();
        let (records, spot) = (self.ledger.records(), self.spot());
        let doubt = match records.standing(spot, &label) {
            Standing::Exists { ticket, remarks } => {
                let replacement = records.replacement(spot, &label);
                if replacement.is_some() || remarks.is_empty() {
                    return Ok((sent_before(ticket, replacement), false));
                }
                return self.read_again(&job, ticket, remarks).await;
            }
            Standing::Doubt(since) => Some(since),
            Standing::Free => None,
        };
        let found = match self.before(&job, doubt).await {
            Ok(found) => found,
            Err(trouble) => return self.not_known_before(&job, doubt, trouble),
        };
        if let Some(ticket) = found.own {
            self.note(&job, State::Found, News { ticket: Some(&ticket), ..News::default() })?;
            return Ok((Fate::Found(ticket), false));
        }
        if doubt.is_some() {
            self.note(&job, State::NotCreated, News::default())?;
        }
        if !found.otherwise.is_empty() {
            return Ok((Fate::NotSent(divided_there(&found.otherwise)), false));
        }
        self.create(job).await
    }

    /// A ticket was not as it should be when it was looked at last; perhaps somebody mended it.
    async fn read_again(&mut self, job: &Job<'_>, id: String, remarks: Vec<String>) -> Result<Step, SubmitError> {
        let before = Ticket { id, url: None, remarks };
        let ticket = match self.look(job, Ask::Own).await {
            Ok(Found { own: Some(ticket), .. }) => ticket,
            Ok(_) => {
                let why = format!("it was sent as {}, and the tracker has it no more: look for it by hand", before.id);
                return Ok((Fate::NotSent(why), false));
            }
            Err(trouble) => {
                let mut ticket = before.clone();
                ticket.remarks.push(format!("it could not be read again: {}", trouble.words()));
                return Ok((Fate::Found(ticket), false));
            }
        };
        if ticket.remarks != before.remarks {
            self.note(job, State::Found, News { ticket: Some(&ticket), ..News::default() })?;
        }
        if ticket.remarks.is_empty() {
            (self.say)(&format!("{}: {} was mended, and is as it was sent", job.payload.name, ticket.id));
        }
        Ok((Fate::Found(ticket), false))
    }

    /// What the tracker has. If the ticket was sent before, a "no" counts only after it had time to become a "yes".
    async fn before(&mut self, job: &Job<'_>, doubt: Option<Timestamp>) -> Result<Found, Trouble> {
        let settled = self.target.patience.settled_since_begin();
        let passed = |since: Timestamp| Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default();
        let left = doubt.map(|since| settled.saturating_sub(passed(since))).unwrap_or_default();
        let found = if left.is_zero() {
            self.look(job, Ask::Own).await?
        } else {
            let name = &job.payload.name;
            (self.say)(&format!("{name}: no answer is known of what was sent just before; asking the tracker"));
            self.look_again(job, left).await?
        };
        let (mark, is_known) = (&job.payload.mark, found.own.is_some() || !found.otherwise.is_empty());
        if is_known || look::own_is_whole(job.payload) || self.looked_through.contains(&mark.digest) {
            return Ok(found);
        }
        let whole = self.look(job, Ask::Whole).await?;
        if whole.otherwise.is_empty() {
            self.looked_through.insert(mark.digest.clone());
        }
        Ok(whole)
    }

    /// Without an answer to the question, nothing is sent.
    fn not_known_before(
        &mut self,
        job: &Job<'_>,
        doubt: Option<Timestamp>,
        trouble: Trouble,
    ) -> Result<Step, SubmitError> {
        let why = format!("{} cannot be asked whether it has it: {}", self.place, trouble.words());
        let stop = !matches!(trouble, Trouble::Refused(_));
        if doubt.is_none() {
            return Ok((Fate::NotSent(why), stop));
        }
        self.note(job, State::Unknown, News { why: Some(&why), ..News::default() })?;
        Ok((Fate::Unknown(why), stop))
    }

    async fn create(&mut self, job: Job<'_>) -> Result<Step, SubmitError> {
        let (old, to_close) = match superseded(self.ledger.records(), self.spot(), job.payload, self.supersede) {
            Ok(old) => (labels(&old), in_place_of(&old)),
            Err(why) => return Ok((Fate::NotSent(why), false)),
        };
        if !to_close.is_empty() {
            (self.say)(&format!("{}: is sent{to_close}: close that in the tracker", job.payload.name));
        }
        let job = match self.completed(job.ready).await {
            Ok(ready) => Job { payload: job.payload, ready },
            Err(trouble) => return Ok((Fate::NotSent(trouble.words().to_owned()), true)),
        };
        self.note(&job, State::Sending, News { supersedes: &old, ..News::default() })?;
        let mut message = None;
        match self.create_patiently(&job, &mut message, &old).await? {
            Ok(ticket) => {
                self.note(&job, State::Created, News { ticket: Some(&ticket), ..News::default() })?;
                Ok((Fate::Created(ticket), false))
            }
            Err(Trouble::Lost(why)) => self.resolve(&job, why).await,
            Err(trouble) => {
                let (state, stop) = match trouble {
                    Trouble::Refused(_) => (State::Refused, false),
                    Trouble::RefusedAll(_) => (State::Refused, true),
                    _ => (State::NotSent, true),
                };
                self.note(&job, state, News { why: Some(trouble.words()), ..News::default() })?;
                if let (Desk::Rest(site, _), Some(id)) = (&self.target.desk, message) {
                    // It does no harm if it stays.
                    roundup::retire(site, &id).await.ok();
                }
                Ok((Fate::NotSent(trouble.words().to_owned()), stop))
            }
        }
    }

    /// No answer came: the tracker is asked, more than once, whether it has the ticket now.
    async fn resolve(&mut self, job: &Job<'_>, why: String) -> Result<Step, SubmitError> {
        (self.say)(&format!("{}: {why}; asking the tracker whether it has the ticket", job.payload.name));
        match self.look_again(job, self.target.patience.settled()).await {
            Ok(Found { own: Some(ticket), .. }) => {
                let news = News { ticket: Some(&ticket), why: Some(&why), ..News::default() };
                self.note(job, State::Found, news)?;
                // Where one answer is lost, the next may be, too; but this one is known.
                Ok((Fate::Created(ticket), false))
            }
            Ok(_) => {
                self.note(job, State::NotCreated, News { why: Some(&why), ..News::default() })?;
                Ok((Fate::NotSent(format!("{why}; the tracker does not have it, so run again")), true))
            }
            Err(trouble) => {
                let why = format!("{why}; and then: {}", trouble.words());
                self.note(job, State::Unknown, News { why: Some(&why), ..News::default() })?;
                Ok((Fate::Unknown(why), true))
            }
        }
    }

    /// Looks until the ticket is there or the time has passed. The last answer counts.
    async fn look_again(&mut self, job: &Job<'_>, within: Duration) -> Result<Found, Trouble> {
        let (mut left, mut pauses) = (within, self.target.patience.looks.iter());
        loop {
            let last = self.look_once(job, Ask::Own).await;
            let pause = pauses.next().map_or(left, |pause| (*pause).min(left));
            let is_last = match &last {
                Ok(found) => found.own.is_some(),
                Err(trouble) => matches!(trouble, Trouble::RefusedAll(_)),
            };
            if is_last || pause.is_zero() {
                return last;
            }
            tokio::time::sleep(pause).await;
            left -= pause;
        }
    }

    async fn look_once(&self, job: &Job<'_>, ask: Ask) -> Result<Found, Trouble> {
        match (&self.target.desk, &job.ready) {
            (Desk::Alibaba(api, _), _) => look::of_alibaba(api, job.payload, ask).await,
            (Desk::Rest(site, scope), Ready::Json(sent)) => {
                let mut found = look::of_rest(site, scope, job.payload, sent, ask).await?;
                found.own = found.own.map(|ticket| site.cleaned(ticket));
                found.otherwise = found.otherwise.into_iter().map(|ticket| site.cleaned(ticket)).collect();
                Ok(found)
            }
            (Desk::Rest(..), Ready::Form(_)) => Err(wrong_form()),
        }
    }

    async fn look(&self, job: &Job<'_>, ask: Ask) -> Result<Found, Trouble> {
        patiently(self.target, async || self.look_once(job, ask).await).await
    }

    /// Creates the ticket; again only if nothing of it can exist.
    async fn create_patiently(
        &mut self,
        job: &Job<'_>,
        message: &mut Option<String>,
        supersedes: &[String],
    ) -> Result<Result<Ticket, Trouble>, SubmitError> {
        let mut pauses = Pauses::new(self.target);
        loop {
            let result = match (&self.target.desk, &job.ready) {
                (Desk::Alibaba(api, _), Ready::Form(form)) => create::in_alibaba(api, form).await,
                (Desk::Rest(site, scope), Ready::Json(body)) => {
                    let made = create::in_rest(site, scope, job.payload, body.clone(), message).await;
                    made.map(|ticket| site.cleaned(ticket))
                }
                _ => Err(wrong_form()),
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
            self.note(job, State::Sending, News { supersedes, ..News::default() })?;
        }
    }

    /// The parameters with their category.
    async fn completed(&mut self, ready: Ready) -> Result<Ready, Trouble> {
        let (Desk::Alibaba(api, _), Ready::Form(mut form)) = (&self.target.desk, ready.clone()) else {
            return Ok(ready);
        };
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

    fn spot(&self) -> Spot<'_> {
        Spot { tracker: self.target.tracker.name(), place: &self.place }
    }

    fn note(&mut self, job: &Job<'_>, state: State, news: News<'_>) -> Result<(), SubmitError> {
        let Payload { name, mark, matter, .. } = job.payload;
        // One line tells which keys are asked for; a ticket that was found may have no other.
        let is_told = matches!(state, State::Sending | State::Found);
        self.ledger.add(&Line {
            format: FORMAT.to_owned(),
            at: Timestamp::now(),
            tracker: self.target.tracker.name().to_owned(),
            place: self.place.clone(),
            label: mark.label(),
            mark: mark.line(),
            name: name.clone(),
            state,
            ticket: news.ticket.map(|ticket| ticket.id.clone()),
            url: news.ticket.and_then(|ticket| ticket.url.clone()),
            why: news.why.map(str::to_owned),
            about: is_told.then(|| matter.about.clone()),
            keys: if is_told { matter.keys.clone() } else { Vec::new() },
            supersedes: news.supersedes.to_vec(),
            remarks: news.ticket.map(|ticket| ticket.remarks.clone()).unwrap_or_default(),
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

fn wrong_form() -> Trouble {
    Trouble::Refused("its body has not the form that the tracker takes".to_owned())
}
