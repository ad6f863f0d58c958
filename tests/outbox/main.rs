//! The outbox and its workers, on SQLite files and a real Postgres.

mod crashes;
mod faults;
mod home;
mod known;
mod leases;
mod model;
mod odd;
mod options;
mod places;
mod plans;
mod refused;
mod relay;
mod runs;
mod secrets;
mod tasks;
mod temporary;
mod testing;
mod versions;
