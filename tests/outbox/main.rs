//! The outbox and its workers, on SQLite files and a real Postgres.

mod crashes;
mod home;
mod leases;
mod odd;
mod places;
mod runs;
mod tasks;
mod temporary;
mod testing;
