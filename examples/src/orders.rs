//! Orders, and reading them from a file with one JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Its number.
    pub id: u64,
    /// Who ordered.
    pub customer: String,
    /// How many items.
    pub items: u32,
    /// What one costs.
    pub unit_cents: u64,
    /// Whether it has to leave today.
    #[serde(default)]
    pub express: bool,
    /// What the bank knows the card by.
    pub card_token: String,
}

impl Order {
    /// An order to play with.
    #[must_use]
    pub fn sample(id: u64) -> Self {
        let (customer, card_token) = ("Zoë".to_owned(), "tok_4242".to_owned());
        Self { id, customer, items: 2, unit_cents: 1999, express: id.is_multiple_of(2), card_token }
    }
}

/// A line that is no order, or a file that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The file can't be opened or read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A line is not an order.
    #[error("{}:{line}:{column}: {fault}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong with it.
        fault: String,
    },
}

fn invalid(path: &Path, line: usize, error: &serde_json::Error) -> OrderError {
    let told = error.to_string();
    // The parser saw one line and calls it line 1.
    let fault = told.rsplit_once(" at line ").map_or(told.as_str(), |(fault, _)| fault).to_owned();
    OrderError::Invalid { path: path.to_owned(), line, column: error.column(), fault }
}

/// The orders of a file with their line numbers, one by one: a bad line is an error of its own, and the next follows.
///
/// # Errors
/// The file can't be opened.
pub fn read(path: &Path) -> Result<impl Iterator<Item = (usize, Result<Order, OrderError>)>, OrderError> {
    let unreadable = |error| OrderError::Unreadable { path: path.to_owned(), error };
    let lines = BufReader::new(File::open(path).map_err(unreadable)?).split(b'\n');
    let path = path.to_owned();
    // A file that can't be read gives the same error for ever: it is told once.
    let mut broken = false;
    let lines = lines.take_while(move |text| !std::mem::replace(&mut broken, text.is_err()));
    Ok(lines.enumerate().filter(|(_, text)| !matches!(text, Ok(text) if text.trim_ascii().is_empty())).map(
        move |(index, text)| {
            let line = index + 1;
            let order = match text {
                Ok(text) => serde_json::from_slice(&text).map_err(|error| invalid(&path, line, &error)),
                Err(error) => Err(OrderError::Unreadable { path: path.clone(), error }),
            };
            (line, order)
        },
    ))
}
