//! Ways in which a Secret Service behaves.

/// How the service, or the bus, behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Habit {
    /// As it should. The user unlocks it when asked.
    Honest,
    /// The service's name has no owner.
    Absent,
    /// The service is there and has no default collection.
    Bare,
    /// The service owns its name and never responds.
    Silent,
    /// Every response takes a minute.
    Slow,
    /// Every response takes 1.5 s: each is in time, but together they are not.
    Sluggish,
    /// Every response takes 0.4 s: together they are in time.
    Leisurely,
    /// The service ends at the first call of it.
    Dies,
    /// The bus accepts connections and never responds.
    BusSilent,
    /// The bus ends at the first call of the service.
    BusDies,
    /// Returns another key than it was given.
    SwapsKeys,
    /// Returns something that is not a key.
    Garbles,
    /// Returns the first half.
    Truncates,
    /// Returns an empty secret.
    Blanks,
    /// Removes nothing.
    Clings,
    /// Reports that it stored an item, and does not store it.
    Forgets,
    /// Responds with other types than the standard's.
    Babbles,
    /// The items are in a collection that is locked, and the default one is another and open.
    LocksItems,
    /// Finds nothing while it is locked, as services do that encrypt the attributes too.
    HidesWhileLocked,
    /// Prompts the user before it stores or removes an item.
    AsksFirst,
    /// The prompt to unlock it stays open.
    NobodyAnswers,
    /// The prompt to unlock it is dismissed.
    Dismissed,
    /// The service ends while the prompt is open.
    DiesAsking,
    /// The prompt completes, but the collection stays locked.
    StaysLocked,
}
