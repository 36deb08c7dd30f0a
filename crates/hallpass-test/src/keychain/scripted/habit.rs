//! Ways to behave.

/// How the service, or the bus, behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Habit {
    /// As it should. Whoever is asked to unlock it does so.
    Honest,
    /// Nobody has the service's name.
    Absent,
    /// The service is there and has no default collection.
    Bare,
    /// The service has its name and answers nothing.
    Silent,
    /// Every answer takes a minute.
    Slow,
    /// Every answer takes a second and a half: each is in time, and together they are not.
    Sluggish,
    /// Every answer takes four tenths of a second: all of them together are in time.
    Leisurely,
    /// The service ends at the first call of it.
    Dies,
    /// The bus lets programs in and answers nothing.
    BusSilent,
    /// The bus ends at the first call of the service.
    BusDies,
    /// Gives back another key than it was given.
    SwapsKeys,
    /// Gives back something that is no key.
    Garbles,
    /// Gives back the first half.
    Truncates,
    /// Gives back an empty secret.
    Blanks,
    /// Removes nothing.
    Clings,
    /// Says that it keeps an item, and does not.
    Forgets,
    /// Answers with other types than the standard's.
    Babbles,
    /// The items are in a collection that is locked, and the default one is another and open.
    LocksItems,
    /// Finds nothing while it is locked, as services do that encrypt the attributes too.
    HidesWhileLocked,
    /// Wants to ask somebody before it keeps or removes anything.
    AsksFirst,
    /// Nobody answers the question to unlock it.
    NobodyAnswers,
    /// The question to unlock it is dismissed.
    Dismissed,
    /// The service ends while it asks.
    DiesAsking,
    /// The question is answered, and it stays locked all the same.
    StaysLocked,
}
